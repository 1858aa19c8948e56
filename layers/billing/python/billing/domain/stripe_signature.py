"""Whether a webhook event comes from Stripe, just now: the scheme ``v1`` of the header Stripe-Signature.

``t=1700000000,v1=hex,v1=hex,v0=…``: HMAC-SHA256, under the endpoint's secret, of ``{t}.{body}`` as it was sent.
During a rotation Stripe signs by both secrets, and we accept either of ours. Its library takes any future.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

TOLERANCE_SECONDS: Final = 300  # on both sides of now
MAX_HEADER_LENGTH: Final = 4096
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


def stripe_signature_holds(body: bytes, header: str, secrets: Iterable[str], *, now: datetime) -> bool:
    """True only when one of the secrets signed exactly these bytes at a time within the tolerance."""
    if len(header) > MAX_HEADER_LENGTH:
        return False
    parts = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in parts if name == "t"]
    if len(times) != 1 or not _TIMESTAMP.fullmatch(times[0]):
        return False
    if abs(now.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        return False
    given = [value for name, _, value in parts if name == "v1" and _SIGNATURE.fullmatch(value)]
    signed = f"{int(times[0])}.".encode() + body
    held = False
    for secret in secrets:
        if not secret.strip():  # anybody can sign by an empty secret
            continue
        expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
        for one in given:  # all of them, always: how long it takes tells nothing
            held |= hmac.compare_digest(expected, one)
    return held
