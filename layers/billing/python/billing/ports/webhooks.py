"""Outgoing webhooks: endpoints, deliveries, what their secrets are derived by, and what sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.events import Event
from billing.domain.feed import PlacedEvent
from billing.domain.webhooks import WebhookBook, WebhookDelivery, WebhookEndpoint
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery with all that sending it needs; ``event`` None when it cannot be read any more."""

    delivery: WebhookDelivery
    book: WebhookBook
    event: PlacedEvent | None


class Webhooks(Protocol):
    shards: int

    def book(self, caller: Caller, *, once: IdempotentRequest | None = None) -> WebhookBook:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

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
        """The next version, with what happened to one endpoint. Raises: StaleVersion."""
        ...

    def stored_book(self, tenant_id: str) -> WebhookBook:
        """For the sender, which has no caller."""
        ...

    def record(self, book: WebhookBook, *, endpoint_id: str, event: Event | None) -> None:
        """The next version, by the sender. Raises: StaleVersion."""
        ...

    def deliveries(self, caller: Caller, endpoint_id: str, page: PageRequest) -> Page[WebhookDelivery]:
        """Latest event first; one request."""
        ...

    def delivery(
        self, caller: Caller, endpoint_id: str, sequence: int, *, once: IdempotentRequest | None = None
    ) -> tuple[WebhookBook, WebhookDelivery]:
        """With its endpoints, in one request. Raises: NotFound; with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def replay(self, caller: Caller, delivery: WebhookDelivery, *, event: Event, once: IdempotentRequest) -> None:
        """Raises: StaleVersion."""
        ...

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueDelivery, ...]:
        """Deliveries whose attempt is due, longest due first, across tenants."""
        ...

    def advance(self, delivery: WebhookDelivery) -> bool:
        """The next version; False when another sender, or a replay, came first."""
        ...


class WebhookSecrets(Protocol):
    def secret(self, salt: str, *, context: Mapping[str, str]) -> str:
        """The same for the same salt and context, and for no other. Raises: DependencyUnavailable."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came of one request: an HTTP status, or the name of what stood in the way."""

    status: int | None
    duration_ms: int
    error: str = ""
    content: bytes = b""


class WebhookSender(Protocol):
    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Posted:
        """Within ten seconds; redirects are not followed. Never raises for what the receiver does.

        The name is looked up once, every address it has must be one that webhooks may go to, and the connection is
        made to the very address that was checked.
        """
        ...
