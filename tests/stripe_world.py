"""The same customers, banks and dashboards at the fake Stripe and at the local one, for tests that hold both."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest

from billing.adapters.stripe_gateway import StripeApi
from billing.ports.stripe import StripeGateway
from local.stripe.server import API_KEY, LocalStripe, StripeServer
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe

# Stripe's own mock, and beside it Stripe's description of its API.
MOCK = Path(os.environ.get("STRIPE_MOCK", Path(__file__).resolve().parents[1] / ".venv/stripe-mock/stripe-mock"))
NOWHERE = "http://127.0.0.1:9/v1/webhooks/stripe"


def needs_official_mock() -> None:
    if MOCK.is_file():
        return
    if os.environ.get("CI") == "true":
        pytest.fail("Stripe's official mock is not installed: local/setup.sh stripe-mock")
    pytest.skip("Stripe's official mock is not installed: it needs Go, then local/setup.sh stripe-mock")


class StripeWorld(Protocol):
    """What happens at Stripe without us. Each names what it is about, and what comes of it is read by the gateway."""

    @property
    def gateway(self) -> StripeGateway: ...

    def enable(self, account_id: str) -> None: ...

    def confirm(self, account_id: str, session_id: str, *, method: str = "card") -> str:
        """The id of its payment intent."""
        ...

    def decline(self, account_id: str, session_id: str) -> str: ...

    def settle(self, account_id: str, payment_intent_id: str, *, success: bool = True) -> None: ...

    def refund(self, account_id: str, payment_intent_id: str, amount_minor: int) -> str: ...

    def fail_refund(self, account_id: str, refund_id: str) -> None: ...

    def dispute(self, account_id: str, payment_intent_id: str) -> str: ...

    def decide(self, account_id: str, dispute_id: str, *, won: bool) -> None: ...

    def sell(self, lookup_key: str, amount_minor: int) -> None: ...

    def subscribe(self, session_id: str) -> None: ...

    def fail_renewal(self, customer_id: str, clock: FakeClock) -> None:
        """The next period begins, and the card is refused."""
        ...

    def end(self, subscription_id: str) -> None: ...


@dataclass(frozen=True)
class FakeWorld:
    fake: FakeStripe

    @property
    def gateway(self) -> StripeGateway:
        return self.fake

    def enable(self, account_id: str) -> None:
        self.fake.enable(account_id)

    def confirm(self, account_id: str, session_id: str, *, method: str = "card") -> str:
        return self.fake.confirm(account_id, session_id, method=method).payment_intent_id

    def decline(self, account_id: str, session_id: str) -> str:
        return self.fake.decline(account_id, session_id).payment_intent_id

    def settle(self, account_id: str, payment_intent_id: str, *, success: bool = True) -> None:
        self.fake.settle(account_id, payment_intent_id, success=success)

    def refund(self, account_id: str, payment_intent_id: str, amount_minor: int) -> str:
        return self.fake.refund(account_id, payment_intent_id, amount_minor).refund_id

    def fail_refund(self, account_id: str, refund_id: str) -> None:
        self.fake.fail_refund(account_id, refund_id)

    def dispute(self, account_id: str, payment_intent_id: str) -> str:
        return self.fake.dispute(account_id, payment_intent_id).dispute_id

    def decide(self, account_id: str, dispute_id: str, *, won: bool) -> None:
        self.fake.decide(account_id, dispute_id, won=won)

    def sell(self, lookup_key: str, amount_minor: int) -> None:
        self.fake.sell(lookup_key, amount_minor)

    def subscribe(self, session_id: str) -> None:
        self.fake.subscribe(session_id)

    def fail_renewal(self, customer_id: str, clock: FakeClock) -> None:
        (held,) = self.fake.list_subscriptions(customer_id)
        clock.set(held.current_period_end + timedelta(seconds=1))
        self.fake.renew(held.subscription_id, works=False)

    def end(self, subscription_id: str) -> None:
        self.fake.end(subscription_id)


@dataclass(frozen=True)
class LocalWorld:
    """The adapter over HTTP, and the local Stripe behind it."""

    gateway: StripeApi
    stripe: LocalStripe

    def enable(self, account_id: str) -> None:
        self.stripe.bank.enable(account_id)

    def confirm(self, account_id: str, session_id: str, *, method: str = "card") -> str:
        assert self.stripe.store.owner("checkout.session", session_id) == account_id
        return str(self.stripe.bank.confirm(session_id, method)["id"])

    def decline(self, account_id: str, session_id: str) -> str:
        assert self.stripe.store.owner("checkout.session", session_id) == account_id
        return str(self.stripe.bank.decline(session_id, "card_declined")["id"])

    def settle(self, account_id: str, payment_intent_id: str, *, success: bool = True) -> None:
        if success:
            self.stripe.bank.settle(account_id, payment_intent_id)
        else:
            self.stripe.bank.fail_debit(account_id, payment_intent_id, "debit_not_authorized")

    def refund(self, account_id: str, payment_intent_id: str, amount_minor: int) -> str:
        intent = self.stripe.bank.take(account_id, "payment_intent", payment_intent_id)
        return str(self.stripe.bank.refund(account_id, intent["latest_charge"], amount_minor)["id"])

    def fail_refund(self, account_id: str, refund_id: str) -> None:
        self.stripe.bank.refund_becomes(account_id, refund_id, "failed", "lost_or_stolen_card")

    def dispute(self, account_id: str, payment_intent_id: str) -> str:
        intent = self.stripe.bank.take(account_id, "payment_intent", payment_intent_id)
        made = self.stripe.bank.dispute(account_id, intent["latest_charge"], None, reason="fraudulent", inquiry=False)
        return str(made["id"])

    def decide(self, account_id: str, dispute_id: str, *, won: bool) -> None:
        self.stripe.bank.dispute_becomes(account_id, dispute_id, "won" if won else "lost")

    def sell(self, lookup_key: str, amount_minor: int) -> None:
        self.stripe.sell("ZenBilling Pro", lookup_key=lookup_key, amount=amount_minor, currency="EUR")

    def subscribe(self, session_id: str) -> None:
        self.stripe.bank.confirm(session_id, "card")

    def fail_renewal(self, customer_id: str, clock: FakeClock) -> None:
        (held,) = self.gateway.list_subscriptions(customer_id)
        self.stripe.control.answer("POST", ["customers", customer_id, "card"], {"works": False})
        clock.set(held.current_period_end + timedelta(seconds=1))
        self.stripe.bank.pass_time()

    def end(self, subscription_id: str) -> None:
        self.gateway._ask(lambda stripe: stripe.v1.subscriptions.cancel(subscription_id))


@contextmanager
def local_stripe(file: Path, *, clock: FakeClock, webhook_url: str = NOWHERE) -> Iterator[tuple[LocalStripe, str]]:
    """A local Stripe that serves on a port of its own, without what goes on by itself, and its address."""
    server = StripeServer(0)
    stripe = LocalStripe(file, base_url=server.url, webhook_url=webhook_url, now=clock.now)
    serving = threading.Thread(target=server.serve, args=(stripe,), daemon=True)
    serving.start()
    try:
        yield stripe, server.url
    finally:
        server.shutdown()
        server.server_close()
        stripe.store.close()


@contextmanager
def local_world(file: Path, *, clock: FakeClock) -> Iterator[LocalWorld]:
    with local_stripe(file, clock=clock) as (stripe, url):
        yield LocalWorld(StripeApi(url, read_key=lambda: API_KEY, clock=clock), stripe)
