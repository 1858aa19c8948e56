"""What Stripe says one day and does not say yet: every state that is read becomes the one that says so."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import pytest

from billing.adapters import stripe_gateway
from billing.adapters.stripe_gateway import StripeApi
from billing.domain import stripe
from billing.domain.stripe import (
    CheckoutPaymentStatus,
    CheckoutStatus,
    DisputeStatus,
    PaymentIntentStatus,
    StripeRefundStatus,
    SubscriptionStatus,
)
from billing.ports.stripe import StripeRefused
from tests.adapters.stripe.test_refusals import ACCOUNT, SESSION, Script, clock, gateway, script, took

__all__ = ["clock", "gateway", "script", "took"]

INTENT: dict[str, Any] = {"id": "pi_1", "status": "succeeded", "amount": 100, "currency": "eur", "created": 1}
REFUND: dict[str, Any] = {"id": "re_1", "status": "succeeded", "amount": 100, "currency": "eur", "created": 1}
DISPUTE: dict[str, Any] = {
    "id": "du_1",
    "status": "lost",
    "amount": 1,
    "currency": "eur",
    "created": 1,
    "charge": "ch_1",
}
ITEM: dict[str, Any] = {"current_period_end": 2, "price": {"lookup_key": "pro"}}
SUBSCRIPTION: dict[str, Any] = {
    "id": "sub_1",
    "customer": "cus_1",
    "status": "active",
    "created": 1,
    "items": {"data": [ITEM]},
}


def _listed(said: object) -> dict[str, Any]:
    return {"object": "list", "data": [said], "has_more": False}


READ: dict[type, list[Callable[[StripeApi, Script, str | None], object]]] = {}


def _reads(
    states: type, said: dict[str, Any], name: str, read: Callable[[StripeApi], Any], *, listed: bool = False
) -> None:
    def asked(gateway: StripeApi, script: Script, state: str | None) -> object:
        told = said | {name: state}
        script.says.append((200, _listed(told) if listed else told))
        found = read(gateway)
        return getattr(found[0] if listed and isinstance(found, tuple) else found, name)

    READ.setdefault(states, []).append(asked)


_reads(CheckoutStatus, SESSION, "status", lambda one: one.read_checkout_session(ACCOUNT, "cs_1"))
_reads(CheckoutStatus, SESSION, "status", lambda one: one.read_subscription_page("cs_1"))
_reads(CheckoutStatus, SESSION, "status", lambda one: one.session_of_payment_intent(ACCOUNT, "pi_1"), listed=True)
_reads(CheckoutPaymentStatus, SESSION, "payment_status", lambda one: one.read_checkout_session(ACCOUNT, "cs_1"))
_reads(PaymentIntentStatus, INTENT, "status", lambda one: one.read_payment_intent(ACCOUNT, "pi_1"))
_reads(StripeRefundStatus, REFUND, "status", lambda one: one.read_refund(ACCOUNT, "re_1"))
_reads(StripeRefundStatus, REFUND, "status", lambda one: one.list_refunds(ACCOUNT, "pi_1"), listed=True)
_reads(DisputeStatus, DISPUTE, "status", lambda one: one.read_dispute(ACCOUNT, "du_1"))
_reads(DisputeStatus, DISPUTE, "status", lambda one: one.list_disputes(ACCOUNT, "pi_1"), listed=True)
_reads(SubscriptionStatus, SUBSCRIPTION, "status", lambda one: one.list_subscriptions("cus_1"), listed=True)


def test_every_state_that_is_read_is_among_them() -> None:
    """A new one has to be read as the others are."""
    made = set(re.findall(r"_state\((\w+), ", inspect.getsource(stripe_gateway)))
    states = {name for name, held in vars(stripe).items() if isinstance(held, type) and hasattr(held, "UNKNOWN")}

    assert made == states == {one.__name__ for one in READ}


@pytest.mark.parametrize("said", ["some_new_state", "", None])
@pytest.mark.parametrize("states", READ, ids=lambda one: one.__name__)
def test_a_state_that_is_new_is_unknown(gateway: StripeApi, script: Script, states: Any, said: str | None) -> None:
    for asked in READ[states]:
        script.says.clear()
        assert asked(gateway, script, said) is states.UNKNOWN


@pytest.mark.parametrize("states", READ, ids=lambda one: one.__name__)
def test_every_other_state_is_itself(gateway: StripeApi, script: Script, states: Any) -> None:
    for asked in READ[states]:
        for state in states:
            script.says.clear()
            assert asked(gateway, script, state.value) is state


def test_a_page_in_a_new_state_is_not_closed(gateway: StripeApi, script: Script) -> None:
    script.error(400, "resource_not_open")
    script.says.append((200, SESSION | {"status": "some_new_state"}))

    with pytest.raises(StripeRefused):
        gateway.expire_checkout_session(ACCOUNT, "cs_1")


def test_a_means_of_payment_that_is_new_is_kept_as_stripe_names_it(gateway: StripeApi, script: Script) -> None:
    charge = {
        "id": "py_1",
        "amount": 100,
        "amount_refunded": 0,
        "paid": True,
        "status": "succeeded",
        "disputed": False,
        "created": 1,
        "payment_method_details": {"type": "some_new_means"},
    }
    script.says.append((200, INTENT | {"latest_charge": charge}))

    found = gateway.read_payment_intent(ACCOUNT, "pi_1")

    assert found is not None
    assert found.charge is not None
    assert found.charge.method == "some_new_means"
