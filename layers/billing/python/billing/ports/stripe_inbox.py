"""Events of Stripe: kept until their end, and the queue that they are processed from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from billing.domain.stripe_inbox import InboxEntry
from billing.ports.paging import Page, PageRequest

SHARDS = 4


class StripeInbox(Protocol):
    def receive(self, entry: InboxEntry) -> InboxEntry:
        """Keep an event unless it is known; what is kept of it now. One request."""
        ...

    def read(self, event_id: str) -> InboxEntry | None: ...

    def save(self, entry: InboxEntry) -> None:
        """The next version. Raises: StaleVersion."""
        ...

    def waiting(self, shard: int, before: datetime, limit: int) -> list[str]:
        """Ids of those that should have ended before an instant, the oldest first."""
        ...

    def parked(self, page: PageRequest) -> Page[InboxEntry]:
        """Latest first."""
        ...


class StripeEventQueue(Protocol):
    def put(self, event_ids: Sequence[str]) -> None:
        """At most ten. Raises: DependencyUnavailable, when one of them is not in the queue."""
        ...
