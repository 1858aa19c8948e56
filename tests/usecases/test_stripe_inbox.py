"""Events of Stripe that were lost on their way are found, queued again, and at last parked."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.domain.errors import DependencyUnavailable
from billing.domain.stripe import STRIPE_API_VERSION, StripeEvent
from billing.domain.stripe_inbox import KEPT_FOR, MAX_ATTEMPTS, InboxEntry, InboxState, ParkReason, event_told
from billing.ports.paging import PageRequest
from billing.usecases import stripe_inbox
from tests.fakes.clock import FakeClock
from tests.fakes.store import Store
from tests.fakes.stripe_inbox import FakeStripeEventQueue, FakeStripeInbox


@dataclass
class Post:
    """The inbox and its queue."""

    inbox: FakeStripeInbox = field(default_factory=lambda: FakeStripeInbox(Store()))
    queue: FakeStripeEventQueue = field(default_factory=FakeStripeEventQueue)
    clock: FakeClock = field(default_factory=FakeClock)

    def receive(self, event_id: str = "evt_1") -> InboxEntry:
        event = StripeEvent(
            event_id=event_id,
            event_type="payment_intent.succeeded",
            account_id="acct_1",
            object_id="pi_1",
            object_type="payment_intent",
            created=self.clock.now(),
            api_version=STRIPE_API_VERSION,
            livemode=False,
        )
        return stripe_inbox.receive_stripe_event(
            event,
            api_version=STRIPE_API_VERSION,
            of_our_mode=True,
            inbox=self.inbox,
            queue=self.queue,
            clock=self.clock,
        )

    def sweep(self) -> stripe_inbox.Sweep:
        return stripe_inbox.sweep_stripe_events(inbox=self.inbox, queue=self.queue, clock=self.clock)


def test_a_lost_message_is_replaced_once_it_is_late() -> None:
    post = Post()
    post.receive()
    post.queue.messages.clear()

    assert post.sweep() == stripe_inbox.Sweep()
    post.clock.advance(timedelta(minutes=10))
    assert post.sweep() == stripe_inbox.Sweep(queued=1)
    assert list(post.queue.messages) == ["evt_1"]
    assert post.sweep() == stripe_inbox.Sweep()


def test_an_event_kept_when_the_queue_was_down_is_queued_by_the_sweep() -> None:
    post = Post()
    post.queue.down = True
    with pytest.raises(DependencyUnavailable):
        post.receive()
    post.queue.down = False
    post.clock.advance(timedelta(minutes=11))

    assert post.sweep().queued == 1


def test_what_never_ends_is_parked_and_taken_up_by_a_person() -> None:
    post = Post()
    post.receive()
    swept = []
    for _ in range(MAX_ATTEMPTS + 2):
        post.clock.advance(timedelta(days=2))
        swept.append(post.sweep())

    assert sum(one.queued for one in swept) == MAX_ATTEMPTS - 1
    assert sum(one.parked for one in swept) == 1
    (parked,) = post.inbox.parked(PageRequest()).items
    assert (parked.reason, parked.forgotten_at) == (ParkReason.TOO_MANY_ATTEMPTS, None)
    post.queue.messages.clear()
    taken = stripe_inbox.take_up_stripe_events(
        ["evt_1", "evt_unknown"], inbox=post.inbox, queue=post.queue, clock=post.clock
    )
    assert taken.queued == 1
    entry = post.inbox.read("evt_1")
    assert entry is not None
    assert (entry.state, entry.attempts, entry.reason) == (InboxState.RECEIVED, 1, None)


def test_many_are_queued_ten_at_a_time() -> None:
    post = Post()
    for number in range(37):
        post.receive(f"evt_{number}")
    post.queue.messages.clear()
    post.clock.advance(timedelta(minutes=10))

    assert post.sweep().queued == 37
    assert len(set(post.queue.messages)) == 37


def test_an_event_is_forgotten_ninety_days_after_its_end() -> None:
    entry = Post().receive()
    ended = datetime(2026, 11, 2, tzinfo=UTC)

    assert entry.forgotten_at is None
    assert entry.done(ended).forgotten_at == entry.ignored(ended).forgotten_at == ended + KEPT_FOR


@pytest.mark.parametrize(
    ("about", "parent_id"),
    [
        ({"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}, "pi_1"),
        ({"id": "re_1", "object": "refund", "payment_intent": {"id": "pi_1"}, "charge": "ch_1"}, "pi_1"),
        ({"id": "du_1", "object": "dispute", "payment_intent": None, "charge": "ch_1"}, "ch_1"),
        ({"object": "balance"}, ""),
    ],
)
def test_an_event_says_what_its_object_belongs_to(about: dict[str, Any], parent_id: str) -> None:
    told = event_told(
        {
            "id": "evt_1",
            "object": "event",
            "type": "some.thing",
            "created": 1_795_424_395,
            "livemode": True,
            "api_version": STRIPE_API_VERSION,
            "data": {"object": about},
        }
    )

    assert told is not None
    assert (told.parent_id, told.account_id, told.livemode) == (parent_id, "", True)


def test_an_event_that_has_ended_is_not_queued_when_it_is_told_again() -> None:
    post = Post()
    kept = post.receive()
    post.inbox.save(kept.done(post.clock.now()))
    post.queue.messages.clear()

    assert post.receive().state is InboxState.DONE

    assert list(post.queue.messages) == []


def test_an_event_of_another_version_of_the_api_is_parked_and_not_queued() -> None:
    post = Post()
    told = replace(post.receive().event, event_id="evt_2", api_version="2020-01-01")
    post.queue.messages.clear()

    kept = stripe_inbox.receive_stripe_event(
        told,
        api_version=STRIPE_API_VERSION,
        of_our_mode=True,
        inbox=post.inbox,
        queue=post.queue,
        clock=post.clock,
    )

    assert (kept.state, kept.reason, kept.subject) == (InboxState.PARKED, ParkReason.API_VERSION, "2020-01-01")
    assert list(post.queue.messages) == []
