"""Quotes: the current revision as one item, earlier ones beside it as they were sent."""

from __future__ import annotations

from dataclasses import replace

from billing.adapters.dynamodb import keys, search
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, optional_text, text
from billing.adapters.dynamodb.companies import from_item as company_from_item
from billing.adapters.dynamodb.customers import list_of
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.invoices import (
    Invoices,
    new_draft,
    series_from_item,
    series_to_item,
)
from billing.adapters.dynamodb.invoices import from_item as invoice_from_item
from billing.adapters.dynamodb.search import word_records
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import NOWHERE, Caller, Origin
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import Busy, NotFound, NumberTaken, QuoteAlreadySent, StaleVersion
from billing.domain.events import Event
from billing.domain.findable import quote_words
from billing.domain.invoice import DraftInvoice, Invoice
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.quote import Quote, QuoteDocument, QuoteStatus
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteContext, QuoteQuery, QuoteSummary
from billing.ports.repositories import SeriesMoved

QUOTE = "quote"
REVISION = "quote_revision"
MAX_GROUP_BYTES = 2_500_000  # beside the quote and its stored answer


def to_item(quote: Quote) -> Item:
    key = keys.quote(quote.tenant_id, quote.quote_id)
    summary = QuoteSummary.of(quote)
    by_date = keys.dated(summary.list_date, quote.quote_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=QUOTE,
        schema_version=SCHEMA_VERSION,
        tenant_id=quote.tenant_id,
        version=quote.version,
        numbered=quote.number is not None,
        **_content(quote),
        summary=dump(summary),
        words=" ".join(quote_words(quote)),
        listing_pk=keys.quote_listing(quote.tenant_id),
        listing_sk=by_date,
        status_pk=keys.quote_status(quote.tenant_id, summary.status.value),
        status_sk=keys.dated(summary.valid_until or summary.list_date, quote.quote_id),
        customer_pk=keys.quote_customer(quote.tenant_id, summary.customer_id),
        customer_sk=by_date,
    )


def _content(quote: Quote) -> dict[str, str | None]:
    """The lines stand once: in the document as soon as there is one; twice, a large quote would not fit."""
    body = replace(quote, document=None, totals=replace(quote.totals, lines=()))
    if quote.document is None:
        return {"body": dump(body), "document": None}
    body = replace(body, content=replace(quote.content, lines=()))
    return {"body": dump(body), "document": quote.document.canonical()}


def from_item(stored: Item) -> Quote:
    quote = load(Quote, text(stored, "body"))
    frozen = optional_text(stored, "document")
    if frozen is None:
        return replace(quote, totals=quote.content.computed())
    document = load(QuoteDocument, frozen)
    lines = tuple(computed.line for computed in document.totals.lines)
    return replace(quote, document=document, totals=document.totals, content=replace(quote.content, lines=lines))


