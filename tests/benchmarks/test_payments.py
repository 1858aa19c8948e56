"""Paying online, over the handlers and a real table, with Stripe in memory: a page, an event, and the payment of it.

Figures are printed, never asserted: these machines are noisy. What each asks of the table and of Stripe is counted.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

import pytest

from billing.domain.access import Caller
from billing.runtime import table
from tests import factories
from tests.benchmarks.measuring import p50_and_p95
from tests.engines import billing_table, dynamodb, dynamodb_endpoint
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import STRIPE, Json, Person, environment, invoke, member, owner, queue, sample, seller
from tests.handlers.test_stripe_events import post, signed, told

__all__ = ["billing_table", "dynamodb", "dynamodb_endpoint", "environment", "member", "owner", "queue", "seller"]
ROUNDS = int(os.environ.get("ZENBILLING_BENCH_ROUNDS", "150"))
NAMES = ("open a page", "the same page again", "receive an event", "process a payment")


class Watch:
    """Milliseconds of each act, and what the last of it asked for."""

    def __init__(self) -> None:
        self.taken: dict[str, list[float]] = {name: [] for name in NAMES}
        self.asked: dict[str, tuple[list[str], list[str]]] = {}
        self.table: list[str] = []
        self.stripe: list[str] = []

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        self.table.clear()
        self.stripe.clear()
        started = time.perf_counter()
        yield
        self.taken[name].append((time.perf_counter() - started) * 1000)
        self.asked[name] = [*self.table], [*self.stripe]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    client = table.table()
    original, asked = client._call, STRIPE._asked

    def counted(operation: str, **request: Any) -> Any:
        watch.table.append(operation)
        return original(operation, **request)

    def counted_at_stripe(operation: str) -> Any:
        watch.stripe.append(operation)
        return asked(operation)

    monkeypatch.setattr(client, "_call", counted)
    monkeypatch.setattr(STRIPE, "_asked", counted_at_stripe)
    return watch


def test_payments_online(seller: Person, queue: FakeStripeEventQueue, watch: Watch) -> None:
    tenant_id = seller.tenant_id
    table.subscriptions().save(Caller.system(tenant_id, "stripe"), factories.pro_subscription(tenant_id))
    body = {**json.loads(sample("invoices/create")["body"]), "customer_id": seller.ids["customer_id"]}
    with redirect_stdout(io.StringIO()):  # metrics
        for _ in range(ROUNDS):
            pay(seller, queue, watch)
            issue(seller, body)
    print(f"\n{ROUNDS} rounds, in process, one after the other\n")
    print(f"{'ms':<20} {'p50':>7} {'p95':>7}   asked of the table, of Stripe")
    for name, taken in watch.taken.items():
        p50, p95 = p50_and_p95(taken)
        of_table, of_stripe = ((len(asked), ", ".join(asked)) for asked in watch.asked[name])
        print(f"{name:<20} {p50:>7.1f} {p95:>7.1f}   {of_table[0]} ({of_table[1]}), {of_stripe[0]} ({of_stripe[1]})")


def issue(seller: Person, body: Json) -> None:
    """Another invoice, and the link of its customer."""
    path = {"invoice_id": seller.call("invoices/create", body=body).body["invoice_id"]}
    assert seller.call("invoices/issue", body={"version": 1}, **path).status == 200
    seller.ids["token"] = seller.call("invoices/create_link", **path).body["url"].rpartition("/")[2]


def pay(seller: Person, queue: FakeStripeEventQueue, watch: Watch) -> None:
    """From the link to the ledger."""
    for name in NAMES[:2]:
        with watch(name):
            assert seller.call("portal/pay_invoice", body={}, token=seller.ids["token"]).status == 200
    account_id = seller.ids["account_id"]
    intent = STRIPE.confirm(account_id, next(reversed(STRIPE.sessions))[1])
    about = {"id": intent.payment_intent_id, "object": "payment_intent"}
    event = json.dumps(told(type="payment_intent.succeeded", account=account_id, data={"object": about})).encode()
    signature = signed(event)
    with watch(NAMES[2]):
        assert post(event, signature).status == 200
    batch = sample("webhooks/process_stripe_event")
    [message] = queue.messages
    batch["Records"][0]["body"] = json.dumps({"event_id": message})
    queue.messages.clear()
    with watch(NAMES[3]):
        assert invoke("webhooks/process_stripe_event", batch) == {"batchItemFailures": []}
    assert seller.call("portal/read_invoice", token=seller.ids["token"]).body["balance_minor"] == 0
