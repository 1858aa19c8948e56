"""The local Stripe over HTTP: its protocol, its objects beside the official samples, its webhooks, its pages."""

from __future__ import annotations

import argparse
import json
import shlex
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import stripe as official

from local.stripe.forms import FormError, parse_form
from local.stripe.objects import API_VERSION
from local.stripe.server import API_KEY, WEBHOOK_SECRET
from local.testing import LocalCloud
from tests.fakes.clock import FakeClock
from tests.local.steps import aws, until
from tests.local.stripe_client import (
    STANDARD,
    Client,
    contradictions,
    differences,
    session_form,
    unlike_the_samples,
)
from tests.stripe_world import local_stripe


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@dataclass
class Receiver:
    """A webhook that notes what it is sent, and answers what it is told to."""

    statuses: list[int] = field(default_factory=list)  # of the next ones; 200 afterwards
    bodies: list[bytes] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body in self.bodies]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    held = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            held.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            held.signatures.append(self.headers["stripe-signature"])
            self.send_response(held.statuses.pop(0) if held.statuses else 200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True).start()
    held.url = f"http://127.0.0.1:{listening.server_address[1]}"
    yield held
    listening.shutdown()
    listening.server_close()


@pytest.fixture
def client(tmp_path: Path, clock: FakeClock, receiver: Receiver) -> Iterator[Client]:
    with (
        local_stripe(tmp_path / "stripe.sqlite", clock=clock, webhook_url=receiver.url) as (stripe, url),
        httpx.Client(base_url=url, trust_env=False, timeout=10) as http,
    ):
        held = Client(http, stripe)
        held.onboarded()
        yield held


@pytest.fixture
def sending(client: Client) -> Iterator[None]:
    """Webhooks leave, and time passes."""
    stopped = threading.Event()
    threads = client.stripe.run(stopped)
    yield
    stopped.set()
    for thread in threads:
        thread.join(5)


# Forms


def test_a_form_is_a_tree_of_hashes_and_lists() -> None:
    text = "mode=payment&line_items[0][price_data][currency]=eur&line_items[1][quantity]=2&expand[]=a&expand[]=b&m[x]="

    assert parse_form(text) == {
        "mode": "payment",
        "line_items": [{"price_data": {"currency": "eur"}}, {"quantity": "2"}],
        "expand": ["a", "b"],
        "m": {"x": ""},
    }


@pytest.mark.parametrize("text", ["a[b=1", "a]b=1", "[a]=1", "a=1&a[b]=2", "a[b]=1&a=2", "a[b]c=1"])
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(FormError):
        parse_form(text)


# The protocol


@pytest.mark.parametrize("authorization", ["", "Bearer sk_test_other", "Basic c2tfdGVzdF9vdGhlcjo="])
def test_only_the_key_opens(client: Client, authorization: str) -> None:
    answer = client.ask("GET", "/v1/balance", authorization=authorization)

    assert answer.status_code == 401
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["request-id"].startswith("req_")


def test_an_answer_names_its_request_version_account_and_key(client: Client) -> None:
    answer = client.ask("POST", "/v1/checkout/sessions", session_form(), key="k1", stripe_version="2025-01-01")

    assert answer.headers["request-id"].startswith("req_")
    assert answer.headers["stripe-version"] == "2025-01-01"
    assert answer.headers["stripe-account"] == client.account
    assert answer.headers["idempotency-key"] == "k1"


def test_the_same_key_has_the_same_answer(client: Client) -> None:
    first = client.ask("POST", "/v1/checkout/sessions", session_form(), key="k1")
    again = client.ask("POST", "/v1/checkout/sessions", session_form(), key="k1")

    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert "idempotent-replayed" not in first.headers
    assert len(client.get("/v1/checkout/sessions")["data"]) == 1


def test_another_question_under_a_used_key_is_an_idempotency_error(client: Client) -> None:
    client.session(key="k1")

    answer = client.ask("POST", "/v1/checkout/sessions", session_form(1), key="k1")

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "idempotency_error"


