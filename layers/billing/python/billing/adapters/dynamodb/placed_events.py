"""A place of the change feed as an item: what the feed puts and everybody else only reads."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, number, text
from billing.domain.events import Event
from billing.domain.feed import AuditTrail, PlacedEvent


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
    )


def placed_from_item(stored: Item) -> PlacedEvent:
    return PlacedEvent(
        sequence=number(stored, "sequence"),
        subject_id=text(stored, "subject_id"),
        event=load(Event, text(stored, "body")),
        audit=load(AuditTrail, text(stored, "audit")),
    )
