"""Lost disputes, and refunds that come back beside them: the ledger has what banks took, once, whatever comes back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.api.customer_payments import PaymentResponse
from billing.domain.errors import BillingError
from billing.domain.ledger import PaymentMethod
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState
from billing.usecases.stripe_events import Processed, settle_stripe_payment
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_reconciliations import night, of_today
from tests.usecases.test_stripe_given_back import HALF, TOTAL, Desk
from tests.usecases.test_stripe_mixed import fails, lost, won_after_all

TRANSFER = PaymentMethod.TRANSFER
BACK = {StripeRefundStatus.FAILED, StripeRefundStatus.CANCELED}


def lost_in_part(till: Till, intent: PaymentIntent, amount_minor: int) -> Processed:
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, amount_minor)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def lost_again(till: Till, intent: PaymentIntent) -> Processed:
    [dispute] = till.record(intent).disputes
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def settled(till: Till, intent: PaymentIntent) -> Processed:
    return settle_stripe_payment(
        till.shop.caller.tenant_id, till.account_id, intent.payment_intent_id, desk=till.desk()
    )


# What comes back is first what disputes are short of


def test_note_s_refund_that_comes_back_is_what_the_dispute_was_short_of(shop: Shop) -> None:
    """The bank took all; what came back to the company is owed to nobody any more."""
    desk = Desk.of(shop, TOTAL)
    till, [intent], today = desk.till, desk.payments, shop.clock.today()
    note = desk.note()
    desk.ask(0, HALF, note)
    lost(till, intent)

    assert fails(till, intent).state is InboxState.DONE

    assert (till.book.by_notes_minor, till.record(intent).short_minor) == (HALF, 0)
    till.adds_up()
    night(till)
    assert of_today(till, today).differences == ()
    for method in (TRANSFER, None):
        with pytest.raises(BillingError):
            desk.ask(0, HALF, note, method=method)


def test_note_s_refund_that_came_back_is_owed_once_the_dispute_is_won(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    note = desk.note()
    desk.ask(0, HALF, note)
    lost(till, intent)
    fails(till, intent)
    today = shop.clock.today()

    assert won_after_all(till, intent).state is InboxState.DONE

    assert (till.stored().ledger.balance_minor, till.book.by_notes_minor) == (0, 0)
    till.adds_up()
    night(till)
    [owed] = of_today(till, today).differences
    assert owed.ours_minor == -HALF
    desk.ask(0, HALF, note, method=TRANSFER)
    assert till.book.noted_minor == HALF


@pytest.mark.parametrize("at_once", [False, True])
def test_refund_that_came_back_and_dispute_won_after_all(shop: Shop, *, at_once: bool) -> None:
    """The company has all of it at Stripe: nothing is owed again."""
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost(till, intent)
    if at_once:
        [refund] = till.stripe.refunds.values()
        till.stripe.fail_refund(till.account_id, refund.refund_id)
    else:
        fails(till, intent)

    assert won_after_all(till, intent).state is InboxState.DONE

    assert (till.stored().ledger.balance_minor, till.record(intent).short_minor) == (0, 0)
    till.adds_up()
    assert lost_again(till, intent).state is InboxState.DONE
    assert till.stored().ledger.kept_minor == 0
    assert won_after_all(till, intent).state is InboxState.DONE
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_refund_that_came_back_is_taken_in_part(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 5_000)
    lost_in_part(till, intent, 10_000)

    fails(till, intent)

    assert till.stored().ledger.kept_minor == 2_000
    [refund, _] = PaymentResponse.of(till.payment(intent)).refunds
    assert (refund.returned_minor, refund.returned_on) == (2_000, shop.clock.today())
    assert refund.detail_en is not None
    assert "€30.00" in refund.detail_en
    won_after_all(till, intent)
    payment = till.payment(intent)
    assert (till.stored().ledger.kept_minor, payment.refunded_minor) == (TOTAL, 0)
    assert [one.amount_minor for one in payment.returns] == [2_000, 7_000, 3_000]
    assert {one.returned_minor for one in PaymentResponse.of(payment).refunds} == {5_000, 7_000}
    till.adds_up()
    assert night(till).differing == 0


def test_what_was_taken_before_parts_were_told_apart_comes_back_with_the_dispute(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost(till, intent)
    fails(till, intent)
    record = till.record(intent)
    before = replace(record, refunds=tuple(replace(one, taken=True, taken_minor=0) for one in record.refunds))
    till.held.store.stripe_payments[record.tenant_id, record.payment_intent_id] = before
    assert (before.short_minor, before.reserved_minor) == (0, TOTAL)

    won_after_all(till, intent)

    assert (till.stored().ledger.balance_minor, till.record(intent).short_minor) == (0, 0)
    till.adds_up()
