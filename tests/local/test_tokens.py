"""The JWT authorizer refuses what API Gateway's refuses."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from local.stack import Authorizer
from local.tokens import Forbidden, TokenVerifier, Unauthorized, claim_text

ISSUER = "https://cognito-idp.eu-west-3.amazonaws.com/pool"
AUTHORIZER = Authorizer(issuer=ISSUER, audience=("client",))
NOW = 1_800_000_000
KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
CLAIMS = {"iss": ISSUER, "client_id": "client", "exp": NOW + 60, "sub": "u", "scope": "read write"}


class _Keys(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"keys": [KEY.as_dict(private=False)]}).encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def verifier() -> Iterator[TokenVerifier]:
    server = HTTPServer(("127.0.0.1", 0), _Keys)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _Keys.asked.clear()
    yield TokenVerifier(lambda _issuer: f"http://127.0.0.1:{server.server_port}/keys", clock=lambda: NOW)
    server.shutdown()
    server.server_close()


def token(claims: dict[str, Any], key: RSAKey = KEY) -> str:
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, key)


def verify(verifier: TokenVerifier, header: str | None, *scopes: str) -> dict[str, Any]:
    return asyncio.run(verifier.verify(header, AUTHORIZER, scopes))


@pytest.mark.parametrize("prefix", ["Bearer ", "bearer ", ""])
def test_valid_token_gives_its_claims_as_texts(verifier: TokenVerifier, prefix: str) -> None:
    answer = verify(verifier, prefix + token({**CLAIMS, "groups": ["a", "b"], "email_verified": True}))

    assert answer["scopes"] is None
    assert answer["claims"] == {
        "iss": ISSUER,
        "client_id": "client",
        "exp": str(NOW + 60),
        "sub": "u",
        "scope": "read write",
        "groups": "[a b]",
        "email_verified": "true",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"client_id": "another"},
        {"aud": "another"},
        {"exp": NOW},
        {"exp": None},
        {"nbf": NOW + 5},
    ],
    ids=str,
)
def test_wrong_claim_is_refused(verifier: TokenVerifier, change: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized):
        verify(verifier, f"Bearer {token({**CLAIMS, **change})}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer a.b.c", "Basic dTpw", "Bearer e30.e30."])
def test_no_token_or_nonsense_is_refused(verifier: TokenVerifier, header: str | None) -> None:
    with pytest.raises(Unauthorized):
        verify(verifier, header)


def test_token_signed_by_another_key_is_refused(verifier: TokenVerifier) -> None:
    with pytest.raises(Unauthorized):
        verify(verifier, token(CLAIMS, OTHER_KEY))


def test_token_that_chooses_its_algorithm_is_refused(verifier: TokenVerifier) -> None:
    forged = jwt.encode({"alg": "HS256", "kid": "one"}, CLAIMS, OctKey.generate_key(256))

    with pytest.raises(Unauthorized):
        verify(verifier, forged)


def test_remembered_token_still_expires(verifier: TokenVerifier) -> None:
    valid = token(CLAIMS)
    verify(verifier, valid)
    verifier._clock = lambda: NOW + 61

    with pytest.raises(Unauthorized):
        verify(verifier, valid)


def test_keys_are_fetched_once(verifier: TokenVerifier) -> None:
    for subject in "abc":
        verify(verifier, token({**CLAIMS, "sub": subject}))

    assert len(_Keys.asked) == 1


def test_route_with_scopes_wants_one_of_them(verifier: TokenVerifier) -> None:
    assert verify(verifier, token(CLAIMS), "write", "admin")["scopes"] == ["write", "admin"]
    with pytest.raises(Forbidden):
        verify(verifier, token(CLAIMS), "admin")


def test_claims_become_texts() -> None:
    assert [claim_text(value) for value in ("a", 1, True, ["x", "y"])] == ["a", "1", "true", "[x y]"]
