"""Fake of the port RecurringInvoices."""

from __future__ import annotations

from datetime import date
from typing import cast

from billing.domain.access import Caller
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice
from billing.domain.recurring_invoice import RecurringInvoice
from billing.domain.search import fold
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.recurring_invoices import DueRecurringInvoice, PeriodMade, RecurringInvoiceSummary
from tests.fakes.store import SHARDS, Store, paged, shard_of

Rows = list[tuple[str, object]]


class FakeRecurringInvoices:
    """Port RecurringInvoices."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        with self._store.lock:
            self._store.check(caller, once)
            found = self._store.recurring.get((caller.tenant_id, recurring_invoice_id))
        if found is None:
            raise NotFound
        return found

    def current(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        with self._store.lock:
            return self._billing(self.read(caller, recurring_invoice_id, once=once))

    def _billing(self, recurring: RecurringInvoice) -> RecurringInvoice:
        customer_id = recurring.content.customer_id
        customer = self._store.current(recurring.tenant_id, customer_id)
        if customer is None or customer.customer_id == customer_id:
            return recurring
        return recurring.billing(customer.customer_id, customer.description.name)

    def create(self, caller: Caller, recurring: RecurringInvoice, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=recurring):
            self._store.recurring[caller.tenant_id, recurring.recurring_invoice_id] = recurring
            self._store.record(caller.tenant_id, recurring.recurring_invoice_id, event)

    def save(
        self, caller: Caller, recurring: RecurringInvoice, *, event: Event | None, once: IdempotentRequest | None = None
    ) -> None:
        with self._store.writing(caller, once=once, answered=recurring):
            self._move(recurring)
            if event:
                self._store.record(caller.tenant_id, recurring.recurring_invoice_id, event)

    def list(self, caller: Caller, page: PageRequest) -> Page[RecurringInvoiceSummary]:
        with self._store.lock:
            self._store.check(caller)
            rows: Rows = [
                (f"{fold(recurring.name)}#{recurring_id}", RecurringInvoiceSummary.of(self._billing(recurring)))
                for (tenant_id, recurring_id), recurring in self._store.recurring.items()
                if tenant_id == caller.tenant_id
            ]
        return cast("Page[RecurringInvoiceSummary]", paged(rows, page))

    def timeline(self, caller: Caller, recurring_invoice_id: str, page: PageRequest) -> Page[Event]:
        with self._store.lock:
            self.read(caller, recurring_invoice_id)
            events = self._store.events.get((caller.tenant_id, recurring_invoice_id), ())
        rows: Rows = [(event.event_id, event) for event in events]
        return cast("Page[Event]", paged(rows, page))

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[DueRecurringInvoice, ...], str | None]:
        with self._store.lock:
            rows: Rows = [
                (f"{due.isoformat()}#{recurring_id}", DueRecurringInvoice(tenant_id, recurring_id))
                for (tenant_id, recurring_id), recurring in self._store.recurring.items()
                if (due := recurring.due_on) is not None and due <= day and shard_of(tenant_id) == shard
            ]
        page = paged(rows, PageRequest(limit=limit, position=after))
        return cast("tuple[DueRecurringInvoice, ...]", page.items), page.position

    def make(
        self, caller: Caller, recurring: RecurringInvoice, *, draft: DraftInvoice, events: tuple[Event, Event]
    ) -> None:
        own, of_draft = events
        assert recurring.last_date is not None
        period = (recurring.tenant_id, recurring.recurring_invoice_id, recurring.last_date)
        with self._store.writing(caller):
            self._hold(recurring)
            if period in self._store.periods or (caller.tenant_id, draft.invoice_id) in self._store.invoices:
                raise PeriodMade
            self._move(recurring)
            self._store.periods[period] = draft.invoice_id
            self._store.invoices[caller.tenant_id, draft.invoice_id] = draft
            self._store.record(caller.tenant_id, recurring.recurring_invoice_id, own)
            self._store.record(caller.tenant_id, draft.invoice_id, of_draft)

    def _hold(self, recurring: RecurringInvoice) -> None:
        stored = self._store.recurring.get((recurring.tenant_id, recurring.recurring_invoice_id))
        if stored is None or stored.version != recurring.version - 1:
            raise StaleVersion

    def _move(self, recurring: RecurringInvoice) -> None:
        self._hold(recurring)
        self._store.recurring[recurring.tenant_id, recurring.recurring_invoice_id] = recurring
