"""What a person of the canary's company asks for, step by step: the canary's visit, and that of a release."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Requests
from billing.ports.clock import Clock, Ids

# Amazon's own sink: it takes every mail and shows none.
SINK = "success@simulator.amazonses.com"
_CUSTOMER = {
    "kind": "individual",
    "name": "Client du contrôle automatique",
    "email": SINK,
    "billing_address": {"line1": "1 rue de l'Exemple", "postal_code": "75001", "city": "Paris", "country_code": "FR"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryAccount:
    """Of a person of the canary's company."""

    email: str
    password: str = field(repr=False)


class StepFailed(Exception):
    """What a company would not have been able to do. ``why`` is a status with its problem, or what was wrong."""

    def __init__(self, step: str, why: str) -> None:
        self.step, self.why = step, why
        super().__init__(f"{step}: {why}")


class Wrong(Exception):
    """Within a step, which it ends."""


def hold(so: bool, otherwise: str) -> None:
    """Raises: Wrong."""
    if not so:
        raise Wrong(otherwise)


class Visit:
    """Requests of one person, timed by step."""

    def __init__(self, *, api: Requests, clock: Clock, ids: Ids) -> None:
        self.token = ""
        self.seconds: dict[str, float] = {}
        self._api = api
        self._clock = clock
        self._ids = ids

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Raises: StepFailed."""
        began = self._clock.monotonic()
        try:
            yield
        except Wrong as wrong:
            raise StepFailed(name, str(wrong)) from wrong
        except DependencyUnavailable as nobody:
            raise StepFailed(name, "no answer") from nobody
        except (KeyError, TypeError, ValueError) as strange:
            raise StepFailed(name, f"an answer without {strange}") from strange
        finally:
            self.seconds[name] = self._clock.monotonic() - began

    def sign_in(self, account: CanaryAccount) -> None:
        signed_in = self.ask("POST", "/v1/auth/sign-in", {"email": account.email, "password": account.password})
        self.token = str(signed_in["access_token"])

    def customer(self, key: str = "") -> str:
        """The id of any customer, of a new one if there is none. ``key``: as of ``ask``."""
        known = self.ask("GET", "/v1/customers?limit=1")["items"]
        customer = known[0] if known else self.ask("POST", "/v1/customers", _CUSTOMER, key=key)
        return str(customer["customer_id"])

    def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Mapping[str, Any]:
        """``key``: the same request with the same one has its effect once; a new one when none is given."""
        answered = self._sent(method, path, body, headers or {}, key)
        if isinstance(answered, bytes):
            hold(not answered, "no JSON")
            return {}
        return answered

    def file(self, path: str) -> bytes:
        answered = self._sent("GET", path, None, {}, "")
        if not isinstance(answered, bytes):
            raise Wrong("JSON instead of a file")
        return answered

    def _sent(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str], key: str
    ) -> Mapping[str, Any] | bytes:
        sent = {"Accept-Language": "fr", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent["Idempotency-Key"] = key or self._ids.new("canary")
        answered = self._api.ask(method, path, body, headers=sent)
        if not 200 <= answered.status < 300:
            problem = answered.body.get("type", "") if isinstance(answered.body, Mapping) else ""
            raise Wrong(f"{answered.status} {problem}".strip())
        return answered.body
