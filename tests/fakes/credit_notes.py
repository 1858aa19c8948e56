"""Fake of the port CreditNotes."""

from __future__ import annotations

from typing import cast

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_account import credited_movements
from billing.domain.customer_credit import CreditMovement
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import NotFound
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.quote import Quote
from billing.domain.reconciliation import paper_refund_of
from billing.ports.credit_notes import CreditedCustomer, CreditNoteContext, CreditNoteQuery, CreditNoteSummary
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from tests.fakes.store import Store, paged
from tests.fakes.writes import (
    ask,
    credit_of,
    hold_book,
    hold_credit,
    hold_head,
    hold_number,
    hold_quote,
    last_entries,
    move_account,
    move_book,
    move_credit,
    move_head,
    move_ledger,
    take_number,
)


class FakeCreditNotes:
    """Port CreditNotes."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> CreditNoteContext:
        with self._store.lock:
            self._store.check(caller, once)
            invoice = self._store.invoices.get((caller.tenant_id, invoice_id))
            if invoice is None:
                raise NotFound
            series = self._store.series.get((caller.tenant_id, Series.CREDIT_NOTE))
            return CreditNoteContext(
                invoice=invoice,
                company=self._store.companies.get(caller.tenant_id),
                series=series or SeriesState.untouched(Series.CREDIT_NOTE),
                checkouts=self._store.checkouts_of(caller.tenant_id, invoice_id),
            )

    def customer(
        self,
        caller: Caller,
        customer_id: str,
        *,
        quote_id: str | None = None,
        ledger_of: IssuedInvoice | None = None,
    ) -> CreditedCustomer:
        with self._store.lock:
            self._store.check(caller)
            customer = self._store.current(caller.tenant_id, customer_id)
            return CreditedCustomer(
                customer=customer,
                credit=credit_of(self._store, caller.tenant_id, customer.customer_id if customer else customer_id),
                quote=self._store.quotes.get((caller.tenant_id, quote_id)) if quote_id else None,
                entries=last_entries(self._store, caller.tenant_id, ledger_of) if ledger_of else (),
            )

    def issue(
        self,
        caller: Caller,
        note: IssuedInvoice,
        *,
        allocation: NumberAllocation,
        invoice: IssuedInvoice,
        entries: tuple[LedgerEntry, ...],
        movement: CreditMovement | None,
        events: tuple[Event, Event],
        delivery: DeliveryRequest,
        once: IdempotentRequest,
        quote: tuple[Quote, Event] | None = None,
        book: CheckoutBook | None = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=note):
            hold_head(self._store, invoice)
            if quote:
                hold_quote(self._store, quote[0])
            if book is not None:
                hold_book(self._store, book)
            hold_credit(self._store, movement)
            hold_number(self._store, caller.tenant_id, allocation)
            move_ledger(self._store, invoice, entries)
            if book is not None:
                move_book(self._store, book)
            move_credit(self._store, movement)
            self._store.invoices[caller.tenant_id, note.invoice_id] = note
            take_number(self._store, note, allocation)
            moved = credited_movements(note, entries)
            move_account(self._store, caller.tenant_id, note.document.customer_id, *moved)
            ask(self._store, delivery)
            on_paper = paper_refund_of(note, invoice)
            if on_paper:
                self._store.on_paper[caller.tenant_id, on_paper.day, on_paper.subject] = on_paper
            self._store.record(caller.tenant_id, note.invoice_id, events[0])
            self._store.record(caller.tenant_id, invoice.invoice_id, events[1])
            if quote:
                moved_quote, told = quote
                move_head(self._store, moved_quote)
                self._store.record(caller.tenant_id, moved_quote.quote_id, told)

    def list(self, caller: Caller, query: CreditNoteQuery, page: PageRequest) -> Page[CreditNoteSummary]:
        with self._store.lock:
            self._store.check(caller)
            ids = self._store.ids_of(caller.tenant_id, query.customer_id) if query.customer_id else ()
            summaries = [
                CreditNoteSummary.of(note)
                for (tenant_id, _), note in self._store.invoices.items()
                if tenant_id == caller.tenant_id
                and isinstance(note, IssuedInvoice)
                and note.document.document_type.is_credit_note
            ]
        rows: list[tuple[str, object]] = [
            (f"{row.issue_date.isoformat()}#{row.credit_note_id}", row)
            for row in summaries
            if _asked_for(row, query, ids)
        ]
        return cast("Page[CreditNoteSummary]", paged(rows, page, forward=False))


def _asked_for(row: CreditNoteSummary, query: CreditNoteQuery, ids: tuple[str, ...]) -> bool:
    return (
        (query.customer_id is None or row.customer_id in ids)
        and (query.invoice_id is None or row.invoice_id == query.invoice_id)
        and (query.from_date is None or query.from_date <= row.issue_date)
        and (query.to_date is None or row.issue_date <= query.to_date)
    )
