"""Stripe's webhook events as they come in, and what they are answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from billing.api.answers import Reply
from billing.api.bodies import parse_body, raw_body
from billing.api.events import header
from billing.domain.errors import BodyTooLarge, InvalidInput, StripeSignatureRefused
from billing.domain.stripe import StripeEvent
from billing.domain.stripe_inbox import MAX_BODY_BYTES, event_told

SIGNATURE_HEADER = "stripe-signature"
_BASE64_LENGTH = MAX_BODY_BYTES * 4 // 3 + 4


class StripeEventReceivedResponse(Reply):
    """The event is kept. Nothing is said of what becomes of it."""

    received: bool = True


def stripe_event(event: Mapping[str, Any], holds: Callable[[bytes, str], bool]) -> StripeEvent:
    """What is kept of a webhook's request, once ``holds`` found its bytes signed.

    Raises: BodyTooLarge, StripeSignatureRefused, InvalidInput (signed, but no event).
    """
    if len(str(event.get("body") or "")) > _BASE64_LENGTH:
        raise BodyTooLarge
    body = raw_body(event)
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    if not holds(body, header(event, SIGNATURE_HEADER)):
        raise StripeSignatureRefused
    try:
        told = event_told(parse_body(body.decode()))
    except UnicodeDecodeError:
        told = None
    if told is None:
        raise InvalidInput("Ce n'est pas un événement de Stripe.", "This is no event of Stripe.")
    return told


def queued_event_id(message: str) -> str:
    """Which event a message of the queue names."""
    event_id: str = json.loads(message)["event_id"]
    return event_id
