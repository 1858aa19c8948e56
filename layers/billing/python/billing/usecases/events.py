"""The change feed: each event gets its place once, whoever places it; readers follow it by their last place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from billing.domain.access import Caller, Permission
from billing.domain.errors import DependencyUnavailable
from billing.domain.feed import PlacedEvent, UnplacedEvent, placed, unbroken
from billing.domain.webhooks import WebhookBook, deliveries_of
from billing.ports.clock import Clock, Ids
from billing.ports.event_feed import EventFeed
from billing.usecases.contention import judged_anew

SWEEP_AFTER = timedelta(seconds=60)  # by then the stream's consumer has had its turn
SWEEP_LIMIT = 100
SWEEP_BUDGET_SECONDS = 40.0  # the schedule comes every minute


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """How many events got their place just now, and those whose tenant could not be reached."""

    placed: int
    left: tuple[UnplacedEvent, ...]


def place_events(events: Sequence[UnplacedEvent], *, feed: EventFeed, clock: Clock, ids: Ids) -> Placement:
    """Each event has its place in its tenant's feed, in the order given; those that had one keep it."""
    by_tenant: dict[str, list[UnplacedEvent]] = {}
    for one in events:
        by_tenant.setdefault(one.tenant_id, []).append(one)
    done, left = 0, []
    for tenant_id, own in by_tenant.items():
        for start in range(0, len(own), feed.limit):
            try:
                done += _place(tenant_id, own[start : start + feed.limit], feed=feed, clock=clock, ids=ids)
            except DependencyUnavailable:
                left += own[start:]  # what follows waits with it: the order of a tenant is kept
                break
    return Placement(placed=done, left=tuple(left))


def _place(tenant_id: str, events: Sequence[UnplacedEvent], *, feed: EventFeed, clock: Clock, ids: Ids) -> int:
    def attempt() -> tuple[int, int]:
        """How many got their place, and how many are still to get it."""
        state = feed.state(tenant_id, events)
        given = _fitting(placed(state.unplaced, after=state.head), state.webhooks, feed.room)
        if given:
            told = deliveries_of(state.webhooks, given, clock.now())
            feed.place(tenant_id, given, after=state.head, day=clock.today(), deliveries=told)
        return len(given), len(state.unplaced) - len(given)

    done, left = judged_anew(attempt, clock=clock, ids=ids, exhausted=DependencyUnavailable)
    while left:
        more, left = judged_anew(attempt, clock=clock, ids=ids, exhausted=DependencyUnavailable)
        done += more
    return done


def _fitting(events: tuple[PlacedEvent, ...], book: WebhookBook, room: int) -> tuple[PlacedEvent, ...]:
    """As many as one placement takes, with the deliveries they ask for."""
    taken = 0
    for count, event in enumerate(events):
        taken += 2 + sum(endpoint.hears(event) for endpoint in book.endpoints)
        if taken > room:
            return events[:count]
    return events


def place_missed_events(*, feed: EventFeed, clock: Clock, ids: Ids) -> int:
    """Place what the stream's consumer missed, oldest first. Returns how many there were.

    Raises: DependencyUnavailable, once every other tenant had its turn.
    """
    deadline = clock.monotonic() + SWEEP_BUDGET_SECONDS
    done, failed = 0, False
    for shard in range(feed.shards):
        for page in _waiting(shard, deadline, feed=feed, clock=clock):
            result = place_events(page, feed=feed, clock=clock, ids=ids)
            done += result.placed
            failed = failed or bool(result.left)
    if failed:
        raise DependencyUnavailable
    return done


def _waiting(shard: int, deadline: float, *, feed: EventFeed, clock: Clock) -> Iterator[tuple[UnplacedEvent, ...]]:
    before, after = clock.now() - SWEEP_AFTER, None
    while clock.monotonic() < deadline:
        page, after = feed.waiting(before, shard=shard, limit=SWEEP_LIMIT, after=after)
        yield page
        if after is None:
            return


def list_events(caller: Caller, *, after: int, limit: int, feed: EventFeed) -> tuple[PlacedEvent, ...]:
    """What happened after a place, in order and without a gap. Raises: Forbidden."""
    caller.require(Permission.READ_EVENTS)
    return unbroken(feed.page(caller, after=after, limit=limit), after=after)


def list_audit(caller: Caller, *, after: int, limit: int, feed: EventFeed) -> tuple[PlacedEvent, ...]:
    """The same, for who may see as whom and from where it was done. Raises: Forbidden."""
    caller.require(Permission.READ_AUDIT)
    return unbroken(feed.page(caller, after=after, limit=limit), after=after)
