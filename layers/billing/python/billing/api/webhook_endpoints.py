"""Outgoing webhooks: where events are sent, and what became of each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, Field, StrictBool
from pydantic_core import PydanticCustomError

from billing.api.answers import Reply, Request, answer
from billing.api.fields import Text
from billing.api.paging import PageReply
from billing.domain.events import EventType
from billing.domain.webhooks import MAX_URL_LENGTH, WebhookAttempt, WebhookDelivery, WebhookEndpoint, WebhookState
from billing.ports.idempotency import Answer


def _distinct(chosen: list[EventType]) -> list[EventType]:
    if len(set(chosen)) != len(chosen):
        raise PydanticCustomError("distinct_items", "each once")
    return chosen


class CreateWebhookEndpointRequest(Request):
    url: Annotated[
        str,
        Text(MAX_URL_LENGTH, min_length=1),
        Field(description="https, on the public internet", examples=["https://exemple.fr/webhooks/zenbilling"]),
    ]
    event_types: Annotated[
        list[EventType],
        Field(default_factory=list, max_length=len(EventType), description="None: all, those to come too"),
        AfterValidator(_distinct),
    ]
    description: Annotated[str, Text(200)] = ""
    enabled: StrictBool = True


class EditWebhookEndpointRequest(CreateWebhookEndpointRequest):
    """The whole endpoint anew, but for its secret. Enabling it forgets its failures."""


class WebhookEndpointResponse(Reply):
    endpoint_id: str
    version: int
    url: str
    event_types: Annotated[list[str], Field(description="None: all")]
    description: str
    enabled: bool
    disabled_by_failures: Annotated[bool, Field(description="After five days of nothing but failures")]
    failing_since: datetime | None
    old_secret_until: Annotated[datetime | None, Field(description="Both secrets sign until then, after a rotation")]
    created_at: datetime
    updated_at: datetime
    secret: Annotated[
        str | None,
        Field(description="Only in the first answer to creating or rotating: keep it, it is not shown again"),
    ] = None

    @classmethod
    def of(cls, endpoint: WebhookEndpoint, secret: str | None = None) -> WebhookEndpointResponse:
        return cls(
            endpoint_id=endpoint.endpoint_id,
            version=endpoint.version,
            url=endpoint.url,
            event_types=list(endpoint.event_types),
            description=endpoint.description,
            enabled=endpoint.enabled,
            disabled_by_failures=endpoint.disabled_by_failures,
            failing_since=endpoint.failing_since,
            old_secret_until=endpoint.secrets[1].until if len(endpoint.secrets) > 1 else None,
            created_at=endpoint.created_at,
            updated_at=endpoint.updated_at,
            secret=secret,
        )


class WebhookEndpointListResponse(Reply):
    items: list[WebhookEndpointResponse]


class WebhookAttemptResponse(Reply):
    at: datetime
    duration_ms: int
    status: Annotated[int | None, Field(description="HTTP status; null when there was no answer")]
    error: Annotated[str, Field(description="Why there was none, such as `Timeout` or `AddressNotAllowed`")]
    excerpt: Annotated[str, Field(description="The beginning of the answer")]

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> WebhookAttemptResponse:
        return cls(**{name: getattr(attempt, name) for name in cls.model_fields})


class WebhookDeliveryResponse(Reply):
    sequence: Annotated[int, Field(description="Of its event in the change feed")]
    event_id: str
    event_type: str
    state: Annotated[WebhookState, Field(description="`dead`: every attempt failed, it can be replayed")]
    next_attempt_at: datetime | None
    attempts: list[WebhookAttemptResponse]
    created_at: datetime

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> WebhookDeliveryResponse:
        return cls(
            sequence=delivery.sequence,
            event_id=delivery.event_id,
            event_type=delivery.event_type,
            state=delivery.state,
            next_attempt_at=delivery.next_attempt_at,
            attempts=[WebhookAttemptResponse.of(attempt) for attempt in delivery.attempts],
            created_at=delivery.created_at,
        )


class WebhookDeliveryPageResponse(PageReply):
    items: list[WebhookDeliveryResponse]


def webhook_endpoint_answer(endpoint: WebhookEndpoint, secret: str | None = None) -> Answer:
    return answer(200, WebhookEndpointResponse.of(endpoint, secret), version=endpoint.version)


def created_webhook_endpoint_answer(endpoint: WebhookEndpoint, secret: str | None = None) -> Answer:
    """What is stored for a repeated request has no secret."""
    location = f"/v1/webhook-endpoints/{endpoint.endpoint_id}"
    reply = WebhookEndpointResponse.of(endpoint, secret)
    return answer(201, reply, version=endpoint.version, location=location)


def webhook_delivery_answer(delivery: WebhookDelivery) -> Answer:
    return answer(202, WebhookDeliveryResponse.of(delivery))
