"""Fake of the port LinkSecrets."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping


class FakeLinkSecrets:
    """The same for the same context, as the real ones are."""

    def secret(self, *, context: Mapping[str, str]) -> str:
        digest = hashlib.sha256(repr(sorted(context.items())).encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
