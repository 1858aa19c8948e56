"""Fake of the port Reminders."""

from __future__ import annotations

from datetime import date
from typing import cast

from billing.domain.access import Caller
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import InvoiceNotIssued, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.reminders import (
    Reminder,
    ReminderHold,
    ReminderLevel,
    ReminderPause,
    ReminderPlan,
    ReminderRun,
    reminder_id_of,
)
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.reminders import ReminderContext, ReminderRunMoved
from tests.fakes.store import SHARDS, Store, paged, shard_of
from tests.fakes.writes import ask, move_head

Rows = list[tuple[str, object]]


class FakeReminders:
    """Port Reminders."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def read_plan(self, caller: Caller) -> tuple[ReminderPlan, ReminderRun]:
        with self._store.lock:
            self._store.check(caller)
            return self._plan(caller.tenant_id), self._run(caller.tenant_id)

    def save_plan(self, caller: Caller, plan: ReminderPlan, run: ReminderRun, *, event: Event) -> None:
        with self._store.writing(caller):
            if self._plan(caller.tenant_id).version != plan.version - 1:
                raise StaleVersion
            if self._run(caller.tenant_id).version != run.version - 1:
                raise ReminderRunMoved
            self._store.reminder_plans[caller.tenant_id] = plan
            self._store.reminder_runs[caller.tenant_id] = run
            self._store.record(caller.tenant_id, "company", event)

    def due(self, day: date, *, shard: int, limit: int, after: str | None = None) -> tuple[tuple[str, ...], str | None]:
        with self._store.lock:
            rows: Rows = [
                (f"{run.next_day.isoformat()}#{tenant_id}", tenant_id)
                for tenant_id, run in self._store.reminder_runs.items()
                if run.next_day is not None and run.next_day <= day and shard_of(tenant_id) == shard
            ]
        page = paged(rows, PageRequest(limit=limit, position=after))
        return cast("tuple[str, ...]", page.items), page.position

    def advance(self, caller: Caller, run: ReminderRun) -> None:
        with self._store.writing(caller):
            if self._run(caller.tenant_id).version != run.version - 1:
                raise StaleVersion
            self._store.reminder_runs[caller.tenant_id] = run

    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> ReminderContext:
        with self._store.lock:
            self._store.check(caller, once)
            tenant_id = caller.tenant_id
            invoice = self._store.invoices.get((tenant_id, invoice_id))
            if isinstance(invoice, DraftInvoice):
                raise InvoiceNotIssued
            if invoice is None or invoice.document.document_type.is_credit_note:
                raise NotFound
            customer = self._store.current(tenant_id, invoice.document.customer_id)
            customer_id = customer.customer_id if customer else invoice.document.customer_id
            wanted = ((tenant_id, reminder_id_of(invoice_id, level)) for level in ReminderLevel)
            return ReminderContext(
                plan=self._plan(tenant_id),
                invoice=invoice,
                entries=self._store.entries.get((tenant_id, invoice_id), ()),
                customer=customer,
                made=tuple(self._store.reminders[key] for key in wanted if key in self._store.reminders),
                hold=self._hold(tenant_id, invoice_id),
                pause=self._pause(tenant_id, customer_id),
                checkouts=self._store.checkouts_of(tenant_id, invoice_id),
            )

    def request(
        self,
        caller: Caller,
        reminder: Reminder,
        *,
        invoice: IssuedInvoice,
        delivery: DeliveryRequest | None,
        event: Event,
        once: IdempotentRequest | None = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=reminder):
            stored = self._store.invoices.get((caller.tenant_id, invoice.invoice_id))
            if stored is None or stored.version != invoice.version:
                raise StaleVersion
            move_head(self._store, reminder)
            if delivery is not None:
                ask(self._store, delivery)
            self._store.record(caller.tenant_id, invoice.invoice_id, event)

    def save_hold(
        self,
        caller: Caller,
        hold: ReminderHold,
        *,
        event: Event | None,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        with self._store.writing(caller, once=once, answered=answered):
            if self._hold(caller.tenant_id, hold.invoice_id).version != hold.version - 1:
                raise StaleVersion
            self._store.reminder_holds[caller.tenant_id, hold.invoice_id] = hold
            if event is not None:
                self._store.record(caller.tenant_id, hold.invoice_id, event)

    def ended_holds(self, caller: Caller, from_date: date, to_date: date, page: PageRequest) -> Page[str]:
        with self._store.lock:
            self._store.check(caller)
            rows: Rows = [
                (f"{hold.ends_on.isoformat()}#{invoice_id}", invoice_id)
                for (tenant_id, invoice_id), hold in self._store.reminder_holds.items()
                if tenant_id == caller.tenant_id and hold.ends_on and from_date <= hold.ends_on <= to_date
            ]
        return cast("Page[str]", paged(rows, page))

    def read_pause(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> ReminderPause:
        with self._store.lock:
            self._store.check(caller, once)
            customer = self._store.current(caller.tenant_id, customer_id)
            if customer is None:
                raise NotFound
            return self._pause(caller.tenant_id, customer.customer_id)

    def save_pause(self, caller: Caller, pause: ReminderPause, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=pause):
            customer = self._store.customers[caller.tenant_id, pause.customer_id]
            moved = self._pause(caller.tenant_id, pause.customer_id).version != pause.version - 1
            if moved or customer.merged_into is not None:
                raise StaleVersion
            self._store.reminder_pauses[caller.tenant_id, pause.customer_id] = pause
            self._store.record(caller.tenant_id, pause.customer_id, event)

    def _plan(self, tenant_id: str) -> ReminderPlan:
        return self._store.reminder_plans.get(tenant_id) or ReminderPlan(tenant_id=tenant_id)

    def _run(self, tenant_id: str) -> ReminderRun:
        return self._store.reminder_runs.get(tenant_id) or ReminderRun(tenant_id=tenant_id)

    def _hold(self, tenant_id: str, invoice_id: str) -> ReminderHold:
        standing = self._store.reminder_holds.get((tenant_id, invoice_id))
        return standing or ReminderHold(tenant_id=tenant_id, invoice_id=invoice_id)

    def _pause(self, tenant_id: str, customer_id: str) -> ReminderPause:
        standing = self._store.reminder_pauses.get((tenant_id, customer_id))
        return standing or ReminderPause(tenant_id=tenant_id, customer_id=customer_id)