def test_a_key_belongs_to_its_account_and_to_its_day(client: Client, clock: FakeClock) -> None:
    first_account, first = client.account, client.session(key="k1")
    client.onboarded()
    second = client.session(key="k1")
    client.account = first_account
    clock.advance(timedelta(hours=25))

    assert len({first["id"], second["id"], client.session(key="k1")["id"]}) == 3


def test_what_was_not_understood_leaves_its_key_free(client: Client) -> None:
    refused = client.ask("POST", "/v1/checkout/sessions", session_form() | {"mode": ""}, key="k1")

    assert refused.status_code == 400
    assert client.session(key="k1")["status"] == "open"


def test_a_refusal_of_what_was_begun_stays(client: Client) -> None:
    intent_id = client.paid()
    form = {"payment_intent": intent_id, "amount": "12001"}

    first = client.ask("POST", "/v1/refunds", form, key="k1")
    again = client.ask("POST", "/v1/refunds", form, key="k1")

    assert first.json()["error"]["code"] == "amount_too_large"
    assert again.headers["idempotent-replayed"] == "true"
    assert first.json() == again.json()


def test_two_at_once_under_one_key_make_one(client: Client) -> None:
    client.happens("api", "PUT", delay_seconds=0.05)
    with ThreadPoolExecutor(8) as many:
        answers = list(
            many.map(lambda _: client.ask("POST", "/v1/checkout/sessions", session_form(), key="k"), range(8))
        )

    assert {answer.status_code for answer in answers} <= {200, 409}
    assert len({answer.json()["id"] for answer in answers if answer.status_code == 200}) == 1
    assert len(client.get("/v1/checkout/sessions")["data"]) == 1


@pytest.mark.parametrize(
    ("changes", "code", "param"),
    [
        ({"surprise": "1"}, "parameter_unknown", "surprise"),
        ({"success_url": ""}, "parameter_missing", "success_url"),
        ({"line_items[0][price_data][unit_amount]": "12.5"}, "parameter_invalid_integer", "unit_amount"),
        ({"line_items[0][price_data][unit_amount]": "10"}, "amount_too_small", None),
        ({"line_items[0][price_data][product_data][description]": ""}, "parameter_invalid_empty", "line_items"),
        ({"expires_at": "1"}, "parameter_invalid_integer", "expires_at"),
    ],
)
def test_a_wrong_question_is_told_what_is_wrong(
    client: Client, changes: dict[str, str], code: str, param: str | None
) -> None:
    answer = client.ask("POST", "/v1/checkout/sessions", session_form() | changes)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["code"], error.get("param")) == (code, param)
    assert error["type"] == "invalid_request_error"


def test_what_is_not_served_is_not_found(client: Client) -> None:
    assert client.ask("GET", "/v1/unicorns").status_code == 404
    assert client.ask("GET", "/v1/charges/ch_0").json()["error"]["code"] == "resource_missing"


def test_an_account_sees_its_own_objects_only(client: Client) -> None:
    intent_id = client.paid()
    first, second = client.account, client.onboarded()

    assert client.ask("GET", f"/v1/payment_intents/{intent_id}").status_code == 404
    assert client.get("/v1/charges")["data"] == []
    client.account = first
    assert client.get(f"/v1/payment_intents/{intent_id}")["id"] == intent_id
    assert first != second


def test_a_company_that_left_is_not_reached_any_more(client: Client) -> None:
    account = client.account
    client.happens(f"accounts/{account}/disconnect")

    answer = client.ask("GET", "/v1/balance")

    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "account_invalid")
    client.account = ""
    assert client.ask("GET", f"/v1/accounts/{account}").json()["error"]["code"] == "account_invalid"


def test_a_company_that_left_is_not_reached_by_what_was_answered_before(client: Client) -> None:
    asked = {"payment_intent": client.paid(), "amount": "100"}
    assert client.ask("POST", "/v1/refunds", asked, key="refund-1").status_code == 200
    client.happens(f"accounts/{client.account}/disconnect")

    assert client.ask("POST", "/v1/refunds", asked, key="refund-1").status_code == 403


