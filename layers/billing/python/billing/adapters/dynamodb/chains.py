"""Hash chains: the places of a feed, and one item a day on which it moved, in an index until its head is kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, item, text
from billing.adapters.dynamodb.placed_events import head_from_item, places_after
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.chain_head import AwaitedHead, ChainHead
from billing.domain.dates import PARIS
from billing.domain.errors import StaleVersion
from billing.domain.feed import FeedHead, PlacedEvent

_DAYS_AT_ONCE = 40


def chain_head_to_item(tenant_id: str, day: date, *, fixed: ChainHead | None = None, kept: bool = False) -> Item:
    key = keys.chain_head(tenant_id, day)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="chain_head",
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        body=fixed.text() if fixed else None,
        outbox_pk=None if kept else keys.chain_heads_awaited(tenant_id),
        outbox_sk=None if kept else day.isoformat(),
    )


class Chains:
    """Port Chains."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def awaited(
        self, before: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[AwaitedHead, ...], str | None]:
        high = (before - timedelta(days=1)).isoformat()
        waiting, position = self._table.due(keys.chain_heads_awaited_in(shard), high, limit, after=after)
        found = self._table.batch(waiting) if waiting else {}
        # The index follows the table a little later: what was kept meanwhile is left out.
        still = [(key, found[key]) for key in waiting if key in found and "outbox_pk" in found[key]]
        return tuple(_awaited(key, stored) for key, stored in still), position

    def stand(self, tenant_id: str) -> FeedHead:
        key = keys.feed_head(tenant_id)
        return head_from_item(self._table.batch([key]).get(key))

    def fix(self, head: ChainHead) -> ChainHead:
        key = keys.chain_head(head.tenant_id, head.day)
        content = chain_head_to_item(head.tenant_id, head.day, fixed=head)
        first = "attribute_exists(pk) AND attribute_not_exists(body)"
        try:
            self._table.write(None, Write("Put", self._table.put(content, only_if=first), refuse_with(StaleVersion)))
        except StaleVersion:
            standing = self._table.batch([key]).get(key)
            if standing is None:
                raise
            return ChainHead.read(text(standing, "body"))
        return head

    def settle(self, head: ChainHead) -> None:
        content = chain_head_to_item(head.tenant_id, head.day, fixed=head, kept=True)
        said = self._table.put(content, only_if="body = :fixed", values={":fixed": head.text()})
        self._table.write(None, Write("Put", said, refuse_with(StaleVersion)))

    def before(self, tenant_id: str, instant: datetime) -> ChainHead | None:
        """Heads are fixed after their day: the first look nearly always finds it."""
        last, position = keys.chain_head(tenant_id, instant.astimezone(PARIS).date()), None
        while True:
            stored, position = self._table.query(
                last.pk, low="0", high=last.sk, limit=_DAYS_AT_ONCE, after=position, forward=False
            )
            for head in _kept(stored):
                if head.fixed_at < instant:
                    return head
            if position is None:
                return None

    def from_day(self, tenant_id: str, day: date, *, limit: int) -> tuple[ChainHead, ...]:
        first = keys.chain_head(tenant_id, day)
        stored, _ = self._table.query(first.pk, low=first.sk, high=keys.HIGHEST, limit=limit)
        return _kept(stored)

    def places(self, tenant_id: str, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        return places_after(self._table, tenant_id, after=after, limit=limit)

    def texts(self, tenant_id: str, document_ids: Sequence[str]) -> dict[str, str]:
        wanted = {keys.invoice(tenant_id, document_id): document_id for document_id in document_ids}
        found = self._table.batch(list(wanted), only=["document"])
        return {wanted[key]: text(stored, "document") for key, stored in found.items() if "document" in stored}


def _awaited(key: keys.Key, stored: Item) -> AwaitedHead:
    tenant_id, day = keys.chain_head_of(key)
    return AwaitedHead(
        tenant_id=tenant_id, day=day, fixed=ChainHead.read(text(stored, "body")) if "body" in stored else None
    )


def _kept(stored: list[Item]) -> tuple[ChainHead, ...]:
    """Those that no longer wait in the index: their objects are stored."""
    return tuple(ChainHead.read(text(one, "body")) for one in stored if "body" in one and "outbox_pk" not in one)
