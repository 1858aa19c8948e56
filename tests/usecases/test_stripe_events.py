"""What Stripe tells comes to the ledger once, as the objects stand, whatever order the events come in; what does not
fit is parked and applied in no part.
"""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.api.fields import PAYMENT_ID
from billing.domain.checkout import AttemptState, method_of
from billing.domain.customer_account import MovementKind
from billing.domain.errors import DependencyUnavailable
from billing.domain.events import EventType
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.payments import PaymentState, RefundCause
from billing.domain.stripe import (
    CheckoutStatus,
    DisputeStatus,
    PaymentIntent,
    PaymentIntentStatus,
    StripePayout,
    StripeRefundStatus,
)
from billing.domain.stripe_connection import ConnectionState
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_payment import StripePaymentState, derived_id
from billing.usecases.stripe_events import Processed
from tests.fakes.clock import MORNING
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_currencies import DOLLARS
from tests.usecases.test_payments import Till as Books
from tests.usecases.test_reconciliations import night

DONE = Processed(state=InboxState.DONE)
LAST_CALL = 16  # of the ports, in the run that books most


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def money(till: Till) -> dict[str, int]:
    ledger = till.stored().ledger
    return {"kept": ledger.kept_minor, "balance": ledger.balance_minor, "credit": till.credit()}


# What succeeded


def test_a_payment_that_succeeded_settles_its_invoice_once(till: Till) -> None:
    intent = till.confirm()

    for event_type in ("payment_intent.succeeded", "charge.succeeded", "checkout.session.completed"):
        about = {"payment_intent.succeeded": intent.payment_intent_id}.get(event_type)
        session = next(one.session_id for one in till.sessions)
        charge = intent.charge.charge_id if intent.charge else ""
        about = about or (charge if event_type.startswith("charge") else session)
        assert till.tell(event_type, about, parent_id=intent.payment_intent_id) == DONE

    [payment] = till.payments
    assert payment == till.payment(intent)
    assert (payment.amount_minor, payment.method, payment.payment_intent_id) == (
        12_000,
        PaymentMethod.CARD,
        intent.payment_intent_id,
    )
    assert intent.charge is not None
    assert (payment.fee_minor, payment.net_minor) == (intent.charge.fee_minor, intent.charge.net_minor)
    assert till.stored().ledger.status is InvoiceStatus.PAID
    assert till.attempt_state() is AttemptState.SUCCEEDED
    record = till.record(intent)
    assert (record.state, record.application_fee_minor) == (StripePaymentState.SUCCEEDED, 60)
    assert till.counted == {"PaymentAttempted": 1, "PaymentSucceeded": 1}
    till.adds_up()


def test_a_part_is_paid_where_the_company_allows_it(till: Till) -> None:
    till.paid(5_000)

    assert money(till) == {"kept": 5_000, "balance": 7_000, "credit": 0}
    till.paid()
    assert money(till) == {"kept": 12_000, "balance": 0, "credit": 0}
    assert len(till.payments) == 2
    till.adds_up()


@pytest.mark.parametrize("meanwhile", ["paid", "credited", "partly"])
def test_what_the_invoice_no_longer_owes_is_credit_of_the_customer(till: Till, meanwhile: str) -> None:
    intent = till.confirm()
    if meanwhile == "paid":
        till.pay(12_000)
    elif meanwhile == "partly":
        till.pay(2_000)
    else:
        credit(till.shop, till.invoice.invoice_id)

    assert till.tell("payment_intent.succeeded", intent.payment_intent_id) == DONE

    kept = 10_000 if meanwhile == "partly" else 0
    payment = till.payment(intent)
    assert (payment.allocated_minor, payment.credited_minor) == (kept, 12_000 - kept)
    assert till.credit() == 12_000 - kept
    till.adds_up()


def test_in_another_currency_an_excess_is_parked_and_nobody_is_asked_to_pay_again(till: Till) -> None:
    till.issue(till.shop.wanted(till.shop.customer().customer_id, particulars=DOLLARS))
    intent = till.confirm()
    till.pay(2_000)

    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.EXCESS_IN_OTHER_CURRENCY)
    assert till.stored().ledger.balance_minor == 10_000
    assert till.attempt_state() is AttemptState.PROCESSING
    assert till.counted["StripeEventParked"] == 1
    assert till.counted["PaymentSucceeded"] == 0


def test_in_another_currency_the_exact_amount_is_booked(till: Till) -> None:
    till.issue(till.shop.wanted(till.shop.customer().customer_id, particulars=DOLLARS))

    intent = till.paid()

    assert till.payment(intent).currency == "USD"
    assert till.stored().ledger.balance_minor == 0


