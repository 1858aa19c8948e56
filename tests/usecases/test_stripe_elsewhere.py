"""What a company gives back of a payment at Stripe by means of its own: recorded once, never made again by Stripe."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.api.stripe_payments import stripe_payment_answer
from billing.domain.errors import FieldErrors, PaymentDisputed, RefundExceedsPayment, RefundRefused
from billing.domain.ledger import EntryKind, LedgerEntry, PaymentMethod
from billing.domain.payments import RefundCause
from billing.domain.stripe import DisputeStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.ports.idempotency import AlreadyAnswered
from tests.usecases.conftest import Shop
from tests.usecases.test_reconciliations import night, of_today
from tests.usecases.test_stripe_given_back import HALF, TOTAL, Desk

TRANSFER = PaymentMethod.TRANSFER


def entries(desk: Desk) -> tuple[LedgerEntry, ...]:
    return desk.till.held.invoices.last_entries(desk.till.shop.caller, desk.till.stored())


def awaited(desk: Desk) -> int:
    """What the customer does not have yet of what notes gave back on paper."""
    return sum(one.awaited_minor for one in desk.till.book.paper_refunds(entries(desk)).values())


def test_it_is_recorded_and_stripe_makes_none(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    yesterday = shop.clock.today()
    shop.clock.advance(timedelta(days=1))

    payment = desk.ask(0, HALF, method=TRANSFER, on=yesterday, reference="VIR 42")

    [refund] = payment.refunds
    assert (refund.method, refund.refunded_on, refund.reference) == (TRANSFER, yesterday, "VIR 42")
    assert (refund.cause, refund.refunded_by) == (RefundCause.REQUEST, shop.caller.user_id)
    assert (desk.given_back, desk.till.stored().ledger.balance_minor) == (0, HALF)
    entry = entries(desk)[-1]
    assert (entry.kind, entry.method, entry.entry_date, entry.contested) == (
        EntryKind.REFUND,
        TRANSFER,
        yesterday,
        False,
    )
    assert night(desk.till).differing == 0
    desk.adds_up()


@pytest.mark.parametrize(("net_minor", "by_notes_minor"), [(5_000, 6_000), (2_500, 3_000), (0, 0)])
def test_how_and_why_it_was_given_back_is_shown(shop: Shop, net_minor: int, by_notes_minor: int) -> None:
    """Also what moves no ledger, because a note said it before."""
    desk = Desk.of(shop, TOTAL)
    till, note = desk.till, desk.note(net_minor) if net_minor else None
    named, today = note if by_notes_minor == HALF else None, shop.clock.today()

    desk.ask(0, HALF, named, method=TRANSFER, on=today, reference="VIR 42", reason="Carte close")

    online = json.loads(stripe_payment_answer(till.record(desk.payments[0])).body)
    [shown] = online["refunds_elsewhere"]
    assert {key: shown[key] for key in ("amount_minor", "method", "refunded_on", "reference", "reason")} == {
        "amount_minor": HALF,
        "method": "transfer",
        "refunded_on": today.isoformat(),
        "reference": "VIR 42",
        "reason": "Carte close",
    }
    assert (shown["credit_note_id"], shown["by_notes_minor"]) == (named and named.invoice_id, by_notes_minor)
    assert online["refunded_by_notes_minor"] == by_notes_minor
    assert [(one.refund_id, one.reason) for one in till.payment(desk.payments[0]).refunds] == (
        [(shown["refund_id"], "Carte close")] if by_notes_minor < HALF else []
    )
    told = [one for one in shop.events(till.invoice.invoice_id) if one.data.get("refund_id") == shown["refund_id"]]
    assert [(one.data["amount_minor"], one.data["refunded_on"]) for one in told] == (
        [(by_notes_minor, today.isoformat())] if by_notes_minor else []
    )


def test_what_notes_recorded_of_refunds_at_stripe_is_shown_until_it_comes_back(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.ask(0, HALF, desk.note())

    def by_notes() -> int:
        online = json.loads(stripe_payment_answer(desk.till.record(desk.payments[0])).body)
        return int(online["refunded_by_notes_minor"])

    assert (by_notes(), desk.till.payment(desk.payments[0]).refunded_minor) == (HALF, 0)
    desk.comes_back(0)
    assert by_notes() == 0


@pytest.mark.parametrize("by_note", [True, False])
def test_it_is_not_dated_before_the_payment(shop: Shop, *, by_note: bool) -> None:
    desk = Desk.of(shop, TOTAL)
    note = desk.note() if by_note else None

    with pytest.raises(FieldErrors) as refused:
        desk.ask(0, HALF, note, method=TRANSFER, on=shop.clock.today() - timedelta(days=1))

    assert [one.pointer for one in refused.value.errors] == ["/refunded_on"]
    assert desk.elsewhere == 0


def test_the_same_request_records_it_once(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    once = shop.once("refundPayment")
    desk.ask(0, HALF, method=TRANSFER, once=once)

    with pytest.raises(AlreadyAnswered):
        desk.ask(0, HALF, method=TRANSFER, once=once)

    assert desk.till.stored().ledger.refunded_minor == HALF
    desk.adds_up()


@pytest.mark.parametrize("named", [True, False])
def test_a_note_whose_refund_came_back_is_given_back_by_transfer(shop: Shop, *, named: bool) -> None:
    """The card was closed: the note said that it was given back, and moves no ledger again."""
    desk = Desk.of(shop, TOTAL)
    till, note, today = desk.till, desk.note(method=PaymentMethod.CARD), shop.clock.today()
    desk.ask(0, HALF, note)
    [refund] = till.record(desk.payments[0]).refunds
    till.stripe.fail_refund(till.account_id, refund.refund_id)
    till.tell("refund.failed", refund.refund_id, parent_id=desk.payments[0].payment_intent_id)
    assert awaited(desk) == HALF
    before = till.stored().ledger

    payment = desk.ask(0, HALF, note if named else None, method=TRANSFER)

    assert (till.stored().ledger, payment.refunds) == (before, ())
    assert awaited(desk) == 0
    assert night(till).differing == 0
    assert of_today(till, today).differences == ()
    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, note)
    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, note, method=TRANSFER)
    desk.adds_up()


def test_of_two_notes_each_is_given_back_once(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    first, second = desk.note(), desk.note()
    desk.ask(0, HALF, first, method=TRANSFER)

    with pytest.raises(RefundExceedsPayment, match="Nothing of this credit note is left"):
        desk.ask(0, HALF, first, method=TRANSFER)
    desk.ask(0, HALF, second)

    assert (desk.given_back, desk.elsewhere, desk.moved) == (HALF, HALF, 0)
    desk.adds_up()


@pytest.mark.parametrize("answered", [True, False])
def test_what_stripe_is_asked_for_is_not_given_back_besides(shop: Shop, *, answered: bool) -> None:
    desk = Desk.of(shop, TOTAL)
    (desk.ask if answered else desk.ask_in_vain)(0, HALF)

    with pytest.raises(RefundExceedsPayment, match=r"€60\.00 of this payment is left"):
        desk.ask(0, TOTAL, method=TRANSFER)
    desk.ask(0, HALF, method=TRANSFER)
    with pytest.raises(RefundExceedsPayment, match="refunded in full already"):
        desk.ask(0, 100)
    desk.sweep()

    assert (desk.given_back, desk.elsewhere, desk.till.stored().ledger.kept_minor) == (HALF, HALF, 0)
    desk.adds_up()


def test_both_at_once_are_judged_one_after_the_other(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both read before either writes."""
    desk = Desk.of(shop, TOTAL)
    payments = desk.till.held.payments
    write = payments.write

    def overtaken(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(payments, "write", write)
        desk.ask(0, TOTAL)
        write(*args, **kwargs)

    monkeypatch.setattr(payments, "write", overtaken)
    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, method=TRANSFER)

    assert (desk.given_back, desk.elsewhere) == (TOTAL, 0)
    desk.adds_up()


