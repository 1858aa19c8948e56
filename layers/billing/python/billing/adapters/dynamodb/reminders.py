"""Reminders: the plan and how far its days were worked through, one item per level of a document, holds and pauses."""

from __future__ import annotations

from datetime import date

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.checkout_items import book_of
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, text
from billing.adapters.dynamodb.customers import current
from billing.adapters.dynamodb.delivery_items import delivery_to_item
from billing.adapters.dynamodb.invoices import (
    DRAFT,
    ISSUED,
    entry_from_item,
    issued_from_item,
)
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.delivery import DeliveryRequest
from billing.domain.errors import InvoiceNotIssued, NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
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

REMINDER = "reminder"


def reminder_to_item(reminder: Reminder) -> Item:
    key = keys.reminder(reminder.tenant_id, reminder.reminder_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=REMINDER,
        schema_version=SCHEMA_VERSION,
        tenant_id=reminder.tenant_id,
        version=reminder.version,
        body=dump(reminder),
    )


def reminder_from_item(stored: Item) -> Reminder:
    return load(Reminder, text(stored, "body"))


def moved_reminder(table: Table, reminder: Reminder) -> Write:
    """The reminder one version further, or its first."""
    stale = refuse_with(StaleVersion)
    if reminder.version == 1:
        return table.create(reminder_to_item(reminder), stale)
    return table.replace(
        reminder_to_item(reminder), expected_version=reminder.version - 1, entity=REMINDER, refused=stale
    )


def plan_to_item(plan: ReminderPlan) -> Item:
    key = keys.reminder_plan(plan.tenant_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="reminder_plan",
        schema_version=SCHEMA_VERSION,
        tenant_id=plan.tenant_id,
        version=plan.version,
        body=dump(plan),
    )


def run_to_item(run: ReminderRun) -> Item:
    """In the outbox index by its next day while the plan is on."""
    key, day = keys.reminder_run(run.tenant_id), run.next_day
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="reminder_run",
        schema_version=SCHEMA_VERSION,
        tenant_id=run.tenant_id,
        version=run.version,
        body=dump(run),
        outbox_pk=keys.reminders_due(run.tenant_id) if day else None,
        outbox_sk=keys.dated(day, run.tenant_id) if day else None,
    )


def hold_to_item(hold: ReminderHold) -> Item:
    """In the index of due dates by the day after it ends."""
    key, day = keys.reminder_hold(hold.tenant_id, hold.invoice_id), hold.ends_on
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="reminder_hold",
        schema_version=SCHEMA_VERSION,
        tenant_id=hold.tenant_id,
        version=hold.version,
        body=dump(hold),
        summary=hold.invoice_id,
        due_pk=keys.reminder_holds(hold.tenant_id) if day else None,
        due_sk=keys.dated(day, hold.invoice_id) if day else None,
    )


def pause_to_item(pause: ReminderPause) -> Item:
    key = keys.reminder_pause(pause.tenant_id, pause.customer_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="reminder_pause",
        schema_version=SCHEMA_VERSION,
        tenant_id=pause.tenant_id,
        version=pause.version,
        body=dump(pause),
    )


