"""Every request that leaves a process, to the table, to Stripe and to the queue, and the one that goes wrong."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import ReadTimeoutError
from stripe import APIConnectionError, HTTPClient

from local.stripe.server import LocalStripe
from tests.fakes.crashes import Crashed

T = TypeVar("T")


class Fate(StrEnum):
    """What becomes of a request, and of who sent it."""

    UNSENT = "the process dies before it is sent"
    UNHEARD = "the process dies once it is carried out"
    LOST = "it is carried out, and its answer is lost: the process goes on"


def is_read(what: str) -> bool:
    """Whether a request leaves everything as it was."""
    return what.startswith("GET ") or what in {"get_item", "batch_get_item", "query"}


@dataclass
class Wire:
    """Counts requests from 1; the one that is armed meets its fate."""

    sent: list[str] = field(default_factory=list)
    at: int = 0
    fate: Fate = Fate.UNSENT
    struck: str = ""
    turn: tuple[int, Callable[[], object]] | None = None

    def arm(self, at: int, fate: Fate, *, turn: tuple[int, Callable[[], object]] | None = None) -> None:
        """``turn``: what happens elsewhere, right before the request of that number."""
        self.sent.clear()
        self.at, self.fate, self.struck, self.turn = at, fate, "", turn

    def disarm(self) -> str:
        """The request that went wrong; nothing when so many were never sent."""
        self.at, self.turn = 0, None
        return self.struck

    def send(self, what: str, request: Callable[[], T], *, lost: Callable[[], Exception]) -> T:
        self.sent.append(what)
        if self.turn is not None and self.turn[0] == len(self.sent):
            self.turn[1]()
        if len(self.sent) != self.at:
            return request()
        self.struck = what
        if self.fate is Fate.UNSENT:
            raise Crashed
        with contextlib.suppress(Exception):  # a refusal is an answer as well
            request()
        if self.fate is Fate.UNHEARD:
            raise Crashed
        raise lost()


class WiredClient:
    """A client of AWS: each call is one request."""

    def __init__(self, client: Any, wire: Wire) -> None:
        self._client = client
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def sent(**asked: Any) -> Any:
            lost = ReadTimeoutError(endpoint_url="https://aws.exemple.test")
            return self._wire.send(name, lambda: call(**asked), lost=lambda: lost)

        return sent


class WiredStripe(HTTPClient):
    """What Stripe's own library sends by: the local Stripe answers, without a network."""

    name = "wired"

    def __init__(self, stripe: LocalStripe, wire: Wire) -> None:
        super().__init__()
        self._stripe = stripe
        self._wire = wire

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        address = urlsplit(url)
        form = post_data or "" if method.upper() == "POST" else address.query
        told = {name.lower(): value for name, value in (headers or {}).items()}

        def ask() -> tuple[str, int, Mapping[str, str]]:
            status, body, answered = self._stripe.ask(method.upper(), address.path, form, told)
            return json.dumps(body), status, answered

        what = f"{method.upper()} {address.path}"
        return self._wire.send(what, ask, lost=_no_answer)


def _no_answer() -> Exception:
    return APIConnectionError("no answer", should_retry=True)  # type: ignore[no-untyped-call]
