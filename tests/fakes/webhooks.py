"""Fakes of the ports Webhooks, WebhookSecrets and WebhookSender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import cast

from billing.domain.access import Caller
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.domain.webhooks import WebhookBook, WebhookDelivery, WebhookEndpoint
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.ports.webhooks import DueDelivery, Posted
from tests.fakes.store import SHARDS, Store, paged, shard_of


class FakeWebhooks:
    """Port Webhooks."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def book(self, caller: Caller, *, once: IdempotentRequest | None = None) -> WebhookBook:
        with self._store.lock:
            self._store.check(caller, once)
            return self.stored_book(caller.tenant_id)

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
        with self._store.writing(caller, once=once, answered=answered):
            self._move(book)
            self._store.record(caller.tenant_id, endpoint_id, event)

    def stored_book(self, tenant_id: str) -> WebhookBook:
        with self._store.lock:
            return self._store.webhook_books.get(tenant_id) or WebhookBook(tenant_id=tenant_id)

    def record(self, book: WebhookBook, *, endpoint_id: str, event: Event | None) -> None:
        with self._store.lock:
            self._move(book)
            if event:
                self._store.record(book.tenant_id, endpoint_id, event)

    def deliveries(self, caller: Caller, endpoint_id: str, page: PageRequest) -> Page[WebhookDelivery]:
        with self._store.lock:
            self._store.check(caller)
            rows: list[tuple[str, object]] = [
                (f"{sequence:012d}", one)
                for (tenant_id, of, sequence), one in self._store.webhook_deliveries.items()
                if (tenant_id, of) == (caller.tenant_id, endpoint_id)
            ]
        return cast("Page[WebhookDelivery]", paged(rows, page, forward=False))

    def delivery(
        self, caller: Caller, endpoint_id: str, sequence: int, *, once: IdempotentRequest | None = None
    ) -> tuple[WebhookBook, WebhookDelivery]:
        with self._store.lock:
            self._store.check(caller, once)
            found = self._store.webhook_deliveries.get((caller.tenant_id, endpoint_id, sequence))
            if found is None:
                raise NotFound
            return self.stored_book(caller.tenant_id), found

    def replay(self, caller: Caller, delivery: WebhookDelivery, *, event: Event, once: IdempotentRequest) -> None:
        with self._store.writing(caller, once=once, answered=delivery):
            self._advance(delivery)
            self._store.record(caller.tenant_id, delivery.endpoint_id, event)

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueDelivery, ...]:
        with self._store.lock:
            found = sorted(
                (one.next_attempt_at, key, one)
                for key, one in self._store.webhook_deliveries.items()
                if one.next_attempt_at is not None and one.next_attempt_at <= at and shard_of(key[0]) == shard
            )
            return tuple(
                DueDelivery(
                    delivery=one,
                    book=self.stored_book(one.tenant_id),
                    event=self._store.feed[one.tenant_id][one.sequence - 1],
                )
                for _, _, one in found[:limit]
            )

    def advance(self, delivery: WebhookDelivery) -> bool:
        with self._store.lock:
            try:
                self._advance(delivery)
            except StaleVersion:
                return False
            return True

    def _advance(self, delivery: WebhookDelivery) -> None:
        key = (delivery.tenant_id, delivery.endpoint_id, delivery.sequence)
        stored = self._store.webhook_deliveries.get(key)
        if stored is None or stored.version != delivery.version - 1:
            raise StaleVersion
        self._store.webhook_deliveries[key] = delivery

    def _move(self, book: WebhookBook) -> None:
        if self.stored_book(book.tenant_id).version != book.version - 1:
            raise StaleVersion
        self._store.webhook_books[book.tenant_id] = book


class FakeWebhookSecrets:
    """Port WebhookSecrets."""

    def secret(self, salt: str, *, context: Mapping[str, str]) -> str:
        return f"whsec_{salt}.{context['tenant_id']}.{context['endpoint_id']}"


@dataclass(frozen=True, slots=True)
class Received:
    url: str
    body: bytes
    headers: Mapping[str, str]


@dataclass
class FakeReceiver:
    """Port WebhookSender, and who receives: ``answers`` by address, 200 once they are used up."""

    answers: dict[str, list[int | str]] = field(default_factory=dict)
    received: list[Received] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        with self.lock:
            script = self.answers.get(url, [])
            said = script.pop(0) if script else 200
            if isinstance(said, str):
                return Posted(status=None, duration_ms=10, error=said)
            self.received.append(Received(url, body, dict(headers)))
            return Posted(status=said, duration_ms=5, content=b"" if said == 200 else b"non\x00")
