"""Who is told: read from a secret, never kept in the table or the logs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    slack_webhook_url: str = ""
    emails: tuple[str, ...] = ()
    phone_numbers: tuple[str, ...] = ()


ReadRecipients = Callable[[], Recipients]


def recipients_of(secret: str) -> Recipients:
    """Of the secret's JSON. Raises: ValueError."""
    told = json.loads(secret)
    return Recipients(
        slack_webhook_url=str(told.get("slack_webhook_url") or ""),
        emails=tuple(str(one) for one in told.get("emails") or ()),
        phone_numbers=tuple(str(one) for one in told.get("phone_numbers") or ()),
    )


def fingerprint(recipient: str) -> str:
    """What says that somebody was reached without saying who."""
    return hashlib.sha256(recipient.strip().lower().encode()).hexdigest()[:16]
