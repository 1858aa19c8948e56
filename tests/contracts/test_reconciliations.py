"""Days at Stripe over the fake and the table."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.errors import StaleVersion
from billing.domain.events import EventType
from billing.domain.reconciliation import Difference, DifferenceKind, Reconciliation
from billing.domain.stripe import StripeAccount
from billing.domain.stripe_connection import StripeConnection
from billing.ports.paging import PageRequest
from billing.ports.stripe_payments import StripeFacts
from tests import factories
from tests.contracts.conftest import World
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
