"""What becomes of a call that Stripe does not answer as hoped: by class and code, never by text."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

import pytest

from billing.adapters import stripe_gateway
from billing.adapters.stripe_gateway import StripeApi
from billing.domain.errors import DependencyUnavailable
from billing.domain.stripe import STRIPE_API_VERSION
from billing.ports.stripe import NO_ACCESS, CheckoutWanted, RefundWanted, StripeRefused
from billing.runtime import stripe as runtime_stripe
from tests.fakes.clock import MORNING, FakeClock

ACCOUNT = "acct_exemple"
WANTED = CheckoutWanted(
    amount_minor=12_000,
    currency="EUR",
    title="Facture F2026-00001",
    language="fr",
    success_url="https://exemple.fr/paye",
    cancel_url="https://exemple.fr/annule",
    expires_at=MORNING + timedelta(hours=23),
    metadata={"invoice_id": "inv_1"},
)
SESSION: dict[str, Any] = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "status": "open",
    "payment_status": "unpaid",
    "amount_total": 12_000,
    "currency": "eur",
    "expires_at": 1_800_000_000,
    "url": "https://checkout.exemple.fr/cs_test_1",
    "payment_intent": None,
    "metadata": {},
}
REFUND = RefundWanted(payment_intent_id="pi_1", amount_minor=100)


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: str


@dataclass
class Script:
    """A server that says what it was told to say, one answer a request, the last for ever."""

    says: list[tuple[int, object]] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    url: str = ""

    def error(self, status: int, code: str | None, *, kind: str = "invalid_request_error") -> None:
        self.says.append((status, {"error": {"type": kind, "code": code, "message": "peu importe"}}))


@pytest.fixture
def script() -> Iterator[Script]:
    held = Script()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            held.asked.append(Asked(self.command, self.path, headers, body))
            status, said = held.says[0] if len(held.says) == 1 else held.says.pop(0)
            if status == 0:  # the connection breaks
                self.close_connection = True
                return
            content = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in held.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    held.url = f"http://127.0.0.1:{listening.server_address[1]}"
    yield held
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def took() -> list[float]:
    return []


@pytest.fixture
def gateway(script: Script, clock: FakeClock, took: list[float]) -> StripeApi:
    return StripeApi(script.url, read_key=lambda: "sk_test_exemple", clock=clock, took=took.append)


def test_a_call_names_the_version_the_account_the_key_and_what_it_is_for(
    gateway: StripeApi, script: Script, took: list[float]
) -> None:
    script.says.append((200, SESSION))

    gateway.create_checkout_session(ACCOUNT, WANTED, idempotency_key="checkout-1")

    (asked,) = script.asked
    assert asked.headers["stripe-version"] == STRIPE_API_VERSION
    assert asked.headers["stripe-account"] == ACCOUNT
    assert asked.headers["authorization"] == "Bearer sk_test_exemple"
    assert asked.headers["idempotency-key"] == "checkout-1"
    assert "client_reference_id=inv_1" in asked.body
    assert "application_fee_amount" not in asked.body
    assert "payment_method_types" not in asked.body
    assert len(took) == 1


@pytest.mark.parametrize(
    ("status", "code"), [(400, "amount_too_large"), (402, "card_declined"), (403, "account_invalid"), (404, "other")]
)
def test_a_no_for_good_is_told_by_its_code(gateway: StripeApi, script: Script, status: int, code: str) -> None:
    script.error(status, code)

    with pytest.raises(StripeRefused) as refusal:
        gateway.create_refund(ACCOUNT, REFUND, idempotency_key="refund-1")

    assert (refusal.value.code, refusal.value.status) == (code, status)
    assert len(script.asked) == 1


def test_another_question_under_a_used_key_is_refused(gateway: StripeApi, script: Script) -> None:
    script.error(400, None, kind="idempotency_error")

    with pytest.raises(StripeRefused, match="idempotency_error"):
        gateway.create_checkout_session(ACCOUNT, WANTED, idempotency_key="checkout-1")


@pytest.mark.parametrize(
    ("status", "code", "asked"),
    [
        (429, "rate_limit", 1),
        (400, "rate_limit", 2),
        (400, "lock_timeout", 2),
        (409, "idempotency_key_in_use", 2),
        (500, None, 2),
        (503, None, 2),
    ],
)
def test_what_may_be_otherwise_the_next_time_is_asked_again_under_the_same_key(
    gateway: StripeApi, script: Script, status: int, code: str | None, asked: int
) -> None:
    script.error(status, code, kind="api_error")

    with pytest.raises(DependencyUnavailable):
        gateway.create_refund(ACCOUNT, REFUND, idempotency_key="refund-1")

    assert [one.headers["idempotency-key"] for one in script.asked] == ["refund-1"] * asked


def test_a_broken_connection_is_asked_again_and_answered(gateway: StripeApi, script: Script) -> None:
    script.says += [(0, b""), (200, SESSION)]

    assert gateway.create_checkout_session(ACCOUNT, WANTED, idempotency_key="checkout-1").session_id == "cs_test_1"


def test_stripe_is_not_asked_again_when_it_says_so(gateway: StripeApi, script: Script) -> None:
    script.headers["stripe-should-retry"] = "false"
    script.error(500, None, kind="api_error")

    with pytest.raises(DependencyUnavailable):
        gateway.read_refund(ACCOUNT, "re_1")

    assert len(script.asked) == 1


def test_what_is_no_json_is_no_answer(gateway: StripeApi, script: Script) -> None:
    script.says.append((200, b"<html>"))

    with pytest.raises(DependencyUnavailable):
        gateway.read_refund(ACCOUNT, "re_1")


def test_the_key_goes_nowhere_else(gateway: StripeApi, script: Script) -> None:
    script.headers["location"] = f"{script.url}/elsewhere"
    script.says.append((307, b""))

    with pytest.raises(DependencyUnavailable):
        gateway.read_refund(ACCOUNT, "re_1")

    assert {one.path for one in script.asked} == {"/v1/refunds/re_1"}


def test_of_an_account_that_left_nobody_can_say_what_is_there(gateway: StripeApi, script: Script) -> None:
    script.error(403, "account_invalid")

    assert gateway.read_account(ACCOUNT) is None
    for read in (
        lambda: gateway.read_checkout_session(ACCOUNT, "cs_1"),
        lambda: gateway.read_payment_intent(ACCOUNT, "pi_1"),
        lambda: gateway.payment_intent_of_charge(ACCOUNT, "ch_1"),
        lambda: gateway.read_refund(ACCOUNT, "re_1"),
        lambda: gateway.read_dispute(ACCOUNT, "du_1"),
        lambda: gateway.read_payout(ACCOUNT, "po_1"),
    ):
        with pytest.raises(StripeRefused, match=NO_ACCESS):
            read()


def test_what_is_forbidden_the_second_time_may_have_been_done_the_first(gateway: StripeApi, script: Script) -> None:
    script.error(500, "api_error")
    script.error(403, "account_invalid")
    wanted = RefundWanted(payment_intent_id="pi_1", amount_minor=100)

    with pytest.raises(DependencyUnavailable):
        gateway.create_refund(ACCOUNT, wanted, idempotency_key="refund-1")

    assert len(script.asked) == 2


def test_what_is_not_there_reads_as_nothing(gateway: StripeApi, script: Script) -> None:
    script.error(404, "resource_missing")

    assert gateway.read_account(ACCOUNT) is None
    assert gateway.read_checkout_session(ACCOUNT, "cs_1") is None
    assert gateway.read_payment_intent(ACCOUNT, "pi_1") is None
    assert gateway.read_refund(ACCOUNT, "re_1") is None
    assert gateway.read_dispute(ACCOUNT, "du_1") is None
    assert gateway.read_payout(ACCOUNT, "po_1") is None


def test_a_session_that_ended_before_it_was_closed_is_told_as_it_is(gateway: StripeApi, script: Script) -> None:
    script.error(400, None)
    script.says.append((200, SESSION | {"status": "complete", "payment_status": "paid", "url": None}))

    assert gateway.expire_checkout_session(ACCOUNT, "cs_test_1").status == "complete"


def test_a_refusal_to_close_an_open_session_is_a_refusal(gateway: StripeApi, script: Script) -> None:
    script.error(400, "other")
    script.says.append((200, SESSION))

    with pytest.raises(StripeRefused, match="other"):
        gateway.expire_checkout_session(ACCOUNT, "cs_test_1")


def test_three_failures_in_a_row_give_it_rest(gateway: StripeApi, script: Script, clock: FakeClock) -> None:
    script.error(429, "rate_limit")
    for _ in range(stripe_gateway.FAILURES_BEFORE_PAUSE):
        with pytest.raises(DependencyUnavailable):
            gateway.read_refund(ACCOUNT, "re_1")
    asked = len(script.asked)

    with pytest.raises(DependencyUnavailable):
        gateway.read_refund(ACCOUNT, "re_1")

    assert len(script.asked) == asked
    clock.sleep(stripe_gateway.PAUSE_SECONDS)
    script.says[:] = [(200, SESSION)]
    assert gateway.read_checkout_session(ACCOUNT, "cs_test_1") is not None


def test_a_refusal_is_no_failure(gateway: StripeApi, script: Script) -> None:
    script.error(404, "resource_missing")
    for _ in range(2 * stripe_gateway.FAILURES_BEFORE_PAUSE):
        assert gateway.read_refund(ACCOUNT, "re_1") is None


def test_a_replaced_key_is_read_again_once(script: Script, clock: FakeClock) -> None:
    keys = iter(["sk_test_old", "sk_test_new"])
    gateway = StripeApi(script.url, read_key=lambda: next(keys), clock=clock)
    script.error(401, None)
    script.says.append((200, SESSION))

    assert gateway.read_checkout_session(ACCOUNT, "cs_test_1") is not None
    assert [one.headers["authorization"] for one in script.asked] == ["Bearer sk_test_old", "Bearer sk_test_new"]


def test_a_key_that_stays_unknown_is_nobodys_refusal(gateway: StripeApi, script: Script) -> None:
    script.error(401, None)

    with pytest.raises(DependencyUnavailable):
        gateway.read_account(ACCOUNT)

    assert len(script.asked) == 1


MADE_ANEW = runtime_stripe.gateway.__wrapped__  # other tests put another one in its place
MODES = [
    (key, live, (mode == "live") is live)
    for key, mode in (
        ("sk_test_51Abc", "test"),
        ("rk_test_51Abc", "test"),
        ("sk_live_51Abc", "live"),
        ("rk_live_51Abc", "live"),
    )
    for live in (False, True)
]


@pytest.mark.parametrize(("key", "livemode", "fits"), MODES)
def test_a_key_of_the_other_mode_is_refused_before_anything_is_asked(
    script: Script, clock: FakeClock, monkeypatch: pytest.MonkeyPatch, key: str, livemode: bool, fits: bool
) -> None:
    secrets = SimpleNamespace(get_secret_value=lambda **_: {"SecretString": json.dumps({"api_key": key})})
    monkeypatch.setattr("boto3.client", lambda *_, **__: secrets)
    monkeypatch.setenv("STRIPE_API_URL", script.url)
    monkeypatch.setenv("STRIPE_SECRET_ARN", "arn:aws:secretsmanager:eu-west-3:000000000000:secret:stripe")
    monkeypatch.setenv("STRIPE_MODE_KIND", "live" if livemode else "test")
    script.says.append((200, SESSION))
    gateway = MADE_ANEW()

    if fits:
        assert gateway.read_checkout_session(ACCOUNT, "cs_test_1") is not None
        assert key in script.asked[0].headers["authorization"]
    else:
        with pytest.raises(stripe_gateway.KeyOfOtherMode):
            gateway.read_checkout_session(ACCOUNT, "cs_test_1")
        assert script.asked == []


def test_a_secret_that_nobody_filled_in_is_no_key_of_another_mode() -> None:
    assert stripe_gateway.api_key_of('{"api_key": "x9/generated"}', livemode=True) == "x9/generated"
