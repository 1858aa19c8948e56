"""Webhooks: all endpoints of a tenant as one item; a delivery per endpoint and event, in the outbox while it is due."""

from __future__ import annotations

from datetime import datetime

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item, load, load_all, text
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.placed_events import placed_from_item
from billing.adapters.dynamodb.table import EventWrite, Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.webhooks import WebhookBook, WebhookDelivery, WebhookEndpoint
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.webhooks import DueDelivery

WEBHOOK_DELIVERY = "webhook_delivery"
KEPT_SECONDS = 30 * 24 * 3600


def book_of(tenant_id: str, stored: Item | None) -> WebhookBook:
    return load(WebhookBook, text(stored, "body")) if stored else WebhookBook(tenant_id=tenant_id)


def delivery_to_item(delivery: WebhookDelivery) -> Item:
    """What is settled leaves the outbox, and the table a month after its last attempt."""
    key = keys.webhook_delivery(delivery.tenant_id, delivery.endpoint_id, delivery.sequence)
    due = delivery.next_attempt_at
    last = delivery.attempts[-1].at if delivery.attempts else delivery.created_at
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=WEBHOOK_DELIVERY,
        schema_version=SCHEMA_VERSION,
        tenant_id=delivery.tenant_id,
        version=delivery.version,
        body=dump(delivery),
        outbox_pk=keys.webhooks_due(delivery.tenant_id) if due else None,
        outbox_sk=keys.outbox_order(due) if due else None,
        expires_at=None if due else int(last.timestamp()) + KEPT_SECONDS,
    )


def delivery_from_item(stored: Item) -> WebhookDelivery:
    return load(WebhookDelivery, text(stored, "body"))


def new_delivery(table: Table, delivery: WebhookDelivery) -> Write:
    return table.create(delivery_to_item(delivery), refuse_with(StaleVersion))


class Webhooks:
    """Port Webhooks."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def book(self, caller: Caller, *, once: IdempotentRequest | None = None) -> WebhookBook:
        key = keys.webhook_book(caller.tenant_id)
        return book_of(caller.tenant_id, self._table.read(caller, key, once=once).get(key))

    def save(
        self,
        caller: Caller,
        book: WebhookBook,
        *,
        endpoint_id: str,
        event: Event,
        once: IdempotentRequest | None = None,
        answered: WebhookEndpoint | None = None,
    ) -> None:
        told = self._event(book.tenant_id, endpoint_id, event)
        self._table.write(caller, self._moved(book), told, once=once, answered=answered)

    def stored_book(self, tenant_id: str) -> WebhookBook:
        return book_of(tenant_id, self._table.get(keys.webhook_book(tenant_id)))

    def record(self, book: WebhookBook, *, endpoint_id: str, event: Event | None) -> None:
        told = [self._event(book.tenant_id, endpoint_id, event)] if event else []
        self._table.write(None, self._moved(book), *told)

    def deliveries(self, caller: Caller, endpoint_id: str, page: PageRequest) -> Page[WebhookDelivery]:
        partition = keys.webhook_delivery(caller.tenant_id, endpoint_id, 0).pk
        stored, position = self._table.query(
            partition,
            low="DELIVERY#",
            high=f"DELIVERY#{keys.HIGHEST}",
            limit=page.limit,
            after=page.position,
            forward=False,
        )
        return Page(items=load_all(WebhookDelivery, [text(one, "body") for one in stored]), position=position)

    def delivery(
        self, caller: Caller, endpoint_id: str, sequence: int, *, once: IdempotentRequest | None = None
    ) -> tuple[WebhookBook, WebhookDelivery]:
        book_key = keys.webhook_book(caller.tenant_id)
        key = keys.webhook_delivery(caller.tenant_id, endpoint_id, sequence)
        found = self._table.read(caller, book_key, key, once=once)
        if key not in found:
            raise NotFound
        return book_of(caller.tenant_id, found.get(book_key)), delivery_from_item(found[key])

    def replay(self, caller: Caller, delivery: WebhookDelivery, *, event: Event, once: IdempotentRequest) -> None:
        told = self._event(delivery.tenant_id, delivery.endpoint_id, event)
        self._table.write(caller, self._advanced(delivery), told, once=once, answered=delivery)

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueDelivery, ...]:
        order = keys.outbox_order(at)
        waiting, _ = self._table.due(keys.webhooks_due_in(shard), order, limit)
        found = self._table.batch(waiting) if waiting else {}
        # The index follows the table a little later: what was sent or taken meanwhile is left out.
        still = (found[key] for key in waiting if key in found and "outbox_sk" in found[key])
        deliveries = [delivery_from_item(stored) for stored in still if text(stored, "outbox_sk") <= order]
        wanted = {self._book_key(one): None for one in deliveries} | {self._place_key(one): None for one in deliveries}
        beside = self._table.batch(list(wanted)) if wanted else {}
        return tuple(
            DueDelivery(
                delivery=one,
                book=book_of(one.tenant_id, beside.get(self._book_key(one))),
                event=placed_from_item(beside[place]) if (place := self._place_key(one)) in beside else None,
            )
            for one in deliveries
        )

    def advance(self, delivery: WebhookDelivery) -> bool:
        try:
            self._table.write(None, self._advanced(delivery))
        except StaleVersion:
            return False
        return True

    def _book_key(self, delivery: WebhookDelivery) -> Key:
        return keys.webhook_book(delivery.tenant_id)

    def _place_key(self, delivery: WebhookDelivery) -> Key:
        return keys.feed_place(delivery.tenant_id, delivery.sequence)

    def _advanced(self, delivery: WebhookDelivery) -> Write:
        return self._table.replace(
            delivery_to_item(delivery),
            expected_version=delivery.version - 1,
            entity=WEBHOOK_DELIVERY,
            refused=refuse_with(StaleVersion),
        )

    def _moved(self, book: WebhookBook) -> Write:
        key = keys.webhook_book(book.tenant_id)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity="webhook_book",
            schema_version=SCHEMA_VERSION,
            tenant_id=book.tenant_id,
            version=book.version,
            body=dump(book),
        )
        stale = refuse_with(StaleVersion)
        if book.version == 1:
            return self._table.create(content, stale)
        return self._table.replace(content, expected_version=book.version - 1, refused=stale)

    def _event(self, tenant_id: str, endpoint_id: str, event: Event) -> EventWrite:
        return self._table.event(keys.webhook_endpoint_event(tenant_id, endpoint_id, event.event_id), tenant_id, event)