def test_lists_are_paged_and_narrowed_by_time(client: Client, clock: FakeClock) -> None:
    for _ in range(3):
        client.paid()
        clock.advance(timedelta(minutes=1))
    start = int(clock.now().timestamp()) - 120

    first = client.get("/v1/charges", limit="2")
    rest = client.get("/v1/charges", limit="2", starting_after=first["data"][-1]["id"])

    assert (len(first["data"]), first["has_more"], len(rest["data"]), rest["has_more"]) == (2, True, 1, False)
    assert first["data"][0]["created"] > rest["data"][0]["created"]
    assert len(client.get("/v1/charges", **{"created[gte]": str(start)})["data"]) == 2
    assert len(client.get("/v1/charges", **{"created[lt]": str(start)})["data"]) == 1


def test_what_is_named_is_expanded(client: Client) -> None:
    intent_id = client.paid()

    intent = client.get(f"/v1/payment_intents/{intent_id}", **{"expand[]": "latest_charge.balance_transaction"})
    listed = client.get("/v1/balance_transactions", **{"expand[]": "data.source"})

    assert intent["latest_charge"]["balance_transaction"]["net"] == 11_795
    assert listed["data"][0]["source"]["payment_intent"] == intent_id
    assert client.ask("GET", f"/v1/payment_intents/{intent_id}", {"expand[]": "nothing"}).status_code == 400


# The objects


def every_object(client: Client) -> Iterator[Any]:
    account = client.account
    intent_id, debit = client.paid(fee=120), client.paid(method="sepa_debit")
    client.happens("payment_intents/" + debit + "/settle")
    declined = client.session()
    client.happens(f"checkout/{declined['id']}/decline")
    client.happens("refunds", payment_intent=intent_id, amount=100)
    debited = client.happens("refunds", payment_intent=debit, amount=100)
    client.happens(f"refunds/{debited['id']}/fail")
    client.happens("disputes", payment_intent=intent_id)
    payout = client.happens("payouts", account=account, amount=100)
    client.happens(f"payouts/{payout['id']}/fail")
    yield client.get("/v1/balance")
    for name in ("checkout/sessions", "payment_intents", "charges", "refunds", "disputes", "payouts"):
        yield from client.get(f"/v1/{name}", limit="100")["data"]
    yield from client.get("/v1/balance_transactions", limit="100")["data"]
    for event in client.get("/v1/events", limit="100")["data"]:
        yield event
        yield event["data"]["object"]
    client.account = ""
    yield client.get(f"/v1/accounts/{account}")
    links = {
        "account": account,
        "type": "account_onboarding",
        "return_url": "https://a.fr",
        "refresh_url": "https://b.fr",
    }
    yield client.post("/v1/account_links", links)


def test_every_object_has_the_fields_and_types_of_the_official_samples(client: Client) -> None:
    found = list(every_object(client))
    seen = {one["object"] for one in found}

    assert unlike_the_samples(found) == []
    assert seen == {
        "account", "account_link", "balance", "balance_transaction", "charge", "checkout.session", "dispute", "event",
        "payment_intent", "payout", "refund",
    }  # fmt: skip


def test_every_object_is_what_stripes_own_description_says(client: Client) -> None:
    assert contradictions(list(every_object(client))) == []


def test_the_differences_are_seen() -> None:
    sample = {"id": "a", "amount": 1, "lines": [{"name": "b"}], "nothing": None}

    assert differences(sample, {"id": "x", "amount": "1", "lines": [{}]}, "it") == [
        "it.nothing is missing",
        "it.amount: str instead of int",
        "it.lines.0.name is missing",
    ]


# What happens, and what is told of it


def test_a_card_tells_its_events(client: Client) -> None:
    client.paid()

    assert client.events == [
        "account.updated",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
        "checkout.session.completed",
    ]


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("settle", ["charge.succeeded", "payment_intent.succeeded", "charge.updated",
                    "checkout.session.async_payment_succeeded"]),
        ("fail", ["charge.failed", "payment_intent.payment_failed", "checkout.session.async_payment_failed"]),
    ],
)  # fmt: skip
def test_a_debit_tells_its_events(client: Client, answer: str, told: list[str]) -> None:
    intent_id = client.paid(method="sepa_debit")
    begun = client.events

    client.happens(f"payment_intents/{intent_id}/{answer}")

    assert begun[1:] == [
        "payment_intent.created",
        "payment_intent.processing",
        "charge.pending",
        "checkout.session.completed",
    ]
    assert client.events[len(begun) :] == told