class Reminders:
    """Port Reminders."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def read_plan(self, caller: Caller) -> tuple[ReminderPlan, ReminderRun]:
        plan_key, run_key = keys.reminder_plan(caller.tenant_id), keys.reminder_run(caller.tenant_id)
        found = self._table.read(caller, plan_key, run_key)
        run = found.get(run_key)
        return (
            _plan(caller.tenant_id, found.get(plan_key)),
            load(ReminderRun, text(run, "body")) if run else ReminderRun(tenant_id=caller.tenant_id),
        )

    def save_plan(self, caller: Caller, plan: ReminderPlan, run: ReminderRun, *, event: Event) -> None:
        self._table.write(
            caller,
            self._versioned(plan_to_item(plan), plan.version, StaleVersion),
            self._versioned(run_to_item(run), run.version, ReminderRunMoved),
            self._table.event(keys.company_event(plan.tenant_id, event.event_id), plan.tenant_id, event),
        )

    def due(self, day: date, *, shard: int, limit: int, after: str | None = None) -> tuple[tuple[str, ...], str | None]:
        found, position = self._table.due(
            keys.reminders_due_shard(shard), f"{day.isoformat()}#{keys.HIGHEST}", limit, after=after
        )
        return tuple(keys.reminder_run_of(key) for key in found), position

    def advance(self, caller: Caller, run: ReminderRun) -> None:
        self._table.write(caller, self._versioned(run_to_item(run), run.version, StaleVersion))

    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> ReminderContext:
        tenant_id = caller.tenant_id
        invoice_key, plan_key = keys.invoice(tenant_id, invoice_id), keys.reminder_plan(tenant_id)
        hold_key, book_key = keys.reminder_hold(tenant_id, invoice_id), keys.checkout_book(tenant_id, invoice_id)
        levels = [keys.reminder(tenant_id, reminder_id_of(invoice_id, level)) for level in ReminderLevel]
        found = self._table.read(caller, invoice_key, plan_key, hold_key, book_key, *levels, once=once)
        stored = found.get(invoice_key)
        if stored is None or text(stored, "entity") not in {DRAFT, ISSUED}:
            raise NotFound
        if text(stored, "entity") == DRAFT:
            raise InvoiceNotIssued
        invoice = issued_from_item(stored)
        billed_id = invoice.document.customer_id
        customer_key, pause_key = keys.customer(tenant_id, billed_id), keys.reminder_pause(tenant_id, billed_id)
        ranks = range(1, invoice.ledger.entry_count + 1)
        entries = [keys.ledger_entry(tenant_id, invoice_id, rank) for rank in ranks]
        beside = self._table.batch([customer_key, pause_key, *entries])
        hold, pause = found.get(hold_key), beside.get(pause_key)
        customer = current(self._table, tenant_id, beside.get(customer_key))
        customer_id = customer.customer_id if customer else billed_id
        if customer_id != billed_id:
            pause_key = keys.reminder_pause(tenant_id, customer_id)
            pause = self._table.batch([pause_key]).get(pause_key)
        return ReminderContext(
            plan=_plan(tenant_id, found.get(plan_key)),
            invoice=invoice,
            entries=tuple(entry_from_item(beside[key]) for key in entries if key in beside),
            customer=customer,
            made=tuple(reminder_from_item(found[key]) for key in levels if key in found),
            hold=(
                load(ReminderHold, text(hold, "body"))
                if hold
                else ReminderHold(tenant_id=tenant_id, invoice_id=invoice_id)
            ),
            pause=pause_from_item(tenant_id, customer_id, pause),
            checkouts=book_of(tenant_id, invoice_id, found.get(book_key)),
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
        tenant_id, stale = caller.tenant_id, refuse_with(StaleVersion)
        requested = [self._table.create(delivery_to_item(delivery), stale)] if delivery else []
        unchanged = self._table.check(
            keys.invoice(tenant_id, invoice.invoice_id),
            only_if="version = :version",
            values={":version": invoice.version},
            refused=stale,
        )
        self._table.write(
            caller,
            moved_reminder(self._table, reminder),
            unchanged,
            *requested,
            self._table.event(keys.invoice_event(tenant_id, invoice.invoice_id, event.event_id), tenant_id, event),
            once=once,
            answered=reminder,
        )

    def save_hold(
        self,
        caller: Caller,
        hold: ReminderHold,
        *,
        event: Event | None,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        told = []
        if event is not None:
            key = keys.invoice_event(hold.tenant_id, hold.invoice_id, event.event_id)
            told = [self._table.event(key, hold.tenant_id, event)]
        self._table.write(
            caller,
            self._versioned(hold_to_item(hold), hold.version, StaleVersion),
            *told,
            once=once,
            answered=answered,
        )

    def ended_holds(self, caller: Caller, from_date: date, to_date: date, page: PageRequest) -> Page[str]:
        self._table.trust(caller)
        rows, position = self._table.page(
            "ByDueDate",
            keys.reminder_holds(caller.tenant_id),
            page,
            base_key=lambda invoice_id: keys.reminder_hold(caller.tenant_id, invoice_id),
            low=from_date.isoformat(),
            high=f"{to_date.isoformat()}#{keys.HIGHEST}",
        )
        return Page(items=tuple(row.resource_id for row in rows), position=position)

    def read_pause(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> ReminderPause:
        customer_key = keys.customer(caller.tenant_id, customer_id)
        pause_key = keys.reminder_pause(caller.tenant_id, customer_id)
        found = self._table.read(caller, customer_key, pause_key, once=once)
        customer = current(self._table, caller.tenant_id, found.get(customer_key))
        if customer is None:
            raise NotFound
        if customer.customer_id != customer_id:
            return self.read_pause(caller, customer.customer_id, once=once)
        return pause_from_item(caller.tenant_id, customer_id, found.get(pause_key))

    def save_pause(self, caller: Caller, pause: ReminderPause, *, event: Event, once: IdempotentRequest) -> None:
        self._table.write(
            caller,
            self._versioned(pause_to_item(pause), pause.version, StaleVersion),
            self._table.check(
                keys.customer(pause.tenant_id, pause.customer_id),
                only_if="entity = :customer AND attribute_not_exists(merged_into)",
                values={":customer": "customer"},
                refused=refuse_with(StaleVersion),
            ),
            self._table.event(
                keys.customer_event(pause.tenant_id, pause.customer_id, event.event_id), pause.tenant_id, event
            ),
            once=once,
            answered=pause,
        )

    def _versioned(self, content: Item, version: int, stale: type[Exception]) -> Write:
        """The item one version further, or its first."""
        if version == 1:
            return self._table.create(content, lambda _: stale())
        return self._table.replace(content, expected_version=version - 1, refused=lambda _: stale())


def _plan(tenant_id: str, stored: Item | None) -> ReminderPlan:
    return load(ReminderPlan, text(stored, "body")) if stored else ReminderPlan(tenant_id=tenant_id)


def pause_from_item(tenant_id: str, customer_id: str, stored: Item | None) -> ReminderPause:
    if stored is None:
        return ReminderPause(tenant_id=tenant_id, customer_id=customer_id)
    return load(ReminderPause, text(stored, "body"))