@pytest.mark.parametrize("state", [AttemptState.EXPIRED, AttemptState.FAILED])
def test_money_that_comes_after_the_attempt_ended_is_booked_all_the_same(till: Till, state: AttemptState) -> None:
    intent = till.confirm()
    till.held.checkouts.save(till.book.moved(till.current.number, state, till.shop.clock.now()))

    assert till.tell("payment_intent.succeeded", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 0
    assert till.attempt_state() is AttemptState.SUCCEEDED


def test_fees_that_stripe_tells_later_are_added(till: Till) -> None:
    intent = till.confirm()
    assert intent.charge is not None
    unsettled = replace(intent, charge=replace(intent.charge, fee_minor=None, net_minor=None))
    till.stripe.intents[till.account_id, intent.payment_intent_id] = unsettled
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    assert till.payment(intent).fee_minor is None
    till.stripe.intents[till.account_id, intent.payment_intent_id] = intent

    assert till.tell("charge.updated", intent.charge.charge_id, parent_id=intent.payment_intent_id) == DONE

    payment = till.payment(intent)
    assert (payment.fee_minor, payment.net_minor) == (intent.charge.fee_minor, intent.charge.net_minor)
    till.adds_up()


# A debit takes days


def test_a_debit_on_its_way_blocks_another_attempt_and_moves_nothing(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")

    assert till.tell("payment_intent.processing", intent.payment_intent_id) == DONE

    assert till.attempt_state() is AttemptState.PROCESSING
    assert till.payments == []
    assert till.counted == {"PaymentAttempted": 1}
    assert EventType.ONLINE_PAYMENT_PROCESSING in {one.event_type for one in till.shop.events(till.invoice.invoice_id)}
    till.stripe.settle(till.account_id, intent.payment_intent_id)
    till.tell("checkout.session.async_payment_succeeded", next(one.session_id for one in till.sessions))
    assert till.payment(intent).method is PaymentMethod.DIRECT_DEBIT
    assert till.counted == {"PaymentAttempted": 1, "PaymentSucceeded": 1}


def test_a_debit_that_the_bank_refuses_frees_the_invoice(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)

    till.tell("checkout.session.async_payment_failed", next(one.session_id for one in till.sessions))
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    assert till.attempt_state() is AttemptState.FAILED
    assert till.current.failure_code == "debit_not_authorized"
    assert till.payments == []
    assert till.counted == {"PaymentAttempted": 1, "PaymentFailed": 1}
    again = till.paid()
    assert till.payment(again).amount_minor == 12_000
    till.adds_up()


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_whatever_order_events_come_in_the_end_is_the_same(till: Till, order: tuple[int, ...]) -> None:
    intent = till.confirm(method="sepa_debit")
    session_id = next(one.session_id for one in till.sessions)
    events = [
        till.told("payment_intent.processing", intent.payment_intent_id),
        till.told("checkout.session.completed", session_id),
        till.told("payment_intent.succeeded", intent.payment_intent_id),
        till.told("checkout.session.async_payment_succeeded", session_id),
    ]
    ended = []
    for place, which in enumerate(order):
        if place == 1:
            till.stripe.settle(till.account_id, intent.payment_intent_id)
        ended.append(till.process(events[which]))

    assert ended == [DONE] * 4
    assert money(till) == {"kept": 12_000, "balance": 0, "credit": 0}
    assert till.counted == {"PaymentAttempted": 1, "PaymentSucceeded": 1}


@pytest.mark.parametrize("outcome", ["succeeded", "declined", "parked"])
def test_wherever_the_processing_dies_each_fact_is_counted_once(till: Till, outcome: str) -> None:
    if outcome == "declined":
        intent, event_type = till.stripe.decline(till.account_id, till.session_id()), "payment_intent.payment_failed"
    else:
        intent, event_type = till.confirm(), "payment_intent.succeeded"
    if outcome == "parked":
        key = till.account_id, intent.payment_intent_id
        till.stripe.intents[key] = replace(intent, received_minor=1)
    event_id = till.told(event_type, intent.payment_intent_id)
    for at, after in itertools.product(range(1, 40), (False, True)):
        crash = CrashPoint(at=at, after=after)
        watched = ("inbox", "stripe", "connections", "checkouts", "stripe_payments", "payments")
        desk = till.desk()
        with contextlib.suppress(Crashed):
            till.process(event_id, **{name: crash.watch(getattr(desk, name)) for name in watched})

    assert (
        till.counted
        == {
            "succeeded": {"PaymentAttempted": 1, "PaymentSucceeded": 1},
            "declined": {"PaymentAttempted": 1, "PaymentFailed": 1},
            "parked": {"StripeEventParked": 1},
        }[outcome]
    )


def test_a_declined_card_is_counted_and_the_page_stays_open(till: Till) -> None:
    session_id = till.session_id()
    intents = [till.stripe.decline(till.account_id, session_id) for _ in range(2)]
    for intent in intents:
        till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    assert till.attempt_state() is AttemptState.OPEN
    assert till.counted == {"PaymentAttempted": 2, "PaymentFailed": 2}
    assert till.record(intents[-1]).failures == 2


@pytest.mark.parametrize("method", ["card", "sepa_debit"])
def test_what_is_paid_after_a_declined_card_is_told_without_its_failure(till: Till, method: str) -> None:
    session_id = till.session_id()
    declined = till.stripe.decline(till.account_id, session_id, code="insufficient_funds")
    till.tell("payment_intent.payment_failed", declined.payment_intent_id)
    intent = till.stripe.confirm(till.account_id, session_id, method=method)
    assert intent.payment_intent_id == declined.payment_intent_id
    till.tell("payment_intent.processing", intent.payment_intent_id)
    if method == "sepa_debit":
        till.stripe.settle(till.account_id, intent.payment_intent_id)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    told = [one for one in till.shop.events(till.invoice.invoice_id) if "failure_code" in one.data]
    assert EventType.ONLINE_PAYMENT_SUCCEEDED in {one.event_type for one in told}
    assert {one.data["failure_code"] for one in told} == {""}


def test_an_expired_page_frees_the_invoice(till: Till) -> None:
    session_id = till.session_id()
    assert till.tell("checkout.session.expired", session_id) == DONE
    assert till.attempt_state() is AttemptState.OPEN  # it is read again, and it is not
    till.stripe.expire_checkout_session(till.account_id, session_id)

    assert till.tell("checkout.session.expired", session_id) == DONE

    assert till.attempt_state() is AttemptState.EXPIRED


def test_a_page_that_expires_after_a_declined_card_frees_the_invoice(till: Till) -> None:
    session_id = till.session_id()
    till.stripe.decline(till.account_id, session_id)
    till.stripe.expire_checkout_session(till.account_id, session_id)

    till.tell("checkout.session.expired", session_id)

    assert till.attempt_state() is AttemptState.EXPIRED


def test_a_canceled_intent_frees_the_invoice(till: Till) -> None:
    intent = till.stripe.decline(till.account_id, till.session_id())
    till.stripe.cancel(till.account_id, intent.payment_intent_id)

    till.tell("payment_intent.canceled", intent.payment_intent_id)

    assert till.attempt_state() is AttemptState.EXPIRED


# What does not fit


def changed(till: Till, intent: PaymentIntent, **changes: Any) -> None:
    till.stripe.intents[till.account_id, intent.payment_intent_id] = replace(intent, **changes)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_minor": 50, "received_minor": 50}, ParkReason.OTHER_AMOUNT),
        ({"received_minor": 50}, ParkReason.OTHER_AMOUNT),
        ({"currency": "USD"}, ParkReason.OTHER_CURRENCY),
    ],
)
def test_another_amount_or_currency_is_parked_whole(till: Till, changes: dict[str, Any], reason: ParkReason) -> None:
    intent = till.confirm()
    changed(till, intent, **changes)

    for event_type in ("payment_intent.succeeded", "charge.refunded"):
        ended = till.tell(event_type, intent.payment_intent_id)
        assert (ended.state, ended.reason, ended.subject) == (InboxState.PARKED, reason, intent.payment_intent_id)

    assert till.payments == []
    assert till.stored().ledger.balance_minor == 12_000
    assert till.attempt_state() is AttemptState.OPEN
    assert till.counted == {"StripeEventParked": 2}