def documented_commands() -> list[list[str]]:
    """Of the local Stripe's page: how a debit in progress is found, and answered."""
    page = (Path(__file__).parents[2] / "docs" / "local-stripe.md").read_text(encoding="utf-8")
    return [shlex.split(line) for line in page.partition("```bash\n")[2].partition("```")[0].splitlines()]


def run(client: Client, command: list[str], **named: str) -> Any:
    """A documented ``curl``, asked of this Stripe."""
    asked = argparse.ArgumentParser()
    asked.add_argument("curl")
    asked.add_argument("address")
    asked.add_argument("-s", action="store_true")
    asked.add_argument("-X", default="GET")
    asked.add_argument("-H", action="append", default=[])
    asked.add_argument("-d", default="")
    given = asked.parse_args([_named(word, named) for word in command])
    headers = dict(header.split(": ", 1) for header in given.H)
    path = given.address.removeprefix("http://127.0.0.1:3006")
    answer = client.http.request(given.X, path, content=given.d, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _named(word: str, named: dict[str, str]) -> str:
    for placeholder, value in named.items():
        word = word.replace(f"{placeholder}_…", value)
    return word


@pytest.mark.parametrize(("answer", "status"), [(1, "succeeded"), (2, "requires_payment_method")])
def test_a_debit_in_progress_is_found_and_answered_as_documented(client: Client, answer: int, status: str) -> None:
    client.paid()
    debit = client.paid(method="sepa_debit")
    commands = documented_commands()

    listed = run(client, commands[0], acct=client.account)["data"]
    found = [(one["id"], one["metadata"]["invoice_id"]) for one in listed if one["status"] == "processing"]
    run(client, commands[answer], pi=debit)

    assert found == [(debit, "inv_1")]
    assert client.get(f"/v1/payment_intents/{debit}")["status"] == status


def test_a_debit_is_settled_after_five_days_and_a_session_ends_at_its_hour(client: Client, clock: FakeClock) -> None:
    debit, left = client.paid(method="sepa_debit"), client.session()
    clock.advance(timedelta(hours=24))
    client.happens("time")
    after_a_day = client.get(f"/v1/payment_intents/{debit}")["status"]
    clock.advance(timedelta(days=4))
    client.happens("time")

    assert after_a_day == "processing"
    assert client.get(f"/v1/payment_intents/{debit}")["status"] == "succeeded"
    assert client.get(f"/v1/checkout/sessions/{left['id']}")["status"] == "expired"
    assert "checkout.session.expired" in client.events


def test_a_refused_card_and_a_closed_page_tell_their_events(client: Client) -> None:
    session = client.session()
    client.happens(f"checkout/{session['id']}/decline", code="expired_card")
    client.post(f"/v1/checkout/sessions/{session['id']}/expire")

    assert client.events[1:] == [
        "payment_intent.created",
        "charge.failed",
        "payment_intent.payment_failed",
        "payment_intent.canceled",
        "checkout.session.expired",
    ]


def test_refunds_and_disputes_tell_their_events(client: Client) -> None:
    intent_id = client.paid()
    begun = len(client.events)

    refund = client.happens("refunds", payment_intent=intent_id, amount=500, status="pending")
    client.happens(f"refunds/{refund['id']}/succeed")
    client.happens(f"refunds/{refund['id']}/fail")
    won = client.happens("disputes", payment_intent=intent_id, reason="duplicate")
    client.happens(f"disputes/{won['id']}/review")
    client.happens(f"disputes/{won['id']}/win")

    assert client.events[begun:] == [
        "refund.created",
        "charge.refunded",
        "refund.updated",
        "charge.refund.updated",
        "refund.updated",
        "charge.refund.updated",
        "refund.failed",
        "charge.dispute.created",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.funds_reinstated",
        "charge.dispute.closed",
    ]


def test_what_is_disputed_is_not_refunded(client: Client) -> None:
    intent_id = client.paid()
    client.happens("disputes", payment_intent=intent_id)

    answer = client.ask("POST", "/v1/refunds", {"payment_intent": intent_id})

    assert answer.json()["error"]["code"] == "charge_disputed"


def test_a_part_of_the_fee_goes_back_with_its_part_of_the_payment(client: Client) -> None:
    intent_id = client.paid(fee=120)

    refund = client.post(
        "/v1/refunds", {"payment_intent": intent_id, "amount": "6000", "refund_application_fee": "true"}
    )
    booked = client.get(f"/v1/balance_transactions/{refund['balance_transaction']}")

    assert (booked["amount"], booked["fee"], booked["net"]) == (-6_000, -60, -5_940)


def test_the_balance_is_paid_out_with_what_is_behind_it(client: Client) -> None:
    client.paid()
    client.paid()

    payout = client.happens("payouts", account=client.account)
    behind = client.get("/v1/balance_transactions", payout=payout["id"])["data"]
    client.happens(f"payouts/{payout['id']}/pay")

    assert payout["amount"] == 2 * 11_795
    assert sorted(one["type"] for one in behind) == ["charge", "charge", "payout"]
    assert sum(one["net"] for one in behind) == 0
    assert client.events[-3:] == ["payout.created", "payout.updated", "payout.paid"]


def test_an_event_says_of_which_account_in_which_version_and_why(client: Client) -> None:
    client.session(key="k1")
    client.paid()
    client.post("/v1/refunds", {"payment_intent": client.get("/v1/payment_intents")["data"][0]["id"]}, key="k2")

    told, *_ = client.get("/v1/events", type="refund.created")["data"]
    seen, *_ = client.get("/v1/events", type="account.updated")["data"]

    assert (told["account"], told["api_version"], told["livemode"]) == (client.account, API_VERSION, False)
    assert told["request"]["idempotency_key"] == "k2"
    assert told["data"]["object"]["object"] == "refund"
    assert seen["request"] == {"id": None, "idempotency_key": None}
    assert seen["data"]["previous_attributes"]["charges_enabled"] is False


def test_a_restart_finds_everything_as_it_was(tmp_path: Path, clock: FakeClock) -> None:
    file = tmp_path / "kept.sqlite"
    with local_stripe(file, clock=clock) as (stripe, url), httpx.Client(base_url=url, trust_env=False) as http:
        before = Client(http, stripe)
        account = before.onboarded()
        intent_id = before.paid()
        session = before.session(key="k1")
        waiting = before.happens("webhooks", "GET")["waiting"]
    with local_stripe(file, clock=clock) as (stripe, url), httpx.Client(base_url=url, trust_env=False) as http:
        after = Client(http, stripe, account)

        assert after.get(f"/v1/payment_intents/{intent_id}")["status"] == "succeeded"
        assert after.ask("POST", "/v1/checkout/sessions", session_form(), key="k1").json()["id"] == session["id"]
        assert after.happens("webhooks", "GET")["waiting"] == waiting > 0


# Webhooks


@pytest.mark.usefixtures("sending")
def test_stripes_own_library_believes_the_signature(client: Client, receiver: Receiver, clock: FakeClock) -> None:
    client.paid()
    until(lambda: len(receiver.bodies) == 6)
    now = int(clock.now().timestamp())

    for body, signature in zip(receiver.bodies, receiver.signatures, strict=True):
        assert f"t={now}," in signature
        assert official.WebhookSignature.verify_header(body.decode(), signature, WEBHOOK_SECRET, tolerance=None)
        with pytest.raises(official.SignatureVerificationError):
            official.WebhookSignature.verify_header(body.decode() + " ", signature, WEBHOOK_SECRET)
    assert {json.loads(body)["account"] for body in receiver.bodies} == {client.account}


@pytest.mark.usefixtures("sending")
def test_what_is_not_taken_is_sent_again(client: Client, receiver: Receiver) -> None:
    receiver.statuses = [500, 404]
    client.stripe.courier.resend(client.get("/v1/events")["data"][0]["id"])

    until(lambda: client.happens("webhooks", "GET")["waiting"] == 0)

    assert receiver.types == ["account.updated"] * 4  # the first and the one sent again, each refused once


@pytest.mark.usefixtures("sending")
def test_events_are_dropped_repeated_and_held_on_demand(client: Client, receiver: Receiver) -> None:
    until(lambda: receiver.types == ["account.updated"])
    client.happens("webhooks", "PUT", types=["charge.succeeded"], drop=1)
    client.paid()
    until(lambda: len(receiver.types) == 5)
    assert "charge.succeeded" not in receiver.types

    client.happens("webhooks", "PUT", types=["charge.succeeded"], repeat=3)
    client.paid()
    until(lambda: receiver.types.count("charge.succeeded") == 3)

    until(lambda: client.happens("webhooks", "GET")["waiting"] == 0)
    receiver.bodies.clear()
    client.happens("webhooks", "PUT", hold=True)
    client.paid()
    time.sleep(0.2)
    assert receiver.types == []
    assert client.happens("webhooks", "GET")["waiting"] == 5
    client.happens("webhooks/release", order="reversed")
    until(lambda: len(receiver.types) == 5)


@pytest.mark.usefixtures("sending")
def test_events_wait_and_overtake_each_other_on_demand(client: Client, receiver: Receiver) -> None:
    until(lambda: receiver.types == ["account.updated"])
    client.happens("webhooks", "PUT", delay_seconds=0.3, jitter_seconds=0.1)
    began = time.monotonic()
    client.paid()

    until(lambda: len(receiver.types) == 6)

    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("PUT", "webhooks", {"surprise": 1}),
        ("POST", "faults", {"kind": "surprise"}),
        ("POST", "faults", {"surprise": 1}),
        ("POST", "refunds", {}),
        ("PUT", "api", {"delay_seconds": "long"}),
    ],
)
def test_a_control_that_is_not_understood_is_refused(client: Client, method: str, path: str, asked: Any) -> None:
    assert client.http.request(method, f"/_control/{path}", json=asked).status_code == 400
    assert client.http.get("/_control/surprise").status_code == 404


