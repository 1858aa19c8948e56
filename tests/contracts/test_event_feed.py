"""The change feed, over the fakes and over the table: every event at one place, whoever places it, whatever dies."""

from __future__ import annotations

import random
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.event_feed import EventFeed as TableEventFeed
from billing.adapters.dynamodb.table import Table
from billing.domain.access import Caller, Origin
from billing.domain.errors import Busy, MembershipChanged, StaleVersion
from billing.domain.events import Event
from billing.domain.feed import AuditTrail, FeedHead, PlacedEvent, UnplacedEvent, genesis_hash, placed
from billing.ports.event_feed import EventFeed
from billing.usecases.events import list_events, place_events, place_missed_events
from tests import factories
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING, FakeClock, FakeIds
from tests.fakes.crashes import Crashed, CrashPoint

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LATER = MORNING + timedelta(days=400)
DAY = MORNING.date()


class Feeding:
    def __init__(self, world: World) -> None:
        self.world = world
        self.feed = world.repositories.event_feed

    def waiting(self, of: Caller | None = None) -> list[UnplacedEvent]:
        """All that has no place, as the index shows it."""
        of, found = of or self.world.caller, []
        for shard in range(self.feed.shards):
            after = None
            while True:
                page, after = self.feed.waiting(LATER, shard=shard, limit=100, after=after)
                found += [one for one in page if one.tenant_id == of.tenant_id]
                if after is None:
                    break
        return found

    def place(self, events: list[UnplacedEvent]) -> int:
        return place_events(events, feed=self.feed, clock=FakeClock(), ids=FakeIds()).placed

    def placed(self, of: Caller | None = None) -> list[PlacedEvent]:
        """The whole feed, followed page by page by its cursor."""
        seen: list[PlacedEvent] = []
        while page := list_events(
            of or self.world.caller, after=seen[-1].sequence if seen else 0, limit=7, feed=self.feed
        ):
            seen += page
        return seen


@pytest.fixture
def feeding(world: World) -> Feeding:
    return Feeding(world)


def test_an_event_waits_from_its_effect_on_with_who_and_where(feeding: Feeding) -> None:
    origin = Origin(ip_address="203.0.113.7", correlation_id="corr-1")
    caller = replace(feeding.world.caller, origin=origin)
    customer = feeding.world.add_customer(of=caller)

    created, founded = sorted(feeding.waiting(), key=lambda one: one.event.event_type)

    assert (created.subject_id, created.event.event_type) == (customer.customer_id, "customer.created")
    assert (created.audit.role, created.audit.ip_address, created.audit.correlation_id) == (
        "owner", "203.0.113.7", "corr-1",
    )  # fmt: skip
    assert (founded.event.event_type, founded.subject_id) == ("membership.created", caller.user_id)


def test_events_get_their_places_in_order_once(feeding: Feeding) -> None:
    feeding.world.issue()
    events = feeding.waiting()

    assert feeding.place(events) == len(events) == 3
    assert feeding.place(events) == 0
    assert feeding.waiting() == []

    shown = feeding.placed()
    assert [one.sequence for one in shown] == [1, 2, 3]
    assert [(one.event, one.audit, one.subject_id) for one in shown] == [
        (one.event, one.audit, one.subject_id) for one in events
    ]


def test_two_companies_have_a_feed_each(feeding: Feeding) -> None:
    feeding.world.add_customer()
    feeding.world.add_customer(of=feeding.world.stranger)
    both = feeding.waiting() + feeding.waiting(feeding.world.stranger)

    assert feeding.place(both) == 4

    own, theirs = feeding.placed(), feeding.placed(feeding.world.stranger)
    assert [one.sequence for one in own] == [one.sequence for one in theirs] == [1, 2]
    assert not {one.event.event_id for one in own} & {one.event.event_id for one in theirs}


def test_a_placement_needs_the_place_before_it_and_events_without_one(feeding: Feeding) -> None:
    feeding.world.add_customer()
    tenant_id = feeding.world.caller.tenant_id
    first, second = feeding.waiting()

    feeding.feed.place(tenant_id, placed([first], after=FeedHead()), after=FeedHead(), day=DAY)

    for events, sequence in (([second], 0), ([first], 1), ([second], 2), ([second, first], 1)):
        after = FeedHead(sequence=sequence, chain_hash="0" * 64, day=DAY)
        with pytest.raises(StaleVersion):
            feeding.feed.place(tenant_id, placed(events, after=after), after=after, day=DAY)
    assert [one.event for one in feeding.placed()] == [first.event]
    assert feeding.feed.state(tenant_id, [first, second]).unplaced == (second,)


