"""Stripe, over the fake and over the adapter with the local Stripe: what is asked, and what happens without us."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from billing.domain.stripe import (
    CheckoutPaymentStatus,
    CheckoutSession,
    CheckoutStatus,
    DisputeStatus,
    PaymentIntent,
    PaymentIntentStatus,
    StripeRefundStatus,
    StripeSubscription,
    SubscriptionStatus,
)
from billing.ports.stripe import (
    AccountWanted,
    CheckoutWanted,
    RefundWanted,
    StripeRefused,
    SubscriberWanted,
    SubscriptionWanted,
)
from tests.fakes.clock import FakeClock
from tests.fakes.stripe import FakeStripe
from tests.stripe_world import FakeWorld, StripeWorld, local_world

SELLER = AccountWanted(
    email="contact@exemple.fr", country="FR", business_name="Exemple SARL", metadata={"tenant_id": "ten_1"}
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["fake", "local"])
def world(request: pytest.FixtureRequest, clock: FakeClock, tmp_path: Path) -> Iterator[StripeWorld]:
    if request.param == "fake":
        yield FakeWorld(FakeStripe(clock=clock))
        return
    with local_world(tmp_path / "stripe.sqlite", clock=clock) as local:
        yield local


@pytest.fixture
def account(world: StripeWorld) -> str:
    """Of a company that may take payments."""
    made = world.gateway.create_account(SELLER, idempotency_key="account-ten_1-1")
    world.enable(made.account_id)
    return made.account_id


def wanted(clock: FakeClock, amount_minor: int = 12_000, *, fee_minor: int = 0) -> CheckoutWanted:
    return CheckoutWanted(
        amount_minor=amount_minor,
        currency="EUR",
        title="Facture F2026-00001",
        language="fr",
        success_url="https://exemple.fr/paye",
        cancel_url="https://exemple.fr/annule",
        expires_at=(clock.now() + timedelta(hours=23)).replace(microsecond=0),
        application_fee_minor=fee_minor,
        metadata={"tenant_id": "ten_1", "invoice_id": "inv_1", "attempt": "1"},
    )


def opened(
    world: StripeWorld, account: str, clock: FakeClock, amount: int = 12_000, *, fee: int = 0
) -> CheckoutSession:
    return world.gateway.create_checkout_session(
        account, wanted(clock, amount, fee_minor=fee), idempotency_key=f"checkout-{amount}"
    )


def paid(world: StripeWorld, account: str, clock: FakeClock, amount: int = 12_000, *, fee: int = 0) -> PaymentIntent:
    intent_id = world.confirm(account, opened(world, account, clock, amount, fee=fee).session_id)
    return read(world, account, intent_id)


def read(world: StripeWorld, account: str, intent_id: str) -> PaymentIntent:
    found = world.gateway.read_payment_intent(account, intent_id)
    assert found is not None
    return found


def test_an_account_is_made_once_and_asked_for_what_is_due(world: StripeWorld) -> None:
    first = world.gateway.create_account(SELLER, idempotency_key="account-ten_1-1")
    again = world.gateway.create_account(SELLER, idempotency_key="account-ten_1-1")
    other = world.gateway.create_account(SELLER, idempotency_key="account-ten_2-1")

    assert first == again
    assert first.account_id != other.account_id
    assert not first.charges_enabled
    assert not first.payouts_enabled
    assert not first.details_submitted
    assert first.requirements_due
    assert first.disabled_reason
    assert first.capabilities == ()
    assert first.default_currency == "EUR"


def test_an_account_that_answered_may_take_payments(world: StripeWorld, account: str) -> None:
    found = world.gateway.read_account(account)

    assert found is not None
    assert found.charges_enabled
    assert found.payouts_enabled
    assert found.details_submitted
    assert found.requirements_due == ()
    assert found.disabled_reason == ""
    assert {"card_payments", "sepa_debit_payments"} <= set(found.capabilities)


def test_a_link_leads_to_the_account_for_a_while(world: StripeWorld, account: str, clock: FakeClock) -> None:
    link = world.gateway.create_account_link(account, return_url="https://a.fr/r", refresh_url="https://a.fr/f")

    assert account in link.url
    assert link.expires_at is not None
    assert link.expires_at > clock.now()


def test_what_does_not_exist_reads_as_nothing(world: StripeWorld, account: str) -> None:
    gateway = world.gateway

    assert gateway.read_account("acct_0000000000000000") is None
    assert gateway.read_checkout_session(account, "cs_test_0") is None
    assert gateway.read_payment_intent(account, "pi_0") is None
    assert gateway.read_refund(account, "re_0") is None
    assert gateway.read_dispute(account, "du_0") is None
    assert gateway.read_payout(account, "po_0") is None
    assert gateway.list_refunds(account, "pi_0") == ()
    assert gateway.list_disputes(account, "pi_0") == ()


def test_what_belongs_to_another_account_reads_as_nothing(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)
    other = world.gateway.create_account(SELLER, idempotency_key="account-ten_2-1").account_id

    assert world.gateway.read_checkout_session(other, session.session_id) is None


def test_a_session_is_open_and_made_once(world: StripeWorld, account: str, clock: FakeClock) -> None:
    first = opened(world, account, clock)
    again = opened(world, account, clock)

    assert first == again
    assert world.gateway.read_checkout_session(account, first.session_id) == first
    assert first.status is CheckoutStatus.OPEN
    assert first.payment_status is CheckoutPaymentStatus.UNPAID
    assert (first.amount_minor, first.currency) == (12_000, "EUR")
    assert first.expires_at == wanted(clock).expires_at
    assert first.url is not None
    assert first.payment_intent_id is None
    assert first.metadata == wanted(clock).metadata


def test_another_question_under_the_same_key_is_refused(world: StripeWorld, account: str, clock: FakeClock) -> None:
    opened(world, account, clock)

    with pytest.raises(StripeRefused, match="idempotency_error"):
        world.gateway.create_checkout_session(
            account, replace(wanted(clock), amount_minor=1), idempotency_key="checkout-12000"
        )


def test_an_account_that_may_not_take_payments_opens_no_session(world: StripeWorld, clock: FakeClock) -> None:
    made = world.gateway.create_account(SELLER, idempotency_key="account-ten_1-1")

    with pytest.raises(StripeRefused, match="account_invalid"):
        opened(world, made.account_id, clock)


@pytest.mark.parametrize("life", [timedelta(minutes=29), timedelta(hours=25)])
def test_a_session_lives_between_half_an_hour_and_a_day(
    world: StripeWorld, account: str, clock: FakeClock, life: timedelta
) -> None:
    asked = replace(wanted(clock), expires_at=clock.now() + life)

    with pytest.raises(StripeRefused):
        world.gateway.create_checkout_session(account, asked, idempotency_key="checkout-1")


def test_a_closed_session_stays_closed(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)

    first = world.gateway.expire_checkout_session(account, session.session_id)
    again = world.gateway.expire_checkout_session(account, session.session_id)

    assert first == again
    assert first.status is CheckoutStatus.EXPIRED
    assert first.url is None


def test_a_session_that_was_paid_is_not_closed_any_more(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)
    intent_id = world.confirm(account, session.session_id)

    found = world.gateway.expire_checkout_session(account, session.session_id)
    assert world.gateway.session_of_payment_intent(account, intent_id) == found
    assert world.gateway.session_of_payment_intent(account, "pi_of_no_session") is None

    assert found.status is CheckoutStatus.COMPLETE
    assert found.payment_status is CheckoutPaymentStatus.PAID
    assert found.payment_intent_id == intent_id
    assert found.url is None


def test_a_card_is_charged_at_once_with_its_fee(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent = paid(world, account, clock)

    assert intent.status is PaymentIntentStatus.SUCCEEDED
    assert (intent.amount_minor, intent.received_minor, intent.currency) == (12_000, 12_000, "EUR")
    assert intent.metadata == wanted(clock).metadata
    charge = intent.charge
    assert charge is not None
    assert (charge.paid, charge.disputed, charge.method, charge.refunded_minor) == (True, False, "card", 0)
    assert (charge.fee_minor, charge.net_minor, charge.application_fee_minor) == (205, 11_795, 0)
    assert charge.balance_transaction_id is not None


def test_the_platform_takes_its_part(world: StripeWorld, account: str, clock: FakeClock) -> None:
    charge = paid(world, account, clock, fee=120).charge

    assert charge is not None
    assert charge.application_fee_minor == 120
    assert charge.fee_minor == 205 + 120
    assert charge.net_minor == 12_000 - 325


def test_a_refused_card_leaves_the_page_open(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)
    intent_id = world.decline(account, session.session_id)

    intent = read(world, account, intent_id)
    after = world.gateway.read_checkout_session(account, session.session_id)

    assert intent.status is PaymentIntentStatus.REQUIRES_PAYMENT_METHOD
    assert intent.last_error_code == "card_declined"
    assert intent.received_minor == 0
    assert after is not None
    assert after.status is CheckoutStatus.OPEN
    assert after.payment_intent_id == intent_id
    assert world.confirm(account, session.session_id)


def test_a_debit_is_on_its_way_and_then_paid(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)
    intent_id = world.confirm(account, session.session_id, method="sepa_debit")

    waiting = read(world, account, intent_id)
    complete = world.gateway.read_checkout_session(account, session.session_id)
    world.settle(account, intent_id)
    settled = read(world, account, intent_id)
    paid_session = world.gateway.read_checkout_session(account, session.session_id)

    assert (waiting.status, waiting.received_minor) == (PaymentIntentStatus.PROCESSING, 0)
    assert waiting.charge is not None
    assert (waiting.charge.method, waiting.charge.paid, waiting.charge.fee_minor) == ("sepa_debit", False, None)
    assert complete is not None
    assert complete.status is CheckoutStatus.COMPLETE
    assert complete.payment_status is CheckoutPaymentStatus.UNPAID
    assert (settled.status, settled.received_minor) == (PaymentIntentStatus.SUCCEEDED, 12_000)
    assert settled.charge is not None
    assert settled.charge.paid
    assert settled.charge.fee_minor is not None
    assert settled.charge.net_minor == 12_000 - settled.charge.fee_minor
    assert paid_session is not None
    assert paid_session.payment_status is CheckoutPaymentStatus.PAID


def test_a_debit_that_the_bank_refuses_pays_nothing(world: StripeWorld, account: str, clock: FakeClock) -> None:
    session = opened(world, account, clock)
    intent_id = world.confirm(account, session.session_id, method="sepa_debit")
    world.settle(account, intent_id, success=False)

    intent = read(world, account, intent_id)
    after = world.gateway.read_checkout_session(account, session.session_id)

    assert intent.status is PaymentIntentStatus.REQUIRES_PAYMENT_METHOD
    assert intent.received_minor == 0
    assert intent.last_error_code == "debit_not_authorized"
    assert intent.charge is None or not intent.charge.paid
    assert after is not None
    assert (after.status, after.payment_status) == (CheckoutStatus.COMPLETE, CheckoutPaymentStatus.UNPAID)


def test_money_goes_back_once_for_each_key(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent = paid(world, account, clock)
    asked = RefundWanted(
        payment_intent_id=intent.payment_intent_id,
        amount_minor=2_000,
        reason="requested_by_customer",
        metadata={"refund_id": "ref_1"},
    )

    first = world.gateway.create_refund(account, asked, idempotency_key="refund-1")
    again = world.gateway.create_refund(account, asked, idempotency_key="refund-1")
    second = world.gateway.create_refund(account, replace(asked, amount_minor=10_000), idempotency_key="refund-2")

    assert first == again
    assert world.gateway.read_refund(account, first.refund_id) == first
    assert (first.amount_minor, first.currency, first.reason) == (2_000, "EUR", "requested_by_customer")
    assert first.status is StripeRefundStatus.SUCCEEDED
    assert first.payment_intent_id == intent.payment_intent_id
    assert intent.charge is not None
    assert first.charge_id == intent.charge.charge_id
    assert first.metadata == {"refund_id": "ref_1"}
    assert world.gateway.list_refunds(account, intent.payment_intent_id) == (first, second)
    charge = read(world, account, intent.payment_intent_id).charge
    assert charge is not None
    assert charge.refunded_minor == 12_000
    with pytest.raises(StripeRefused, match="charge_already_refunded"):
        world.gateway.create_refund(account, asked, idempotency_key="refund-3")


def test_no_more_goes_back_than_came(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent = paid(world, account, clock)
    asked = RefundWanted(payment_intent_id=intent.payment_intent_id, amount_minor=12_001)

    with pytest.raises(StripeRefused, match="amount_too_large"):
        world.gateway.create_refund(account, asked, idempotency_key="refund-1")


@pytest.mark.parametrize("fee", [0, 100])
def test_a_fee_goes_back_only_where_one_was_taken(world: StripeWorld, account: str, clock: FakeClock, fee: int) -> None:
    intent = paid(world, account, clock, fee=fee)
    asked = RefundWanted(payment_intent_id=intent.payment_intent_id, amount_minor=100, refund_application_fee=True)

    if fee:
        assert world.gateway.create_refund(account, asked, idempotency_key="refund-1").amount_minor == 100
        return
    with pytest.raises(StripeRefused):
        world.gateway.create_refund(account, asked, idempotency_key="refund-1")


def test_what_is_not_paid_is_not_refunded(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent_id = world.confirm(account, opened(world, account, clock).session_id, method="sepa_debit")

    with pytest.raises(StripeRefused):
        world.gateway.create_refund(
            account, RefundWanted(payment_intent_id=intent_id, amount_minor=100), idempotency_key="refund-1"
        )


def test_a_refund_from_the_dashboard_is_listed_and_may_come_back(
    world: StripeWorld, account: str, clock: FakeClock
) -> None:
    intent = paid(world, account, clock)
    refund_id = world.refund(account, intent.payment_intent_id, 5_000)
    world.fail_refund(account, refund_id)

    (found,) = world.gateway.list_refunds(account, intent.payment_intent_id)
    charge = read(world, account, intent.payment_intent_id).charge

    assert found.refund_id == refund_id
    assert found.status is StripeRefundStatus.FAILED
    assert found.failure_reason == "lost_or_stolen_card"
    assert charge is not None
    assert charge.refunded_minor == 0


def test_a_dispute_has_a_deadline_a_fee_and_an_end(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent = paid(world, account, clock)
    dispute_id = world.dispute(account, intent.payment_intent_id)

    found = world.gateway.read_dispute(account, dispute_id)
    charge = read(world, account, intent.payment_intent_id).charge
    assert found is not None
    assert world.gateway.list_disputes(account, intent.payment_intent_id) == (found,)
    assert found.status is DisputeStatus.NEEDS_RESPONSE
    assert (found.amount_minor, found.currency, found.fee_minor) == (12_000, "EUR", 2_000)
    assert found.payment_intent_id == intent.payment_intent_id
    assert charge is not None
    assert (charge.disputed, charge.charge_id) == (True, found.charge_id)
    assert found.evidence_due_by is not None
    assert found.evidence_due_by > clock.now()
    world.decide(account, dispute_id, won=False)
    lost = world.gateway.read_dispute(account, dispute_id)
    assert lost is not None
    assert (lost.status, lost.fee_minor) == (DisputeStatus.LOST, 2_000)


def test_every_movement_is_on_the_balance_latest_first(world: StripeWorld, account: str, clock: FakeClock) -> None:
    before, intent = clock.now(), paid(world, account, clock)
    clock.advance(timedelta(seconds=10))
    refund_id = world.refund(account, intent.payment_intent_id, 2_000)
    clock.advance(timedelta(seconds=10))
    dispute_id = world.dispute(account, paid(world, account, clock, 7_000).payment_intent_id)
    clock.advance(timedelta(seconds=10))
    world.decide(account, dispute_id, won=True)

    page = world.gateway.list_balance_transactions(account, since=before, before=clock.now() + timedelta(seconds=1))

    assert page.position is None
    moved = [(one.transaction_type, one.amount_minor, one.fee_minor, one.net_minor) for one in page.items]
    assert moved == [
        ("adjustment", 7_000, -2_000, 9_000),
        ("adjustment", -7_000, 2_000, -9_000),
        ("charge", 7_000, 130, 6_870),
        ("refund", -2_000, 0, -2_000),
        ("charge", 12_000, 205, 11_795),
    ]
    assert intent.charge is not None
    assert page.items[0].source_id == dispute_id
    assert page.items[3].source_id == refund_id
    assert page.items[4].source_id == intent.charge.charge_id
    assert {one.currency for one in page.items} == {"EUR"}


def test_what_something_moved_is_found_by_its_name(world: StripeWorld, account: str, clock: FakeClock) -> None:
    intent = paid(world, account, clock)
    refund_id = world.refund(account, intent.payment_intent_id, 2_000)
    dispute_id = world.dispute(account, paid(world, account, clock, 7_000).payment_intent_id)
    assert intent.charge is not None

    def amounts(source_id: str) -> list[int]:
        return [one.amount_minor for one in world.gateway.balance_transactions_of(account, source_id)]

    assert amounts(intent.charge.charge_id) == [12_000]
    assert amounts(refund_id) == [-2_000]
    assert amounts(dispute_id) == [-7_000]
    assert amounts("ch_unknown") == []


def test_the_balance_is_read_between_two_instants_page_by_page(
    world: StripeWorld, account: str, clock: FakeClock
) -> None:
    intent = paid(world, account, clock, 1_000_000)
    clock.advance(timedelta(seconds=10))
    since = clock.now()
    for _ in range(130):
        world.refund(account, intent.payment_intent_id, 1)
    clock.advance(timedelta(seconds=10))
    until = clock.now()
    world.refund(account, intent.payment_intent_id, 2)

    first = world.gateway.list_balance_transactions(account, since=since, before=until)
    rest = world.gateway.list_balance_transactions(account, since=since, before=until, after=first.position)

    assert (len(first.items), len(rest.items), rest.position) == (100, 30, None)
    assert len({one.balance_transaction_id for one in (*first.items, *rest.items)}) == 130
    assert {one.amount_minor for one in (*first.items, *rest.items)} == {-1}


SUBSCRIBER = SubscriberWanted(
    email="contact@exemple.fr", name="Exemple SARL", language="fr", metadata={"tenant_id": "ten_1"}
)


def subscription_wanted(world: StripeWorld, clock: FakeClock, *, trial_days: int = 0) -> SubscriptionWanted:
    world.sell("pro", 1_900)
    price = world.gateway.find_price("pro")
    assert price is not None
    return SubscriptionWanted(
        customer_id=world.gateway.create_subscriber(SUBSCRIBER, idempotency_key="subscriber-1"),
        price_id=price.price_id,
        trial_days=trial_days,
        language="fr",
        success_url="https://exemple.fr/merci",
        cancel_url="https://exemple.fr/offres",
        expires_at=(clock.now() + timedelta(hours=23)).replace(microsecond=0),
        metadata={"tenant_id": "ten_1", "plan": "pro"},
    )


def subscribed(world: StripeWorld, clock: FakeClock, *, trial_days: int = 0) -> StripeSubscription:
    asked = subscription_wanted(world, clock, trial_days=trial_days)
    page = world.gateway.create_subscription_page(asked, idempotency_key="subscription-1")
    world.subscribe(page.session_id)
    (found,) = world.gateway.list_subscriptions(asked.customer_id)
    return found


def test_a_price_is_found_by_its_name(world: StripeWorld) -> None:
    world.sell("pro", 1_900)

    price = world.gateway.find_price("pro")

    assert price is not None
    assert (price.lookup_key, price.amount_minor, price.currency, price.interval) == ("pro", 1_900, "EUR", "month")
    assert world.gateway.find_price("autre") is None


def test_a_subscriber_and_a_page_are_made_once_for_each_key(world: StripeWorld, clock: FakeClock) -> None:
    asked = subscription_wanted(world, clock)
    first = world.gateway.create_subscription_page(asked, idempotency_key="subscription-1")
    again = world.gateway.create_subscription_page(asked, idempotency_key="subscription-1")

    assert first == again == world.gateway.read_subscription_page(first.session_id)
    assert (first.status, first.amount_minor, first.currency) == (CheckoutStatus.OPEN, 1_900, "EUR")
    assert first.url is not None
    assert asked.customer_id == world.gateway.create_subscriber(SUBSCRIBER, idempotency_key="subscriber-1")
    assert asked.customer_id != world.gateway.create_subscriber(SUBSCRIBER, idempotency_key="subscriber-2")
    assert world.gateway.list_subscriptions(asked.customer_id) == ()
    assert world.gateway.read_subscription_page("cs_test_0") is None
    with pytest.raises(StripeRefused):
        world.gateway.create_subscription_page(replace(asked, customer_id="cus_0"), idempotency_key="other")


def test_a_trial_is_a_subscription_that_owes_nothing(world: StripeWorld, clock: FakeClock) -> None:
    found = subscribed(world, clock, trial_days=14)

    begun = clock.now().replace(microsecond=0)
    assert (found.status, found.lookup_key, found.plan, found.tenant_id) == (
        SubscriptionStatus.TRIALING, "pro", "pro", "ten_1",
    )  # fmt: skip
    assert found.trial_end == found.current_period_end == begun + timedelta(days=14)
    assert (found.failures, found.unpaid_since, found.ends_at, found.ended_at) == (0, None, None, None)


def test_what_is_paid_owes_nothing_until_a_card_is_refused(world: StripeWorld, clock: FakeClock) -> None:
    paid = subscribed(world, clock)
    world.fail_renewal(paid.customer_id, clock)
    (found,) = world.gateway.list_subscriptions(paid.customer_id)
    world.end(paid.subscription_id)
    (ended,) = world.gateway.list_subscriptions(paid.customer_id)

    assert (paid.status, paid.failures, paid.unpaid_since) == (SubscriptionStatus.ACTIVE, 0, None)
    assert (found.status, found.failures) == (SubscriptionStatus.PAST_DUE, 1)
    assert found.unpaid_since == clock.now().replace(microsecond=0)
    assert found.next_attempt_at == found.unpaid_since + timedelta(days=3)
    assert (ended.status, ended.ended_at) == (SubscriptionStatus.CANCELED, clock.now().replace(microsecond=0))


def test_the_portal_is_of_a_customer(world: StripeWorld) -> None:
    customer_id = world.gateway.create_subscriber(SUBSCRIBER, idempotency_key="subscriber-1")

    link = world.gateway.create_portal_link(customer_id, return_url="https://exemple.fr", language="fr")

    assert link.url.startswith("http")
    with pytest.raises(StripeRefused):
        world.gateway.create_portal_link("cus_0", return_url="https://exemple.fr", language="fr")