class Quotes:
    """Port Quotes."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._invoices = Invoices(table)

    def read(self, caller: Caller, quote_id: str, *, once: IdempotentRequest | None = None) -> Quote:
        key = keys.quote(caller.tenant_id, quote_id)
        stored = self._table.read(caller, key, once=once).get(key)
        if stored is None:
            raise NotFound
        return from_item(stored)

    def create(self, caller: Caller, quote: Quote, *, event: Event, once: IdempotentRequest) -> None:
        content = to_item(quote)
        self._table.write(
            caller,
            self._table.create(content, refuse_with(Busy)),
            *word_records(self._table, search.QUOTE, content),
            self._event(quote, event),
            once=once,
            answered=quote,
        )

    def save(
        self,
        caller: Caller,
        quote: Quote,
        *,
        event: Event,
        once: IdempotentRequest | None = None,
        former: Quote | None = None,
    ) -> None:
        kept = [self._table.create(_revision_to_item(former), refuse_with(StaleVersion))] if former else []
        self._table.write(
            caller,
            self.moved_head(quote),
            *word_records(self._table, search.QUOTE, to_item(quote)),
            *kept,
            self._event(quote, event),
            once=once,
            answered=quote,
        )

    def delete(self, caller: Caller, quote_id: str, *, expected_version: int, event: Event) -> None:
        head = self._table.delete(
            keys.quote(caller.tenant_id, quote_id),
            refused=_draft_refused,
            only_if="version = :version AND entity = :entity AND numbered = :numbered",
            values={":version": expected_version, ":entity": QUOTE, ":numbered": False},
        )
        key = keys.document_event(caller.tenant_id, quote_id, event.event_id)
        self._table.write(caller, head, self._table.event(key, caller.tenant_id, event))

    def list(self, caller: Caller, query: QuoteQuery, page: PageRequest) -> Page[QuoteSummary]:
        order, partition, forward = _order(caller.tenant_id, query)
        index, partitions = list_of(
            self._table, caller, query.customer_id, keys.quote_customer, otherwise=(order, partition)
        )
        low, high = _bounds(query)
        rows, position = self._table.pages(
            index,
            partitions,
            page,
            base_key=lambda quote_id: keys.quote(caller.tenant_id, quote_id),
            low=low,
            high=high,
            forward=forward,
        )
        return Page(items=load_all(QuoteSummary, [row.summary for row in rows]), position=position)

    def load_for_send(self, caller: Caller, quote_id: str, *, once: IdempotentRequest) -> QuoteContext:
        quote_key = keys.quote(caller.tenant_id, quote_id)
        company_key = keys.company(caller.tenant_id)
        series_key = keys.series(caller.tenant_id, Series.QUOTE.value)
        found = self._table.read(caller, quote_key, company_key, series_key, once=once)
        if quote_key not in found:
            raise NotFound
        company = found.get(company_key)
        return QuoteContext(
            quote=from_item(found[quote_key]),
            company=company_from_item(company) if company else None,
            series=series_from_item(Series.QUOTE, found.get(series_key)),
        )

    def send(
        self,
        caller: Caller,
        quote: Quote,
        *,
        previous: Quote,
        allocation: NumberAllocation | None,
        delivery: DeliveryRequest,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        content = to_item(quote)
        head = self._table.replace(
            content, expected_version=previous.version, entity=QUOTE, refused=refuse_with(StaleVersion)
        )
        numbered = self._numbered(caller.tenant_id, quote, allocation) if allocation else ()
        self._table.write(
            caller,
            head,
            *word_records(self._table, search.QUOTE, content, to_item(previous)),
            *numbered,
            self._table.create(delivery_to_item(delivery), refuse_with(StaleVersion)),
            self._event(quote, event),
            once=once,
            answered=quote,
        )

    def invoices(self, caller: Caller, quote: Quote) -> dict[str, Invoice]:
        wanted = {keys.invoice(caller.tenant_id, part.invoice_id): part.invoice_id for part in quote.parts}
        found = self._table.batch(list(wanted)) if wanted else {}
        return {wanted[key]: invoice_from_item(stored) for key, stored in found.items()}

    def convert(
        self,
        caller: Caller,
        quote: Quote,
        *,
        draft: DraftInvoice,
        events: tuple[Event, Event],
        once: IdempotentRequest,
    ) -> None:
        own, of_draft = events
        self._table.write(
            caller,
            self.moved_head(quote),
            *new_draft(self._table, draft, refuse_with(Busy)),
            self._event(quote, own),
            self._table.event(
                keys.document_event(draft.tenant_id, draft.invoice_id, of_draft.event_id), draft.tenant_id, of_draft
            ),
            once=once,
            answered=draft,
        )

    def receive(
        self,
        caller: Caller,
        quote: Quote,
        *,
        invoices: tuple[Invoice, ...],
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        """A transaction holds 4 MB: very large invoices go before, each group of them whole, and a retry goes on."""
        *before, last = _by_size([self._invoices.moved(invoice) for invoice in invoices])
        for group in before:
            self._table.write(caller, *group)
        self._table.write(
            caller,
            self.moved_head(quote),
            *last,
            self._event(quote, event),
            once=once,
            answered=quote,
        )

    def release(
        self,
        caller: Caller,
        quote: Quote,
        *,
        invoice_id: str,
        expected_version: int,
        events: tuple[Event, Event],
    ) -> None:
        own, of_draft = events
        self._table.write(
            caller,
            *self._invoices.deleted_draft(caller, invoice_id, expected_version=expected_version, event=of_draft),
            self.moved_head(quote),
            self._event(quote, own),
        )

    def timeline(self, caller: Caller, quote_id: str, page: PageRequest) -> Page[Event]:
        """Two requests: the quote must exist (and be the tenant's), then its events."""
        head = keys.quote(caller.tenant_id, quote_id)
        if head not in self._table.read(caller, head):
            raise NotFound
        first = keys.document_event(caller.tenant_id, quote_id, "")
        stored, position = self._table.query(
            first.pk, low=first.sk, high=f"{first.sk}{keys.HIGHEST}", limit=page.limit, after=page.position
        )
        return Page(items=load_all(Event, [text(row, "body") for row in stored]), position=position)

    def open(self, tenant_id: str, quote_id: str) -> Quote | None:
        stored = self._table.get(keys.quote(tenant_id, quote_id))
        return from_item(stored) if stored else None

    def revision(self, tenant_id: str, quote_id: str, revision: int) -> Quote | None:
        stored = self._table.get(keys.quote_revision(tenant_id, quote_id, revision))
        return from_item(stored) if stored else None

    def decide(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        self._table.write(None, self.moved_head(quote), self._event(quote, event), origin=origin)

    def told(self, quote: Quote, event: Event) -> tuple[Write, ...]:
        """The head one version further, and what made it so."""
        return self.moved_head(quote), self._event(quote, event)

    def moved_head(self, quote: Quote) -> Write:
        """The head one version further."""
        return self._table.replace(
            to_item(quote), expected_version=quote.version - 1, entity=QUOTE, refused=refuse_with(StaleVersion)
        )

    def _numbered(self, tenant_id: str, quote: Quote, allocation: NumberAllocation) -> tuple[Write, Write]:
        """The series one further, and the claim of the number over all series; quotes are not chained."""
        previous = allocation.previous
        state = SeriesState(
            series=Series.QUOTE,
            year=allocation.year,
            last_rank=allocation.rank,
            last_date=allocation.issue_date,
            last_hash=quote.document_hash,
        )

        def moved(stored: Item | None) -> Exception:
            return SeriesMoved(series_from_item(Series.QUOTE, stored))

        content = series_to_item(tenant_id, state)
        if previous.last_date is None:
            series = self._table.create(content, moved)
        else:
            values: dict[str, str | int | bool] = {":rank": previous.last_rank, ":hash": previous.last_hash}
            request = self._table.put(content, only_if="last_rank = :rank AND last_hash = :hash", values=values)
            series = Write("Put", request, moved)
        key = keys.number(tenant_id, allocation.number)
        claim = item(
            pk=key.pk,
            sk=key.sk,
            entity="number",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            series=Series.QUOTE.value,
            invoice_id=quote.quote_id,
        )
        return series, self._table.create(claim, refuse_with(NumberTaken))

    def _event(self, quote: Quote, event: Event) -> Write:
        key = keys.document_event(quote.tenant_id, quote.quote_id, event.event_id)
        return self._table.event(key, quote.tenant_id, event)


def _by_size(writes: list[Write]) -> list[list[Write]]:
    """Groups of puts that each fit into one transaction; the last may be empty."""
    groups: list[list[Write]] = [[]]
    size = 0
    for one in writes:
        texts = [value["S"] for value in one.request["Item"].values() if "S" in value]
        bulk = sum(len(text.encode()) for text in texts)
        if groups[-1] and size + bulk > MAX_GROUP_BYTES:
            groups.append([])
            size = 0
        groups[-1].append(one)
        size += bulk
    return groups


def _revision_to_item(quote: Quote) -> Item:
    key = keys.quote_revision(quote.tenant_id, quote.quote_id, quote.revision)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=REVISION,
        schema_version=SCHEMA_VERSION,
        tenant_id=quote.tenant_id,
        version=quote.version,
        **_content(quote),
    )


def _draft_refused(stored: Item | None) -> Exception:
    if stored is None:
        return NotFound()
    return QuoteAlreadySent() if stored["numbered"]["BOOL"] else StaleVersion()


def _order(tenant_id: str, query: QuoteQuery) -> tuple[str, str, bool]:
    """Index, partition and direction: dates newest first, validities most urgent first."""
    if query.status is not None:
        stored = QuoteStatus.SENT if query.status is QuoteStatus.EXPIRED else query.status
        return "ByStatus", keys.quote_status(tenant_id, stored.value), True
    return "Listing", keys.quote_listing(tenant_id), False


def _bounds(query: QuoteQuery) -> tuple[str, str]:
    """What was sent has expired when its validity lies before the day."""
    today = query.on.isoformat()
    low = query.from_date.isoformat() if query.from_date else ""
    high = f"{query.to_date.isoformat()}#{keys.HIGHEST}" if query.to_date else keys.HIGHEST
    if query.status is QuoteStatus.SENT:
        low = max(low, today)
    if query.status is QuoteStatus.EXPIRED:
        high = min(high, today)
    return low, high
