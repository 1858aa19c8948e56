"""Lost disputes, and refunds that come back beside them: the ledger has what banks took, once, whatever comes back."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.api.customer_payments import PaymentResponse
from billing.domain.crediting import Excess
from billing.domain.errors import BillingError, RefundExceedsPayment
from billing.domain.ledger import PaymentMethod
from billing.domain.reconciliation import DifferenceKind
from billing.domain.stripe import DisputeStatus, PaymentIntent, StripeRefund, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.usecases.stripe_events import Processed, StripeDesk, settle_stripe_payment
from billing.usecases.stripe_ledger import DoesNotFit, StripeLedger
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_promises import Customer
from tests.usecases.test_reconciliations import night, of_today
from tests.usecases.test_stripe_given_back import HALF, HALF_NET, TOTAL, Desk
from tests.usecases.test_stripe_mixed import fails, lost, won_after_all

TRANSFER = PaymentMethod.TRANSFER
LAST_CALL = 7  # of the payments and what Stripe told of them, while a won dispute gives back what it had
BACK = {StripeRefundStatus.FAILED, StripeRefundStatus.CANCELED}


def lost_in_part(till: Till, intent: PaymentIntent, amount_minor: int) -> Processed:
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, amount_minor)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def lost_again(till: Till, intent: PaymentIntent) -> Processed:
    [dispute] = till.record(intent).disputes
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    return till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def settled(till: Till, intent: PaymentIntent, desk: StripeDesk | None = None) -> Processed:
    tenant_id = till.shop.caller.tenant_id
    return settle_stripe_payment(tenant_id, till.account_id, intent.payment_intent_id, desk=desk or till.desk())


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


# What notes give back bears more than the payment keeps


def test_dispute_of_a_refunded_payment_is_what_a_later_note_gives_back(shop: Shop) -> None:
    """The customer has all that the notes say: by the refund of this payment, and by its dispute besides."""
    desk = Desk.of(shop, HALF, HALF)
    till, [first, _] = desk.till, desk.payments
    desk.in_dashboard(0, HALF)
    assert lost(till, first).reason is ParkReason.NOTHING_TO_REFUND
    desk.note()
    note = desk.note()

    assert settled(till, first).state is InboxState.DONE

    dispute = till.record(first).disputes[0]
    assert (dispute.by_note_minor, dispute.short_minor, till.book.by_notes_minor) == (HALF, 0, HALF)
    till.adds_up()
    with pytest.raises(RefundExceedsPayment):
        desk.ask(1, HALF, note)


# What the company gave back itself


def test_what_a_dispute_has_of_a_refund_is_not_given_back_elsewhere(shop: Shop) -> None:
    """Other credit of the customer would bear it: nothing of this payment is left."""
    desk = Customer.of(shop, (TOTAL,), (-1,)).desks[0]
    till, intent = desk.till, desk.payments[0]
    desk.in_dashboard(0, 3_000)
    lost(till, intent)
    fails(till, intent)

    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, 3_000, method=TRANSFER)


def test_what_the_ledger_cannot_bear_is_refused_in_words(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk.of(shop, TOTAL)

    def unfit(*_: object, **__: object) -> None:
        raise DoesNotFit(ParkReason.NOTHING_TO_REFUND)

    monkeypatch.setattr(StripeLedger, "give_back", unfit)

    with pytest.raises(RefundExceedsPayment) as refused:
        desk.ask(0, 3_000, method=TRANSFER)
    assert refused.value.detail_fr


# Once, each time


def test_dispute_of_a_note_is_won_and_lost_as_often_as_the_bank_decides(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.note(2 * HALF_NET)
    lost(till, intent)
    for _ in range(2):
        assert won_after_all(till, intent).state is InboxState.DONE
        assert till.book.by_notes_minor == 0
        assert lost_again(till, intent).state is InboxState.DONE
        assert till.book.by_notes_minor == TOTAL
    till.adds_up()


def test_note_s_refund_that_came_back_to_a_dispute_comes_back_from_it_as_often(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.ask(0, HALF, desk.note())
    lost(till, intent)
    fails(till, intent)
    for _ in range(2):
        assert won_after_all(till, intent).state is InboxState.DONE
        assert lost_again(till, intent).state is InboxState.DONE
    till.adds_up()


@pytest.mark.parametrize("at", range(1, LAST_CALL + 2))
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("by_note", [False, True])
@pytest.mark.parametrize("is_lost_again", [False, True])
def test_whoever_dies_while_a_dispute_gives_back_what_it_had_leaves_it_whole(
    shop: Shop, *, at: int, after: bool, by_note: bool, is_lost_again: bool
) -> None:
    """Its own money, then that of the refund: it may be lost again in between."""
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    if by_note:
        desk.note(2_500)
    desk.in_dashboard(0, HALF)
    lost(till, intent)
    fails(till, intent)
    [dispute] = till.record(intent).disputes
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
    crash, held = CrashPoint(at=at, after=after), till.held
    dying = till.desk(stripe_payments=crash.watch(held.stripe_payments), payments=crash.watch(held.payments))
    try:
        settled(till, intent, dying)
    except Crashed:
        assert crash.calls == at
    else:
        assert (crash.calls, at) == (LAST_CALL, LAST_CALL + 1)
    if is_lost_again:
        till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    assert settled(till, intent).state is InboxState.DONE

    record = till.record(intent)
    assert record.short_minor == 0
    assert till.payment(intent).refunded_minor + record.noted_minor == (TOTAL if is_lost_again else 0)
    assert till.book.by_notes_minor == record.noted_minor
    till.adds_up()


# What the company is told


def test_won_dispute_of_a_note_is_on_paper_again(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    note = desk.note(method=PaymentMethod.CARD)
    lost(till, intent)
    assert night(till).differing == 0
    today = shop.clock.today()

    won_after_all(till, intent)

    assert night(till).differing == 1
    [owed] = of_today(till, today).differences
    assert (owed.kind, owed.source_id, owed.ours_minor) == (
        DifferenceKind.ON_PAPER,
        till.record(intent).disputes[0].dispute_id,
        -HALF,
    )
    desk.ask(0, HALF, note, method=TRANSFER)
    till.adds_up()


@pytest.mark.parametrize("is_filled", [False, True])
def test_what_a_dispute_was_short_of_is_parked_whoever_booked_it(shop: Shop, *, is_filled: bool) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    settled(till, intent)  # a sweep
    if is_filled:
        fails(till, intent)

    told = till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)

    if is_filled:
        assert told.state is InboxState.DONE
    else:
        assert (told.state, told.reason, told.subject) == (
            InboxState.PARKED,
            ParkReason.NOTHING_TO_REFUND,
            dispute.dispute_id,
        )
    assert settled(till, intent).state is InboxState.DONE


# All of it, in whatever order


STEPS = st.one_of(
    st.tuples(st.just("note"), st.sampled_from([1_000, 2_500, HALF_NET]), st.sampled_from(list(Excess))),
    st.tuples(st.just("dashboard"), st.integers(0, 1), st.sampled_from([1_000, 3_000, HALF])),
    st.tuples(st.just("disputed"), st.integers(0, 1), st.sampled_from([2_000, HALF, TOTAL])),
    st.tuples(st.just("decided"), st.integers(0, 1), st.booleans()),
    st.tuples(st.just("comes_back"), st.integers(0, 1), st.none()),
)


@dataclass(frozen=True)
class Facts:
    """What happens to payments at Stripe, and notes on their invoice; nobody is told of it."""

    desk: Desk

    def note(self, net_minor: int, excess: Excess) -> None:
        with contextlib.suppress(BillingError):
            self.desk.note(net_minor, excess=excess)

    def dashboard(self, payment: int, amount_minor: int) -> None:
        till, intent = self.desk.till, self.intent(payment)
        given_back = sum(one.amount_minor for one in self.arrived(intent))
        if given_back + amount_minor <= intent.amount_minor:
            till.stripe.refund(till.account_id, intent.payment_intent_id, amount_minor)

    def disputed(self, payment: int, amount_minor: int) -> None:
        till, intent = self.desk.till, self.intent(payment)
        if not any(one.payment_intent_id == intent.payment_intent_id for one in till.stripe.disputes.values()):
            amount_minor = min(amount_minor, intent.amount_minor)
            dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, amount_minor)
            till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    def decided(self, which: int, won: bool) -> None:
        till = self.desk.till
        disputes = list(till.stripe.disputes.values())
        if disputes:
            till.stripe.decide(till.account_id, disputes[which % len(disputes)].dispute_id, won=won)

    def comes_back(self, payment: int, _: None) -> None:
        till, arrived = self.desk.till, self.arrived(self.intent(payment))
        if arrived:
            till.stripe.fail_refund(till.account_id, arrived[-1].refund_id)

    def intent(self, payment: int) -> PaymentIntent:
        return self.desk.payments[payment % len(self.desk.payments)]

    def arrived(self, intent: PaymentIntent) -> list[StripeRefund]:
        return [
            one
            for one in self.desk.till.stripe.refunds.values()
            if one.payment_intent_id == intent.payment_intent_id and one.status is StripeRefundStatus.SUCCEEDED
        ]


@given(
    paid=st.sampled_from([(TOTAL,), (HALF, HALF)]),
    steps=st.lists(st.tuples(STEPS, st.booleans()), max_size=12),
)
@settings(max_examples=60, deadline=None)
def test_what_stands_at_stripe_is_in_the_ledger_or_short(paid: tuple[int, ...], steps: list[Any]) -> None:
    shop = Shop()
    shop.describe()
    desk = Desk.of(shop, *paid)
    facts = Facts(desk)
    for (kind, which, what), is_told in steps:
        getattr(facts, kind)(which, what)
        for one in desk.payments if is_told else ():
            settled(desk.till, one)
    for one in desk.payments:
        settled(desk.till, one)

    for intent in desk.payments:
        record = desk.till.record(intent)
        stands = sum(one.amount_minor for one in record.refunds if one.booked and one.status not in BACK)
        stands += sum(one.amount_minor for one in record.disputes if one.booked and one.status is DisputeStatus.LOST)
        assert stands == desk.till.payment(intent).refunded_minor + record.noted_minor + record.short_minor
        assert record.short_minor >= 0
    assert desk.till.book.by_notes_minor == sum(desk.till.record(one).noted_minor for one in desk.payments)
    desk.till.adds_up()
