"""Fakes of the ports StripeInbox and StripeEventQueue."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import datetime
from typing import cast

from billing.domain.errors import DependencyUnavailable, StaleVersion
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.ports.paging import Page, PageRequest
from billing.ports.stripe_payments import StripeFacts
from tests.fakes.store import Store, paged, shard_of


def hold_entry(store: Store, entry: InboxEntry) -> None:
    """Raises: StaleVersion, unless it is the next version."""
    stored = store.stripe_events.get(entry.event.event_id)
    if stored is None or stored.version != entry.version - 1:
        raise StaleVersion


def move_entry(store: Store, entry: InboxEntry) -> None:
    store.counted.update(entry.counts)
    store.streamed.append(StripeFacts(entry=entry))
    store.stripe_events[entry.event.event_id] = entry


class FakeStripeInbox:
    """Port StripeInbox."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def receive(self, entry: InboxEntry) -> InboxEntry:
        with self._store.lock:
            if entry.event.event_id not in self._store.stripe_events:
                move_entry(self._store, entry)
            return self._store.stripe_events[entry.event.event_id]

    def read(self, event_id: str) -> InboxEntry | None:
        with self._store.lock:
            return self._store.stripe_events.get(event_id)

    def save(self, entry: InboxEntry) -> None:
        with self._store.lock:
            hold_entry(self._store, entry)
            move_entry(self._store, entry)

    def waiting(self, shard: int, before: datetime, limit: int) -> list[str]:
        with self._store.lock:
            found = [
                (entry.next_at, event_id)
                for event_id, entry in self._store.stripe_events.items()
                if entry.next_at is not None and entry.next_at <= before and shard_of(event_id) == shard
            ]
        return [event_id for _, event_id in sorted(found)[:limit]]

    def parked(self, page: PageRequest) -> Page[InboxEntry]:
        with self._store.lock:
            rows: list[tuple[str, object]] = [
                (f"{entry.ended_at}#{event_id}", entry)
                for event_id, entry in self._store.stripe_events.items()
                if entry.state is InboxState.PARKED
            ]
        return cast("Page[InboxEntry]", paged(rows, page, forward=False))


class FakeStripeEventQueue:
    """Port StripeEventQueue: at least once, in whatever order it is taken from. ``down`` refuses every message."""

    def __init__(self) -> None:
        self.messages: deque[str] = deque()
        self.down = False

    def put(self, event_ids: Sequence[str]) -> None:
        if self.down:
            raise DependencyUnavailable
        if not 0 < len(event_ids) <= 10:
            raise ValueError("a batch of SQS has one to ten messages")
        self.messages.extend(event_ids)
