"""The product's own API over the internet, with what Python ships."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Answered

_SECONDS = 31  # above API Gateway's own thirty
_MAX_BYTES = 20_000_000


class HttpPublicApi:
    """Port PublicApi."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url.rstrip("/")

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str]
    ) -> Answered:
        content = json.dumps(body).encode() if body is not None else None
        sent = {**headers, **({"Content-Type": "application/json"} if body is not None else {})}
        try:
            return self._answered(Request(f"{self._base_url}{path}", content, sent, method=method))  # noqa: S310
        except HTTPError as refused:  # an answer like any other
            with refused:
                return _read(refused.status or 0, refused.headers.get_content_type(), refused.read(_MAX_BYTES))
        except (OSError, HTTPException) as error:
            raise DependencyUnavailable from error

    def fetch(self, url: str) -> bytes:
        if not url.startswith(("https://", "http://127.0.0.1:")):
            raise DependencyUnavailable
        try:
            with urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310  # nosec B310 - held above
                content: bytes = answer.read(_MAX_BYTES)
                return content
        except (OSError, HTTPException) as error:
            raise DependencyUnavailable from error

    @staticmethod
    def _answered(request: Request) -> Answered:
        with urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310  # nosec B310 - the address is a setting
            return _read(answer.status, answer.headers.get_content_type(), answer.read(_MAX_BYTES))


def _read(status: int, media_type: str, content: bytes) -> Answered:
    if not media_type.endswith("json"):
        return Answered(status=status, body=content)
    try:
        parsed = json.loads(content)
    except ValueError:
        return Answered(status=status, body=content)
    return Answered(status=status, body=parsed if isinstance(parsed, dict) else content)
