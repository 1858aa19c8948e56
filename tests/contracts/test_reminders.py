"""Reminders, over the fakes and over the table: the same refusals, one reminder a level, due plans in pages."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.access import Caller
from billing.domain.checkout import AttemptState
from billing.domain.delivery import Delivery, DeliveryRequest
from billing.domain.errors import InvoiceNotIssued, NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.reminders import (
    DEFAULT_STEPS,
    Claim,
    HoldReason,
    Reminder,
    ReminderHold,
    ReminderLevel,
    ReminderPlan,
    ReminderRun,
    reminder_id_of,
)
from billing.ports.paging import PageRequest
from billing.ports.reminders import ReminderRunMoved
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_checkouts import Counter
from tests.fakes.clock import MORNING

TODAY = date(2026, 11, 23)


class Desk:
    def __init__(self, world: World) -> None:
        self.world = world
        self.reminders = world.repositories.reminders
        self.system = Caller.system(world.caller.tenant_id, "reminders")

    def save_plan(self, *, active: bool = True, day: date = TODAY) -> tuple[ReminderPlan, ReminderRun]:
        plan, run = self.reminders.read_plan(self.world.caller)
        saved = plan.edited(active=active, steps=DEFAULT_STEPS, today=day, at=MORNING)
        switched = run.switched(active=active, today=day)
        event = factories.event(self.world.new_id("evt"), EventType.REMINDER_PLAN_EDITED)
        self.reminders.save_plan(self.world.caller, saved, switched, event=event)
        return saved, switched

    def owed(self) -> IssuedInvoice:
        customer = self.world.add_customer()
        draft = self.world.add_draft(holding=factories.content(customer_id=customer.customer_id))
        invoice = self.world.issue(draft)
        return replace(invoice, document=replace(invoice.document, customer_id=customer.customer_id))

    def reminder(self, invoice: IssuedInvoice, level: ReminderLevel = ReminderLevel.FIRST) -> Reminder:
        return Reminder(
            tenant_id=invoice.tenant_id,
            reminder_id=reminder_id_of(invoice.invoice_id, level),
            invoice_id=invoice.invoice_id,
            version=1,
            level=level,
            claim=Claim(on=TODAY, balance_minor=100, days_late=0),
            currency="EUR",
            followed=False,
            french="",
            english="",
            actor="system:reminders",
            created_at=MORNING,
            updated_at=MORNING,
            delivery=Delivery().requested(send=True),
        )

    def request(self, reminder: Reminder, invoice: IssuedInvoice) -> None:
        delivery = DeliveryRequest(
            tenant_id=reminder.tenant_id,
            invoice_id=reminder.reminder_id,
            attempt=reminder.delivery.attempt,
            send=True,
            recipient="compta@client.exemple.test",
            requested_at=MORNING,
            correlation_id="corr",
        )
        event = factories.event(self.world.new_id("evt"), EventType.REMINDER_REQUESTED)
        self.reminders.request(self.system, reminder, invoice=invoice, delivery=delivery, event=event)

    def due(self, day: date, *, limit: int = 50) -> list[str]:
        found: list[str] = []
        for shard in range(self.reminders.shards):
            position: str | None = None
            while True:
                page, position = self.reminders.due(day, shard=shard, limit=limit, after=position)
                found += page
                if position is None:
                    break
        return [tenant for tenant in found if tenant == self.world.caller.tenant_id]


@pytest.fixture
def desk(world: World) -> Desk:
    return Desk(world)


def test_a_plan_is_the_usual_one_until_it_is_saved(desk: Desk) -> None:
    plan, run = desk.reminders.read_plan(desk.world.caller)
    assert (plan.version, plan.active, plan.steps, run.next_day) == (0, False, DEFAULT_STEPS, None)

    saved, switched = desk.save_plan()

    assert desk.reminders.read_plan(desk.world.caller) == (saved, switched)
    assert desk.reminders.read_plan(desk.world.stranger)[0].version == 0


def test_a_plan_and_a_run_each_tell_who_came_first(desk: Desk) -> None:
    plan, run = desk.save_plan()
    event = factories.event(desk.world.new_id("evt"), EventType.REMINDER_PLAN_EDITED)
    with pytest.raises(StaleVersion):
        desk.reminders.save_plan(desk.world.caller, plan, run.through(TODAY), event=event)

    desk.reminders.advance(desk.system, run.through(TODAY))
    edited = plan.edited(active=True, steps=DEFAULT_STEPS, today=TODAY, at=MORNING)
    with pytest.raises(ReminderRunMoved):
        desk.reminders.save_plan(desk.world.caller, edited, run.switched(active=True, today=TODAY), event=event)
    with pytest.raises(StaleVersion):
        desk.reminders.advance(desk.system, run.through(TODAY))


def test_only_companies_whose_plan_is_on_and_whose_day_has_come_are_due(desk: Desk) -> None:
    assert desk.due(date(2099, 1, 1)) == []
    _, run = desk.save_plan()
    assert desk.due(TODAY - timedelta(days=1)) == []
    assert desk.due(TODAY) == [desk.world.caller.tenant_id]

    desk.reminders.advance(desk.system, run.through(TODAY))
    assert desk.due(TODAY) == []
    assert desk.due(TODAY + timedelta(days=1)) == [desk.world.caller.tenant_id]
    desk.save_plan(active=False)
    assert desk.due(date(2099, 1, 1)) == []


def test_a_level_has_one_reminder_whoever_asks_at_once(desk: Desk) -> None:
    invoice = desk.owed()
    stored = desk.reminders.load(desk.system, invoice.invoice_id).invoice
    reminder = desk.reminder(stored)

    def ask(_: int) -> bool:
        try:
            desk.request(reminder, stored)
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 1
    context = desk.reminders.load(desk.system, invoice.invoice_id)
    assert context.made == (reminder,)
    assert desk.world.repositories.deliveries.document(stored.tenant_id, reminder.reminder_id) == reminder
    assert desk.world.repositories.deliveries.request(stored.tenant_id, reminder.reminder_id, 1).outcome is None


def test_an_invoice_that_moved_since_it_was_read_is_not_reminded_of(desk: Desk) -> None:
    invoice = desk.owed()
    stored = desk.reminders.load(desk.system, invoice.invoice_id).invoice
    desk.world.pay(stored, 100)

    with pytest.raises(StaleVersion):
        desk.request(desk.reminder(stored), stored)

    context = desk.reminders.load(desk.system, invoice.invoice_id)
    assert context.made == ()
    assert [entry.amount_minor for entry in context.entries] == [100]


def test_what_is_no_issued_invoice_of_the_tenant_is_refused(desk: Desk) -> None:
    invoice = desk.owed()
    with pytest.raises(NotFound):
        desk.reminders.load(desk.world.stranger, invoice.invoice_id)
    with pytest.raises(InvoiceNotIssued):
        desk.reminders.load(desk.world.caller, desk.world.add_draft().invoice_id)


def test_an_invoice_is_judged_with_the_payment_that_is_on_its_way(desk: Desk) -> None:
    counter = Counter(desk.world)
    invoice_id, deliveries = counter.invoice.invoice_id, desk.world.repositories.deliveries
    assert desk.reminders.load(desk.system, invoice_id).checkouts.in_progress is None
    assert deliveries.owed(counter.tenant_id, invoice_id) == (counter.invoice, counter.book())
    begun = counter.begin()

    counter.checkouts.save(begun.moved(1, AttemptState.PROCESSING, MORNING, payment_intent_id="pi_1"))

    book = counter.book()
    assert book.in_progress is not None
    assert desk.reminders.load(desk.system, invoice_id).checkouts == book
    assert deliveries.owed(counter.tenant_id, invoice_id) == (counter.invoice, book)
    with pytest.raises(NotFound):
        deliveries.owed(desk.world.stranger.tenant_id, invoice_id)
    with pytest.raises(NotFound):
        deliveries.owed(counter.tenant_id, desk.world.add_draft().invoice_id)


def test_a_hold_that_goes_on_tells_nothing_again_and_the_first_writer_wins(desk: Desk) -> None:
    invoice_id, tenant_id = desk.owed().invoice_id, desk.world.caller.tenant_id
    reason = HoldReason.PAYMENT_IN_PROGRESS
    hold = ReminderHold(tenant_id=tenant_id, invoice_id=invoice_id, version=1, reason=reason, until=TODAY)
    told = desk.world.repositories.invoices.timeline(desk.world.caller, invoice_id, PageRequest(limit=50)).items

    desk.reminders.save_hold(desk.system, hold, event=None)

    assert desk.reminders.load(desk.system, invoice_id).hold == hold
    with pytest.raises(StaleVersion):
        desk.reminders.save_hold(desk.system, hold, event=None)
    page = desk.world.repositories.invoices.timeline(desk.world.caller, invoice_id, PageRequest(limit=50))
    assert page.items == told


def test_holds_are_found_by_the_day_after_they_end(desk: Desk) -> None:
    until = {desk.owed().invoice_id: TODAY + timedelta(days=days) for days in (1, 2, 5)}
    for invoice_id, day in until.items():
        hold = ReminderHold(
            tenant_id=desk.world.caller.tenant_id,
            invoice_id=invoice_id,
            version=1,
            reason=HoldReason.PROMISE,
            until=day,
            updated_at=MORNING,
        )
        event = factories.event(desk.world.new_id("evt"), EventType.REMINDERS_HELD)
        once = desk.world.once("holdReminder")
        desk.reminders.save_hold(desk.world.caller, hold, event=event, once=once, answered=hold)

    def ended(first: int, last: int) -> list[str]:
        found: list[str] = []
        position: str | None = None
        while True:
            page = desk.reminders.ended_holds(
                desk.system,
                TODAY + timedelta(days=first),
                TODAY + timedelta(days=last),
                PageRequest(limit=1, position=position),
            )
            found += page.items
            position = page.position
            if position is None:
                return found

    first, second, third = until
    assert ended(2, 2) == [first]
    assert ended(2, 6) == [first, second, third]
    assert ended(0, 1) == []
    assert desk.reminders.load(desk.world.caller, first).hold.reason is HoldReason.PROMISE


def test_a_customer_is_paused_and_no_stranger_s(desk: Desk) -> None:
    customer = desk.world.add_customer()
    pause = desk.reminders.read_pause(desk.world.caller, customer.customer_id)
    assert not pause.paused

    moved = replace(pause, version=1, paused=True, updated_at=MORNING)
    event = factories.event(desk.world.new_id("evt"), EventType.REMINDERS_PAUSED)
    desk.reminders.save_pause(desk.world.caller, moved, event=event, once=desk.world.once("pauseReminder"))

    assert desk.reminders.read_pause(desk.world.caller, customer.customer_id) == moved
    with pytest.raises(StaleVersion):
        desk.reminders.save_pause(desk.world.caller, moved, event=event, once=desk.world.once("pauseReminder"))
    with pytest.raises(NotFound):
        desk.reminders.read_pause(desk.world.stranger, customer.customer_id)
