"""Search over documents and products: one record per word, in a partition per tenant and kind.

A record holds its key only. What it names is read with its own words and summary: a record whose word is gone, or whose
draft is, shows nothing, and nothing need be rewritten when a status changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, item, load_all, optional_text, text
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import Busy
from billing.domain.search import matches
from billing.ports.credit_notes import CreditNoteSummary
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteSummary
from billing.ports.repositories import InvoiceSummary, ProductSummary

INVOICE, QUOTE, CREDIT_NOTE, PRODUCT = "INVOICE", "QUOTE", "CREDIT_NOTE", "PRODUCT"
S = TypeVar("S")


def word_records(table: Table, kind: str, head: Item, former: Item | None = None) -> tuple[Write, ...]:
    """The records of a head that is written for the first time or with other words than its former one had."""
    had = _words(former) if former else ()
    tenant_id, document_id = text(head, "tenant_id"), text(head, "pk").rpartition("#")[2]
    return tuple(_record(table, tenant_id, kind, word, document_id) for word in _words(head) if word not in had)


def _record(table: Table, tenant_id: str, kind: str, word: str, document_id: str) -> Write:
    key = keys.document_word(tenant_id, kind, word, document_id)
    content = item(pk=key.pk, sk=key.sk, entity="document_word", schema_version=SCHEMA_VERSION, tenant_id=tenant_id)
    # The same record again is no change; nothing else ever has its key.
    request = table.put(
        content, only_if="attribute_not_exists(pk) OR entity = :entity", values={":entity": "document_word"}
    )
    return Write("Put", request, refuse_with(Busy))


def _words(stored: Item) -> tuple[str, ...]:
    return tuple((optional_text(stored, "words") or "").split())


class Search:
    """Port Search."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def invoices(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[InvoiceSummary]:
        return self._find(InvoiceSummary, caller, INVOICE, keys.invoice, terms, page)

    def credit_notes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[CreditNoteSummary]:
        return self._find(CreditNoteSummary, caller, CREDIT_NOTE, keys.invoice, terms, page)

    def quotes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[QuoteSummary]:
        return self._find(QuoteSummary, caller, QUOTE, keys.quote, terms, page)

    def products(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[ProductSummary]:
        return self._find(ProductSummary, caller, PRODUCT, keys.product, terms, page)

    def _find(
        self,
        summary: type[S],
        caller: Caller,
        kind: str,
        head: Callable[[str, str], Key],
        terms: tuple[str, ...],
        page: PageRequest,
    ) -> Page[S]:
        """The term that tells most is looked up; the others are held against the words of what is found."""
        self._table.trust(caller)
        records, position = self._table.query(
            keys.document_word(caller.tenant_id, kind, "", "").pk,
            low=terms[0],
            high=f"{terms[0]}{keys.HIGHEST}",
            limit=page.limit,
            after=page.position,
            consistent=False,
        )
        found = [text(record, "sk").partition("#")[::2] for record in records]
        heads = [head(caller.tenant_id, document_id) for _, document_id in found]
        stored = self._table.batch(list(dict.fromkeys(heads)), only=("summary", "words")) if heads else {}
        shown = [
            text(stored[key], "summary")
            for (word, _), key in zip(found, heads, strict=True)
            if key in stored and _is_first(word, _words(stored[key]), terms)
        ]
        return Page(items=load_all(summary, shown), position=position)


def _is_first(word: str, held: tuple[str, ...], terms: tuple[str, ...]) -> bool:
    """Only the first record that finds a document counts, so that none comes twice over the pages."""
    return matches(held, terms) and word == min(one for one in held if one.startswith(terms[0]))
