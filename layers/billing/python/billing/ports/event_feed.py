"""The change feed of each tenant: events that wait for their place, and those that have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.feed import FeedHead, PlacedEvent, UnplacedEvent
from billing.domain.webhooks import WebhookBook, WebhookDelivery


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """Where the feed stands, which of the events that were asked about have no place, and who hears of them."""

    head: FeedHead
    unplaced: tuple[UnplacedEvent, ...]
    webhooks: WebhookBook


class EventFeed(Protocol):
    shards: int
    limit: int  # how many events one look takes
    room: int  # of one placement: an event takes two, a delivery one

    def state(self, tenant_id: str, events: Sequence[UnplacedEvent]) -> FeedState:
        """One request, for at most ``limit`` events."""
        ...

    def place(
        self,
        tenant_id: str,
        events: Sequence[PlacedEvent],
        *,
        after: FeedHead,
        day: date,
        deliveries: Sequence[WebhookDelivery] = (),
    ) -> None:
        """All of it or nothing, right where the feed stood. The first placement of a day asks for the day's head.

        Raises: StaleVersion (the feed moved, or one has its place).
        """
        ...

    def waiting(
        self, before: datetime, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[UnplacedEvent, ...], str | None]:
        """Events without a place that happened up to an instant, oldest first, and where the next page starts."""
        ...

    def page(self, caller: Caller, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        """Those at the places that follow, as far as a single look shows them: halves of a placement may be missing."""
        ...
