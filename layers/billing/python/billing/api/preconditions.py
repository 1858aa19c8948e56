"""Idempotency-Key and If-Match: required where an effect must happen once, or on what was read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.event_handler.openapi.params import Header

from billing.ports.idempotency import Answer, IdempotentRequest

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,255}$",
        description="Chosen by the client, one per effect wanted. The same key with the same request has its effect "
        "once and is answered the same; with another request it is refused (422).",
        examples=["5f0c6a52-6a0e-4b57-9d3a-3f3d8f1d2c11"],
    ),
]
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        pattern=r'^"[0-9]{1,9}"$',
        description="The ETag of the version that the change is based on; refused (412) when it is no longer current.",
        examples=['"3"'],
    ),
]


def expected_version(if_match: str) -> int:
    return int(if_match.strip('"'))


def idempotent(app: APIGatewayHttpResolver, key: str, answer_of: Callable[[Any], Answer]) -> IdempotentRequest:
    """This request, to be written with its effect. Two bodies that mean the same JSON are the same request."""
    canonical = json.dumps(app.current_event.json_body, sort_keys=True, separators=(",", ":"))
    return _request(app, key, canonical.encode(), answer_of)


def idempotent_of(
    who: str, app: APIGatewayHttpResolver, key: str, answer_of: Callable[[Any], Answer]
) -> IdempotentRequest:
    """As ``idempotent``, of one operator among those who share their keys: what another one asks is another request."""
    return idempotent(app, f"{who} {key}", answer_of)


def idempotent_upload(
    app: APIGatewayHttpResolver, key: str, content: bytes, answer_of: Callable[[Any], Answer]
) -> IdempotentRequest:
    """This upload, to be written with its effect. The same bytes are the same request."""
    return _request(app, key, content, answer_of)


def _request(
    app: APIGatewayHttpResolver, key: str, told: bytes, answer_of: Callable[[Any], Answer]
) -> IdempotentRequest:
    event = app.current_event
    return IdempotentRequest(
        operation=app.context["_route"].operation_id,
        key=key,
        fingerprint=hashlib.sha256(f"{event.http_method}\n{event.path}\n".encode() + told).hexdigest(),
        answer_of=answer_of,
    )
