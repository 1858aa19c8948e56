"""Recurring invoices, over the fakes and over the table: the same refusals, one document per period."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.domain.access import Caller
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.recurrence import Frequency, Recurrence
from billing.domain.recurring_invoice import RecurringInvoice, RecurringMode
from billing.ports.paging import PageRequest
from billing.ports.recurring_invoices import PeriodMade
from billing.usecases.recurring_invoices import RunResult, run_recurring_invoice
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING, FakeClock, FakeIds

START = date(2026, 11, 1)


class Planning:
    def __init__(self, world: World) -> None:
        self.world = world
        self.recurring = world.repositories.recurring_invoices

    def event(self, kind: EventType = EventType.RECURRING_INVOICE_CREATED) -> Any:
        return factories.event(self.world.new_id("evt"), kind)

    def create(
        self, name: str = "Maintenance", *, start: date = START, customer_id: str = "cus_none"
    ) -> RecurringInvoice:
        content = factories.content(factories.priced("100.00"), customer_id=customer_id)
        made = RecurringInvoice(
            tenant_id=self.world.caller.tenant_id,
            recurring_invoice_id=self.world.new_id("rec"),
            version=1,
            name=name,
            content=content,
            customer_name="Modèle",
            totals=content.computed(),
            recurrence=Recurrence(frequency=Frequency.MONTHLY, start=start, day=1),
            mode=RecurringMode.ISSUE,
            created_at=MORNING,
            updated_at=MORNING,
        )
        once = self.world.once("createRecurringInvoice")
        self.recurring.create(self.world.caller, made, event=self.event(), once=once)
        return made

    def make(self, recurring: RecurringInvoice, day: date = START) -> RecurringInvoice:
        invoice_id = recurring.invoice_id_of(day)
        moved = recurring.made(day, invoice_id, MORNING)
        draft = factories.draft(recurring.tenant_id, invoice_id, holding=recurring.content_of(day))
        events = (self.event(EventType.RECURRING_INVOICE_MADE), self.event(EventType.INVOICE_CREATED))
        self.recurring.make(Caller.system(recurring.tenant_id, "recurring"), moved, draft=draft, events=events)
        return moved

    def due(self, day: date, *, limit: int = 50) -> list[str]:
        found: list[str] = []
        for shard in range(self.recurring.shards):
            position: str | None = None
            while True:
                page, position = self.recurring.due(day, shard=shard, limit=limit, after=position)
                found += [one.recurring_invoice_id for one in page if one.tenant_id == self.world.caller.tenant_id]
                if position is None:
                    break
        return found


@pytest.fixture
def planning(world: World) -> Planning:
    return Planning(world)


def test_a_template_is_read_as_it_was_written(planning: Planning) -> None:
    made = planning.create()

    assert planning.recurring.read(planning.world.caller, made.recurring_invoice_id) == made
    with pytest.raises(NotFound):
        planning.recurring.read(planning.world.stranger, made.recurring_invoice_id)
    assert planning.recurring.list(planning.world.stranger, PageRequest()).items == ()


def test_of_two_changes_one_is_stale(planning: Planning) -> None:
    made = planning.create()
    moved = made.paused_at(MORNING)
    planning.recurring.save(planning.world.caller, moved, event=planning.event(EventType.RECURRING_INVOICE_PAUSED))

    with pytest.raises(StaleVersion):
        planning.recurring.save(planning.world.caller, moved, event=None)


def test_a_period_is_made_once(planning: Planning) -> None:
    made = planning.create()
    moved = planning.make(made)

    with pytest.raises(StaleVersion):
        planning.make(made)
    with pytest.raises(PeriodMade):
        planning.make(replace(moved, next_rank=0, last_date=None))

    held = planning.world.repositories.invoices.read(planning.world.caller, made.invoice_id_of(START))
    assert held.totals.total_minor == 12_000
    assert planning.recurring.read(planning.world.caller, made.recurring_invoice_id) == moved


def test_what_is_due_comes_in_pages_and_paused_or_later_ones_do_not(planning: Planning) -> None:
    due = [planning.create(start=START + timedelta(days=31 * month)) for month in range(3)]
    later = planning.create(start=date(2030, 1, 1))
    paused = planning.create()
    planning.recurring.save(planning.world.caller, paused.paused_at(MORNING), event=None)

    wanted = {one.recurring_invoice_id for one in due}
    assert set(planning.due(date(2027, 2, 1))) == wanted
    assert planning.due(date(2027, 2, 1), limit=1) == planning.due(date(2027, 2, 1))
    assert planning.due(START - timedelta(days=1)) == []
    assert later.recurring_invoice_id in planning.due(date(2030, 1, 1))


def test_what_was_made_is_due_at_once_until_it_is_issued(planning: Planning) -> None:
    moved = planning.make(planning.create())

    assert planning.due(START) == [moved.recurring_invoice_id]
    planning.recurring.save(planning.world.caller, moved.issued(MORNING), event=None)
    assert planning.due(START) == []


def test_lists_are_by_name_and_the_timeline_is_its_own(planning: Planning) -> None:
    names = ["Énergie", "abonnement", "Zèle"]
    made = [planning.create(name) for name in names]

    page = planning.recurring.list(planning.world.caller, PageRequest())
    told = planning.recurring.timeline(planning.world.caller, made[0].recurring_invoice_id, PageRequest())

    assert [row.name for row in page.items] == ["abonnement", "Énergie", "Zèle"]
    assert [event.event_type for event in told.items] == [EventType.RECURRING_INVOICE_CREATED]
    with pytest.raises(NotFound):
        planning.recurring.timeline(planning.world.stranger, made[0].recurring_invoice_id, PageRequest())


def test_eight_schedulers_at_once_make_one_document_with_one_number_per_period(planning: Planning) -> None:
    world = planning.world
    company = factories.company(world.caller.tenant_id, version=1)
    world.repositories.companies.save(world.caller, company, event=planning.event(EventType.COMPANY_DESCRIBED))
    customer = world.add_customer()
    made = planning.create(customer_id=customer.customer_id)
    now = datetime.fromisoformat("2027-01-15T08:00:00+00:00")

    def run(rank: int) -> RunResult | None:
        class Ids(FakeIds):
            def new(self, prefix: str) -> str:
                return f"{super().new(prefix)}_{rank}"

        try:
            return run_recurring_invoice(
                made.tenant_id,
                made.recurring_invoice_id,
                recurring_invoices=world.repositories.recurring_invoices,
                invoices=world.repositories.invoices,
                customers=world.repositories.customers,
                clock=FakeClock(now),
                ids=Ids(),
            )
        except StaleVersion:
            return None

    with ThreadPoolExecutor(8) as pool:
        for _ in range(8):  # whoever lost a race looks again with the next run
            list(pool.map(run, range(8)))

    after = planning.recurring.read(world.caller, made.recurring_invoice_id)
    assert (after.made_count, after.pending, after.next_date) == (3, None, date(2027, 2, 1))
    state = world.series()
    assert (state.year, state.last_rank) == (2027, 3)
