"""Fake of the port Chains."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import cast

from billing.domain.chain_head import AwaitedHead, ChainHead
from billing.domain.errors import StaleVersion
from billing.domain.feed import FeedHead, PlacedEvent
from billing.domain.invoice import IssuedInvoice
from billing.ports.paging import PageRequest
from tests.fakes.store import SHARDS, Store, paged, shard_of


class FakeChains:
    """Port Chains."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def awaited(
        self, before: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[AwaitedHead, ...], str | None]:
        with self._store.lock:
            rows: list[tuple[str, object]] = [
                (
                    f"{day.isoformat()}#{tenant_id}",
                    AwaitedHead(tenant_id=tenant_id, day=day, fixed=self._store.chain_heads[tenant_id, day]),
                )
                for tenant_id, day in self._store.awaited_heads
                if day < before and shard_of(tenant_id) == shard
            ]
        page = paged(rows, PageRequest(limit=limit, position=after))
        return cast("tuple[AwaitedHead, ...]", page.items), page.position

    def stand(self, tenant_id: str) -> FeedHead:
        with self._store.lock:
            return self._store.feed_heads.get(tenant_id, FeedHead())

    def fix(self, head: ChainHead) -> ChainHead:
        with self._store.lock:
            standing = self._store.chain_heads[head.tenant_id, head.day] or head
            self._store.chain_heads[head.tenant_id, head.day] = standing
            return standing

    def settle(self, head: ChainHead) -> None:
        with self._store.lock:
            if self._store.chain_heads.get((head.tenant_id, head.day)) != head:
                raise StaleVersion
            self._store.awaited_heads.discard((head.tenant_id, head.day))

    def before(self, tenant_id: str, instant: datetime) -> ChainHead | None:
        return next((head for head in reversed(self._kept(tenant_id)) if head.fixed_at < instant), None)

    def from_day(self, tenant_id: str, day: date, *, limit: int) -> tuple[ChainHead, ...]:
        return tuple(head for head in self._kept(tenant_id) if head.day >= day)[:limit]

    def places(self, tenant_id: str, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        with self._store.lock:
            return self._store.feed.get(tenant_id, ())[after : after + limit]

    def texts(self, tenant_id: str, document_ids: Sequence[str]) -> dict[str, str]:
        with self._store.lock:
            found = {one: self._store.invoices.get((tenant_id, one)) for one in document_ids}
            return {one: held.document.canonical() for one, held in found.items() if isinstance(held, IssuedInvoice)}

    def _kept(self, tenant_id: str) -> list[ChainHead]:
        with self._store.lock:
            days = sorted(self._store.chain_heads.items())
            awaited = self._store.awaited_heads
            return [head for day, head in days if day[0] == tenant_id and head is not None and day not in awaited]
