"""Fake of the port Quotes."""

from __future__ import annotations

from datetime import date
from typing import cast

from billing.domain.access import NOWHERE, Caller, Origin
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import NotFound, NumberTaken, QuoteAlreadySent, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice, Invoice
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.quote import Quote
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.quotes import QuoteContext, QuoteQuery, QuoteSummary
from billing.ports.repositories import SeriesMoved
from tests.fakes.store import Store, paged
from tests.fakes.writes import ask, hold_draft, move_head

Rows = list[tuple[str, object]]


class FakeQuotes:
    """Port Quotes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, quote_id: str, *, once: IdempotentRequest | None = None) -> Quote:
        with self._store.lock:
            self._store.check(caller, once)
            return _found(self._store, caller.tenant_id, quote_id)

    def create(self, caller: Caller, quote: Quote, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=quote):
            self._store.quotes[caller.tenant_id, quote.quote_id] = quote
            self._store.record(caller.tenant_id, quote.quote_id, event)

    def save(
        self,
        caller: Caller,
        quote: Quote,
        *,
        event: Event,
        once: IdempotentRequest | None = None,
        former: Quote | None = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=quote):
            move_head(self._store, quote)
            if former:
                self._store.revisions[caller.tenant_id, quote.quote_id, former.revision] = former
            self._store.record(caller.tenant_id, quote.quote_id, event)

    def delete(self, caller: Caller, quote_id: str, *, expected_version: int, event: Event) -> None:
        with self._store.writing(caller):
            stored = _found(self._store, caller.tenant_id, quote_id)
            if stored.number is not None:
                raise QuoteAlreadySent
            if stored.version != expected_version:
                raise StaleVersion
            del self._store.quotes[caller.tenant_id, quote_id]
            self._store.record(caller.tenant_id, quote_id, event)

    def list(self, caller: Caller, query: QuoteQuery, page: PageRequest) -> Page[QuoteSummary]:
        by_validity = query.status is not None
        with self._store.lock:
            self._store.check(caller)
            rows: Rows = []
            ids = self._store.ids_of(caller.tenant_id, query.customer_id) if query.customer_id else ()
            for (tenant_id, quote_id), quote in self._store.quotes.items():
                summary = QuoteSummary.of(quote)
                day = (summary.valid_until or summary.list_date) if by_validity else summary.list_date
                wanted = (
                    tenant_id == caller.tenant_id
                    and (query.status is None or quote.status(query.on) is query.status)
                    and (query.customer_id is None or summary.customer_id in ids)
                    and (query.from_date or date.min) <= day <= (query.to_date or date.max)
                )
                if wanted:
                    rows.append((f"{day.isoformat()}#{quote_id}", summary))
        return cast("Page[QuoteSummary]", paged(rows, page, forward=by_validity))

    def load_for_send(self, caller: Caller, quote_id: str, *, once: IdempotentRequest) -> QuoteContext:
        with self._store.lock:
            quote = self.read(caller, quote_id, once=once)
            return QuoteContext(
                quote=quote,
                company=self._store.companies.get(caller.tenant_id),
                series=self._series(caller.tenant_id),
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
        tenant_id = caller.tenant_id
        with self._store.writing(caller, once=once, answered=quote):
            stored = self._store.quotes.get((tenant_id, quote.quote_id))
            if stored is None or stored.version != previous.version:
                raise StaleVersion
            if allocation and self._series(tenant_id) != allocation.previous:
                raise SeriesMoved(self._series(tenant_id))
            if allocation and (tenant_id, allocation.number) in self._store.numbers:
                raise NumberTaken
            ask(self._store, delivery)
            if allocation:
                self._store.series[tenant_id, Series.QUOTE] = SeriesState(
                    series=Series.QUOTE,
                    year=allocation.year,
                    last_rank=allocation.rank,
                    last_date=allocation.issue_date,
                    last_hash=quote.document_hash,
                )
                self._store.numbers[tenant_id, allocation.number] = quote.quote_id
            self._store.quotes[tenant_id, quote.quote_id] = quote
            self._store.record(tenant_id, quote.quote_id, event)

    def invoices(self, caller: Caller, quote: Quote) -> dict[str, Invoice]:
        with self._store.lock:
            keys = {part.invoice_id: (caller.tenant_id, part.invoice_id) for part in quote.parts}
            return {one: self._store.invoices[key] for one, key in keys.items() if key in self._store.invoices}

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
        with self._store.writing(caller, once=once, answered=draft):
            move_head(self._store, quote)
            self._store.invoices[caller.tenant_id, draft.invoice_id] = draft
            self._store.record(caller.tenant_id, quote.quote_id, own)
            self._store.record(caller.tenant_id, draft.invoice_id, of_draft)

    def receive(
        self,
        caller: Caller,
        quote: Quote,
        *,
        invoices: tuple[Invoice, ...],
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        with self._store.writing(caller, once=once, answered=quote):
            for invoice in invoices:
                stored = self._store.invoices.get((caller.tenant_id, invoice.invoice_id))
                if stored is None or stored.version != invoice.version - 1 or type(stored) is not type(invoice):
                    raise StaleVersion
            move_head(self._store, quote)
            for invoice in invoices:
                self._store.invoices[caller.tenant_id, invoice.invoice_id] = invoice
            self._store.record(caller.tenant_id, quote.quote_id, event)

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
        with self._store.writing(caller):
            hold_draft(self._store, caller.tenant_id, invoice_id, expected_version)
            move_head(self._store, quote)
            del self._store.invoices[caller.tenant_id, invoice_id]
            self._store.record(caller.tenant_id, quote.quote_id, own)
            self._store.record(caller.tenant_id, invoice_id, of_draft)

    def timeline(self, caller: Caller, quote_id: str, page: PageRequest) -> Page[Event]:
        with self._store.lock:
            self.read(caller, quote_id)
            events = self._store.events.get((caller.tenant_id, quote_id), ())
        rows: Rows = [(event.event_id, event) for event in events]
        return cast("Page[Event]", paged(rows, page))

    def open(self, tenant_id: str, quote_id: str) -> Quote | None:
        with self._store.lock:
            return self._store.quotes.get((tenant_id, quote_id))

    def revision(self, tenant_id: str, quote_id: str, revision: int) -> Quote | None:
        with self._store.lock:
            return self._store.revisions.get((tenant_id, quote_id, revision))

    def decide(self, quote: Quote, *, event: Event, origin: Origin = NOWHERE) -> None:
        with self._store.lock:
            move_head(self._store, quote)
            self._store.record(quote.tenant_id, quote.quote_id, event, origin)

    def _series(self, tenant_id: str) -> SeriesState:
        return self._store.series.get((tenant_id, Series.QUOTE)) or SeriesState.untouched(Series.QUOTE)


def _found(store: Store, tenant_id: str, quote_id: str) -> Quote:
    quote = store.quotes.get((tenant_id, quote_id))
    if quote is None:
        raise NotFound
    return quote
