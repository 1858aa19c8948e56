"""A place of the change feed as an item: what the feed puts and everybody else only reads."""

from __future__ import annotations

from datetime import date

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, optional_text, text
from billing.adapters.dynamodb.table import Table
from billing.domain.events import Event
from billing.domain.feed import AuditTrail, FeedHead, PlacedEvent


def placed_to_item(tenant_id: str, one: PlacedEvent) -> Item:
    key = keys.feed_place(tenant_id, one.sequence)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="placed_event",
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        sequence=one.sequence,
        subject_id=one.subject_id,
        body=dump(one.event),
        audit=dump(one.audit),
        previous_hash=one.previous_hash,
    )


def placed_from_item(stored: Item) -> PlacedEvent:
    return PlacedEvent(
        sequence=number(stored, "sequence"),
        subject_id=text(stored, "subject_id"),
        event=load(Event, text(stored, "body")),
        audit=load(AuditTrail, text(stored, "audit")),
        previous_hash=optional_text(stored, "previous_hash") or "",
    )


def places_after(table: Table, tenant_id: str, *, after: int, limit: int) -> tuple[PlacedEvent, ...]:
    first = keys.feed_place(tenant_id, after + 1)
    stored, _ = table.query(first.pk, low=first.sk, high="9" * keys.SEQUENCE_WIDTH, limit=limit)
    return tuple(placed_from_item(one) for one in stored)


def head_from_item(stored: Item | None) -> FeedHead:
    if stored is None:
        return FeedHead()
    day = optional_text(stored, "day")
    return FeedHead(
        sequence=number(stored, "last_sequence"),
        chain_hash=optional_text(stored, "last_hash") or "",
        day=date.fromisoformat(day) if day else None,
    )
