"""Refunds, notes that gave back or left credit, and lost disputes: each part of the money is in the books once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.api.portal_invoices import PortalMovementKind
from billing.domain.credit_notes import CreditNoteInput
from billing.domain.crediting import Excess
from billing.domain.errors import DependencyUnavailable, IdempotencyKeyReused, RefundExceedsPayment
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import WantedAllocation
from billing.domain.stripe import PaymentIntent
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_words import explain_payment
from billing.domain.warnings import Notice, WarningCode
from billing.ports.stripe import NO_ACCESS, StripeRefused
from billing.usecases.credit_notes import preview_credit_note
from billing.usecases.payments import apply_customer_credit
from billing.usecases.stripe_events import Processed
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part
from tests.usecases.test_portal_history import credited_by_card, page
from tests.usecases.test_reconciliations import night, of_today
from tests.usecases.test_stripe_given_back import HALF, HALF_NET, TOTAL, Desk
from tests.usecases.test_stripe_refunds import Refunds

CREDIT = Excess.CUSTOMER_CREDIT


def lost(till: Till, intent: PaymentIntent) -> Processed:
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def won_after_all(till: Till, intent: PaymentIntent) -> Processed:
    [dispute] = till.record(intent).disputes
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def fails(till: Till, intent: PaymentIntent) -> Processed:
    [refund] = till.stripe.refunds.values()
    till.stripe.fail_refund(till.account_id, refund.refund_id)
    return till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)


def apply(till: Till, amount_minor: int) -> None:
    shop, customer_id = till.shop, till.invoice.document.customer_id
    other = shop.issue(shop.draft(shop.wanted(customer_id)))
    apply_customer_credit(
        shop.caller,
        customer_id,
        (WantedAllocation(invoice_id=other.invoice_id, amount_minor=amount_minor),),
        once=shop.once("applyCustomerCredit"),
        payments=till.held.payments,
        clock=shop.clock,
        ids=shop.ids,
    )


# Disputes


@pytest.mark.parametrize("net_minor", [HALF_NET, 2 * HALF_NET])
def test_a_lost_dispute_is_first_what_a_note_gave_back_on_paper(shop: Shop, net_minor: int) -> None:
    """The note could not be followed by a refund: the payment was contested."""
    desk = Desk.of(shop, TOTAL)
    till, [intent], today = desk.till, desk.payments, shop.clock.today()
    note = desk.note(net_minor, method=PaymentMethod.CARD)
    assert note.document.settlement is not None
    noted = note.document.settlement.refunded_minor

    assert lost(till, intent).state is InboxState.DONE

    ledger, book = till.stored().ledger, till.book
    assert (ledger.kept_minor, ledger.balance_minor, book.by_notes_minor) == (0, TOTAL - noted, noted)
    assert sum(one.amount_minor for one in till.payment(intent).refunds) == TOTAL - noted
    night(till)
    assert of_today(till, today).differences == ()
    till.adds_up()
    assert won_after_all(till, intent).state is InboxState.DONE
    assert (till.stored().ledger.balance_minor, till.book.by_notes_minor) == (0, 0)
    till.adds_up()


def test_the_payer_s_page_says_one_thing_of_it(shop: Shop) -> None:
    till = Till(shop)
    intent = till.paid()
    credited_by_card(till)

    lost(till, intent)

    shown = page(till)
    assert shown.paid_online[0].given_back_minor == TOTAL
    assert PortalMovementKind.TO_BE_GIVEN_BACK not in {one.kind for one in shown.movements}


def test_what_the_invoice_keeps_of_a_lost_dispute_is_booked_where_credit_was_spent(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.note(excess=CREDIT)
    apply(till, HALF)

    ended = lost(till, intent)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.NOTHING_TO_REFUND)
    assert till.stored().ledger.kept_minor == 0
    [taken] = till.payment(intent).refunds
    assert taken.amount_minor == HALF


def test_what_comes_back_is_taken_by_a_dispute_that_was_short_of_it(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    assert lost(till, intent).reason is ParkReason.NOTHING_TO_REFUND

    assert fails(till, intent).state is InboxState.DONE

    assert till.stored().ledger.kept_minor == 0  # as at Stripe
    assert till.record(intent).short_minor == 0
    assert night(till).differing == 0


# Refunds of notes


def test_a_refund_that_was_a_note_s_in_part_and_comes_back_can_be_asked_for_again(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    note = desk.note(1_000)
    desk.ask(0, 5_000)

    assert fails(till, intent).state is InboxState.DONE

    assert (till.stored().ledger.balance_minor, till.book.by_notes_minor) == (0, 0)
    till.adds_up()
    desk.ask(0, 1_200, note)
    assert (till.book.by_notes_minor, till.stored().ledger.balance_minor) == (1_200, 0)
    till.adds_up()


@pytest.mark.parametrize("elsewhere", [PaymentMethod.TRANSFER, None])
def test_a_refund_that_names_a_note_of_credit_takes_that_credit(shop: Shop, elsewhere: PaymentMethod | None) -> None:
    desk = Desk.of(shop, TOTAL)
    note = desk.note(2_000, excess=CREDIT)

    desk.ask(0, 2_400, note, method=elsewhere)

    assert (desk.till.stored().ledger.balance_minor, desk.till.credit()) == (0, 0)
    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, 100, note, method=elsewhere)
    desk.adds_up()


def test_a_note_is_named_for_what_it_says_over_all_payments(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    first, second = desk.note(3_000), desk.note(2_000)
    desk.ask(0, 3_600, first)

    with pytest.raises(RefundExceedsPayment):
        desk.ask(1, 2_400, first)

    desk.ask(1, 2_400, second)
    desk.adds_up()


def test_the_note_that_cancelled_the_invoice_says_why_what_came_late_is_given_back(shop: Shop) -> None:
    till = Till(shop)
    intent = till.confirm()
    note = credit(shop, till.invoice.invoice_id)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    desk = Desk(till, [intent])

    desk.ask(0, TOTAL, note)

    assert (desk.given_back, till.credit()) == (TOTAL, 0)
    assert till.record(intent).requests[0].credit_note_id == note.invoice_id
    till.adds_up()


def test_a_note_that_takes_what_a_waiting_refund_would_have_moved_is_what_it_gives_back(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    leaves_credit = desk.note(1_000, excess=CREDIT)
    apply(desk.till, 1_200)
    desk.ask_in_vain(0, 1_200, leaves_credit)
    desk.note(9_000)

    desk.sweep()

    assert (desk.till.book.by_notes_minor, desk.moved) == (1_200, 0)
    desk.adds_up()


def test_what_the_dashboard_gave_back_of_a_note_in_part_and_came_back_is_undone_in_both(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note(1_000)
    desk.in_dashboard(0, 5_000)
    assert (desk.till.book.by_notes_minor, desk.till.stored().ledger.balance_minor) == (1_200, 3_800)

    for _ in range(2):
        assert fails(desk.till, desk.payments[0]).state is InboxState.DONE

    assert (desk.till.book.by_notes_minor, desk.till.stored().ledger.balance_minor) == (0, 0)
    desk.till.adds_up()


# Requests


def test_a_key_that_was_forgotten_asks_for_nothing_under_its_old_name(shop: Shop) -> None:
    refunds = Refunds(shop)
    refunds.ask(1_000, key="mensuel")
    shop.clock.advance(timedelta(days=31))
    refunds.till.held.store.answers.clear()

    with pytest.raises(IdempotencyKeyReused):
        refunds.ask(1_000, key="mensuel")

    record = refunds.till.record(refunds.intent)
    assert (record.open_request, record.reserved_minor) == (None, 1_000)


def test_a_request_does_not_wait_for_the_day_of_an_older_one(shop: Shop) -> None:
    refunds = Refunds(shop)
    till = refunds.till
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(1_000)
    till.stripe.down = False
    for asked in ("read_payment_intent", "list_refunds", "create_refund"):
        till.stripe.refused[asked] = StripeRefused(NO_ACCESS, status=403)
    refunds.sweep()
    till.stripe.refused.clear()
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(2_000)
    till.stripe.down = False

    refunds.sweep()

    assert refunds.at_stripe == [2_000]


def test_how_a_payment_stands_says_what_of_it_was_given_back(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.ask(0, HALF)

    said = explain_payment(desk.till.record(desk.payments[0]))

    assert said.french == "Le paiement est encaissé ; 60,00\u00a0€ en ont été rendus au client."


# Notes


@pytest.mark.parametrize("excess", [Excess.REFUND, CREDIT])
def test_a_note_on_a_payment_that_a_bank_decides_on_says_what_to_do(shop: Shop, excess: Excess) -> None:
    """Not to refund the payment: Stripe refuses that."""
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)
    told = (Notice(code=WarningCode.CREDITED_WHILE_DISPUTED, pointer="/mode"),)

    wanted = CreditNoteInput(scope=part(HALF_NET), reason="Retour", excess=excess)
    seen = preview_credit_note(shop.caller, till.invoice.invoice_id, wanted, credit_notes=till.held.credit_notes)
    assert seen.warnings == told
    assert desk.note(excess=excess).warnings == told
    for said in (told[0].detail_fr, told[0].detail_en):
        assert "/refund" not in said

    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
    codes = {one.code for one in desk.note(1_000, excess=excess).warnings}
    assert codes == ({WarningCode.REFUND_NOT_MADE_AT_STRIPE} if excess is Excess.REFUND else set())


def test_a_note_besides_a_disputed_payment_says_of_the_other_that_stripe_refunds_it(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    till, [intent, _] = desk.till, desk.payments
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)

    codes = [one.code for one in desk.note().warnings]

    assert codes == [WarningCode.REFUND_NOT_MADE_AT_STRIPE, WarningCode.CREDITED_WHILE_DISPUTED]
