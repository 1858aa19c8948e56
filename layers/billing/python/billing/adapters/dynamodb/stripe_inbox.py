"""Events of Stripe: one item each, in the outbox until it ended, in a list for operators while it is parked."""

from __future__ import annotations

from datetime import datetime

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, counted_text, dump, item, load, load_all, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.errors import StaleVersion
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.ports.paging import Page, PageRequest

STRIPE_EVENT = "stripe_event"


def to_item(entry: InboxEntry) -> Item:
    event_id = entry.event.event_id
    key = keys.stripe_event(event_id)
    parked_at = entry.ended_at if entry.state is InboxState.PARKED else None
    forgotten_at = entry.forgotten_at
    body = dump(entry)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=STRIPE_EVENT,
        schema_version=SCHEMA_VERSION,
        tenant_id=entry.tenant_id,  # empty until it is known
        version=entry.version,
        body=body,
        counted=counted_text(entry.counts),
        outbox_pk=keys.stripe_events_waiting(event_id) if entry.next_at else None,
        outbox_sk=keys.outbox_order(entry.next_at) if entry.next_at else None,
        listing_pk=keys.stripe_events_parked() if parked_at else None,
        listing_sk=f"{keys.outbox_order(parked_at)}#{event_id}" if parked_at else None,
        summary=body if parked_at else None,
        expires_at=int(forgotten_at.timestamp()) if forgotten_at else None,
    )


def entry_write(table: Table, entry: InboxEntry) -> Write:
    """Part of a transaction: the next version of what is kept of an event. Refused: StaleVersion."""
    return table.replace(to_item(entry), expected_version=entry.version - 1, refused=refuse_with(StaleVersion))


class StripeInbox:
    """Port StripeInbox."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def receive(self, entry: InboxEntry) -> InboxEntry:
        try:
            self._table.write(None, self._table.create(to_item(entry), _Known))
        except _Known as known:
            stored = known.stored or self._table.get(keys.stripe_event(entry.event.event_id))
            return load(InboxEntry, text(stored, "body")) if stored else entry
        return entry

    def read(self, event_id: str) -> InboxEntry | None:
        stored = self._table.get(keys.stripe_event(event_id))
        return load(InboxEntry, text(stored, "body")) if stored else None

    def save(self, entry: InboxEntry) -> None:
        self._table.write(None, entry_write(self._table, entry))

    def waiting(self, shard: int, before: datetime, limit: int) -> list[str]:
        found, _ = self._table.due(keys.stripe_events_waiting_in(shard), keys.outbox_order(before), limit)
        return [keys.stripe_event_of(key) for key in found]

    def parked(self, page: PageRequest) -> Page[InboxEntry]:
        rows, position = self._table.page(
            "Listing", keys.stripe_events_parked(), page, base_key=keys.stripe_event, forward=False
        )
        return Page(items=load_all(InboxEntry, [row.summary for row in rows]), position=position)


class _Known(Exception):
    def __init__(self, stored: Item | None) -> None:
        self.stored = stored
        super().__init__()