def test_what_the_dashboard_gives_back_besides_is_told(shop: Shop) -> None:
    """The customer has it twice: no ledger can bear it, and a person is told."""
    desk = Desk.of(shop, TOTAL)
    till, today, named = desk.till, shop.clock.today(), desk.payments[0].payment_intent_id
    desk.ask(0, TOTAL, method=TRANSFER)
    refund = till.stripe.refund(till.account_id, named, HALF)

    told = till.tell("charge.refunded", refund.refund_id, parent_id=named)

    assert (told.state, told.reason) == (InboxState.PARKED, ParkReason.NOTHING_TO_REFUND)
    assert till.stored().ledger.refunded_minor == TOTAL
    night(till)
    assert [one.source_id for one in of_today(till, today).differences] == [refund.refund_id]


def test_a_dispute_that_is_lost_afterwards_takes_what_the_payment_still_keeps(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till = desk.till
    note = desk.note()
    desk.ask(0, HALF, note, method=TRANSFER)
    named = desk.payments[0].payment_intent_id
    dispute = till.stripe.dispute(till.account_id, named)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=named)

    [taken] = till.payment(desk.payments[0]).refunds
    assert (taken.cause, taken.amount_minor) == (RefundCause.DISPUTE, HALF)
    entry = entries(desk)[-1]
    assert (entry.kind, entry.contested, entry.amount_minor) == (EntryKind.REFUND, True, HALF)


