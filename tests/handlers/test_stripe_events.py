"""Stripe's webhook over HTTP: what is forged, late, early, cut, changed or too big is refused and leaves nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.runtime import stripe_webhooks, table
from billing.runtime.clock import clock
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import STRIPE_SECRETS, Answered, Json, answered, invoke, sample
from tests.handlers.test_contract import ROUTES, assert_as_documented

OPERATION = "webhooks/receive_stripe_event"
NEW, OLD = STRIPE_SECRETS


def told(**changes: Any) -> Json:
    event: Json = json.loads(sample(OPERATION)["body"])
    return event | {"id": f"evt_{uuid.uuid4().hex}"} | changes


def signed(body: bytes, *, secret: str = NEW, after: timedelta = timedelta(0)) -> str:
    at = int((clock.now() + after).timestamp())
    return f"t={at},v1={hmac.new(secret.encode(), f'{at}.'.encode() + body, hashlib.sha256).hexdigest()}"


def post(body: bytes, signature: str | None, *, encoded: bool = False) -> Answered:
    event = sample(OPERATION)
    event["body"] = base64.b64encode(body).decode() if encoded else body.decode()
    event["isBase64Encoded"] = encoded
    event["headers"].pop("stripe-signature")
    if signature is not None:
        event["headers"]["stripe-signature"] = signature
    return answered(invoke(OPERATION, event))


def test_an_event_is_kept_queued_and_acknowledged(queue: FakeStripeEventQueue) -> None:
    event = told()
    body = json.dumps(event, ensure_ascii=False).encode()

    answer = post(body, signed(body))

    assert (answer.status, answer.body) == (200, {"received": True})
    assert_as_documented(next(route for route in ROUTES if route.name.module == OPERATION.replace("/", ".")), answer)
    assert list(queue.messages) == [event["id"]]
    kept = table.stripe_inbox().read(event["id"])
    assert kept is not None
    assert kept.state is InboxState.RECEIVED
    assert (kept.event.account_id, kept.event.object_id) == (event["account"], event["data"]["object"]["id"])
    assert kept.event.parent_id == ""


def test_nothing_of_its_content_is_kept(queue: FakeStripeEventQueue) -> None:
    event = told()
    event["data"]["object"]["receipt_email"] = "cliente@exemple.test"
    body = json.dumps(event).encode()
    post(body, signed(body))

    stored = json.dumps(table.table().get(table_key(event["id"])))
    assert "exemple.test" not in stored
    assert "metadata" not in stored


def table_key(event_id: str) -> Any:
    from billing.adapters.dynamodb import keys  # noqa: PLC0415 - only this test looks behind the port

    return keys.stripe_event(event_id)


@pytest.mark.parametrize("secret", [OLD, NEW])
@pytest.mark.parametrize("encoded", [False, True])
def test_either_secret_and_either_form_of_body_will_do(queue: FakeStripeEventQueue, secret: str, encoded: bool) -> None:
    body = json.dumps(told(note="Épicerie"), ensure_ascii=False).encode()

    assert post(body, signed(body, secret=secret), encoded=encoded).status == 200


@pytest.mark.parametrize(
    "sign",
    [
        lambda _: None,
        lambda _: "",
        lambda body: signed(body, secret="whsec_of_somebody_else"),
        lambda body: signed(body, after=timedelta(minutes=-6)),
        lambda body: signed(body, after=timedelta(minutes=6)),
        lambda body: signed(body + b" "),
        lambda body: signed(body[:-20]),
        lambda body: signed(body.replace(b"12000", b"50")),
        lambda body: signed(body.replace(b'"account": "acct_', b'"account": "acct_other')),
        lambda body: signed(body).replace("v1=", "v0="),
    ],
    ids=[
        "unsigned",
        "empty",
        "forged",
        "old",
        "future",
        "changed",
        "truncated",
        "other-amount",
        "other-account",
        "other-scheme",
    ],
)
def test_what_stripe_did_not_sign_just_now_is_refused(
    queue: FakeStripeEventQueue, sign: Callable[[bytes], str | None]
) -> None:
    event = told()
    body = json.dumps(event).encode()
    assert b"12000" in body
    assert b'"account": "acct_' in body

    answer = post(body, sign(body))

    assert (answer.status, answer.body["type"]) == (400, "/problems/stripe-signature-refused")
    assert table.stripe_inbox().read(event["id"]) is None
    assert not queue.messages


def test_a_recorded_request_played_again_after_five_minutes_is_refused(queue: FakeStripeEventQueue) -> None:
    event = told()
    body = json.dumps(event).encode()
    recorded = signed(body, after=timedelta(seconds=-301))

    answer = post(body, recorded)

    assert (answer.status, answer.body["type"]) == (400, "/problems/stripe-signature-refused")
    assert table.stripe_inbox().read(event["id"]) is None
    assert not queue.messages


@pytest.mark.parametrize("size", [256 * 1024 + 1, 1_000_000])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_beyond_256_kb_is_refused_before_it_is_looked_at(
    queue: FakeStripeEventQueue, size: int, encoded: bool
) -> None:
    event = told(note="x" * size)
    body = json.dumps(event).encode()

    answer = post(body, signed(body), encoded=encoded)

    assert (answer.status, answer.body["type"]) == (413, "/problems/body-too-large")
    assert table.stripe_inbox().read(event["id"]) is None
    assert not queue.messages


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"null",
        b"[]",
        b"not json",
        b"\xff\xfe",
        json.dumps(told(id="evt_#HEAD")).encode(),
        json.dumps(told(id="T#ten_1")).encode(),
        json.dumps(told(created=True)).encode(),
        json.dumps(told(created=10**15)).encode(),
        json.dumps(told(data={"object": None})).encode(),
        json.dumps(told(account=7)).encode(),
        json.dumps(told(object="v2.core.event")).encode(),
    ],
)
def test_what_is_signed_but_no_event_is_a_problem_of_its_form(queue: FakeStripeEventQueue, body: bytes) -> None:
    answer = post(body, signed(body), encoded=True)

    assert answer.status == 422
    assert not queue.messages


def test_the_same_event_twice_is_queued_until_it_is_done(queue: FakeStripeEventQueue) -> None:
    event = told()
    body = json.dumps(event).encode()
    assert [post(body, signed(body)).status for _ in range(2)] == [200, 200]
    assert list(queue.messages) == [event["id"]] * 2
    kept = table.stripe_inbox().read(event["id"])
    assert kept is not None
    table.stripe_inbox().save(kept.done(clock.now()))

    assert post(body, signed(body)).status == 200

    assert len(queue.messages) == 2


def test_an_event_of_another_version_of_the_api_is_parked(queue: FakeStripeEventQueue) -> None:
    event = told(api_version="2020-08-27")
    body = json.dumps(event).encode()

    assert post(body, signed(body)).status == 200

    kept = table.stripe_inbox().read(event["id"])
    assert kept is not None
    assert (kept.state, kept.reason) == (InboxState.PARKED, ParkReason.API_VERSION)
    assert not queue.messages


def test_stripe_is_asked_to_repeat_what_could_not_be_queued(queue: FakeStripeEventQueue) -> None:
    event = told()
    body = json.dumps(event).encode()
    queue.down = True
    assert post(body, signed(body)).status == 503
    queue.down = False

    assert post(body, signed(body)).status == 200
    assert list(queue.messages) == [event["id"]]


def test_a_new_secret_is_found_at_most_once_a_minute(
    queue: FakeStripeEventQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    stored: tuple[str, ...] = (OLD,)

    def stored_secrets() -> tuple[str, ...]:
        read.append(1)
        return stored

    monkeypatch.setattr(stripe_webhooks, "_stored_secrets", stored_secrets)
    stripe_webhooks.signing_secrets.cache_clear()
    secrets = stripe_webhooks.SigningSecrets(stored_secrets, FakeMinutes())
    assert secrets.held_by(lambda known: OLD in known)
    for _ in range(5):
        assert not secrets.held_by(lambda known: NEW in known)
    assert len(read) == 1
    stored = (NEW, OLD)
    FakeMinutes.elapsed += 61

    assert secrets.held_by(lambda known: NEW in known)
    stored = (NEW,)
    FakeMinutes.elapsed += 601
    assert not secrets.held_by(lambda known: OLD in known)


class FakeMinutes:
    """A clock that a test moves."""

    elapsed = 0.0

    def __getattr__(self, name: str) -> Any:
        return lambda: self.elapsed


def test_the_stored_secret_names_one_or_two() -> None:
    assert stripe_webhooks.secrets_of('{"webhook_secrets": ["a", "", "b"]}') == ("a", "b")
    assert stripe_webhooks.secrets_of('{"unused": "as generated"}') == ()


@pytest.mark.parametrize(("we_are_live", "event_is_live"), [(True, False), (False, True)])
def test_an_event_of_stripe_s_other_mode_is_kept_and_never_applied(
    queue: FakeStripeEventQueue, monkeypatch: pytest.MonkeyPatch, *, we_are_live: bool, event_is_live: bool
) -> None:
    """An endpoint of live mode hears of the test mode of connected accounts; in whatever version of the API."""
    monkeypatch.setenv("STRIPE_MODE_KIND", "live" if we_are_live else "test")
    event = told(livemode=event_is_live, api_version="2020-01-01")
    body = json.dumps(event).encode()

    assert [post(body, signed(body)).status for _ in range(2)] == [200, 200]

    kept = table.stripe_inbox().read(event["id"])
    assert kept is not None
    assert kept.reason is ParkReason.OTHER_MODE
    if we_are_live:
        assert (kept.state, kept.subject, kept.counts) == (InboxState.IGNORED, "test", ("StripeEventIgnored",))
    else:  # real money told to an environment that says it is none: a person has to look
        assert (kept.state, kept.subject, kept.counts) == (InboxState.PARKED, "live", ("StripeEventParked",))
    assert list(queue.messages) == []
    fits = told(livemode=we_are_live)
    body = json.dumps(fits).encode()
    assert post(body, signed(body)).status == 200
    assert list(queue.messages) == [fits["id"]]
