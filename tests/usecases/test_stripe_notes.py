"""Money that a credit note gave back on paper, and that Stripe gives back afterwards, is one movement and not two."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.crediting import Excess
from billing.domain.errors import DependencyUnavailable, RefundExceedsPayment
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState
from billing.usecases.stripe_events import Processed
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part
from tests.usecases.test_stripe_refunds import Refunds

DONE = Processed(state=InboxState.DONE)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


@pytest.fixture
def refunds(shop: Shop) -> Refunds:
    return Refunds(shop)


def refunded_note(till: Till, net_minor: int | None = None) -> IssuedInvoice:
    wanted = (part(net_minor),) if net_minor else ()
    return credit(till.shop, till.invoice.invoice_id, *wanted, excess=Excess.REFUND)


def at_stripe(till: Till, intent: PaymentIntent, amount_minor: int) -> Processed:
    """In the dashboard, where no note can be named."""
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, amount_minor)
    return till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)


def test_a_refund_in_the_dashboard_is_the_one_of_the_note_and_takes_no_other_credit(till: Till) -> None:
    intent = till.paid()
    first = till.invoice
    till.issue(till.shop.wanted(first.document.customer_id))
    twice = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", twice.payment_intent_id)
    assert till.credit() == 12_000
    credit(till.shop, first.invoice_id, excess=Excess.REFUND)

    assert at_stripe(till, intent, 12_000) == DONE

    assert till.credit() == 12_000
    assert till.record(intent).refunds[0].by_note_minor == 12_000
    till.adds_up()


def test_a_part_that_a_note_gave_back_is_owed_by_nobody_again(till: Till) -> None:
    intent = till.paid()
    refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor
    assert 0 < noted < 12_000

    assert at_stripe(till, intent, noted) == DONE

    assert till.stored().ledger.balance_minor == 0
    assert till.payment(intent).refunds == ()
    till.adds_up()


def test_what_goes_beyond_the_note_is_owed_again(till: Till) -> None:
    intent = till.paid()
    refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor

    assert at_stripe(till, intent, noted - 500) == DONE
    assert till.stored().ledger.balance_minor == 0
    assert at_stripe(till, intent, 2_000) == DONE

    assert till.stored().ledger.balance_minor == 1_500
    assert [one.amount_minor for one in till.payment(intent).refunds] == [1_500]
    assert at_stripe(till, intent, 1_000) == DONE
    assert till.stored().ledger.balance_minor == 2_500
    till.adds_up()


def test_what_a_payment_left_as_credit_is_not_what_a_note_gave_back(till: Till) -> None:
    intent = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    assert till.credit() == 12_000
    refunded_note(till)

    assert at_stripe(till, intent, 12_000) == DONE

    assert till.credit() == 0
    assert [one.from_credit_minor for one in till.payment(intent).refunds] == [12_000]
    till.adds_up()


def test_two_payments_of_an_invoice_share_what_its_note_gave_back(till: Till) -> None:
    first, second = till.paid(6_000), till.paid()
    refunded_note(till, 5_000)
    assert till.stored().ledger.refunded_minor == 6_000

    assert at_stripe(till, first, 6_000) == DONE
    assert till.stored().ledger.balance_minor == 0
    assert at_stripe(till, second, 6_000) == DONE

    assert till.stored().ledger.balance_minor == 6_000
    till.adds_up()


def test_a_refund_asked_here_that_names_the_note_is_counted_for_it(refunds: Refunds) -> None:
    till = refunds.till
    note = refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor
    refunds.ask(noted, credit_note_id=note.invoice_id)
    assert till.stored().ledger.balance_minor == 0

    assert at_stripe(till, refunds.intent, 1_000) == DONE

    assert till.stored().ledger.balance_minor == 1_000
    with pytest.raises(RefundExceedsPayment):
        refunds.ask(1, credit_note_id=note.invoice_id)
    till.adds_up()


@pytest.mark.parametrize("pending", [False, True])
def test_a_refund_of_a_note_that_failed_is_told_and_can_be_asked_again(refunds: Refunds, *, pending: bool) -> None:
    till = refunds.till
    note = refunded_note(till)
    real = till.stripe.refund
    if pending:
        till.stripe.refund = lambda *a, **k: real(*a, **k, status=StripeRefundStatus.PENDING)  # type: ignore[method-assign]
    refunds.ask(12_000, credit_note_id=note.invoice_id)
    till.stripe.refund = real  # type: ignore[method-assign]
    [refund] = till.stripe.refunds.values()
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    for _ in range(2):
        assert till.tell("refund.failed", refund.refund_id, parent_id=refunds.intent.payment_intent_id) == DONE

    told = [one.event_type for one in till.shop.events(till.invoice.invoice_id)]
    assert told.count(EventType.PAYMENT_REFUND_RETURNED) == 1
    assert till.credit() == 0
    refunds.ask(12_000, credit_note_id=note.invoice_id)
    assert refunds.at_stripe == [12_000, 12_000]
    assert till.book.by_notes_minor == 12_000
    till.adds_up()


def test_a_refund_that_names_no_note_is_the_one_that_a_note_gave_back(refunds: Refunds) -> None:
    till = refunds.till
    refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor

    refunds.ask(noted)

    assert refunds.at_stripe == [noted]
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_what_a_note_gave_back_is_not_given_back_again(refunds: Refunds) -> None:
    """Whoever asks twice, by mistake, is told before Stripe is asked; another note says what more there is."""
    till = refunds.till
    note = refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor
    refunds.ask(noted, credit_note_id=note.invoice_id)

    with pytest.raises(RefundExceedsPayment) as refused:
        refunds.ask(noted)

    assert refused.value.detail_fr.startswith("Ce que les avoirs de cette facture rendent au client, Stripe l'a déjà")
    assert refunds.at_stripe == [noted]
    assert till.stored().ledger.balance_minor == 0
    another = refunded_note(till, 1_000)
    refunds.ask(till.stored().ledger.refunded_minor - noted, credit_note_id=another.invoice_id)
    assert sum(refunds.at_stripe) == till.stored().ledger.refunded_minor
    till.adds_up()


def test_what_was_asked_for_a_note_and_not_answered_is_not_asked_again(refunds: Refunds) -> None:
    till = refunds.till
    note = refunded_note(till, 3_333)
    noted = till.stored().ledger.refunded_minor
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(noted, credit_note_id=note.invoice_id)
    till.stripe.down = False

    with pytest.raises(RefundExceedsPayment):
        refunds.ask(noted)

    refunds.sweep()
    assert refunds.at_stripe == [noted]


def outcome(order: tuple[Callable[[Till, PaymentIntent], object], ...]) -> tuple[bool, int, int]:
    """Whether one more refund that names no note is refused after these facts; what is owed, and in credit."""
    shop = Shop()
    shop.describe()
    refunds = Refunds(shop)
    for fact in order:
        fact(refunds.till, refunds.intent)
    refused = False
    try:
        refunds.ask(500)
    except RefundExceedsPayment:
        refused = True
    refunds.till.adds_up()
    return refused, refunds.till.stored().ledger.balance_minor, refunds.till.credit()


def noted(net_minor: int) -> Callable[[Till, PaymentIntent], object]:
    return lambda till, _: refunded_note(till, net_minor)


def refunded(amount_minor: int) -> Callable[[Till, PaymentIntent], object]:
    return lambda till, intent: at_stripe(till, intent, amount_minor)


def test_a_refund_before_the_note_that_explains_it_is_the_note_s_as_well() -> None:
    after, before = outcome((noted(5_000), refunded(6_000))), outcome((refunded(6_000), noted(5_000)))

    assert before == after == (True, 0, 0)


@settings(max_examples=12, deadline=None)
@given(
    notes=st.lists(st.integers(500, 2_000), max_size=2),
    refunds=st.lists(st.integers(500, 3_000), max_size=2),
)
def test_it_does_not_matter_in_which_order_money_was_credited_and_given_back(
    notes: list[int], refunds: list[int]
) -> None:
    facts = (*map(noted, notes), *map(refunded, refunds))

    outcomes = {outcome(order) for order in itertools.permutations(facts)}

    assert len(outcomes) == 1
