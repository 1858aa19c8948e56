"""The change feed: one item per place, put once, behind a head that counts. The events themselves are never touched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.chains import chain_head_to_item
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, item, load, text
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.placed_events import head_from_item, placed_to_item, places_after
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.adapters.dynamodb.webhooks import book_of, new_delivery
from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.feed import AuditTrail, FeedHead, PlacedEvent, UnplacedEvent
from billing.domain.webhooks import WebhookDelivery
from billing.ports.event_feed import FeedState

MARK_LIFE_SECONDS = 7 * 24 * 3600  # a stream repeats nothing after one day


def unplaced_from_image(image: Mapping[str, Any]) -> UnplacedEvent:
    """The event of a stored item or stream image."""
    key = Key(text(image, "pk"), text(image, "sk"))
    return UnplacedEvent(
        tenant_id=text(image, "tenant_id"),
        subject_id=keys.subject_of(key),
        event=load(Event, text(image, "body")),
        audit=load(AuditTrail, text(image, "audit")),
    )


class EventFeed:
    """Port EventFeed."""

    shards = keys.OUTBOX_SHARDS
    limit = 40
    room = 98  # a transaction takes a hundred: the head, and what asks for the head of the day

    def __init__(self, table: Table) -> None:
        self._table = table

    def state(self, tenant_id: str, events: Sequence[UnplacedEvent]) -> FeedState:
        head, book = keys.feed_head(tenant_id), keys.webhook_book(tenant_id)
        marks = {keys.unplaced(tenant_id, one.event.event_id): one for one in events}
        found = self._table.batch([head, book, *marks])
        waiting = tuple(one for mark, one in marks.items() if mark in found and "outbox_pk" in found[mark])
        return FeedState(
            head=head_from_item(found.get(head)),
            unplaced=waiting,
            webhooks=book_of(tenant_id, found.get(book)),
        )

    def place(
        self,
        tenant_id: str,
        events: Sequence[PlacedEvent],
        *,
        after: FeedHead,
        day: date,
        deliveries: Sequence[WebhookDelivery] = (),
    ) -> None:
        self._table.write(
            None,
            self._head(tenant_id, after.moved(events[-1], day), after=after),
            *self._awaited(tenant_id, day, after),
            *(write for one in events for write in (self._place(tenant_id, one), self._settled(tenant_id, one))),
            *(new_delivery(self._table, one) for one in deliveries),
        )

    def waiting(
        self, before: datetime, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[UnplacedEvent, ...], str | None]:
        marks, position = self._table.due(keys.unplaced_in(shard), keys.outbox_order(before), limit, after=after)
        found = self._table.batch(marks) if marks else {}
        # The index follows the table a little later: what was placed meanwhile is left out.
        waiting = [found[mark] for mark in marks if mark in found and "outbox_pk" in found[mark]]
        wanted = [Key(text(mark, "event_pk"), text(mark, "event_sk")) for mark in waiting]
        events = self._table.batch(wanted) if wanted else {}
        return tuple(unplaced_from_image(events[key]) for key in wanted), position

    def page(self, caller: Caller, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
        self._table.trust(caller)
        return places_after(self._table, caller.tenant_id, after=after, limit=limit)

    def _awaited(self, tenant_id: str, day: date, after: FeedHead) -> list[Write]:
        """The first placement of a day asks for the head of the day, which is kept once it is over."""
        if not after.opens(day):
            return []
        return [self._table.create(chain_head_to_item(tenant_id, day), refuse_with(StaleVersion))]

    def _head(self, tenant_id: str, head: FeedHead, *, after: FeedHead) -> Write:
        key = keys.feed_head(tenant_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="feed_head",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            last_sequence=head.sequence,
            last_hash=head.chain_hash,
            day=head.day.isoformat() if head.day else None,
        )
        moved = refuse_with(StaleVersion)
        if after.sequence == 0:
            return self._table.create(content, moved)
        values = {":after": after.sequence}
        return Write("Put", self._table.put(content, only_if="last_sequence = :after", values=values), moved)

    def _place(self, tenant_id: str, one: PlacedEvent) -> Write:
        return self._table.create(placed_to_item(tenant_id, one), refuse_with(StaleVersion))

    def _settled(self, tenant_id: str, one: PlacedEvent) -> Write:
        """The mark leaves the index, and the table a week later."""
        key = keys.unplaced(tenant_id, one.event.event_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="unplaced_event",
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            sequence=one.sequence,
            expires_at=int(self._table.now().timestamp()) + MARK_LIFE_SECONDS,
        )
        waiting = self._table.put(content, only_if="attribute_exists(outbox_pk)")
        return Write("Put", waiting, refuse_with(StaleVersion))
