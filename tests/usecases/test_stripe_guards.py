"""Older answers of Stripe, and others who write in between: what keeps the books right where two readings differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from billing.domain.checkout import AttemptState
from billing.domain.errors import RefundExceedsPayment
from billing.domain.invoice import IssuedInvoice
from billing.domain.stripe import CheckoutSession, CheckoutStatus, StripeRefund, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_payment import REQUEST_KEY, RequestState
from billing.ports.stripe import RefundWanted, StripeRefused
from billing.usecases.stripe_events import Processed
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_payments import Till as Books
from tests.usecases.test_stripe_refunds import Refunds

DONE = Processed(state=InboxState.DONE)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


@pytest.fixture
def refunds(shop: Shop) -> Refunds:
    return Refunds(shop)


class Interrupted:
    """A port; once, somebody else acts right before or right after it is asked. What it says then is the older."""

    def __init__(self, port: Any, method: str, act: Callable[[], object], *, before: bool = False) -> None:
        self._port, self._method, self._act, self._before = port, method, act, before

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name != self._method:
            return member

        def asked(*args: Any, **kwargs: Any) -> Any:
            act, self._act = self._act, lambda: None
            if self._before:
                act()
            found = member(*args, **kwargs)
            if not self._before:
                act()
            return found

        return asked


def books_of(till: Till, *invoices: IssuedInvoice) -> Books:
    books = Books.__new__(Books)
    books.shop, books.customer_id, books.invoices = till.shop, till.invoice.document.customer_id, list(invoices)
    return books


def other_credit(till: Till, amount_minor: int) -> None:
    """The customer has credit that came from elsewhere: an invoice that was paid by transfer, and credited."""
    first = till.invoice
    other = till.issue(till.shop.wanted(first.document.customer_id))
    till.shop.pay(other.invoice_id, amount_minor)
    credit(till.shop, other.invoice_id)
    till.invoice = first
    assert till.credit() == amount_minor


# Older answers


def test_what_was_read_before_another_wrote_is_read_again(till: Till) -> None:
    """The first card is declined, then the second: whoever still holds the first answer does not write it last."""
    session_id = till.session_id()
    intent = till.stripe.decline(till.account_id, session_id, code="insufficient_funds")
    events = [till.told("payment_intent.payment_failed", intent.payment_intent_id) for _ in range(2)]

    def second_card() -> None:
        till.stripe.decline(till.account_id, session_id, code="expired_card")
        assert till.process(events[1]) == DONE

    stripe = Interrupted(till.stripe, "read_payment_intent", second_card)
    assert till.process(events[0], stripe=stripe) == DONE

    assert till.record(intent).last_error_code == "expired_card"


def test_an_older_decision_on_a_dispute_is_not_written_last(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    named = {"parent_id": intent.payment_intent_id}
    events = [till.told("charge.dispute.closed", dispute.dispute_id, **named) for _ in range(2)]

    def won_after_all() -> None:
        till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
        assert till.process(events[1]) == DONE

    stripe = Interrupted(till.stripe, "list_disputes", won_after_all)
    assert till.process(events[0], stripe=stripe) == DONE

    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_fact_that_another_booked_since_the_record_was_read_is_booked_once(till: Till, comes_back: bool) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    named = {"parent_id": intent.payment_intent_id}
    if comes_back:
        till.tell("refund.created", refund.refund_id, **named)
        till.stripe.fail_refund(till.account_id, refund.refund_id)
    events = [till.told("refund.updated", refund.refund_id, **named) for _ in range(2)]
    payments = Interrupted(till.held.payments, "read", lambda: till.process(events[1]), before=True)

    assert till.process(events[0], payments=payments) == DONE

    assert till.stored().ledger.balance_minor == (0 if comes_back else 5_000)
    assert till.counted["StripeEventParked"] == 0
    till.adds_up()


def test_what_fits_by_now_is_not_parked_on_an_older_reading(till: Till) -> None:
    """A refund that fitted nowhere is known already, so that nothing of the record changes but by booking it."""
    intent = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    books = books_of(till, till.issue(till.shop.wanted(till.invoice.document.customer_id)))
    spent = books.apply(None)
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    assert till.tell("charge.refunded", intent.payment_intent_id).reason is ParkReason.NOTHING_TO_REFUND
    events = [till.told("charge.refunded", intent.payment_intent_id) for _ in range(2)]

    def makes_room() -> None:
        books.reverse(spent)
        assert till.process(events[1]) == DONE

    payments = Interrupted(till.held.payments, "read", makes_room)
    parked = till.counted["StripeEventParked"]

    assert till.process(events[0], payments=payments) == DONE

    assert till.counted["StripeEventParked"] == parked
    assert till.credit() == 0
    till.adds_up()


# Pages that are not of the attempt that they name


def expired(till: Till, **changes: Any) -> CheckoutSession:
    """A page that ended without a payment, made from the one that is open."""
    session = till.stripe.sessions[till.account_id, till.session_id()]
    other = replace(session, session_id="cs_test_other", status=CheckoutStatus.EXPIRED, url=None, **changes)
    till.stripe.sessions[till.account_id, other.session_id] = other
    return other


def test_a_page_that_only_names_the_attempt_does_not_end_it(till: Till) -> None:
    other = expired(till)

    assert till.tell("checkout.session.expired", other.session_id) == DONE

    assert till.attempt_state() is AttemptState.OPEN


def test_a_page_that_names_another_company_ends_nothing(till: Till) -> None:
    session = till.stripe.sessions[till.account_id, till.session_id()]
    theirs = {**session.metadata, "tenant_id": "ten_other"}
    till.stripe.sessions[till.account_id, session.session_id] = replace(
        session, status=CheckoutStatus.EXPIRED, url=None, metadata=theirs
    )

    assert till.tell("checkout.session.expired", session.session_id).state is not InboxState.DONE

    assert till.attempt_state() is AttemptState.OPEN


# More than there is


def test_what_is_on_its_way_counts_when_the_books_are_asked_what_they_bear(refunds: Refunds) -> None:
    till = refunds.till
    credit(till.shop, till.invoice.invoice_id)
    books_of(till, till.issue(till.shop.wanted(till.invoice.document.customer_id))).apply(10_000)
    assert till.credit() == 2_000
    till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, 1_500, status=StripeRefundStatus.PENDING)
    till.tell("charge.refunded", refunds.intent.payment_intent_id)

    with pytest.raises(RefundExceedsPayment, match="€5"):
        refunds.ask(1_000)

    assert refunds.at_stripe == [1_500]


def test_a_payment_that_was_given_back_takes_no_credit_from_elsewhere(refunds: Refunds) -> None:
    other_credit(refunds.till, 5_000)
    refunds.ask(12_000)

    with pytest.raises(RefundExceedsPayment, match="€0"):
        refunds.ask(1_000)

    assert refunds.at_stripe == [12_000]


def test_more_than_was_paid_never_goes_back_in_the_books(till: Till) -> None:
    """The bank took all of it, and money goes back besides: the credit that came from elsewhere is not for that."""
    intent = till.paid()
    other_credit(till, 5_000)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    named = {"parent_id": intent.payment_intent_id}
    assert till.tell("charge.dispute.closed", dispute.dispute_id, **named) == DONE
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)

    assert till.tell("refund.created", refund.refund_id, **named).reason is ParkReason.NOTHING_TO_REFUND

    assert till.credit() == 5_000
    till.adds_up()


def test_what_stripe_accepted_is_not_refused_by_a_later_no(refunds: Refunds, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event was quicker than the answer, and the answer is a refusal."""
    till, pi = refunds.till, refunds.intent.payment_intent_id

    def told_and_refused(account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        made = till.stripe.refund(account_id, pi, wanted.amount_minor, of=wanted.metadata)
        assert made.metadata[REQUEST_KEY]
        till.tell("refund.created", made.refund_id, parent_id=pi)
        raise StripeRefused("idempotency_error", status=400)

    monkeypatch.setattr(till.stripe, "create_refund", told_and_refused)

    assert refunds.ask(5_000).refunded_minor == 5_000

    assert [one.state for one in till.record(refunds.intent).requests] == [RequestState.ACCEPTED]
    assert refunds.balance() == 5_000