@pytest.mark.parametrize("noted", [False, True])
def test_on_another_account_than_the_one_that_was_asked_nothing_is_ours(till: Till, *, noted: bool) -> None:
    """Where the attempt itself knows the payment, its account is a contradiction."""
    intent = till.confirm()
    if noted:
        book = till.book.moved(
            1, AttemptState.PROCESSING, till.shop.clock.now(), payment_intent_id=intent.payment_intent_id
        )
        till.held.checkouts.save(book)
    other = till.connect()
    assert other != till.account_id
    till.stripe.intents[other, intent.payment_intent_id] = replace(intent, application_id="")

    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id, account_id=other)

    expected = (InboxState.PARKED, ParkReason.OTHER_ACCOUNT) if noted else (InboxState.IGNORED, ParkReason.NOT_OURS)
    assert (ended.state, ended.reason) == expected
    assert till.payments == []


def test_an_unknown_account_is_parked_and_an_unknown_object_too(till: Till) -> None:
    intent = till.confirm()

    unknown = till.tell("payment_intent.succeeded", intent.payment_intent_id, account_id="acct_unknown")
    gone = till.tell("payment_intent.succeeded", "pi_gone")

    assert unknown.reason is ParkReason.UNKNOWN_ACCOUNT
    assert gone.reason is ParkReason.NOT_AT_STRIPE


def test_what_the_company_takes_beside_zenbilling_is_ignored(till: Till) -> None:
    intent = till.confirm()
    changed(till, intent, metadata={"order": "7"})

    assert till.tell("payment_intent.succeeded", intent.payment_intent_id).state is InboxState.IGNORED
    assert till.tell("charge.succeeded", "ch_none").state is InboxState.IGNORED
    assert till.payments == []


@pytest.mark.parametrize("event_type", ["customer.created", "invoice.paid", "balance.available", "some.thing.new"])
def test_unknown_types_are_kept_and_ignored(till: Till, event_type: str) -> None:
    event_id = till.told(event_type, "pi_1")

    assert till.process(event_id).state is InboxState.IGNORED
    assert till.held.stripe_inbox.read(event_id) is not None


def test_events_of_the_platform_itself_and_unknown_ids_are_left_alone(till: Till) -> None:
    assert till.tell("payment_intent.succeeded", "pi_1", account_id="").state is InboxState.IGNORED
    assert till.process("evt_unknown").state is None


