"""Recurring invoices: one document per period whatever runs twice, is late, or dies in the middle."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.errors import (
    CompanyNotDescribed,
    DependencyUnavailable,
    FieldErrors,
    Forbidden,
    NotFound,
    RecurringInvoiceEnded,
    RecurringInvoiceNotPaused,
    StaleVersion,
)
from billing.domain.events import EventType
from billing.domain.invoice import DraftInvoice, IssuedInvoice
from billing.domain.parties import Customer
from billing.domain.recurrence import Frequency, Recurrence
from billing.domain.recurring_invoice import RecurringInvoice, RecurringMode, RecurringState, late_notices
from billing.ports.drafts import DraftInput, LineInput
from billing.ports.paging import PageRequest
from billing.usecases import recurring_invoices
from billing.usecases.customer_merges import merge_customer
from billing.usecases.recurring_invoices import RecurringInput, RunResult
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop

START = date(2026, 12, 1)
LINE = LineInput(
    description="Maintenance de {month}",
    quantity=Decimal(1),
    unit_price=Decimal(100),
    vat=factories.taxed(),
)


class Planner:
    """Short ways to act on recurring invoices in a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.customer_id = shop.customer().customer_id

    def wanted(self, mode: RecurringMode = RecurringMode.ISSUE, **changes: Any) -> RecurringInput:
        rule: dict[str, Any] = {"frequency": Frequency.MONTHLY, "start": START, "day": 1}
        line = changes.pop("line", LINE)
        return RecurringInput(
            name="Maintenance",
            draft=DraftInput(customer_id=changes.pop("customer_id", self.customer_id), lines=(line,)),
            recurrence=Recurrence(**rule | changes),
            mode=mode,
        )

    def create(self, mode: RecurringMode = RecurringMode.ISSUE, **changes: Any) -> RecurringInvoice:
        return recurring_invoices.create_recurring_invoice(
            self.shop.caller,
            self.wanted(mode, **changes),
            once=self.shop.once("createRecurringInvoice"),
            recurring_invoices=self.held.recurring_invoices,
            invoices=self.held.invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def run(self, **ports: Any) -> RunResult:
        values: dict[str, Any] = {
            "recurring_invoices": self.held.recurring_invoices,
            "invoices": self.held.invoices,
            "customers": self.held.customers,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }
        return recurring_invoices.run_recurring_invoices(**values | ports)

    def act(self, name: str, recurring: RecurringInvoice, *given: Any) -> RecurringInvoice:
        moved: RecurringInvoice = getattr(recurring_invoices, f"{name}_recurring_invoice")(
            self.shop.caller,
            recurring.recurring_invoice_id,
            *given,
            once=self.shop.once(name),
            recurring_invoices=self.held.recurring_invoices,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        return moved

    def read(self, recurring: RecurringInvoice) -> RecurringInvoice:
        return recurring_invoices.read_recurring_invoice(
            self.shop.caller, recurring.recurring_invoice_id, recurring_invoices=self.held.recurring_invoices
        )

    def go_to(self, day: date) -> None:
        self.shop.clock.set(datetime(day.year, day.month, day.day, 8, 0, tzinfo=UTC))

    @property
    def documents(self) -> list[Any]:
        return list(self.held.store.invoices.values())


@pytest.fixture
def planner(shop: Shop) -> Planner:
    return Planner(shop)


def test_nothing_is_made_before_its_day(planner: Planner) -> None:
    planner.create()

    assert planner.run() == RunResult()
    assert planner.documents == []


@pytest.mark.parametrize(
    ("mode", "kind", "sent"),
    [
        (RecurringMode.DRAFT, DraftInvoice, False),
        (RecurringMode.ISSUE, IssuedInvoice, False),
        (RecurringMode.SEND, IssuedInvoice, True),
    ],
)
def test_on_its_day_one_document_is_made_as_asked(
    planner: Planner, mode: RecurringMode, kind: type[Any], sent: bool
) -> None:
    recurring = planner.create(mode)
    planner.go_to(START)

    planner.run()
    planner.run()

    (document,) = planner.documents
    assert isinstance(document, kind)
    assert document.totals.total_minor == 12_000
    assert document.totals.lines[0].line.description == "Maintenance de décembre 2026"
    requests = planner.held.store.requests.values()
    assert [request.send for request in requests] == ([] if kind is DraftInvoice else [sent])
    after = planner.read(recurring)
    assert (after.made_count, after.last_date, after.next_date) == (1, START, date(2027, 1, 1))
    assert after.pending is None


def test_the_invoice_covers_its_period_and_says_who_made_it(planner: Planner) -> None:
    planner.create()
    planner.go_to(START)
    planner.run()

    (document,) = planner.documents
    period = document.document.particulars.period
    assert (period.start, period.end) == (date(2026, 12, 1), date(2026, 12, 31))
    events = planner.shop.events(document.invoice_id)
    assert {event.actor for event in events} == {"system:recurring"}


def test_a_start_in_the_past_tells_which_documents_will_be_made_at_once(planner: Planner) -> None:
    today = date(2027, 3, 1)
    planner.go_to(today)
    recurring = planner.create(start=date(2026, 10, 15))
    told = recurring.due_dates(today)

    assert told == (date(2026, 11, 1), date(2026, 12, 1), date(2027, 1, 1), date(2027, 2, 1), today)
    skipped = planner.act("skip", recurring, date(2026, 12, 1))
    assert skipped.due_dates(today) == (told[0], *told[2:])
    assert planner.run() == RunResult(made=4, issued=4)
    assert planner.read(recurring).due_dates(today) == ()


def test_what_is_paused_or_ended_will_make_nothing(planner: Planner) -> None:
    today = planner.shop.clock.today()
    recurring = planner.create(start=date(2026, 1, 1))

    assert len(recurring.due_dates(today)) == 11
    assert planner.act("pause", recurring).due_dates(today) == ()
    assert planner.act("resume", recurring).due_dates(today) == ()
    assert planner.act("end", recurring).due_dates(today) == ()


def test_only_dates_gone_by_of_what_is_issued_are_warned_of() -> None:
    today = date(2027, 3, 1)
    late = (date(2027, 2, 1), today)

    (notice,) = late_notices(late, RecurringMode.ISSUE, today)
    assert (notice.code.value, notice.pointer) == ("periods-already-due", "/recurrence/start")
    assert late_notices(late, RecurringMode.SEND, today) == (notice,)
    assert late_notices(late, RecurringMode.DRAFT, today) == ()
    assert late_notices((today,), RecurringMode.SEND, today) == late_notices((), RecurringMode.SEND, today) == ()


def test_what_an_outage_missed_is_made_once_each_in_order_and_dated_today(planner: Planner) -> None:
    recurring = planner.create()
    planner.go_to(date(2027, 3, 15))

    result = planner.run()

    assert result == RunResult(made=4, issued=4)
    made = sorted((one.document.number, one) for one in planner.documents)
    assert [number for number, _ in made] == [f"F2027-{rank:05d}" for rank in range(1, 5)]
    assert {one.document.issue_date for _, one in made} == {date(2027, 3, 15)}
    assert [one.document.totals.lines[0].line.description for _, one in made] == [
        "Maintenance de décembre 2026",
        "Maintenance de janvier 2027",
        "Maintenance de février 2027",
        "Maintenance de mars 2027",
    ]
    assert planner.run() == RunResult()
    assert planner.read(recurring).next_date == date(2027, 4, 1)


def test_a_year_of_days_makes_one_document_each_month(planner: Planner) -> None:
    planner.create(day=31, start=date(2026, 12, 31))
    for offset in range(430):
        planner.go_to(date(2026, 12, 25) + timedelta(days=offset))
        planner.run()

    dates = sorted(one.document.issue_date for one in planner.documents)
    assert len(dates) == 14
    assert dates[:3] == [date(2026, 12, 31), date(2027, 1, 31), date(2027, 2, 28)]
    assert date(2028, 1, 31) in dates


def test_it_ends_by_count_and_by_date(planner: Planner) -> None:
    by_count, by_date = planner.create(occurrences=2), planner.create(end=date(2027, 1, 31))
    planner.go_to(date(2027, 6, 1))
    planner.run()

    assert len(planner.documents) == 4
    for recurring in (by_count, by_date):
        assert planner.read(recurring).state is RecurringState.ENDED
        with pytest.raises(RecurringInvoiceEnded):
            planner.act("pause", recurring)


def test_a_pause_makes_nothing_and_what_it_passed_over_is_not_made_up_for(planner: Planner) -> None:
    recurring = planner.create()
    planner.act("pause", recurring)
    planner.go_to(date(2027, 2, 10))
    assert planner.run() == RunResult()
    assert planner.read(recurring).state is RecurringState.PAUSED

    resumed = planner.act("resume", recurring)

    assert resumed.next_date == date(2027, 3, 1)
    with pytest.raises(RecurringInvoiceNotPaused):
        planner.act("resume", recurring)
    planner.go_to(date(2027, 3, 1))
    assert planner.run().made == 1


def test_a_skipped_date_is_passed_over_once(planner: Planner) -> None:
    recurring = planner.create()

    skipping = planner.act("skip", recurring, date(2027, 1, 1))

    assert skipping.next_dates(3) == (START, date(2027, 2, 1), date(2027, 3, 1))
    with pytest.raises(FieldErrors):
        planner.act("skip", recurring, date(2027, 1, 2))
    planner.go_to(date(2027, 2, 1))
    assert planner.run().made == 2


def test_ended_is_for_good(planner: Planner) -> None:
    recurring = planner.create()
    planner.act("end", recurring)
    planner.go_to(date(2027, 2, 1))

    assert planner.run() == RunResult()
    with pytest.raises(RecurringInvoiceEnded):
        planner.act("resume", recurring)


def test_an_edit_is_for_the_periods_to_come(planner: Planner) -> None:
    recurring = planner.create()
    planner.go_to(START)
    planner.run()
    current = planner.read(recurring)

    def edit(version: int) -> RecurringInvoice:
        return recurring_invoices.edit_recurring_invoice(
            planner.shop.caller,
            recurring.recurring_invoice_id,
            planner.wanted(day=15, line=replace(LINE, unit_price=Decimal(200))),
            expected_version=version,
            recurring_invoices=planner.held.recurring_invoices,
            invoices=planner.held.invoices,
            clock=planner.shop.clock,
            ids=planner.shop.ids,
        )

    with pytest.raises(StaleVersion):
        edit(current.version - 1)
    edited = edit(current.version)

    assert edited.next_date == date(2026, 12, 15)
    assert planner.documents[0].totals.total_minor == 12_000
    planner.go_to(date(2026, 12, 15))
    planner.run()
    assert sorted(one.totals.total_minor for one in planner.documents) == [12_000, 24_000]


@pytest.mark.parametrize("text", ["{mois}", "{}", "{month }"])
def test_a_variable_that_nobody_knows_is_refused(planner: Planner, text: str) -> None:
    with pytest.raises(FieldErrors) as refused:
        planner.create(line=replace(LINE, description=text))

    assert [error.pointer for error in refused.value.errors] == ["/lines/0/description"]


def test_a_refused_template_is_parked_told_and_tried_again_each_day(planner: Planner) -> None:
    recurring = planner.create(RecurringMode.SEND)
    lacking = planner.held.store.customers[planner.shop.caller.tenant_id, planner.customer_id]
    key = (planner.shop.caller.tenant_id, planner.customer_id)
    planner.held.store.customers[key] = replace(lacking, description=replace(lacking.description, email=None))
    planner.go_to(START)

    assert planner.run() == RunResult(made=1, parked=1)
    assert planner.run() == RunResult()
    parked = planner.read(recurring)
    assert (parked.state, parked.error) == (RecurringState.PARKED, "recipient-missing")
    planner.held.store.customers[key] = lacking
    planner.go_to(START + timedelta(days=1))
    assert planner.run() == RunResult(issued=1)
    assert planner.read(recurring).state is RecurringState.ACTIVE
    (document,) = planner.documents
    assert document.document.number == "F2026-00001"


def test_a_parked_template_can_be_resumed_at_once(planner: Planner) -> None:
    recurring = planner.create()
    tenant_id = planner.shop.caller.tenant_id
    company = planner.held.store.companies.pop(tenant_id)
    planner.go_to(START)
    assert planner.run().parked == 1
    assert planner.read(recurring).error == CompanyNotDescribed.slug
    planner.held.store.companies[tenant_id] = company

    planner.act("resume", recurring)

    assert planner.run() == RunResult(made=1, issued=1)


def test_what_a_person_did_with_the_draft_stands(planner: Planner) -> None:
    recurring = planner.create()
    planner.go_to(START)
    dying = CrashPoint(at=1, after=False)
    with pytest.raises(Crashed):
        planner.run(customers=dying.watch(planner.held.customers))
    (draft,) = planner.documents
    assert isinstance(draft, DraftInvoice)
    issued = planner.shop.issue(draft)

    planner.run()

    assert planner.documents == [issued]
    assert planner.read(recurring).pending is None


def _calls() -> int:
    planner = _due_planner()
    counting = CrashPoint(at=0, after=False)
    planner.run(
        invoices=counting.watch(planner.held.invoices),
        recurring_invoices=counting.watch(planner.held.recurring_invoices),
        customers=counting.watch(planner.held.customers),
    )
    return counting.calls


def _due_planner() -> Planner:
    shop = Shop()
    shop.describe()
    planner = Planner(shop)
    planner.create(RecurringMode.SEND)
    planner.go_to(date(2027, 1, 10))
    return planner


@pytest.mark.parametrize("at", range(1, _calls() + 1))
@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_ends_in_one_document_per_period(at: int, after: bool) -> None:
    planner = _due_planner()
    crash = CrashPoint(at=at, after=after)
    with pytest.raises(Crashed):
        planner.run(
            invoices=crash.watch(planner.held.invoices),
            recurring_invoices=crash.watch(planner.held.recurring_invoices),
            customers=crash.watch(planner.held.customers),
        )

    planner.run()

    assert sorted(one.document.number for one in planner.documents) == ["F2027-00001", "F2027-00002"]
    assert len(planner.held.store.requests) == 2
    assert planner.run() == RunResult()


def test_one_broken_template_stops_none_of_the_others(planner: Planner) -> None:
    broken, sound = planner.create(), planner.create()
    planner.go_to(START)
    real = planner.held.recurring_invoices

    class Failing:
        shards = real.shards

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def read(self, caller: Any, recurring_id: str, **options: Any) -> RecurringInvoice:
            if recurring_id == broken.recurring_invoice_id:
                raise DependencyUnavailable
            return real.read(caller, recurring_id, **options)

    with pytest.raises(DependencyUnavailable):
        planner.run(recurring_invoices=Failing())

    assert planner.read(sound).made_count == 1
    assert planner.read(broken).made_count == 0


def test_many_templates_of_many_companies_take_their_turn_in_one_run() -> None:
    shop = Shop()
    planners = []
    for rank in range(10):
        other = Shop(
            repositories=shop.repositories,
            clock=shop.clock,
            ids=shop.ids,
            caller=factories.caller(f"ten_{rank}", user_id=f"user-{rank}"),
        )
        other.describe()
        planners.append(Planner(other))
        for _ in range(12):
            planners[-1].create()
    planners[0].go_to(START)

    result = planners[0].run()

    assert result == RunResult(made=120, issued=120)
    for rank in range(10):
        series = [key for key in shop.repositories.store.places if key[0] == f"ten_{rank}"]
        assert len(series) == 12


def test_roles_and_other_companies(planner: Planner) -> None:
    recurring = planner.create()
    viewer = planner.shop.person(Role.VIEWER)
    stranger = Shop(repositories=planner.held, caller=factories.caller("ten_other", user_id="user-other")).caller
    ports: dict[str, Any] = {
        "once": planner.shop.once(),
        "recurring_invoices": planner.held.recurring_invoices,
        "clock": planner.shop.clock,
        "ids": planner.shop.ids,
    }

    with pytest.raises(Forbidden):
        recurring_invoices.pause_recurring_invoice(viewer, recurring.recurring_invoice_id, **ports)
    with pytest.raises(NotFound):
        recurring_invoices.pause_recurring_invoice(stranger, recurring.recurring_invoice_id, **ports)


def test_the_timeline_tells_what_it_made(planner: Planner) -> None:
    recurring = planner.create()
    planner.go_to(START)
    planner.run()

    page = recurring_invoices.read_recurring_invoice_timeline(
        planner.shop.caller,
        recurring.recurring_invoice_id,
        PageRequest(),
        recurring_invoices=planner.held.recurring_invoices,
    )

    assert [event.event_type for event in page.items] == [
        EventType.RECURRING_INVOICE_CREATED,
        EventType.RECURRING_INVOICE_MADE,
    ]
    assert page.items[1].data["invoice_id"] == planner.documents[0].invoice_id


@pytest.mark.parametrize("made", [True, False], ids=["after-one", "before-any"])
def test_what_a_pause_passed_over_is_not_made_after_an_edit(planner: Planner, made: bool) -> None:
    start = date(2026, 12, 1)
    recurring = planner.create(start=start)
    if made:
        planner.go_to(start)
        planner.run()
    planner.act("pause", recurring)
    planner.go_to(date(2027, 4, 15))
    planner.run()
    resumed = planner.act("resume", recurring)
    assert resumed.next_date == date(2027, 5, 1)

    edited = recurring_invoices.edit_recurring_invoice(
        planner.shop.caller,
        recurring.recurring_invoice_id,
        planner.wanted(start=start, end=date(2030, 1, 1)),
        expected_version=resumed.version,
        recurring_invoices=planner.held.recurring_invoices,
        invoices=planner.held.invoices,
        clock=planner.shop.clock,
        ids=planner.shop.ids,
    )

    assert edited.next_date == date(2027, 5, 1)
    planner.run()
    assert len(planner.documents) == int(made)


def _of_a_merged_duplicate(planner: Planner) -> tuple[Customer, RecurringInvoice]:
    """The customer that goes on, and the template of what it was a duplicate of."""
    shop = planner.shop
    kept, gone = shop.customer(name="Modèle SAS"), shop.customer(siren=None, siret=None, vat_number=None)
    recurring = planner.create(mode=RecurringMode.DRAFT, customer_id=gone.customer_id)
    merge_customer(
        shop.caller,
        kept.customer_id,
        gone.customer_id,
        once=shop.once("mergeCustomer"),
        merges=planner.held.customer_merges,
        clock=shop.clock,
        ids=shop.ids,
    )
    return kept, recurring


def test_a_template_of_a_merged_duplicate_names_the_customer_that_goes_on(planner: Planner) -> None:
    shop = planner.shop
    kept, recurring = _of_a_merged_duplicate(planner)

    def named(one: RecurringInvoice) -> tuple[str, str]:
        return one.content.customer_id, one.customer_name

    assert named(planner.read(recurring)) == (kept.customer_id, "Modèle SAS")
    assert named(planner.act("pause", recurring)) == (kept.customer_id, "Modèle SAS")
    stored = planner.held.recurring_invoices.read(shop.caller, recurring.recurring_invoice_id)
    assert named(stored) == (kept.customer_id, "Modèle SAS")


def test_what_a_template_of_a_duplicate_makes_moves_it_to_the_customer_that_goes_on(planner: Planner) -> None:
    shop = planner.shop
    kept, recurring = _of_a_merged_duplicate(planner)
    planner.go_to(planner.read(recurring).next_date or date.min)

    assert planner.run().made == 1

    stored = planner.held.recurring_invoices.read(shop.caller, recurring.recurring_invoice_id)
    assert (stored.content.customer_id, stored.customer_name) == (kept.customer_id, "Modèle SAS")
    assert planner.documents[-1].content.customer_id == kept.customer_id
