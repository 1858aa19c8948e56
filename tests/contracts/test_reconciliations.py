"""Days at Stripe over the fake and the table."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.crediting import Excess
from billing.domain.dates import civil_date
from billing.domain.errors import StaleVersion
from billing.domain.events import EventType
from billing.domain.reconciliation import Difference, DifferenceKind, Reconciliation
from billing.domain.stripe import StripeAccount
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_payment import BookingKind, DayBooking, PaperRefund
from billing.ports.paging import PageRequest
from billing.ports.stripe_payments import StripeFacts
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_credit_notes import prepared
from tests.contracts.test_stripe_payments import record
from tests.fakes.clock import MORNING

DAY = date(2026, 11, 23)  # of MORNING


def connected(world: World) -> str:
    account = StripeAccount(
        account_id=f"acct_{uuid.uuid4().hex[:12]}", charges_enabled=True, payouts_enabled=True, details_submitted=True
    )
    connection = StripeConnection(tenant_id=world.caller.tenant_id).creating()
    world.repositories.stripe_connections.save(world.caller, connection)
    world.repositories.stripe_connections.save(world.caller, connection.connected(account, MORNING))
    return account.account_id


def due(world: World, day: date) -> list[tuple[str, str]]:
    held = world.repositories.reconciliations
    found: list[tuple[str, str]] = []
    for shard in range(held.shards):
        after = None
        while True:
            page, after = held.due(day, shard=shard, limit=2, after=after)
            found += page
            if after is None:
                break
    return found


def report(world: World, account_id: str, day: date = DAY) -> Reconciliation:
    started = Reconciliation(tenant_id=world.caller.tenant_id, account_id=account_id, day=day, started_at=MORNING)
    return started.read_to("txn_1")


def test_an_account_is_due_from_the_day_it_is_connected(world: World) -> None:
    account_id = connected(world)
    key = (world.caller.tenant_id, account_id)

    assert due(world, DAY - timedelta(days=1)).count(key) == 0
    assert due(world, DAY).count(key) == 1
    assert world.repositories.reconciliations.due_since(*key) == DAY
    world.repositories.reconciliations.looked_at(*key, DAY)
    assert due(world, DAY).count(key) == 0
    assert due(world, DAY + timedelta(days=1)).count(key) == 1
    stored = world.repositories.stripe_connections.stored(world.caller.tenant_id)
    assert stored.account is not None
    world.repositories.stripe_connections.save(
        world.caller, stored.refreshed(stored.account, MORNING + timedelta(hours=1))
    )
    assert due(world, DAY).count(key) == 0


def test_a_report_is_written_version_after_version(world: World) -> None:
    held = world.repositories.reconciliations
    first = report(world, "acct_1")
    held.save(first)
    assert held.stored(world.caller.tenant_id, "acct_1", DAY) == first
    assert held.stored(world.stranger.tenant_id, "acct_1", DAY) is None
    with pytest.raises(StaleVersion):
        held.save(first)
    difference = Difference(kind=DifferenceKind.MISSING, source_id="ch_1", stripe_minor=100, ours_minor=0)
    ended = replace(first, differences=(difference,)).ended(MORNING)

    held.save(ended, event=factories.event(world.new_id("evt"), EventType.STRIPE_RECONCILIATION_DIFFERS))

    assert held.stored(world.caller.tenant_id, "acct_1", DAY) == ended
    with pytest.raises(StaleVersion):
        held.save(ended)


def test_days_that_differ_are_due_again_until_they_agree(world: World) -> None:
    held, tenant_id = world.repositories.reconciliations, world.caller.tenant_id
    difference = Difference(kind=DifferenceKind.MISSING, source_id="ch_1", stripe_minor=100, ours_minor=0)
    account_id = f"acct_{uuid.uuid4().hex[:12]}"

    def due_again(night: date) -> list[date]:
        found: list[tuple[str, str, date]] = []
        for shard in range(held.shards):
            after = None
            while True:
                page, after = held.due_again(night, shard=shard, limit=1, after=after)
                found += page
                if after is None:
                    break
        return [day for tenant, account, day in found if (tenant, account) == (tenant_id, account_id)]

    days = [DAY, DAY - timedelta(days=1), DAY - timedelta(days=2)]
    for day in days:
        held.save(replace(report(world, account_id, day), differences=(difference,), version=0).ended(MORNING))
    assert due_again(DAY) == []
    assert due_again(DAY + timedelta(days=1)) == days[::-1]
    stored = held.stored(tenant_id, account_id, days[1])
    assert stored is not None
    held.save(stored.judged_again(MORNING).ended(MORNING))
    later = held.stored(tenant_id, account_id, days[0])
    assert later is not None
    held.save(later.put_off(DAY + timedelta(days=1)))

    assert due_again(DAY + timedelta(days=1)) == [days[2]]
    assert due_again(DAY + timedelta(days=2)) == [days[2], days[0]]


def test_days_are_listed_latest_first(world: World) -> None:
    held = world.repositories.reconciliations
    days = [DAY + timedelta(days=number) for number in range(3)]
    for day in days:
        held.save(report(world, "acct_1", day))

    page = held.list(world.caller, PageRequest(limit=2))
    rest = held.list(world.caller, PageRequest(limit=2, position=page.position))

    assert [one.day for one in (*page.items, *rest.items)] == days[::-1]
    assert held.list(world.stranger, PageRequest()).items == ()


def test_what_stripe_told_is_found_by_its_own_ids(world: World) -> None:
    written = record(world)
    world.repositories.stripe_payments.write(world.caller, StripeFacts(record=replace(written, charge_id="ch_found")))
    held = world.repositories.reconciliations

    assert held.sources(world.caller.tenant_id, ("ch_found", "ch_unknown")) == {"ch_found": written.payment_intent_id}
    assert held.sources(world.stranger.tenant_id, ("ch_found",)) == {}
    assert held.sources(world.caller.tenant_id, ()) == {}


def booking(source_id: str, *, account_id: str = "acct_1", day: date = DAY) -> DayBooking:
    return DayBooking(
        account_id=account_id,
        day=day,
        kind=BookingKind.REFUND,
        source_id=source_id,
        amount_minor=-1_000,
        payment_id="pay_1",
    )


def test_what_was_booked_on_a_day_is_walked_page_by_page(world: World) -> None:
    held, tenant_id = world.repositories, world.caller.tenant_id
    written = record(world)
    bookings = [booking(f"re_{number}") for number in range(5)]
    others = booking("re_other", account_id="acct_12"), booking("re_later", day=DAY + timedelta(days=1))
    for number, one in enumerate((*bookings, *others, bookings[0])):  # the same fact is one
        facts = StripeFacts(record=replace(written, version=number + 1), booked=one)
        held.stripe_payments.write(world.caller, facts)

    first, position = held.reconciliations.booked(tenant_id, "acct_1", DAY, limit=3)
    rest, end = held.reconciliations.booked(tenant_id, "acct_1", DAY, limit=3, after=position)

    assert ([*first, *rest], len(first), end) == (bookings, 3, None)
    assert held.reconciliations.booked(tenant_id, "acct_12", DAY, limit=3) == ((others[0],), None)
    assert held.reconciliations.booked(tenant_id, "acct_2", DAY, limit=3) == ((), None)
    assert held.reconciliations.booked(world.stranger.tenant_id, "acct_1", DAY, limit=3) == ((), None)


def test_nothing_is_booked_of_what_was_refused(world: World) -> None:
    held, written = world.repositories, record(world)
    held.stripe_payments.write(world.caller, StripeFacts(record=written))
    refund = PaperRefund(day=DAY, subject="re_1", invoice_id="inv_1")
    with pytest.raises(StaleVersion):
        held.stripe_payments.write(
            world.caller, StripeFacts(record=written, booked=booking("re_1"), on_paper=(refund,))
        )

    assert held.reconciliations.booked(written.tenant_id, "acct_1", DAY, limit=3) == ((), None)
    assert held.reconciliations.on_paper(written.tenant_id, DAY, limit=3) == ((), None)


def test_what_notes_gave_back_is_walked_by_the_day(world: World) -> None:
    held, tenant_id = world.repositories, world.caller.tenant_id
    invoice, plain = world.pay(world.issue(), 12_000), world.pay(world.issue(), 12_000)
    note, written = prepared(world, invoice, excess=Excess.REFUND)
    held.credit_notes.issue(world.caller, note, **written)
    other, written = prepared(world, plain)
    held.credit_notes.issue(world.caller, other, **written)
    failed = PaperRefund(day=DAY, subject="re_1", invoice_id=plain.invoice_id)
    held.stripe_payments.write(world.caller, StripeFacts(on_paper=(failed,)))
    of_note = PaperRefund(
        day=civil_date(note.document.issued_at), subject=note.invoice_id, invoice_id=invoice.invoice_id
    )

    first, position = held.reconciliations.on_paper(tenant_id, DAY, limit=1)
    rest, end = held.reconciliations.on_paper(tenant_id, DAY, limit=2, after=position)

    assert of_note.day == DAY
    assert ([*first, *rest], end) == ([of_note, failed], None)
    assert held.reconciliations.on_paper(tenant_id, DAY + timedelta(days=1), limit=1) == ((), None)
    assert held.reconciliations.on_paper(world.stranger.tenant_id, DAY, limit=1) == ((), None)