def test_metadata_that_somebody_changes_at_stripe_changes_nothing_here(till: Till) -> None:
    intent = till.paid()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    refunded = till.stripe.intents[till.account_id, intent.payment_intent_id]
    for metadata in ({}, {"tenant_id": "ten_other", "invoice_id": "inv_other", "attempt": "1"}):
        changed(till, refunded, metadata=metadata)
        assert till.tell("charge.refunded", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 5_000


# Refunds, from either side


def test_a_refund_made_at_stripe_reopens_the_invoice(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)

    for event_type, about in (("refund.created", refund.refund_id), ("charge.refunded", refund.charge_id or "")):
        assert till.tell(event_type, about, parent_id=intent.payment_intent_id) == DONE

    assert money(till) == {"kept": 7_000, "balance": 5_000, "credit": 0}
    [mirrored] = till.payment(intent).refunds
    assert (mirrored.amount_minor, mirrored.cause) == (5_000, RefundCause.REQUEST)
    till.adds_up()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 7_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    assert till.payment(intent).state is PaymentState.REFUNDED
    till.adds_up()


def test_a_refund_is_found_from_its_own_id_alone(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)

    assert till.tell("refund.updated", refund.refund_id, parent_id="ch_of_it") == DONE
    assert till.stored().ledger.balance_minor == 5_000


def test_a_refund_and_its_payment_told_at_once_are_both_booked(till: Till) -> None:
    intent = till.confirm()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)

    assert till.tell("charge.refunded", intent.payment_intent_id) == DONE

    assert till.payment(intent).state is PaymentState.REFUNDED
    assert till.counted == {"PaymentAttempted": 1, "PaymentSucceeded": 1}
    till.adds_up()


def test_a_refund_takes_what_the_payment_left_as_credit(till: Till) -> None:
    intent = till.confirm()
    till.pay(2_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    assert till.credit() == 2_000
    till.stripe.refund(till.account_id, intent.payment_intent_id, 11_000)

    till.tell("charge.refunded", intent.payment_intent_id)

    [refund] = till.payment(intent).refunds
    assert (refund.from_credit_minor, till.credit()) == (1_000, 1_000)
    assert till.stored().ledger.balance_minor == 10_000
    till.adds_up()


def test_a_refund_after_a_credit_note_takes_the_credit_that_it_released(till: Till) -> None:
    intent = till.paid()
    credit(till.shop, till.invoice.invoice_id)
    assert till.credit() == 12_000
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)

    assert till.tell("charge.refunded", intent.payment_intent_id) == DONE

    assert till.credit() == 0
    assert till.stored().ledger.status is InvoiceStatus.CANCELLED
    till.adds_up()


def test_a_refund_that_fits_nowhere_is_parked_and_fits_later(till: Till) -> None:
    intent = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    customer_id = till.invoice.document.customer_id
    other = till.issue(till.shop.wanted(customer_id))
    books = Books.__new__(Books)
    books.shop, books.customer_id, books.invoices = till.shop, customer_id, [other]
    spent = books.apply(None)
    assert till.credit() == 0
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)

    event_id = till.told("charge.refunded", intent.payment_intent_id)
    assert till.process(event_id).reason is ParkReason.NOTHING_TO_REFUND
    till.adds_up()

    books.reverse(spent)
    entry = till.held.stripe_inbox.read(event_id)
    assert entry is not None
    till.held.stripe_inbox.save(entry.taken_up(till.shop.clock.now()))
    assert till.process(event_id) == DONE
    assert till.credit() == 0
    till.adds_up()


def test_a_pending_refund_is_shown_and_moves_nothing(till: Till) -> None:
    intent = till.paid(method="sepa_debit")
    pending = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000, status=StripeRefundStatus.PENDING)

    till.tell("refund.created", pending.refund_id, parent_id=intent.payment_intent_id)

    assert till.stored().ledger.balance_minor == 0
    assert till.record(intent).refund(pending.refund_id).status is StripeRefundStatus.PENDING
    till.stripe.fail_refund(till.account_id, pending.refund_id)
    till.tell("refund.failed", pending.refund_id, parent_id=intent.payment_intent_id)
    assert till.payment(intent).refunds == ()
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_a_refund_that_the_bank_sends_back_settles_the_invoice_again(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
    till.shop.clock.advance(timedelta(days=4))
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    for event_type in ("refund.failed", "charge.refund.updated", "refund.updated"):
        assert till.tell(event_type, refund.refund_id, parent_id=intent.payment_intent_id) == DONE

    assert money(till) == {"kept": 12_000, "balance": 0, "credit": 0}
    payment = till.payment(intent)
    assert (payment.refunded_minor, len(payment.refunds), len(payment.returns)) == (0, 1, 1)
    last = till.held.store.events[payment.tenant_id, payment.payment_id][-1]
    assert last.event_type is EventType.PAYMENT_REFUND_RETURNED
    assert (last.data["amount_minor"], last.data["refund_amount_minor"]) == (12_000, 5_000)
    kinds = [line.movement.kind for line in till.statement().lines]
    assert kinds == [MovementKind.INVOICE, MovementKind.PAYMENT, MovementKind.REFUND, MovementKind.REFUND_RETURNED]
    till.adds_up()
    # and it can be refunded once more
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    assert till.payment(intent).state is PaymentState.REFUNDED
    till.adds_up()


@pytest.mark.parametrize("meanwhile", ["paid", "partly", "credited"])
def test_a_refund_that_comes_back_too_late_is_credit_of_the_customer(till: Till, meanwhile: str) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
    if meanwhile == "credited":
        credit(till.shop, till.invoice.invoice_id)
    else:
        till.pay(12_000 if meanwhile == "paid" else 2_000)
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    assert till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id) == DONE

    assert till.credit() == (2_000 if meanwhile == "partly" else 12_000)
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


