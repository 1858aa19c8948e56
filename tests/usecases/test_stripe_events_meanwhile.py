"""What happens between two reads of an event: nothing is written, or said, by the older one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import timedelta

import pytest

from billing.domain.errors import Busy, CustomerCreditExceeded
from billing.domain.events import EventType
from billing.domain.stripe_payment import StripePaymentState
from billing.ports.stripe import StripeRefused
from billing.usecases.stripe_events import process_stripe_event
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_promises import Customer
from tests.usecases.test_notices import notices
from tests.usecases.test_stripe_guards import Interrupted


@pytest.fixture
def twice(shop: Shop) -> Customer:
    """An invoice whose payment became credit of the customer, whole."""
    return Customer.of(shop, (-1,))


def told_while(customer: Customer, act: Callable[[], None]) -> None:
    """An event of the payment that says nothing new; ``act`` after its record and Stripe were read, before its book."""
    till, [intent] = customer.till, customer.desks[0].payments
    event_id = till.told("payment_intent.succeeded", intent.payment_intent_id)
    checkouts = Interrupted(till.held.checkouts, "load", act, before=True)
    with contextlib.suppress(Busy):  # minutes passed meanwhile: the queue brings it again
        process_stripe_event(event_id, desk=till.desk(checkouts=checkouts))
    process_stripe_event(event_id, desk=till.desk())


def test_what_was_refused_meanwhile_is_promised_no_more(twice: Customer) -> None:
    desk = twice.desks[0]
    desk.ask_in_vain(0, 12_000)

    def refused() -> None:
        twice.till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
        twice.sweep()
        twice.till.stripe.refused.clear()
        assert twice.promised == {}

    told_while(twice, refused)
    for _ in range(40):  # nor is it promised again
        twice.shop.clock.advance(timedelta(days=1))
        twice.sweep()

    assert (twice.promised, twice.till.book.coming_back) == ({}, ())
    twice.apply(12_000)  # and is free


def test_what_was_booked_meanwhile_is_coming_back_no_more(twice: Customer) -> None:
    refund = twice.pending(0, 0, 6_000)
    told_while(twice, lambda: twice.end(refund, made=True))

    assert (twice.promised, twice.till.book.coming_back) == ({}, ())
    [paid] = twice.till.book.paid
    assert (paid.given_back_minor, paid.coming_back_minor) == (6_000, 0)
    twice.apply(6_000)


def test_what_was_asked_for_meanwhile_is_promised_still(twice: Customer) -> None:
    told_while(twice, lambda: twice.desks[0].ask_in_vain(0, 12_000))

    assert list(twice.promised.values()) == [12_000]
    with pytest.raises(CustomerCreditExceeded):
        twice.transfer(12_000)


def test_what_a_dispute_that_was_lost_meanwhile_gave_back_is_told(twice: Customer) -> None:
    till, [intent] = twice.till, twice.desks[0].payments
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)

    def is_lost() -> None:
        till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
        till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)

    told_while(twice, is_lost)
    [paid] = till.book.paid
    assert (paid.contested, paid.given_back_minor) == (False, 12_000)


@pytest.mark.parametrize(
    ("method", "event_type", "state"),
    [
        ("card", "payment_intent.succeeded", StripePaymentState.SUCCEEDED),
        ("sepa_debit", "payment_intent.processing", StripePaymentState.PROCESSING),
    ],
)
def test_who_pays_right_after_a_card_was_declined_did_not_fail(
    shop: Shop, method: str, event_type: str, state: StripePaymentState
) -> None:
    """The intent is read as it was declined, the page as it was done a moment later."""
    till = Till(shop)
    session_id = till.session_id()
    declined = till.stripe.decline(till.account_id, session_id)
    event_id = till.told("payment_intent.payment_failed", declined.payment_intent_id)
    pays = Interrupted(
        till.stripe, "read_payment_intent", lambda: till.stripe.confirm(till.account_id, session_id, method=method)
    )

    process_stripe_event(event_id, desk=till.desk(stripe=pays))
    till.tell(event_type, declined.payment_intent_id)

    assert till.record(declined).state is state
    assert EventType.ONLINE_PAYMENT_FAILED not in {one.event_type for one in shop.events(till.invoice.invoice_id)}
    assert notices(shop) == []
    assert till.counted["PaymentAttempted"] == till.counted["PaymentFailed"] + 1
    assert till.counted["PaymentFailed"] == 1  # the card that was declined
