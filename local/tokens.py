"""API Gateway's JWT authorizer: signature against the issuer's keys, issuer, audience, times."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from local.stack import Authorizer

_REMEMBERED_TOKENS: Final = 2000
_KEYS_REFRESH_SECONDS: Final = 5.0


class Unauthorized(Exception):
    """The token is missing or not acceptable."""


class Forbidden(Exception):
    """The token has none of the scopes the route asks for."""


class TokenVerifier:
    """``key_url`` says where an issuer publishes its keys on this machine."""

    def __init__(
        self, key_url: Callable[[str], str], *, clock: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    ) -> None:
        self._key_url = key_url
        self._clock = clock
        self._keys: dict[str, KeySet] = {}
        self._fetched: dict[str, float] = {}
        self._claims: dict[tuple[str, str], dict[str, Any]] = {}

    async def verify(self, header: str | None, authorizer: Authorizer, scopes: tuple[str, ...] = ()) -> dict[str, Any]:
        """The authorizer member of the event: claims as strings. Raises: Unauthorized, Forbidden, OSError."""
        if not header:
            raise Unauthorized("no token")
        token = header[7:].strip() if header[:7].lower() == "bearer " else header.strip()
        claims = self._claims.get((authorizer.issuer, token))
        if claims is None:
            claims = await self._decode(token, authorizer)
            if len(self._claims) >= _REMEMBERED_TOKENS:
                self._claims.clear()
            self._claims[authorizer.issuer, token] = claims
        self._check(claims, authorizer)
        granted = str(claims.get("scope", "")).split()
        if scopes and not set(scopes) & set(granted):
            raise Forbidden(f"needs one of {scopes}")
        return {
            "claims": {name: claim_text(value) for name, value in claims.items()},
            "scopes": list(scopes) or None,
        }

    def forget(self) -> None:
        self._claims.clear()
        self._keys.clear()
        self._fetched.clear()

    async def _decode(self, token: str, authorizer: Authorizer) -> dict[str, Any]:
        try:
            keys = await self._issuer_keys(authorizer.issuer, refresh=False)
            try:
                return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
            except (JoseError, ValueError):
                # The issuer may have new keys since.
                keys = await self._issuer_keys(authorizer.issuer, refresh=True)
                return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unauthorized(str(error)) from error

    async def _issuer_keys(self, issuer: str, *, refresh: bool) -> KeySet:
        since = time.monotonic() - self._fetched.get(issuer, float("-inf"))
        if issuer not in self._keys or (refresh and since > _KEYS_REFRESH_SECONDS):
            self._fetched[issuer] = time.monotonic()
            published = await asyncio.to_thread(_fetch_json, self._key_url(issuer))
            self._keys[issuer] = KeySet.import_key_set({"keys": published["keys"]})
        return self._keys[issuer]

    def _check(self, claims: Mapping[str, Any], authorizer: Authorizer) -> None:
        now = self._clock()
        if claims.get("iss") != authorizer.issuer:
            raise Unauthorized("issuer")
        expires, starts = claims.get("exp"), claims.get("nbf")
        if not isinstance(expires, int | float) or expires <= now:
            raise Unauthorized("expired")
        if isinstance(starts, int | float) and starts > now:
            raise Unauthorized("not yet valid")
        audience = claims.get("aud", claims.get("client_id"))
        named = audience if isinstance(audience, list) else [audience]
        if not set(named) & set(authorizer.audience):
            raise Unauthorized("audience")


def claim_text(value: Any) -> str:
    """A claim as API Gateway hands it to the function."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{' '.join(claim_text(item) for item in value)}]"
    return json.dumps(value)


def _fetch_json(address: str) -> Any:
    # An address of this machine, made from the layout.
    with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # nosec B310
        return json.load(answer)