# Disputes


def test_a_dispute_moves_the_ledger_when_it_is_lost(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)

    assert till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id) == DONE
    assert till.stored().ledger.balance_minor == 0
    shown = till.record(intent).dispute(dispute.dispute_id)
    assert (shown.status, shown.evidence_due_by) == (DisputeStatus.NEEDS_RESPONSE, dispute.evidence_due_by)
    assert till.counted["PaymentDisputed"] == 1
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    for event_type in ("charge.dispute.closed", "charge.dispute.updated", "charge.dispute.funds_withdrawn"):
        assert till.tell(event_type, dispute.dispute_id, parent_id=intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 12_000
    [refund] = till.payment(intent).refunds
    assert (refund.cause, refund.amount_minor) == (RefundCause.DISPUTE, 12_000)
    told = till.shop.events(till.invoice.invoice_id)
    assert [one.data["status"] for one in told if one.event_type is EventType.PAYMENT_DISPUTE_MOVED] == [
        "needs_response",
        "lost",
    ]
    assert till.counted["PaymentDisputed"] == 1
    till.adds_up()


def test_a_dispute_that_is_won_moves_nothing(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)

    assert till.tell("charge.dispute.closed", dispute.dispute_id) == DONE

    assert till.payment(intent).refunds == ()
    assert till.record(intent).dispute(dispute.dispute_id).status is DisputeStatus.WON
    till.adds_up()


def test_an_inquiry_moves_nothing(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    for status in (DisputeStatus.WARNING_NEEDS_RESPONSE, DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED):
        key = (till.account_id, dispute.dispute_id)
        till.stripe.disputes[key] = replace(till.stripe.disputes[key], status=status)
        assert till.tell("charge.dispute.updated", dispute.dispute_id, parent_id=intent.payment_intent_id) == DONE

    assert till.payment(intent).refunds == ()
    assert till.stored().ledger.balance_minor == 0


def test_a_lost_dispute_that_is_won_after_all_gives_the_money_back(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)

    till.tell("charge.dispute.funds_reinstated", dispute.dispute_id)

    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_a_dispute_follows_its_last_decision(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    for won, balance in ((False, 12_000), (True, 0), (False, 12_000), (True, 0), (False, 12_000)):
        till.stripe.decide(till.account_id, dispute.dispute_id, won=won)
        for _ in range(2):
            assert till.tell("charge.dispute.closed", dispute.dispute_id) == DONE

        assert till.stored().ledger.balance_minor == balance
    assert len({one.refund_id for one in till.payment(intent).refunds}) == 3
    till.adds_up()


def test_a_dispute_that_comes_back_to_where_it_stood_is_told_again(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    for won in (True, False, True):
        till.shop.clock.advance(timedelta(minutes=1))
        till.stripe.decide(till.account_id, dispute.dispute_id, won=won)
        for _ in range(2):
            assert till.tell("charge.dispute.closed", dispute.dispute_id) == DONE

    told = till.shop.events(till.invoice.invoice_id)
    moves = [one for one in told if one.event_type is EventType.PAYMENT_DISPUTE_MOVED]
    assert [one.data["status"] for one in moves] == ["won", "lost", "won"]
    assert len({one.event_id for one in moves}) == 3  # the table refuses an event that is there


def test_a_dispute_of_more_than_is_left_books_what_is_left_and_is_parked_once(till: Till) -> None:
    intent = till.paid()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 4_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, 12_000)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    ended = till.tell("charge.dispute.closed", dispute.dispute_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.NOTHING_TO_REFUND)
    assert ended.subject == dispute.dispute_id
    assert till.stored().ledger.balance_minor == 12_000
    assert till.payment(intent).refunded_minor == 12_000
    assert till.tell("charge.dispute.updated", dispute.dispute_id) == DONE
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
    assert till.tell("charge.dispute.closed", dispute.dispute_id) == DONE
    assert till.stored().ledger.balance_minor == 4_000
    till.adds_up()


def test_a_dispute_in_another_currency_is_parked(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, 9_000)
    till.stripe.disputes[till.account_id, dispute.dispute_id] = replace(dispute, currency="USD")
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    for _ in range(2):
        ended = till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
        assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.OTHER_CURRENCY)

    assert till.stored().ledger.balance_minor == 0


def test_many_refunds_at_once_are_all_booked(till: Till) -> None:
    intent = till.paid()
    for _ in range(105):
        till.stripe.refund(till.account_id, intent.payment_intent_id, 10)

    assert till.tell("charge.refunded", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 1_050
    assert len(till.record(intent).sources) <= 61
    assert night(till).differing == 0
    till.adds_up()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_minor": 50, "received_minor": 50}, ParkReason.OTHER_AMOUNT),
        ({"currency": "USD"}, ParkReason.OTHER_CURRENCY),
    ],
)
def test_what_is_known_is_compared_when_the_attempt_is_forgotten(
    till: Till, changes: dict[str, Any], reason: ParkReason
) -> None:
    intent = till.paid()
    till.held.store.checkout_books.clear()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    changed(till, till.stripe.intents[till.account_id, intent.payment_intent_id], **changes)

    ended = till.tell("charge.refunded", intent.payment_intent_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, reason)
    assert till.stored().ledger.balance_minor == 0


def test_a_known_payment_of_another_account_is_parked_when_the_attempt_is_forgotten(till: Till) -> None:
    intent = till.paid()
    till.held.store.checkout_books.clear()
    other = till.connect()
    till.stripe.intents[other, intent.payment_intent_id] = replace(intent, application_id="")

    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id, account_id=other)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.OTHER_ACCOUNT)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("kind", ["draft", "credit note", "nothing"])
