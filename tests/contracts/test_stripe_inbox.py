"""Events of Stripe over the fake and the table: kept once, found until they ended, listed while they are parked."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from billing.domain.errors import StaleVersion
from billing.domain.stripe import StripeEvent
from billing.domain.stripe_inbox import InboxEntry, InboxState, ParkReason
from billing.ports.paging import PageRequest
from billing.ports.stripe_inbox import SHARDS
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING

LATER = MORNING + timedelta(days=1)


def told(**changes: str) -> StripeEvent:
    values = {"event_id": f"evt_{uuid.uuid4().hex}", "event_type": "payment_intent.succeeded"} | changes
    return StripeEvent(
        account_id="acct_1",
        object_id="pi_1",
        object_type="payment_intent",
        created=MORNING,
        api_version="2026-10-28.endive",
        livemode=False,
        **values,
    )


def waiting(world: World) -> list[str]:
    return [one for shard in range(SHARDS) for one in world.repositories.stripe_inbox.waiting(shard, LATER, 1000)]


def test_an_event_is_kept_as_it_came_first(world: World) -> None:
    inbox = world.repositories.stripe_inbox
    first = InboxEntry.received(told(), MORNING)
    again = InboxEntry.received(told(event_id=first.event.event_id, event_type="other"), LATER)

    assert inbox.receive(first) == first
    assert inbox.receive(again) == first
    assert inbox.read(first.event.event_id) == first
    assert inbox.read("evt_unknown") is None


def test_it_is_waited_for_until_it_ends(world: World) -> None:
    inbox = world.repositories.stripe_inbox
    entry = inbox.receive(InboxEntry.received(told(), MORNING))
    due = MORNING + timedelta(minutes=10)

    assert entry.event.event_id in waiting(world)
    assert all(entry.event.event_id not in inbox.waiting(shard, MORNING, 1000) for shard in range(SHARDS))
    assert sum(entry.event.event_id in inbox.waiting(shard, due, 1000) for shard in range(SHARDS)) == 1
    inbox.save(entry.done(MORNING, tenant_id="ten_1"))
    assert entry.event.event_id not in waiting(world)
    stored = inbox.read(entry.event.event_id)
    assert stored is not None
    assert (stored.state, stored.tenant_id) == (InboxState.DONE, "ten_1")


def test_only_one_of_two_writers_ends_it(world: World) -> None:
    inbox = world.repositories.stripe_inbox
    entry = inbox.receive(InboxEntry.received(told(), MORNING))
    inbox.save(entry.ignored(MORNING))

    with pytest.raises(StaleVersion):
        inbox.save(entry.done(MORNING))
    with pytest.raises(StaleVersion):
        inbox.save(InboxEntry.received(told(), MORNING).done(MORNING))


def test_what_is_parked_is_listed_latest_first_until_it_is_taken_up(world: World) -> None:
    inbox = world.repositories.stripe_inbox
    entries = [inbox.receive(InboxEntry.received(told(), MORNING)) for _ in range(3)]
    parked = [
        entry.parked(ParkReason.OTHER_AMOUNT, LATER + timedelta(days=400, minutes=place), subject="pi_1")
        for place, entry in enumerate(entries)
    ]
    for entry in parked:
        inbox.save(entry)

    page = inbox.parked(PageRequest(limit=2))
    assert page.items == (parked[2], parked[1])
    assert parked[0] in inbox.parked(PageRequest(limit=50, position=page.position)).items
    assert not {entry.event.event_id for entry in entries} & set(waiting(world))
    inbox.save(parked[2].taken_up(LATER))
    assert inbox.parked(PageRequest(limit=1)).items == (parked[1],)
