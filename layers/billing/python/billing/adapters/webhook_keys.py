"""Secrets of webhook endpoints, derived from one key in Secrets Manager: none of them is stored anywhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from billing.domain.canonical import canonical_json

PREFIX = "whsec_"


class DerivedWebhookSecrets:
    """Port WebhookSecrets: HMAC-SHA256, under the key, of what a secret belongs to and its salt."""

    def __init__(self, read_key: Callable[[], str]) -> None:
        self._read_key = read_key
        self._key = b""

    def secret(self, salt: str, *, context: Mapping[str, str]) -> str:
        if not self._key:
            self._key = self._read_key().encode()
        told = canonical_json({"salt": salt, **context}).encode()
        derived = hmac.new(self._key, told, hashlib.sha256).digest()
        return PREFIX + base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def key_of(secret_string: str) -> str:
    """The key inside the secret that the template generates."""
    key: str = json.loads(secret_string)["key"]
    return key