def test_what_is_no_issued_invoice_is_not_paid(till: Till, kind: str, *, known: bool) -> None:
    """By metadata it is not ours; a record of ours that says so is a contradiction."""
    intent = till.paid() if known else till.confirm()
    ways: dict[str, Callable[[], str]] = {
        "draft": lambda: till.shop.draft().invoice_id,
        "credit note": lambda: credit(till.shop, till.invoice.invoice_id).invoice_id,
        "nothing": lambda: "inv_unknown",
    }
    named = ways[kind]()
    changed(till, intent, metadata={**intent.metadata, "invoice_id": named}, application_id="")
    if known:
        record = till.record(intent)
        till.held.store.stripe_payments[record.tenant_id, record.payment_intent_id] = replace(record, invoice_id=named)

    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id)

    parked, ignored = (InboxState.PARKED, ParkReason.UNKNOWN_INVOICE), (InboxState.IGNORED, ParkReason.NOT_OURS)
    assert (ended.state, ended.reason) == (parked if known else ignored)


def test_nothing_goes_back_whatever_is_read_later(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.stripe.fail_refund(till.account_id, refund.refund_id)
    till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)
    till.stripe.refunds[till.account_id, refund.refund_id] = refund
    changed(till, till.stripe.intents[till.account_id, intent.payment_intent_id], status=PaymentIntentStatus.PROCESSING)

    till.tell("charge.updated", intent.payment_intent_id)

    record = till.record(intent)
    assert record.state is StripePaymentState.SUCCEEDED
    assert record.refund(refund.refund_id).status is StripeRefundStatus.FAILED
    assert till.stored().ledger.balance_minor == 0


def test_a_debit_that_failed_is_counted_whoever_told_of_it(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)

    till.tell("checkout.session.async_payment_failed", next(one.session_id for one in till.sessions))

    assert till.counted == {"PaymentAttempted": 1, "PaymentFailed": 1}


# The account, and its payouts


def test_the_account_is_read_again(till: Till) -> None:
    account = till.stripe.accounts[till.account_id]
    restricted = replace(account, charges_enabled=False, requirements_due=("individual.id_number",))
    till.stripe.accounts[till.account_id] = restricted

    assert till.tell("account.updated", till.account_id) == DONE
    assert till.held.stripe_connections.stored(till.shop.caller.tenant_id).account == restricted


def test_access_withdrawn_at_stripe_disconnects(till: Till) -> None:
    event_id = till.told("account.application.deauthorized", till.account_id)
    del till.stripe.accounts[till.account_id]

    assert [till.process(event_id), till.process(event_id)] == [DONE, DONE]

    connection = till.held.stripe_connections.stored(till.shop.caller.tenant_id)
    assert connection.state is ConnectionState.DISCONNECTED
    told = till.held.store.events[till.shop.caller.tenant_id, "STRIPE"]
    assert [one.event_type for one in told].count(EventType.STRIPE_ACCOUNT_WITHDRAWN) == 1


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("event_type", ["account.updated", "account.application.deauthorized"])
def test_a_crash_anywhere_leaves_an_account_and_its_event_both_done_or_both_not(
    event_type: str, *, after: bool
) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        till = Till(shop)
        tenant_id, store = shop.caller.tenant_id, till.held.store
        event_id = till.told(event_type, till.account_id)
        before = store.stripe_connections[tenant_id]
        if event_type == "account.updated":
            till.stripe.accounts[till.account_id] = replace(
                till.stripe.accounts[till.account_id], payouts_enabled=False
            )
        else:
            del till.stripe.accounts[till.account_id]
        crash = CrashPoint(at=at, after=after)
        ports = {name: crash.watch(getattr(till.desk(), name)) for name in ("inbox", "connections", "stripe")}
        try:
            till.process(event_id, **ports)
        except Crashed:
            changed = store.stripe_connections[tenant_id] != before
            assert changed is (store.stripe_events[event_id].state is InboxState.DONE)
        else:
            assert at > 4
            return
        assert till.process(event_id) == DONE


