"""The canary: in a company of its own, what companies do is done from outside, again and again.

It signs in, reads, drafts and renders every few minutes, and deletes its draft; once an hour it issues too, waits for
the mail, downloads, records the payment and credits the invoice, as the law has it: a number is never given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import PublicApi
from billing.ports.clock import Clock, Ids

DELIVERY_SECONDS = 90.0
_PAUSE_SECONDS = 1.0
# Amazon's own sink: it takes every mail and shows none.
SINK = "success@simulator.amazonses.com"
_CUSTOMER = {
    "kind": "individual",
    "name": "Client du contrôle automatique",
    "email": SINK,
    "billing_address": {"line1": "1 rue de l'Exemple", "postal_code": "75001", "city": "Paris", "country_code": "FR"},
}
_LINE = {"description": "Contrôle automatique", "quantity": "1", "unit": "C62", "unit_price": "1.00", "vat_rate": "20"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryAccount:
    """Of a person of the canary's company."""

    email: str
    password: str = field(repr=False)


class CanaryFailed(Exception):
    """What a company would not have been able to do. ``why`` is a status with its problem, or what was wrong."""

    def __init__(self, step: str, why: str) -> None:
        self.step, self.why = step, why
        super().__init__(f"{step}: {why}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """Seconds by step, in the order in which they were walked."""

    seconds: Mapping[str, float]


def run_canary(account: CanaryAccount, *, issues: bool, api: PublicApi, clock: Clock, ids: Ids) -> Walked:
    """Raises: CanaryFailed at the first step that fails; a draft is deleted and an invoice credited all the same."""
    visit = _Visit(api=api, clock=clock, ids=ids)
    with visit.step("sign_in"):
        signed_in = visit.ask("POST", "/v1/auth/sign-in", {"email": account.email, "password": account.password})
        visit.token = str(signed_in["access_token"])
    with visit.step("read"):
        visit.ask("GET", "/v1/company")
        visit.ask("GET", "/v1/invoices?limit=1")
        customer_id = _customer(visit)
    with visit.step("draft"):
        draft = visit.ask("POST", "/v1/invoices", {"customer_id": customer_id, "lines": [_LINE]})
        path, version = f"/v1/invoices/{draft['invoice_id']}", int(draft["version"])
    try:
        with visit.step("render"):
            _hold_pdf(visit.file(f"{path}/preview-pdf"))
        if issues:
            _issue(visit, path, version)
    except CanaryFailed:
        with suppress(CanaryFailed):
            _delete(visit, path, version)
        with suppress(CanaryFailed):  # refused to what was issued, also when its answer was lost
            _credit(visit, path)
        raise
    if issues:
        _credit(visit, path)
    else:
        _delete(visit, path, version)
    return Walked(seconds=visit.seconds)


def _issue(visit: _Visit, path: str, version: int) -> None:
    with visit.step("issue"):
        total_minor = int(visit.ask("POST", f"{path}/issue", {"version": version, "send": True})["total_minor"])
    with visit.step("mail"):
        visit.wait_for_mail(path)
    with visit.step("download"):
        _hold_pdf(visit.fetch(str(visit.ask("GET", f"{path}/pdf")["url"])))
    with visit.step("pay"):
        visit.ask("POST", f"{path}/payments", {"amount_minor": total_minor, "method": "transfer"})
        _hold(visit.ask("GET", path)["balance_minor"] == 0, "the invoice that was paid is not")


def _delete(visit: _Visit, path: str, version: int) -> None:
    with visit.step("delete"):
        visit.ask("DELETE", path, headers={"If-Match": f'"{version}"'})


def _credit(visit: _Visit, path: str) -> None:
    with visit.step("credit"):
        credit = {"mode": "full", "reason": "Contrôle automatique", "excess": "refund"}
        visit.ask("POST", f"{path}/credit-notes", credit)
        _hold(visit.ask("GET", path)["balance_minor"] == 0, "the invoice that was credited is owed")


def _customer(visit: _Visit) -> str:
    known = visit.ask("GET", "/v1/customers?limit=1")["items"]
    customer = known[0] if known else visit.ask("POST", "/v1/customers", _CUSTOMER)
    return str(customer["customer_id"])


class _Wrong(Exception):
    pass


def _hold(so: bool, otherwise: str) -> None:
    if not so:
        raise _Wrong(otherwise)


def _hold_pdf(content: bytes) -> None:
    _hold(content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:], "no whole PDF")


class _Visit:
    """Requests of one person, timed by step."""

    def __init__(self, *, api: PublicApi, clock: Clock, ids: Ids) -> None:
        self.token = ""
        self.seconds: dict[str, float] = {}
        self._api = api
        self._clock = clock
        self._ids = ids

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began = self._clock.monotonic()
        try:
            yield
        except _Wrong as wrong:
            raise CanaryFailed(name, str(wrong)) from wrong
        except DependencyUnavailable as nobody:
            raise CanaryFailed(name, "no answer") from nobody
        except (KeyError, TypeError, ValueError) as strange:
            raise CanaryFailed(name, f"an answer without {strange}") from strange
        finally:
            self.seconds[name] = self._clock.monotonic() - began

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, Any]:
        answered = self._sent(method, path, body, headers or {})
        if isinstance(answered, bytes):
            _hold(not answered, "no JSON")
            return {}
        return answered

    def file(self, path: str) -> bytes:
        answered = self._sent("GET", path, None, {})
        if not isinstance(answered, bytes):
            raise _Wrong("JSON instead of a file")
        return answered

    def fetch(self, url: str) -> bytes:
        return self._api.fetch(url)

    def wait_for_mail(self, path: str) -> None:
        began = self._clock.monotonic()
        while True:
            delivery = self.ask("GET", path)["delivery"]
            if not delivery["in_progress"]:
                _hold(delivery["state"] in {"sent", "delivered"}, f"the mail is {delivery['state']}")
                return
            _hold(self._clock.monotonic() - began < DELIVERY_SECONDS, "the mail did not leave in time")
            self._clock.sleep(_PAUSE_SECONDS)

    def _sent(
        self, method: str, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> Mapping[str, Any] | bytes:
        sent = {"Accept-Language": "fr", **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if method == "POST":
            sent["Idempotency-Key"] = self._ids.new("canary")
        answered = self._api.ask(method, path, body, headers=sent)
        if not 200 <= answered.status < 300:
            problem = answered.body.get("type", "") if isinstance(answered.body, Mapping) else ""
            raise _Wrong(f"{answered.status} {problem}".strip())
        return answered.body
