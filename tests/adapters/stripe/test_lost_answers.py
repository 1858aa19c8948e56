"""An answer of Stripe that is lost on its way: asked again under the same key, nothing is done twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from billing.adapters import stripe_gateway
from billing.domain.errors import DependencyUnavailable
from billing.ports.stripe import AccountWanted, CheckoutWanted, RefundWanted
from tests.fakes.clock import FakeClock
from tests.stripe_world import LocalWorld, local_world

SELLER = AccountWanted(email="contact@exemple.fr", country="FR", business_name="Exemple SARL")
LOST = [
    {"kind": "reset", "after_effect": True},
    {"kind": "reset"},
    {"kind": "error", "status": 500, "after_effect": True},
    {"kind": "error", "status": 503},
]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def world(tmp_path: Path, clock: FakeClock) -> Iterator[LocalWorld]:
    with local_world(tmp_path / "stripe.sqlite", clock=clock) as world:
        yield world


def lose(world: LocalWorld, how: dict[str, object], *, times: int = 1) -> None:
    world.stripe.faults.plan({"method": "POST", "times": times, **how})


def wanted(clock: FakeClock) -> CheckoutWanted:
    return CheckoutWanted(
        amount_minor=12_000,
        currency="EUR",
        title="Facture F2026-00001",
        language="fr",
        success_url="https://exemple.fr/paye",
        cancel_url="https://exemple.fr/annule",
        expires_at=clock.now() + timedelta(hours=23),
    )


@pytest.mark.parametrize("how", LOST)
def test_one_lost_answer_is_asked_for_again(world: LocalWorld, clock: FakeClock, how: dict[str, object]) -> None:
    lose(world, how)
    account = world.gateway.create_account(SELLER, idempotency_key="account").account_id
    world.enable(account)
    lose(world, how)
    session = world.gateway.create_checkout_session(account, wanted(clock), idempotency_key="checkout")
    intent_id = world.confirm(account, session.session_id)
    lose(world, how)
    asked = RefundWanted(payment_intent_id=intent_id, amount_minor=100, reason="duplicate")
    refund = world.gateway.create_refund(account, asked, idempotency_key="refund")

    assert [one["id"] for one in world.stripe.store.all_of("", "account")] == [account]
    assert [one["id"] for one in world.stripe.store.all_of(account, "checkout.session")] == [session.session_id]
    assert [one["id"] for one in world.stripe.store.all_of(account, "refund")] == [refund.refund_id]


@pytest.mark.parametrize("how", LOST)
def test_two_lost_answers_are_told_and_the_next_call_finds_what_was_done(
    world: LocalWorld, how: dict[str, object]
) -> None:
    lose(world, how, times=2)

    with pytest.raises(DependencyUnavailable):
        world.gateway.create_account(SELLER, idempotency_key="account")
    found = world.gateway.create_account(SELLER, idempotency_key="account")

    assert [one["id"] for one in world.stripe.store.all_of("", "account")] == [found.account_id]


def test_a_page_that_was_closed_though_the_answer_was_lost_is_closed(world: LocalWorld, clock: FakeClock) -> None:
    account = world.gateway.create_account(SELLER, idempotency_key="account").account_id
    world.enable(account)
    session = world.gateway.create_checkout_session(account, wanted(clock), idempotency_key="checkout")
    lose(world, {"kind": "reset", "after_effect": True})

    assert world.gateway.expire_checkout_session(account, session.session_id).status == "expired"


def test_silence_is_waited_for_no_longer_than_said(world: LocalWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stripe_gateway, "READ_SECONDS", 0.2)
    gateway = stripe_gateway.StripeApi(
        world.gateway._base_url, read_key=world.gateway._read_key, clock=world.gateway._clock
    )
    world.stripe.faults.plan({"kind": "timeout", "seconds": 2.0, "times": 2})

    with pytest.raises(DependencyUnavailable):
        gateway.read_account("acct_1")

    assert world.stripe.faults.next("GET", "/v1/accounts/acct_1") is None  # asked twice, within the two seconds of one