def test_eight_consumers_at_once_over_shuffled_events_leave_no_gap_and_repeat_nothing(feeding: Feeding) -> None:
    for _ in range(60):
        feeding.world.add_draft()
    events = feeding.waiting()
    assert len(events) == 61
    shuffled = random.Random(20261126)  # noqa: S311 - an order that repeats

    def consume(rank: int) -> int:
        own = events.copy()
        shuffled.shuffle(own)
        size = 3 + rank  # batches that overlap in every way
        return sum(feeding.place(own[start : start + size]) for start in range(0, len(own), size))

    with ThreadPoolExecutor(8) as pool:
        counted = sum(pool.map(consume, range(8)))

    shown = feeding.placed()
    assert [one.sequence for one in shown] == list(range(1, 62))
    tenant_id = feeding.world.caller.tenant_id
    assert [one.previous_hash for one in shown] == [genesis_hash(tenant_id), *(one.chain_hash for one in shown[:-1])]
    assert feeding.feed.state(tenant_id, []).head.chain_hash == shown[-1].chain_hash
    assert sorted(one.event.event_id for one in shown) == sorted(one.event.event_id for one in events)
    assert counted == 61


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_consumer_that_dies_anywhere_loses_nothing_and_repeats_nothing(
    feeding: Feeding, at: int, after: bool
) -> None:
    for _ in range(5):
        feeding.world.add_draft()
    events = feeding.waiting()
    crash = CrashPoint(at=at, after=after)
    dying = crash.watch(feeding.feed)

    with pytest.raises(Crashed):
        _consume_in_batches(events, dying)
    feeding.place(events)

    shown = feeding.placed()
    assert [one.sequence for one in shown] == list(range(1, 7))
    assert {one.event.event_id for one in shown} == {one.event.event_id for one in events}


def test_the_sweeper_places_what_the_consumer_missed(feeding: Feeding) -> None:
    feeding.world.add_draft()
    clock = FakeClock()

    clock.advance(timedelta(seconds=30))
    place_missed_events(feed=feeding.feed, clock=clock, ids=FakeIds())
    early = feeding.placed()
    clock.advance(timedelta(days=400))  # events of factories happen at their own time
    place_missed_events(feed=feeding.feed, clock=clock, ids=FakeIds())

    assert len(early) < 2
    assert [one.sequence for one in feeding.placed()] == [1, 2]
    assert place_missed_events(feed=feeding.feed, clock=clock, ids=FakeIds()) == 0


def test_a_reader_whose_membership_changed_sees_nothing(feeding: Feeding) -> None:
    stale = replace(feeding.world.caller, membership_version=0)

    with pytest.raises(MembershipChanged):
        feeding.feed.page(stale, after=0, limit=10)


def _consume_in_batches(events: list[UnplacedEvent], feed: EventFeed) -> None:
    for batch in (events[:3], events[3:]):
        place_events(batch, feed=feed, clock=FakeClock(), ids=FakeIds())


@pytest.mark.engine
def test_an_event_is_never_written_over(dynamodb: DynamoDBClient, billing_table: str) -> None:
    """Whatever sends the same id again is refused with all that comes with it."""
    table = Table(dynamodb, billing_table, clock=FakeClock(), ids=FakeIds())
    feed, tenant_id = TableEventFeed(table), f"ten_{uuid.uuid4().hex}"
    key = keys.company_event(tenant_id, "evt_1")
    event = factories.event("evt_1")
    table.write(None, table.event(key, tenant_id, event))
    written = table.get(key)
    [waiting] = feed.state(tenant_id, [_waiting(tenant_id, event)]).unplaced
    feed.place(tenant_id, placed([waiting], after=FeedHead()), after=FeedHead(), day=DAY)
    kept = table.get(keys.feed_place(tenant_id, 1))

    with pytest.raises(Busy):
        table.write(None, table.event(key, tenant_id, replace(event, actor="somebody-else")))
    other = placed([replace(waiting, event=factories.event("evt_2"))], after=FeedHead())
    with pytest.raises(StaleVersion):
        feed.place(tenant_id, other, after=FeedHead(), day=DAY)

    assert table.get(key) == written
    assert table.get(keys.feed_place(tenant_id, 1)) == kept


def _waiting(tenant_id: str, event: Event) -> UnplacedEvent:
    audit = AuditTrail(role="system", ip_address="", correlation_id="")
    return UnplacedEvent(tenant_id=tenant_id, subject_id=tenant_id, event=event, audit=audit)
