"""Every request of the gateway held by stripe-mock, which judges them by Stripe's own description of its API.

It is built by Go, always in CI. It knows no state: what it answers is a sample. Its description may be of another
release than the version that the gateway pins; it judges the request all the same.
"""

from __future__ import annotations

import inspect
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from billing.adapters.stripe_gateway import StripeApi
from billing.domain.stripe import STRIPE_API_VERSION
from billing.ports.stripe import (
    AccountWanted,
    CheckoutWanted,
    RefundWanted,
    StripeGateway,
    StripeRefused,
    SubscriberWanted,
    SubscriptionWanted,
)
from tests.fakes.clock import FakeClock
from tests.stripe_world import MOCK, needs_official_mock

KEY = "sk_test_123"
ACCOUNT = "acct_1032D82eZvKYlo2C"
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
SELLER = AccountWanted(
    email="contact@exemple.fr",
    country="FR",
    business_name="Exemple SARL",
    url="https://exemple.fr",
    metadata={"tenant_id": "ten_1"},
)
CHECKOUT = CheckoutWanted(
    amount_minor=12_000,
    currency="EUR",
    title="Facture F2026-00001",
    language="fr",
    success_url="https://exemple.fr/paye?session={CHECKOUT_SESSION_ID}",
    cancel_url="https://exemple.fr/annule",
    expires_at=NOW + timedelta(hours=23),
    application_fee_minor=120,
    customer_email="cliente@exemple.fr",
    metadata={"tenant_id": "ten_1", "invoice_id": "inv_1", "attempt": "1"},
)
REFUND = RefundWanted(
    payment_intent_id="pi_1",
    amount_minor=100,
    reason="requested_by_customer",
    refund_application_fee=True,
    metadata={"refund_id": "ref_1"},
)
SUBSCRIBER = SubscriberWanted(
    email="contact@exemple.fr", name="Exemple SARL", language="fr", metadata={"tenant_id": "ten_1"}
)
SUBSCRIPTION = SubscriptionWanted(
    customer_id="cus_1",
    price_id="price_1",
    trial_days=14,
    language="fr",
    success_url="https://exemple.fr/abonnement?retour",
    cancel_url="https://exemple.fr/abonnement",
    expires_at=NOW + timedelta(hours=23),
    metadata={"tenant_id": "ten_1", "plan": "pro"},
)
# One for each operation of the port, with everything that it can say; the second of a name says as little as it can.
CALLS: list[tuple[str, Callable[[StripeApi], Any]]] = [
    ("create_account", lambda stripe: stripe.create_account(SELLER, idempotency_key="k")),
    ("create_account", lambda stripe: stripe.create_account(
        AccountWanted(email="a@exemple.fr", country="FR", business_name="Exemple"), idempotency_key="k")),
    ("read_account", lambda stripe: stripe.read_account(ACCOUNT)),
    ("create_account_link", lambda stripe: stripe.create_account_link(
        ACCOUNT, return_url="https://exemple.fr/r", refresh_url="https://exemple.fr/f")),
    ("create_checkout_session", lambda stripe: stripe.create_checkout_session(
        ACCOUNT, CHECKOUT, idempotency_key="k")),
    ("create_checkout_session", lambda stripe: stripe.create_checkout_session(
        ACCOUNT, replace(CHECKOUT, application_fee_minor=0, customer_email=None, metadata={},
                         language="en"), idempotency_key="k")),
    ("read_checkout_session", lambda stripe: stripe.read_checkout_session(ACCOUNT, "cs_1")),
    ("payment_intent_of_charge", lambda stripe: stripe.payment_intent_of_charge(ACCOUNT, "ch_1") or "of none"),
    ("session_of_payment_intent", lambda stripe: stripe.session_of_payment_intent(ACCOUNT, "pi_1")),
    ("expire_checkout_session", lambda stripe: stripe.expire_checkout_session(ACCOUNT, "cs_1")),
    ("read_payment_intent", lambda stripe: stripe.read_payment_intent(ACCOUNT, "pi_1")),
    ("payment_intent_of_charge", lambda stripe: (stripe.payment_intent_of_charge(ACCOUNT, "ch_1"),)),
    ("create_refund", lambda stripe: stripe.create_refund(ACCOUNT, REFUND, idempotency_key="k")),
    ("create_refund", lambda stripe: stripe.create_refund(
        ACCOUNT, replace(REFUND, reason="", refund_application_fee=False, metadata={}), idempotency_key="k")),
    ("read_refund", lambda stripe: stripe.read_refund(ACCOUNT, "re_1")),
    ("list_refunds", lambda stripe: stripe.list_refunds(ACCOUNT, "pi_1")),
    ("read_dispute", lambda stripe: stripe.read_dispute(ACCOUNT, "du_1")),
    ("list_disputes", lambda stripe: stripe.list_disputes(ACCOUNT, "pi_1")),
    ("read_payout", lambda stripe: stripe.read_payout(ACCOUNT, "po_1")),
    ("list_balance_transactions", lambda stripe: stripe.list_balance_transactions(
        ACCOUNT, since=NOW - timedelta(days=1), before=NOW)),
    ("list_balance_transactions", lambda stripe: stripe.list_balance_transactions(
        ACCOUNT, since=NOW - timedelta(days=1), before=NOW, after="txn_1")),
    ("balance_transactions_of", lambda stripe: stripe.balance_transactions_of(ACCOUNT, "ch_1")),
    ("find_price", lambda stripe: stripe.find_price("zenbilling_pro_monthly")),
    ("create_subscriber", lambda stripe: stripe.create_subscriber(SUBSCRIBER, idempotency_key="k")),
    ("create_subscription_page", lambda stripe: stripe.create_subscription_page(SUBSCRIPTION, idempotency_key="k")),
    ("create_subscription_page", lambda stripe: stripe.create_subscription_page(
        replace(SUBSCRIPTION, trial_days=0, metadata={}), idempotency_key="k")),
    ("read_subscription_page", lambda stripe: stripe.read_subscription_page("cs_1")),
    ("create_portal_link", lambda stripe: stripe.create_portal_link(
        "cus_1", return_url="https://exemple.fr/abonnement", language="fr")),
    ("list_subscriptions", lambda stripe: stripe.list_subscriptions("cus_1")),
]  # fmt: skip


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    needs_official_mock()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(MOCK), "-http-addr", f"127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Stripe's official mock does not start")


@pytest.fixture
def gateway(mock: str) -> StripeApi:
    return StripeApi(mock, read_key=lambda: KEY, clock=FakeClock(NOW))


def test_every_operation_of_the_port_is_asked() -> None:
    operations = {name for name, _ in inspect.getmembers(StripeGateway, inspect.isfunction) if not name.startswith("_")}

    assert {name for name, _ in CALLS} == operations


@pytest.mark.parametrize(("name", "call"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_stripes_own_description_takes_the_request(
    gateway: StripeApi, name: str, call: Callable[[StripeApi], Any]
) -> None:
    """A refusal would raise; what is answered is read as one of our values."""
    assert call(gateway) is not None


def test_it_refuses_what_stripe_does_not_know(gateway: StripeApi, mock: str) -> None:
    with pytest.raises(StripeRefused):
        gateway.create_refund(ACCOUNT, replace(REFUND, reason="surprise"), idempotency_key="k")
    unknown = httpx.post(
        f"{mock}/v1/checkout/sessions",
        data={"mode": "payment", "surprise": "1"},
        headers={"authorization": f"Bearer {KEY}", "stripe-version": STRIPE_API_VERSION},
        trust_env=False,
    )
    assert unknown.status_code == 400