@pytest.mark.parametrize("livemode", [False, True])
def test_a_late_word_of_access_withdrawn_disconnects_nobody_who_is_connected(till: Till, *, livemode: bool) -> None:
    event_id = till.told("account.application.deauthorized", till.account_id)
    entry = till.held.store.stripe_events[event_id]
    till.held.store.stripe_events[event_id] = replace(entry, event=replace(entry.event, livemode=livemode))
    till.disconnect()
    held, caller = till.held.stripe_connections, till.shop.caller
    held.save(caller, held.read(caller).connected(till.stripe.accounts[till.account_id], till.shop.clock.now()))

    assert till.process(event_id) == DONE

    assert held.read(caller).state is ConnectionState.CONNECTED


def test_an_unknown_account_that_changes_is_of_nobody_yet(till: Till) -> None:
    assert till.tell("account.updated", "acct_new", account_id="acct_new").state is InboxState.IGNORED


@pytest.mark.parametrize(
    ("event_type", "told"),
    [
        ("payout.paid", EventType.STRIPE_PAYOUT_PAID),
        ("payout.failed", EventType.STRIPE_PAYOUT_FAILED),
        ("payout.created", None),
    ],
)
def test_a_payout_is_told_to_the_company(till: Till, event_type: str, told: EventType | None) -> None:
    now = till.shop.clock.now()
    till.stripe.payouts[till.account_id, "po_1"] = StripePayout(
        payout_id="po_1",
        status="paid",
        amount_minor=9_000,
        currency="EUR",
        arrival_date=now.date(),
        created=now,
    )

    assert till.tell(event_type, "po_1") == DONE

    events = till.held.store.events.get((till.shop.caller.tenant_id, "STRIPE"), ())
    assert [(one.event_type, one.data["amount_minor"]) for one in events] == ([(told, 9_000)] if told else [])


# Whatever dies


