"""Fake of the port EventFeed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.feed import FeedHead, PlacedEvent, UnplacedEvent
from billing.domain.webhooks import WebhookBook, WebhookDelivery
from billing.ports.event_feed import FeedState
from billing.ports.paging import PageRequest
from tests.fakes.store import SHARDS, Store, paged, shard_of


class FakeEventFeed:
    """Port EventFeed."""

    shards = SHARDS
    limit = 40
    room = 98

    def __init__(self, store: Store) -> None:
        self._store = store

    def state(self, tenant_id: str, events: Sequence[UnplacedEvent]) -> FeedState:
        with self._store.lock:
            waiting = tuple(one for one in events if (tenant_id, one.event.event_id) in self._store.unplaced)
            book = self._store.webhook_books.get(tenant_id) or WebhookBook(tenant_id=tenant_id)
            head = self._store.feed_heads.get(tenant_id, FeedHead())
            return FeedState(head=head, unplaced=waiting, webhooks=book)

    def place(
        self,
        tenant_id: str,
        events: Sequence[PlacedEvent],
        *,
        after: FeedHead,
        day: date,
        deliveries: Sequence[WebhookDelivery] = (),
    ) -> None:
        with self._store.lock:
            placed = self._store.feed.get(tenant_id, ())
            marks = [(tenant_id, one.event.event_id) for one in events]
            if len(placed) != after.sequence or any(mark not in self._store.unplaced for mark in marks):
                raise StaleVersion
            for mark in marks:
                del self._store.unplaced[mark]
            self._store.feed[tenant_id] = (*placed, *events)
            self._store.feed_heads[tenant_id] = after.moved(events[-1], day)
            if after.opens(day):
                self._store.chain_heads[tenant_id, day] = None
                self._store.awaited_heads.add((tenant_id, day))
            for one in deliveries:
                self._store.webhook_deliveries[tenant_id, one.endpoint_id, one.sequence] = one

    def waiting(
        self, before: datetime, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[UnplacedEvent, ...], str | None]:
        with self._store.lock:
            rows: list[tuple[str, object]] = [
                (f"{one.event.occurred_at.isoformat()}#{one.event.event_id}", one)
                for one in self._store.unplaced.values()
                if one.event.occurred_at <= before and shard_of(one.tenant_id) == shard
            ]
        page = paged(rows, PageRequest(limit=limit, position=after))
        return cast("tuple[UnplacedEvent, ...]", page.items), page.position

    def page(self, caller: Caller, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        with self._store.lock:
            self._store.check(caller)
            return self._store.feed.get(caller.tenant_id, ())[after : after + limit]
