"""Secrets of links that are made again whenever they are needed, from one key in Secrets Manager."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping

from billing.domain.canonical import canonical_json


class DerivedLinkSecrets:
    """Port LinkSecrets: HMAC-SHA256, under the key, of what a link is for. The key is read once."""

    def __init__(self, read_key: Callable[[], str]) -> None:
        self._read_key = read_key
        self._key = b""

    def secret(self, *, context: Mapping[str, str]) -> str:
        if not self._key:
            self._key = self._read_key().encode()
        derived = hmac.new(self._key, canonical_json(dict(context)).encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(derived).rstrip(b"=").decode()


def link_key_of(secret_string: str) -> str:
    """The key inside the secret that the template generates."""
    key: str = json.loads(secret_string)["key"]
    return key
