"""What Stripe tells us is kept, acknowledged and put into the queue; what was lost on its way is put there again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.domain.errors import StaleVersion
from billing.domain.stripe import StripeEvent
from billing.domain.stripe_inbox import InboxEntry, InboxState, ParkReason
from billing.ports.clock import Clock
from billing.ports.stripe_inbox import SHARDS, StripeEventQueue, StripeInbox

SWEPT_AT_ONCE = 200  # of a shard
QUEUED_AT_ONCE = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    queued: int = 0
    parked: int = 0


def receive_stripe_event(
    event: StripeEvent,
    *,
    api_version: str,
    of_our_mode: bool,
    inbox: StripeInbox,
    queue: StripeEventQueue,
    clock: Clock,
) -> InboxEntry:
    """The event is kept and in the queue, or has ended already; told in another version of the API it is parked.

    One of Stripe's test mode is ignored where we are live: a live endpoint hears of it, and it tells of nothing real. A
    live one where we are not is parked: either the mode is set wrong, or the endpoint is.

    Raises: DependencyUnavailable, when it is not sure to be kept and queued: Stripe tells it again.
    """
    now = clock.now()
    entry = InboxEntry.received(event, now)
    if not of_our_mode and event.livemode:
        entry = entry.parked(ParkReason.OTHER_MODE, now, subject="live")
    elif not of_our_mode:
        entry = entry.ignored(now, reason=ParkReason.OTHER_MODE, subject="test")
    elif event.api_version != api_version:
        entry = entry.parked(ParkReason.API_VERSION, now, subject=event.api_version)
    kept = inbox.receive(entry)
    if kept.is_waiting:
        queue.put([kept.event.event_id])
    return kept


def sweep_stripe_events(*, inbox: StripeInbox, queue: StripeEventQueue, clock: Clock) -> Sweep:
    """Those that should have ended by now go into the queue once more; parked once they went there often enough."""
    now = clock.now()
    queued: list[str] = []
    parked = 0
    for shard in range(SHARDS):
        for event_id in inbox.waiting(shard, now, SWEPT_AT_ONCE):
            entry = inbox.read(event_id)
            if entry is None or not entry.is_waiting or entry.next_at is None or entry.next_at > now:
                continue
            swept = entry.swept(now)
            try:
                inbox.save(swept)
            except StaleVersion:  # it ended meanwhile, or another sweep took it
                continue
            if swept.is_waiting:
                queued.append(event_id)
            else:
                parked += 1
    _put(queued, queue)
    return Sweep(queued=len(queued), parked=parked)


def take_up_stripe_events(
    event_ids: Sequence[str], *, inbox: StripeInbox, queue: StripeEventQueue, clock: Clock
) -> Sweep:
    """Parked events whose trouble a person settled are processed again. Others stay as they are."""
    now = clock.now()
    queued = []
    for event_id in event_ids:
        entry = inbox.read(event_id)
        if entry is not None and entry.state is InboxState.PARKED:
            inbox.save(entry.taken_up(now))
            queued.append(event_id)
    _put(queued, queue)
    return Sweep(queued=len(queued))


def _put(event_ids: list[str], queue: StripeEventQueue) -> None:
    for start in range(0, len(event_ids), QUEUED_AT_ONCE):
        queue.put(event_ids[start : start + QUEUED_AT_ONCE])
