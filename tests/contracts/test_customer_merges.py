"""Merges of customers over the fakes and the table: whole or not at all, and every list shows both as one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.access import Caller
from billing.domain.customer_account import StatementPeriod
from billing.domain.customer_credit import CreditEntryKind
from billing.domain.customer_merge import merged, merged_credits
from billing.domain.errors import CustomerMerged, NotFound, PageTokenInvalid, StaleVersion, UnknownReference
from billing.domain.events import EventType
from billing.domain.parties import Customer
from billing.domain.reminders import ReminderPause
from billing.ports.credit_notes import CreditNoteQuery
from billing.ports.customer_merges import CustomerMerge
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.payments import PaymentQuery
from billing.ports.quotes import QuoteQuery
from billing.ports.repositories import InvoiceQuery
from billing.usecases.customer_merges import merge_customer
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_catalogue import every_item
from tests.contracts.test_credit_notes import issue as issue_credit_note
from tests.contracts.test_customer_accounts import issued
from tests.contracts.test_payments import credit, movement
from tests.contracts.test_quotes import Quoting
from tests.contracts.test_recurring_invoices import Planning
from tests.contracts.test_reminders import TODAY
from tests.fakes.clock import MORNING, FakeClock, FakeIds

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 28)
DAYS = [FIRST + timedelta(days=n) for n in range(28)]


class _Ids(FakeIds):
    """None that the world gave already."""

    def new(self, prefix: str) -> str:
        return super().new(f"{prefix}_m")


class Merging:
    def __init__(self, world: World) -> None:
        self.world = world
        self.held = world.repositories
        self.ids = _Ids()
        self.kept, self.gone = world.add_customer(), world.add_customer(siren=None, siret=None, vat_number=None)

    def merge(self, into: str, duplicate: str, *, once: str = "", caller: Caller | None = None) -> Customer:
        key = once or self.world.new_id("key")
        return merge_customer(
            caller or self.world.caller,
            into,
            duplicate,
            once=factories.once(key, operation="mergeCustomer"),
            merges=self.held.customer_merges,
            clock=FakeClock(),
            ids=self.ids,
        )

    def __call__(self) -> Customer:
        return self.merge(self.kept.customer_id, self.gone.customer_id)

    def gain(self, customer: Customer, amount_minor: int) -> None:
        gained = movement(
            self.world, credit(self.world, customer.customer_id), CreditEntryKind.OVER_PAYMENT, amount_minor
        )
        self.held.payments.move_credit(
            self.world.caller,
            gained,
            event=factories.event(self.world.new_id("evt")),
            once=self.world.once("refundCustomerCredit"),
        )

    def pause(self, customer: Customer, until: date | None) -> None:
        standing = self.held.reminders.read_pause(self.world.caller, customer.customer_id)
        self.held.reminders.save_pause(
            self.world.caller,
            replace(standing, version=standing.version + 1, paused=True, until=until, updated_at=MORNING),
            event=factories.event(self.world.new_id("evt"), EventType.REMINDERS_PAUSED),
            once=self.world.once("pauseReminder"),
        )


@pytest.fixture
def merging(world: World) -> Merging:
    return Merging(world)


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
def test_every_page_of_every_list_shows_both_in_one_order(merging: Merging, limit: int) -> None:
    world, held, quoting = merging.world, merging.held, Quoting(merging.world)
    ids = [merging.kept.customer_id, merging.gone.customer_id]
    owners = [ids[(day.day * 7) % 3 % 2] for day in DAYS]
    assert {*owners} == {*ids}
    invoices = [issued(world, owner, day) for owner, day in zip(owners, DAYS, strict=True)]
    quotes = [quoting.draft(customer_id=owner) for owner in owners[:5]]
    notes = [issue_credit_note(world, invoice) for invoice in invoices[:5]]
    for invoice in invoices[20:]:
        world.pay(invoice, 100)
    merging()

    on = TODAY

    def listed(customer_id: str) -> list[list[str]]:
        caller = world.caller
        return [
            [
                row.invoice_id
                for row in every_item(
                    lambda page: held.invoices.list(caller, InvoiceQuery(customer_id=customer_id), page), limit=limit
                )
            ],
            [
                row.quote_id
                for row in every_item(
                    lambda page: held.quotes.list(caller, QuoteQuery(on=on, customer_id=customer_id), page),
                    limit=limit,
                )
            ],
            [
                row.credit_note_id
                for row in every_item(
                    lambda page: held.credit_notes.list(caller, CreditNoteQuery(customer_id=customer_id), page),
                    limit=limit,
                )
            ],
            [
                row.payment_id
                for row in every_item(
                    lambda page: held.payments.list(caller, PaymentQuery(customer_id=customer_id), page), limit=limit
                )
            ],
        ]

    shown = listed(ids[0])
    assert shown[0] == [invoice.invoice_id for invoice in reversed(invoices)]
    assert {*shown[1]} == {quote.quote_id for quote in quotes}
    assert {*shown[2]} == {note.invoice_id for note in notes}
    assert [len(one) for one in shown] == [28, 5, 5, 8]
    assert [len({*one}) for one in shown] == [28, 5, 5, 8]
    assert listed(ids[1]) == shown
    bounded = InvoiceQuery(customer_id=ids[0], from_date=DAYS[3], to_date=DAYS[20])
    rows = every_item(lambda page: held.invoices.list(world.caller, bounded, page), limit=limit)
    assert [row.list_date for row in rows] == list(reversed(DAYS[3:21]))


def test_a_list_goes_on_over_both_when_they_merge_between_two_pages(merging: Merging) -> None:
    world, invoices = merging.world, merging.held.invoices
    ids = [merging.kept.customer_id, merging.gone.customer_id]
    made = [issued(world, ids[rank % 2], day) for rank, day in enumerate(DAYS[:10])]
    query = InvoiceQuery(customer_id=ids[0])
    first = invoices.list(world.caller, query, PageRequest(limit=2))

    merging()

    rest = invoices.list(world.caller, query, PageRequest(limit=100, position=first.position))
    assert [row.invoice_id for row in first.items] == [made[8].invoice_id, made[6].invoice_id]
    assert [row.invoice_id for row in rest.items] == [one.invoice_id for one in reversed(made[:6])]


def test_a_position_outside_of_what_is_asked_is_refused(merging: Merging) -> None:
    world = merging.world
    for day in DAYS[:4]:
        for customer in (merging.kept, merging.gone):
            issued(world, customer.customer_id, day)
    merging()
    query = InvoiceQuery(customer_id=merging.kept.customer_id, to_date=DAYS[2])

    with pytest.raises(PageTokenInvalid):
        merging.held.invoices.list(world.caller, query, PageRequest(limit=2, position="2027-01-01#inv_x|inv_x"))


def test_statements_add_both_up(merging: Merging) -> None:
    world = merging.world
    before = [issued(world, one.customer_id, date(2026, 10, 5)) for one in (merging.kept, merging.gone)]
    within = [issued(world, one.customer_id, DAYS[rank]) for rank, one in enumerate((merging.gone, merging.kept))]
    world.pay(within[0], 1_000)
    total = before[0].ledger.total_minor

    merging()

    period = StatementPeriod(first=FIRST, last=LAST)
    for customer in (merging.kept, merging.gone):
        extract = merging.held.accounts.extract(world.caller, customer.customer_id, period)
        assert extract.customer.customer_id == merging.kept.customer_id
        assert extract.opening == {"EUR": 2 * total}
        assert sum(one.owed_minor for one in extract.movements) == 2 * total - 1_000
        assert [one.day for one in extract.movements] == sorted(one.day for one in extract.movements)
        assert {one.invoice_id for one in extract.still_open} == {one.invoice_id for one in before + within}


def test_the_duplicates_id_names_the_customer(merging: Merging) -> None:
    world, held, gone_id = merging.world, merging.held, merging.gone.customer_id
    invoice = issued(world, gone_id, TODAY)
    merging.gain(merging.gone, 300)
    merging.gain(merging.kept, 20)
    merging.pause(merging.gone, None)

    kept = merging()

    assert held.customers.read(world.caller, gone_id).merged_into == kept.customer_id
    assert held.customers.current(world.caller, gone_id) == kept
    assert held.invoices.draft_context(world.caller, gone_id, ()).customer == kept
    assert held.reminders.load(world.caller, invoice.invoice_id).customer == kept
    for context in (held.payments.load(world.caller, gone_id, ()), held.credit_notes.customer(world.caller, gone_id)):
        assert context.customer == kept
        assert (context.credit.customer_id, context.credit.balance_minor) == (kept.customer_id, 320)
    for pause in (
        held.reminders.read_pause(world.caller, gone_id),
        held.reminders.load(world.caller, invoice.invoice_id).pause,
    ):
        assert (pause.customer_id, pause.paused, pause.until) == (kept.customer_id, True, None)
    with pytest.raises(NotFound):
        held.customers.current(world.stranger, gone_id)


def test_a_duplicate_is_found_no_more(merging: Merging) -> None:
    world, customers = merging.world, merging.held.customers

    kept = merging()

    page = PageRequest(limit=10)
    assert [row.customer_id for row in customers.list(world.caller, page).items] == [kept.customer_id]
    assert [one.customer_id for one in customers.whole(world.caller, page).items] == [kept.customer_id]
    found = customers.search(world.caller, ("epicerie",), page).items
    assert [row.customer_id for row in found] == [kept.customer_id]
    assert customers.alike(world.caller, kept) == ()
    another = world.add_customer()
    assert [one.customer.customer_id for one in customers.alike(world.caller, another)] == [kept.customer_id]


def test_what_moved_meanwhile_lets_nothing_through(merging: Merging) -> None:
    world, held = merging.world, merging.held
    caller, ids = world.caller, (merging.kept.customer_id, merging.gone.customer_id)

    def move_credit() -> None:
        merging.gain(merging.gone, 1)

    def pause() -> None:
        merging.pause(merging.gone, None)

    def edit(customer_id: str) -> None:
        previous = held.customers.read(caller, customer_id)
        held.customers.save(
            caller,
            replace(previous, version=previous.version + 1),
            previous=previous,
            event=factories.event(world.new_id("evt"), EventType.CUSTOMER_EDITED),
        )

    meanwhile: list[Callable[[], None]] = [move_credit, pause, lambda: edit(ids[0]), lambda: edit(ids[1])]
    for act in meanwhile:
        context = held.customer_merges.load(caller, *ids, once=world.once("mergeCustomer"))
        customer, gone = merged(context.survivor.customer, context.duplicate.customer, at=MORNING)
        act()
        with pytest.raises(StaleVersion):
            held.customer_merges.write(
                caller,
                customer,
                CustomerMerge(
                    previous=context.survivor.customer,
                    duplicate=gone,
                    duplicate_before=context.duplicate.customer,
                    earlier=(),
                    movements=merged_credits(
                        context.survivor.credit,
                        context.duplicate.credit,
                        entry_ids=(world.new_id("ent"), world.new_id("ent")),
                        on=TODAY,
                        at=MORNING,
                        by=factories.USER_ID,
                    ),
                    pause=None,
                    duplicate_pause=context.duplicate.pause,
                ),
                events=(
                    factories.event(world.new_id("evt"), EventType.CUSTOMER_MERGED),
                    factories.event(world.new_id("evt"), EventType.CUSTOMER_MERGED),
                ),
                once=world.once("mergeCustomer"),
            )
    assert [held.customers.read(caller, one).merged_into for one in ids] == [None, None]
    assert credit(world, ids[1]).balance_minor == 1


def test_nothing_moves_on_what_was_read_before_the_merge(merging: Merging) -> None:
    world, held = merging.world, merging.held
    late = movement(world, credit(world, merging.gone.customer_id), CreditEntryKind.OVER_PAYMENT, 500)
    pause = ReminderPause(
        tenant_id=world.caller.tenant_id, customer_id=merging.gone.customer_id, version=1, paused=True
    )
    merging()

    with pytest.raises(StaleVersion):
        held.payments.move_credit(
            world.caller, late, event=factories.event(world.new_id("evt")), once=world.once("refundCustomerCredit")
        )
    with pytest.raises(StaleVersion):
        held.reminders.save_pause(
            world.caller,
            pause,
            event=factories.event(world.new_id("evt"), EventType.REMINDERS_PAUSED),
            once=world.once("pauseReminder"),
        )


def test_the_same_request_again_is_answered_and_merges_once(merging: Merging) -> None:
    merging.gain(merging.gone, 300)
    ids = merging.kept.customer_id, merging.gone.customer_id

    merging.merge(*ids, once="one")
    with pytest.raises(AlreadyAnswered):
        merging.merge(*ids, once="one")

    assert credit(merging.world, ids[0]).balance_minor == 300
    for customer_id in ids:
        with pytest.raises(CustomerMerged):
            merging.merge(*ids)
        assert merging.held.customers.read(merging.world.caller, customer_id).version == 2


def test_both_ways_at_once_one_wins(merging: Merging) -> None:
    merging.gain(merging.kept, 1_000)
    merging.gain(merging.gone, 500)
    ids = merging.kept.customer_id, merging.gone.customer_id
    keys = [merging.world.new_id("key") for _ in range(6)]

    def attempt(rank: int) -> bool:
        try:
            merging.merge(*(ids if rank % 2 else ids[::-1]), once=keys[rank])
        except CustomerMerged:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(attempt, range(6))) == 1

    assert [credit(merging.world, one).balance_minor for one in ids] == [1_500, 1_500]


def test_chains_point_to_the_last(merging: Merging) -> None:
    world, customers = merging.world, merging.held.customers
    kept = merging()
    last = world.add_customer("Dernière fiche")

    merging.merge(last.customer_id, kept.customer_id)

    assert customers.read(world.caller, last.customer_id).merged_ids == (kept.customer_id, merging.gone.customer_id)
    for customer_id in (kept.customer_id, merging.gone.customer_id):
        assert customers.read(world.caller, customer_id).merged_into == last.customer_id
        assert customers.current(world.caller, customer_id).customer_id == last.customer_id


def test_another_companys_customers_are_not_there(merging: Merging) -> None:
    strange = merging.world.add_customer(of=merging.world.stranger)

    with pytest.raises(UnknownReference):
        merging.merge(merging.kept.customer_id, strange.customer_id)
    with pytest.raises(NotFound):
        merging.merge(strange.customer_id, merging.kept.customer_id)
    with pytest.raises(NotFound):
        merging.merge(merging.kept.customer_id, merging.gone.customer_id, caller=merging.world.stranger)
    assert merging.held.customers.read(merging.world.stranger, strange.customer_id).merged_into is None


def test_templates_of_recurring_invoices_are_of_the_customer_that_goes_on(merging: Merging) -> None:
    """Those of a duplicate, and of what had been merged into it before; the others stay as they are."""
    world, recurring = merging.world, merging.held.recurring_invoices
    first, other = world.add_customer(siren=None, siret=None, vat_number=None), world.add_customer()
    planning = Planning(world)
    made = [
        planning.create(name, customer_id=one)
        for name, one in (
            ("a", first.customer_id),
            ("b", merging.gone.customer_id),
            ("c", merging.kept.customer_id),
            ("d", other.customer_id),
            ("e", "cus_none"),
        )
    ]
    merging.merge(merging.gone.customer_id, first.customer_id)
    merging()

    rows = recurring.list(world.caller, PageRequest(limit=10)).items
    read = [recurring.current(world.caller, one.recurring_invoice_id) for one in made]

    kept = (merging.kept.customer_id, merging.kept.description.name)
    expected = [kept, kept, (kept[0], "Modèle"), (other.customer_id, "Modèle"), ("cus_none", "Modèle")]
    assert [(row.customer_id, row.customer_name) for row in rows] == expected
    assert [(one.content.customer_id, one.customer_name) for one in read] == expected
    assert [one.version for one in read] == [1] * 5
    assert recurring.read(world.caller, made[0].recurring_invoice_id) == made[0]