@pytest.mark.parametrize("method", [PaymentMethod.CARD, PaymentMethod.DIRECT_DEBIT])
def test_only_stripe_gives_back_by_card_or_debit(shop: Shop, method: PaymentMethod) -> None:
    desk = Desk.of(shop, TOTAL)

    with pytest.raises(FieldErrors) as refused:
        desk.ask(0, HALF, method=method)

    assert [one.pointer for one in refused.value.errors] == ["/method"]
    assert desk.given_back == desk.elsewhere == 0


@pytest.mark.parametrize("said", [{"on": True}, {"reference": "VIR 42"}])
def test_a_date_or_a_reference_without_a_means_is_asked_about(shop: Shop, said: dict[str, Any]) -> None:
    """Somebody who gave it back, and whom Stripe would make give it back again."""
    desk = Desk.of(shop, TOTAL)
    if "on" in said:
        said = {"on": shop.clock.today()}

    with pytest.raises(FieldErrors) as refused:
        desk.ask(0, HALF, **said)

    assert [one.pointer for one in refused.value.errors] == ["/method"]
    assert desk.given_back == desk.elsewhere == 0


@pytest.mark.parametrize(
    "status", [DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.WARNING_NEEDS_RESPONSE]
)
def test_what_a_bank_decides_on_is_given_back_besides_only_by_a_word(shop: Shop, status: DisputeStatus) -> None:
    """While a bank only inquires, giving it back is the best answer."""
    desk = Desk.of(shop, TOTAL)
    till, named = desk.till, desk.payments[0].payment_intent_id
    dispute = till.stripe.dispute(till.account_id, named)
    till.stripe.disputes[till.account_id, dispute.dispute_id] = replace(dispute, status=status)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=named)

    if status is not DisputeStatus.WARNING_NEEDS_RESPONSE:
        with pytest.raises(PaymentDisputed, match=r"contests €120\.00 .*confirm_disputed") as refused:
            desk.ask(0, 1_000, method=TRANSFER)
        assert [one.pointer for one in refused.value.errors] == ["/confirm_disputed"]
        assert desk.elsewhere == 0
        with pytest.raises(RefundRefused):  # Stripe makes none, whatever is confirmed
            desk.ask(0, 1_000, confirm_disputed=True)
    desk.ask(0, 1_000, method=TRANSFER, confirm_disputed=status is not DisputeStatus.WARNING_NEEDS_RESPONSE)

    assert desk.elsewhere == 1_000