# Failing on demand


def test_calls_fail_on_demand_before_or_after_their_effect(client: Client) -> None:
    client.happens("faults", path="/v1/checkout/*", times=2, status=503)
    assert [client.ask("POST", "/v1/checkout/sessions", session_form()).status_code for _ in range(3)] == [
        503,
        503,
        200,
    ]

    client.happens("faults", path="/v1/checkout/*", kind="reset", after_effect=True)
    with pytest.raises(httpx.HTTPError):
        client.ask("POST", "/v1/checkout/sessions", session_form(), key="k1")
    assert len(client.get("/v1/checkout/sessions")["data"]) == 2
    assert (
        client.ask("POST", "/v1/checkout/sessions", session_form(), key="k1").headers["idempotent-replayed"] == "true"
    )

    client.happens("faults", kind="timeout", seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        client.http.get("/v1/balance", timeout=0.1)
    client.happens("faults", status=400, code="insufficient_funds")
    assert client.ask("GET", "/v1/balance").json()["error"]["code"] == "insufficient_funds"
    client.happens("faults", times=9)
    client.happens("faults", "DELETE")
    assert client.ask("GET", "/v1/balance").status_code == 200


# The pages


def test_a_customer_pays_on_the_page(client: Client) -> None:
    session = client.session()
    page = client.http.get(session["url"])
    paid = client.http.post(f"{session['url']}/card")
    after = client.http.get(session["url"])

    assert page.status_code == 200
    assert "120,00 €" in page.text
    assert "Exemple SARL" in page.text
    assert "Facture &lt;F2026-00001&gt;" in page.text
    assert (paid.status_code, paid.headers["location"]) == (303, f"https://exemple.fr/paye?session={session['id']}")
    assert after.status_code == 410
    assert client.get(f"/v1/checkout/sessions/{session['id']}")["payment_status"] == "paid"
    assert client.http.post(f"{session['url']}/card").status_code == 410


def test_a_customer_is_refused_changes_to_a_debit_or_leaves(client: Client) -> None:
    session = client.session()

    refused = client.http.post(f"{session['url']}/decline")
    left = client.http.post(f"{session['url']}/cancel")
    debited = client.http.post(f"{session['url']}/sepa_debit")

    assert refused.status_code == 402
    assert "Votre carte a été refusée" in refused.text
    assert (left.status_code, left.headers["location"]) == (303, "https://exemple.fr/annule")
    assert debited.status_code == 303
    assert client.get("/v1/payment_intents")["data"][0]["status"] == "processing"


def test_a_debit_is_offered_only_where_the_account_may_take_it(client: Client) -> None:
    client.account = ""
    cards_only = {name: value for name, value in STANDARD.items() if "sepa" not in name}
    client.account = client.post("/v1/accounts", cards_only)["id"]
    client.happens(f"accounts/{client.account}/enable")

    session = client.session()

    assert session["payment_method_types"] == ["card"]
    assert "Prélèvement" not in client.http.get(session["url"]).text


def test_a_company_finishes_on_the_page_once(client: Client, clock: FakeClock) -> None:
    client.account = ""
    account = client.post("/v1/accounts", STANDARD)["id"]
    form = {
        "account": account,
        "type": "account_onboarding",
        "return_url": "https://a.fr/",
        "refresh_url": "https://b.fr/",
    }
    link = client.post("/v1/account_links", form)["url"]

    page = client.http.get(link)
    later = client.http.post(f"{link}/later")
    again = client.http.get(link)
    link = client.post("/v1/account_links", form)["url"]
    finished = client.http.post(f"{link}/finish")
    old = client.post("/v1/account_links", form)["url"]
    clock.advance(timedelta(minutes=6))

    assert "Terminer la configuration" in page.text
    assert later.headers["location"] == "https://a.fr/"
    assert again.headers["location"] == "https://b.fr/"
    assert finished.headers["location"] == "https://a.fr/"
    assert client.get(f"/v1/accounts/{account}")["charges_enabled"]
    assert client.http.get(old).headers["location"] == "https://b.fr/"
    assert client.http.get(f"/setup/s/{account}/guess").status_code == 404


def test_an_account_may_be_asked_more_later(client: Client) -> None:
    client.happens(f"accounts/{client.account}/disable", requirements=["external_account"])

    account, client.account = client.account, ""
    found = client.get(f"/v1/accounts/{account}")

    assert not found["charges_enabled"]
    assert found["requirements"]["currently_due"] == ["external_account"]
    assert found["capabilities"]["card_payments"] == "inactive"


# In a local cloud


@pytest.mark.cloud
def test_a_cloud_asks_it_hears_it_and_finds_it_again(cloud: LocalCloud) -> None:
    def noted(event_id: str) -> Any:
        table = aws("dynamodb", cloud.layout.dynamodb_url)
        return table.get_item(TableName="zenbilling-ThingsTable", Key={"pk": {"S": event_id}}).get("Item")

    with httpx.Client(base_url=cloud.layout.stripe_url, trust_env=False) as http:
        headers = {"authorization": f"Bearer {API_KEY}"}
        account = http.post("/v1/accounts", data=STANDARD, headers=headers).json()["id"]
        cloud.stripe("POST", f"accounts/{account}/enable")
        event = http.get("/v1/events", headers=headers | {"stripe-account": account}).json()["data"][0]
        assert until(lambda: noted(event["id"]))["kind"] == {"S": "account.updated"}

        old = cloud.kill("stripe")
        until(lambda: cloud.pids().get("stripe", old) != old)
        found = until(lambda: _answered(http, account, headers))

    assert found["charges_enabled"] is True


def _answered(http: httpx.Client, account: str, headers: dict[str, str]) -> Any:
    try:
        return http.get(f"/v1/accounts/{account}", headers=headers).json()
    except httpx.TransportError:
        return None
