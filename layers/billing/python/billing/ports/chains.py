"""The hash chain of each company: its daily heads, and what an export proves by it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Protocol

from billing.domain.chain_head import AwaitedHead, ChainHead
from billing.domain.feed import FeedHead, PlacedEvent


class Chains(Protocol):
    shards: int

    def awaited(
        self, before: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[AwaitedHead, ...], str | None]:
        """Days before a day on which a chain moved and whose head is not kept yet, oldest first; the next page."""
        ...

    def stand(self, tenant_id: str) -> FeedHead:
        """Where the chain stands now."""
        ...

    def fix(self, head: ChainHead) -> ChainHead:
        """Say what the head of a day is, once: the first that was said stands, and is returned."""
        ...

    def settle(self, head: ChainHead) -> None:
        """The head is kept: its day waits no longer. Again is no change."""
        ...

    def before(self, tenant_id: str, instant: datetime) -> ChainHead | None:
        """The last head that is kept and was fixed before an instant."""
        ...

    def from_day(self, tenant_id: str, day: date, *, limit: int) -> tuple[ChainHead, ...]:
        """The kept heads of a day and of those after it, oldest first."""
        ...

    def places(self, tenant_id: str, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        """The places that follow one, as far as a single look shows them."""
        ...

    def texts(self, tenant_id: str, document_ids: Sequence[str]) -> dict[str, str]:
        """The frozen texts of issued invoices and credit notes by their ids, those that are there."""
        ...
