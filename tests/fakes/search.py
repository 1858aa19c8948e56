"""Fake of the port Search: looks at everything there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from billing.domain.access import Caller
from billing.domain.findable import draft_words, issued_words, product_words, quote_words
from billing.domain.invoice import DraftInvoice
from billing.domain.search import matches
from billing.ports.credit_notes import CreditNoteSummary
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteSummary
from billing.ports.repositories import InvoiceSummary, ProductSummary
from tests.fakes.store import Store, paged
from tests.fakes.summaries import invoice_summary, product_summary

Found = tuple[str, tuple[str, ...], object]


class FakeSearch:
    """Port Search."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def invoices(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[InvoiceSummary]:
        return cast("Page[InvoiceSummary]", self._page(caller, self._invoices(caller), terms, page))

    def credit_notes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[CreditNoteSummary]:
        return cast("Page[CreditNoteSummary]", self._page(caller, self._credit_notes(caller), terms, page))

    def quotes(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[QuoteSummary]:
        found = (
            (quote_id, quote_words(quote), QuoteSummary.of(quote))
            for (tenant_id, quote_id), quote in self._store.quotes.items()
            if tenant_id == caller.tenant_id
        )
        return cast("Page[QuoteSummary]", self._page(caller, found, terms, page))

    def products(self, caller: Caller, terms: tuple[str, ...], page: PageRequest) -> Page[ProductSummary]:
        found = (
            (product_id, product_words(product), product_summary(product))
            for (tenant_id, product_id), product in self._store.products.items()
            if tenant_id == caller.tenant_id
        )
        return cast("Page[ProductSummary]", self._page(caller, found, terms, page))

    def _invoices(self, caller: Caller) -> Iterator[Found]:
        for (tenant_id, invoice_id), invoice in self._store.invoices.items():
            if tenant_id != caller.tenant_id:
                continue
            if isinstance(invoice, DraftInvoice):
                yield invoice_id, draft_words(invoice), invoice_summary(invoice)
            elif not invoice.document.document_type.is_credit_note:
                yield invoice_id, issued_words(invoice), invoice_summary(invoice)

    def _credit_notes(self, caller: Caller) -> Iterator[Found]:
        for (tenant_id, note_id), note in self._store.invoices.items():
            issued = not isinstance(note, DraftInvoice) and note.document.document_type.is_credit_note
            if tenant_id == caller.tenant_id and issued and not isinstance(note, DraftInvoice):
                yield note_id, issued_words(note), CreditNoteSummary.of(note)

    def _page(self, caller: Caller, found: Iterable[Found], terms: tuple[str, ...], page: PageRequest) -> Page[object]:
        with self._store.lock:
            self._store.check(caller)
            rows = [
                (f"{min(word for word in held if word.startswith(terms[0]))}#{found_id}", summary)
                for found_id, held, summary in found
                if matches(held, terms)
            ]
        return paged(rows, page)