def test_stripe_that_does_not_answer_leaves_the_event_waiting(till: Till) -> None:
    intent = till.confirm()
    event_id = till.told("payment_intent.succeeded", intent.payment_intent_id)
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        till.process(event_id)
    till.stripe.down = False

    assert till.process(event_id) == DONE


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, LAST_CALL + 2))
def test_a_process_that_dies_anywhere_leaves_nothing_half_done(shop: Shop, at: int, after: bool) -> None:
    """A payment with credit, a refund that came back, another that stands and a lost dispute, told by one event."""
    till = Till(shop)
    intent = till.confirm()
    till.pay(2_000)
    first = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    till.stripe.fail_refund(till.account_id, first.refund_id)
    till.stripe.refund(till.account_id, intent.payment_intent_id, 4_000)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, 3_000)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    event_id = till.told("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
    crash = CrashPoint(at=at, after=after)
    watched = {
        name: crash.watch(getattr(till.desk(), name))
        for name in ("inbox", "stripe", "connections", "checkouts", "stripe_payments", "payments")
    }
    died = False
    try:
        till.process(event_id, **watched)
    except Crashed:
        died = True
    till.adds_up()

    assert till.process(event_id) == DONE

    assert died is (at <= crash.calls)
    if not died:
        assert crash.calls == LAST_CALL
    payment = till.payment(intent)
    assert [(one.amount_minor, one.cause) for one in payment.refunds] == [
        (1_000, RefundCause.REQUEST),
        (4_000, RefundCause.REQUEST),
        (3_000, RefundCause.DISPUTE),
    ]
    assert (payment.refunded_minor, len(payment.returns)) == (7_000, 1)
    assert (till.stored().ledger.balance_minor, till.credit()) == (7_000, 2_000)
    till.adds_up()


class Between:
    """A port after whose next read somebody else acts, once."""

    def __init__(self, port: Any, act: Callable[[], object]) -> None:
        self._port, self._act = port, act

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name != "read":
            return member

        def read(*args: Any, **kwargs: Any) -> Any:
            found = member(*args, **kwargs)
            act, self._act = self._act, lambda: None
            act()
            return found

        return read


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_fact_that_another_books_between_two_reads_is_booked_once(till: Till, comes_back: bool) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    if comes_back:
        till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
        till.stripe.fail_refund(till.account_id, refund.refund_id)
    events = [till.told("refund.updated", refund.refund_id, parent_id=intent.payment_intent_id) for _ in range(2)]
    payments = Between(till.held.payments, lambda: till.process(events[1]))

    assert till.process(events[0], payments=payments) == DONE

    assert till.stored().ledger.balance_minor == (0 if comes_back else 12_000)
    assert till.counted["StripeEventParked"] == 0
    till.adds_up()


# Ids and means


def test_a_fact_has_one_id_of_the_form_of_ours() -> None:

    made = derived_id("pay", MORNING, "stripe", "pi_1")

    assert re.fullmatch(PAYMENT_ID, made)
    assert made == derived_id("pay", MORNING, "stripe", "pi_1") != derived_id("pay", MORNING, "stripe", "pi_2")
    assert made < derived_id("pay", MORNING + timedelta(seconds=1), "stripe", "pi_1")


@pytest.mark.parametrize(
    ("told", "method"),
    [
        ("card", PaymentMethod.CARD),
        ("link", PaymentMethod.CARD),
        ("sepa_debit", PaymentMethod.DIRECT_DEBIT),
        ("customer_balance", PaymentMethod.TRANSFER),
        ("", PaymentMethod.TRANSFER),
    ],
)
def test_means_of_payment_are_named_as_a_person_knows_them(told: str, method: PaymentMethod) -> None:
    assert method_of(told) is method


# What Stripe says one day and does not say yet


def test_a_payment_in_a_new_state_is_parked_and_moves_nothing(till: Till) -> None:
    intent = till.confirm()
    changed(till, intent, status=PaymentIntentStatus.UNKNOWN, received_minor=0)

    ended = till.tell("payment_intent.some_new_type", intent.payment_intent_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.UNKNOWN_STATE)
    assert ended.subject == intent.payment_intent_id
    assert (till.payments, till.attempt_state()) == ([], AttemptState.OPEN)
    changed(till, intent)  # what a later version of ours understands
    assert till.tell("payment_intent.succeeded", intent.payment_intent_id) == DONE
    assert till.stored().ledger.balance_minor == 0


def test_a_page_in_a_new_state_is_parked_and_stays(till: Till) -> None:
    session_id = till.session_id()
    key = till.account_id, session_id
    till.stripe.sessions[key] = replace(till.stripe.sessions[key], status=CheckoutStatus.UNKNOWN)

    ended = till.tell("checkout.session.some_new_type", session_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.UNKNOWN_STATE)
    assert till.attempt_state() is AttemptState.OPEN
    with pytest.raises(DependencyUnavailable):  # somebody may pay there: there is no second one
        till.open()
    till.stripe.sessions[key] = replace(till.stripe.sessions[key], status=CheckoutStatus.OPEN)
    assert till.open().url


@pytest.mark.parametrize("kind", ["refund", "dispute"])
def test_a_refund_or_a_dispute_in_a_new_state_is_parked_once_and_all_else_goes_on(till: Till, kind: str) -> None:
    intent = till.confirm()
    pi = intent.payment_intent_id
    if kind == "refund":
        new = till.stripe.refund(till.account_id, pi, 1_000, status=StripeRefundStatus.UNKNOWN).refund_id
    else:
        new = till.stripe.dispute(till.account_id, pi, 1_000).dispute_id
        till.stripe.disputes[till.account_id, new] = replace(
            till.stripe.disputes[till.account_id, new], status=DisputeStatus.UNKNOWN
        )

    ended = till.tell("charge.some_new_type", new, parent_id=pi)

    assert (ended.state, ended.reason, ended.subject) == (InboxState.PARKED, ParkReason.UNKNOWN_STATE, new)
    assert till.stored().ledger.balance_minor == 0  # the payment itself is booked, and nothing of what is not known
    assert till.tell("charge.updated", pi) == DONE  # a person knows
    if kind == "refund":
        till.stripe.refunds[till.account_id, new] = replace(
            till.stripe.refunds[till.account_id, new], status=StripeRefundStatus.SUCCEEDED
        )
    else:
        assert till.record(intent).is_contested  # until it is known, nothing is given back besides
        till.stripe.decide(till.account_id, new, won=False)
    assert till.tell("charge.some_new_type", new, parent_id=pi) == DONE
    assert till.stored().ledger.balance_minor == 1_000
    till.adds_up()


def test_a_new_state_does_not_take_back_what_is_known(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    till.stripe.refunds[till.account_id, refund.refund_id] = replace(refund, status=StripeRefundStatus.UNKNOWN)
    changed(till, till.stripe.intents[till.account_id, intent.payment_intent_id], status=PaymentIntentStatus.UNKNOWN)

    assert till.tell("charge.updated", intent.payment_intent_id).reason is ParkReason.UNKNOWN_STATE

    assert till.record(intent).state is StripePaymentState.SUCCEEDED
    assert till.record(intent).refund(refund.refund_id).status is StripeRefundStatus.SUCCEEDED
    assert till.stored().ledger.balance_minor == 1_000


def test_a_payment_in_a_new_state_that_the_night_finds_is_told(till: Till) -> None:
    intent = till.confirm()
    changed(till, intent, status=PaymentIntentStatus.UNKNOWN, received_minor=0)

    assert night(till).differing == 1
    assert till.counted["StripeEventParked"] == 1


def test_a_refused_payment_whose_page_is_in_a_new_state_is_parked(till: Till) -> None:
    """Whether the page was done says whether a debit failed or a card was declined: nobody knows."""
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    key = next(key for key, one in till.stripe.sessions.items() if one.payment_intent_id == intent.payment_intent_id)
    till.stripe.sessions[key] = replace(till.stripe.sessions[key], status=CheckoutStatus.UNKNOWN)

    ended = till.tell("charge.failed", intent.payment_intent_id)

    assert (ended.reason, ended.subject) == (ParkReason.UNKNOWN_STATE, key[1])
    assert till.attempt_state() is AttemptState.PROCESSING


def test_what_says_nothing_of_us_is_ignored_and_not_counted(till: Till) -> None:
    intent = till.confirm()
    changed(till, intent, metadata={})

    for event_type in ("payment_intent.succeeded", "mandate.updated"):
        assert till.tell(event_type, intent.payment_intent_id).state is InboxState.IGNORED
    assert till.counted == {}
