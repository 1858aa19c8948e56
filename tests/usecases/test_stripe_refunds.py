"""Refunds that a company asks for: made by Stripe once, in the books once, whatever is refused or dies in between."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.crediting import Excess
from billing.domain.errors import (
    DependencyUnavailable,
    FieldError,
    Forbidden,
    IdempotencyKeyReused,
    PaymentByStripe,
    RefundExceedsPayment,
    RefundRefused,
    UnknownReference,
)
from billing.domain.events import EventType
from billing.domain.payments import Payment, PaymentState
from billing.domain.stripe import DisputeStatus, PaymentIntent, StripeRefundStatus
from billing.domain.stripe_payment import RequestState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.stripe import NO_ACCESS, RefundWanted, StripeRefused
from billing.usecases.payments import RefundInput
from billing.usecases.stripe_refunds import (
    AWAY_FOR,
    RefundSweep,
    StripeRefundInput,
    finish_stripe_refunds,
    refund_by_its_means,
)
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_payments import Till as Books

LAST_CALL = 29


class Refunds:
    """A payment of 120 euros that came through Stripe."""

    def __init__(self, shop: Shop) -> None:
        self.till = Till(shop)
        self.intent: PaymentIntent = self.till.paid()

    def once(self, key: str) -> IdempotentRequest:
        return factories.once(key, operation="refundPayment")

    def ask(self, amount_minor: int, *, key: str | None = None, credit_note_id: str = "", **changes: Any) -> Payment:
        caller = changes.pop("caller", self.till.shop.caller)
        once = self.once(key) if key else self.till.shop.once("refundPayment")
        return refund_by_its_means(
            caller,
            self.till.payment(self.intent).payment_id,
            RefundInput(amount_minor=amount_minor),
            StripeRefundInput(reason="Geste commercial", credit_note_id=credit_note_id),
            once=once,
            **self.ports(**changes),
        )

    def ports(self, **changes: Any) -> dict[str, Any]:
        desk = self.till.desk(**changes)
        return {
            "payments": desk.payments,
            "invoices": self.till.held.invoices,
            "stripe": lambda: desk,
            "clock": desk.clock,
            "ids": desk.ids,
        }

    def sweep(self) -> RefundSweep:
        self.till.shop.clock.advance(timedelta(minutes=6))
        return finish_stripe_refunds(desk=self.till.desk())

    @property
    def at_stripe(self) -> list[int]:
        return [one.amount_minor for one in self.till.stripe.refunds.values()]

    def balance(self) -> int:
        return self.till.stored().ledger.balance_minor


@pytest.fixture
def refunds(shop: Shop) -> Refunds:
    return Refunds(shop)


def test_a_reading_that_stripe_refuses_holds_up_no_other_refund(refunds: Refunds) -> None:
    till = refunds.till
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(1_000)
    till.stripe.down = False
    till.stripe.refused["list_refunds"] = StripeRefused("more_permissions_required", status=403)

    assert refunds.sweep() == RefundSweep(failed=1)

    till.stripe.refused.clear()
    assert refunds.sweep() == RefundSweep(finished=1)
    assert refunds.at_stripe == [1_000]


def test_a_refund_is_made_by_stripe_and_reopens_the_invoice(refunds: Refunds) -> None:
    payment = refunds.ask(5_000)

    assert refunds.at_stripe == [5_000]
    assert (payment.refunded_minor, refunds.balance()) == (5_000, 5_000)
    assert [one.reason for one in payment.refunds] == ["Geste commercial"]
    record = refunds.till.record(refunds.intent)
    [request] = record.requests
    assert (request.state, request.refund_id) == (RequestState.ACCEPTED, record.refunds[0].refund_id)
    told = refunds.till.shop.events(refunds.till.invoice.invoice_id)
    assert EventType.PAYMENT_REFUND_REQUESTED in {one.event_type for one in told}
    refunds.till.tell("charge.refunded", refunds.intent.payment_intent_id)
    assert refunds.balance() == 5_000
    assert refunds.ask(7_000).state is PaymentState.REFUNDED
    refunds.till.adds_up()


def test_the_same_request_again_is_the_same_refund(refunds: Refunds) -> None:
    first = refunds.ask(5_000, key="k")

    assert refunds.ask(5_000, key="k") == first
    assert refunds.at_stripe == [5_000]


def test_many_at_once_never_give_back_more_than_came(refunds: Refunds) -> None:
    def ask(number: int) -> bool:
        try:
            refunds.ask(5_000, key=f"k{number % 4}")
        except RefundExceedsPayment:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        list(people.map(ask, range(12)))

    assert refunds.at_stripe == [5_000, 5_000]
    assert refunds.balance() == 10_000
    refunds.till.adds_up()


def test_more_than_is_left_is_refused_before_stripe_is_asked(refunds: Refunds) -> None:
    refunds.ask(5_000)
    with pytest.raises(RefundExceedsPayment, match="€70"):
        refunds.ask(7_001)
    assert refunds.at_stripe == [5_000]


def test_what_the_books_cannot_bear_is_refused_before_stripe_is_asked(refunds: Refunds) -> None:
    till = refunds.till
    credit(till.shop, till.invoice.invoice_id)
    other = till.shop.issue(till.shop.draft(till.shop.wanted(till.invoice.document.customer_id)))
    books = Books.__new__(Books)
    books.shop, books.customer_id, books.invoices = till.shop, till.invoice.document.customer_id, [other]
    books.apply(10_000)

    with pytest.raises(RefundExceedsPayment, match="€20"):
        refunds.ask(5_000)

    assert refunds.ask(2_000).refunded_minor == 2_000
    till.adds_up()


def test_what_is_pending_counts_as_given_back(refunds: Refunds) -> None:
    till = refunds.till
    till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, 8_000, status=StripeRefundStatus.PENDING)
    till.tell("charge.refunded", refunds.intent.payment_intent_id)

    with pytest.raises(RefundExceedsPayment, match="€40"):
        refunds.ask(5_000)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("charge_disputed", "contesté"),
        ("insufficient_funds", "solde"),
        ("some_new_code", "some_new_code"),
    ],
)
def test_a_refusal_of_stripe_closes_the_request_and_says_why(refunds: Refunds, code: str, said: str) -> None:
    refunds.till.stripe.refused["create_refund"] = StripeRefused(code, status=400)

    for _ in range(2):
        with pytest.raises(RefundRefused) as refused:
            refunds.ask(5_000, key="k")
        assert said in refused.value.detail_fr

    [request] = refunds.till.record(refunds.intent).requests
    assert (request.state, request.refusal) == (RequestState.REFUSED, code)
    assert refunds.balance() == 0
    del refunds.till.stripe.refused["create_refund"]
    assert refunds.ask(12_000).state is PaymentState.REFUNDED


def test_a_refund_that_stripe_did_not_answer_is_finished_by_the_sweep(refunds: Refunds) -> None:
    refunds.till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(5_000, key="k")
    assert refunds.sweep() == RefundSweep(failed=1)
    refunds.till.stripe.down = False

    assert refunds.sweep() == RefundSweep(finished=1)

    assert refunds.at_stripe == [5_000]
    assert refunds.balance() == 5_000
    assert refunds.sweep() == RefundSweep()
    assert refunds.ask(5_000, key="k").refunded_minor == 5_000


def test_a_request_of_a_moment_ago_is_left_to_who_asked(refunds: Refunds) -> None:
    refunds.till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(5_000)
    refunds.till.stripe.down = False

    assert finish_stripe_refunds(desk=refunds.till.desk()) == RefundSweep()


def test_the_webhook_alone_finishes_a_request(refunds: Refunds) -> None:
    till = refunds.till

    class Cut:
        """Stripe makes the refund; its answer is lost."""

        def __getattr__(self, name: str) -> Any:
            member = getattr(till.stripe, name)
            if name != "create_refund":
                return member

            def made_and_lost(*args: Any, **kwargs: Any) -> None:
                member(*args, **kwargs)
                raise DependencyUnavailable

            return made_and_lost

    with pytest.raises(DependencyUnavailable):
        refunds.ask(5_000, stripe=Cut())
    till.tell("charge.refunded", refunds.intent.payment_intent_id)

    assert till.record(refunds.intent).open_request is None
    assert refunds.balance() == 5_000
    till.stripe.answered.clear()  # Stripe forgot the key
    assert refunds.sweep() == RefundSweep()
    assert refunds.at_stripe == [5_000]


def test_a_key_that_stripe_forgot_makes_no_second_refund(refunds: Refunds) -> None:
    till = refunds.till
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(5_000)
    till.stripe.down = False
    request = till.record(refunds.intent).requests[0]
    till.stripe.refund(
        till.account_id, refunds.intent.payment_intent_id, 5_000, of={"refund_request": request.request_id}
    )

    assert refunds.sweep() == RefundSweep(finished=1)
    assert refunds.at_stripe == [5_000]


def test_a_credit_note_that_refunded_already_moves_the_ledger_once(refunds: Refunds) -> None:
    till = refunds.till
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    assert till.stored().ledger.refunded_minor == 12_000

    refunds.ask(8_000, credit_note_id=note.invoice_id)
    with pytest.raises(RefundExceedsPayment, match="€40"):
        refunds.ask(4_001, credit_note_id=note.invoice_id)
    refunds.ask(4_000, credit_note_id=note.invoice_id)

    assert refunds.at_stripe == [8_000, 4_000]
    assert till.stored().ledger.refunded_minor == 12_000
    assert till.payment(refunds.intent).refunds == ()
    till.adds_up()


def test_a_refund_that_names_no_note_is_the_one_that_a_note_recorded(refunds: Refunds) -> None:
    """Whatever credit the customer has besides."""
    till = refunds.till
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)

    refunds.ask(12_000)

    assert (refunds.at_stripe, till.credit()) == ([12_000], 0)
    assert till.stored().ledger.refunded_minor == 12_000
    assert till.payment(refunds.intent).refunds == ()
    till.adds_up()


def test_a_credit_note_of_something_else_is_unknown(refunds: Refunds) -> None:
    till = refunds.till
    other = till.shop.issue()
    note = credit(till.shop, other.invoice_id)

    for note_id in ("crn_unknown", other.invoice_id, note.invoice_id):
        with pytest.raises(UnknownReference) as refused:
            refunds.ask(100, credit_note_id=note_id)
        assert refused.value.errors == (
            FieldError(
                "/credit_note_id",
                "Avoir inconnu pour la facture de ce paiement.",
                "This credit note is unknown for the invoice of this payment.",
            ),
        )


def test_a_key_serves_one_refund(refunds: Refunds) -> None:
    refunds.ask(100, key="k")
    other = replace(refunds.once("k"), fingerprint="another")

    with pytest.raises(IdempotencyKeyReused):
        refund_by_its_means(
            refunds.till.shop.caller,
            refunds.till.payment(refunds.intent).payment_id,
            RefundInput(amount_minor=200),
            StripeRefundInput(),
            once=other,
            **refunds.ports(),
        )


def test_who_may_not_record_payments_refunds_nothing(refunds: Refunds) -> None:
    for role in (Role.MEMBER, Role.VIEWER):
        with pytest.raises(Forbidden):
            refunds.ask(100, caller=refunds.till.shop.person(role))
    assert refunds.at_stripe == []


def test_a_payment_at_stripe_is_not_reversed_by_hand(refunds: Refunds) -> None:
    till = refunds.till
    books = Books.__new__(Books)
    books.shop, books.customer_id, books.invoices = till.shop, till.invoice.document.customer_id, [till.invoice]

    with pytest.raises(PaymentByStripe):
        books.reverse(till.payment(refunds.intent))
    with pytest.raises(PaymentByStripe):
        books.refund(till.payment(refunds.intent), 100)


def test_other_payments_are_refunded_as_before(refunds: Refunds) -> None:
    till = refunds.till
    till.issue()
    till.pay(12_000)
    [payment] = [one for one in till.payments if not one.payment_intent_id]

    def ask(key: str) -> Payment:
        return refund_by_its_means(
            till.shop.caller,
            payment.payment_id,
            RefundInput(amount_minor=500),
            StripeRefundInput(),
            once=factories.once(key, operation="refundPayment"),
            **(refunds.ports() | {"stripe": None}),
        )

    assert ask("k").refunded_minor == 500
    assert refunds.at_stripe == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(1, LAST_CALL + 2))
def test_whoever_dies_anywhere_leaves_one_refund(shop: Shop, at: int, after: bool) -> None:
    refunds = Refunds(shop)
    crash = CrashPoint(at=at, after=after)
    desk = refunds.till.desk()
    watched = {
        name: crash.watch(getattr(desk, name))
        for name in ("inbox", "stripe", "connections", "checkouts", "stripe_payments", "payments")
    }
    died = False
    try:
        refunds.ask(5_000, key="k", **watched)
    except Crashed:
        died = True
    assert died is (at <= crash.calls)
    assert died or crash.calls == LAST_CALL
    refunds.till.adds_up()
    asked = bool(refunds.till.record(refunds.intent).requests)

    refunds.sweep()

    assert refunds.at_stripe == ([5_000] if asked else [])
    assert refunds.ask(5_000, key="k").refunded_minor == 5_000
    assert refunds.at_stripe == [5_000]
    assert refunds.balance() == 5_000
    assert refunds.till.record(refunds.intent).open_request is None
    refunds.till.adds_up()


@pytest.mark.parametrize("inquiry", [False, True])
def test_a_contested_payment_is_not_refunded_besides(refunds: Refunds, *, inquiry: bool) -> None:
    till = refunds.till
    dispute = till.stripe.dispute(till.account_id, refunds.intent.payment_intent_id, 12_000)
    if inquiry:  # the bank only asks: nothing is held, and giving it back ends it
        asked = replace(dispute, status=DisputeStatus.WARNING_NEEDS_RESPONSE)
        till.stripe.disputes[till.account_id, dispute.dispute_id] = asked
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=refunds.intent.payment_intent_id)
    if inquiry:
        refunds.ask(1_000)
        assert refunds.at_stripe == [1_000]
        return

    with pytest.raises(RefundRefused) as refused:
        refunds.ask(1_000)

    assert "contest" in str(refused.value.detail_fr)
    assert refunds.at_stripe == []
    assert refunds.till.record(refunds.intent).requests == ()


def test_a_fee_that_nobody_took_is_not_asked_back(refunds: Refunds) -> None:
    till, intent = refunds.till, refunds.intent
    assert intent.charge is not None
    key = till.shop.caller.tenant_id, intent.payment_intent_id
    till.held.store.stripe_payments[key] = replace(till.record(intent), application_fee_minor=0)
    charge = replace(intent.charge, application_fee_minor=0)
    till.stripe.intents[till.account_id, intent.payment_intent_id] = replace(intent, charge=charge)

    refunds.ask(1_000)

    assert refunds.at_stripe == [1_000]


def test_a_refund_that_cannot_come_to_the_books_is_not_made_twice(refunds: Refunds) -> None:
    """What the payment is no longer fits, and Stripe forgot the key: the refund that is there says so itself."""
    till = refunds.till
    key = till.account_id, refunds.intent.payment_intent_id
    till.stripe.intents[key] = replace(till.stripe.intents[key], currency="USD")
    with contextlib.suppress(DependencyUnavailable):
        refunds.ask(5_000)
    till.stripe.answered.clear()
    till.shop.clock.advance(timedelta(days=2))

    assert refunds.sweep() == RefundSweep(failed=1)

    assert refunds.at_stripe == [5_000]
    till.stripe.intents[key] = replace(till.stripe.intents[key], currency="EUR")
    [(made, refund)] = till.stripe.refunds.items()
    till.stripe.refunds[made] = replace(refund, currency="EUR")
    assert refunds.sweep() == RefundSweep(finished=1)
    assert refunds.at_stripe == [5_000]
    assert refunds.balance() == 5_000


def test_a_request_goes_to_stripe_under_one_key_however_often(
    refunds: Refunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys: list[str] = []

    def away(account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> None:
        keys.append(idempotency_key)
        raise DependencyUnavailable

    monkeypatch.setattr(refunds.till.stripe, "create_refund", away)
    with pytest.raises(DependencyUnavailable):
        refunds.ask(1_000)
    for _ in range(3):
        assert refunds.sweep() == RefundSweep(failed=1)

    assert len(keys) == 4
    assert len(set(keys)) == 1
    record = refunds.till.record(refunds.intent)
    assert (record.reserved_minor, record.coming_minor) == (1_000, 1_000)
    with pytest.raises(RefundExceedsPayment):
        refunds.ask(11_001)


def test_what_a_lost_dispute_took_is_not_refunded_again(refunds: Refunds) -> None:
    till = refunds.till
    dispute = till.stripe.dispute(till.account_id, refunds.intent.payment_intent_id, 9_000)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=refunds.intent.payment_intent_id)
    other = till.issue(till.shop.wanted(till.invoice.document.customer_id))
    assert other is till.invoice

    assert till.record(refunds.intent).reserved_minor == 9_000
    with pytest.raises(RefundExceedsPayment):
        refunds.ask(3_001)


def leave(refunds: Refunds) -> None:
    for method in ("list_refunds", "create_refund", "read_refund"):
        refunds.till.stripe.refused[method] = StripeRefused(NO_ACCESS, status=403)


def test_an_account_that_left_refuses_in_words_and_keeps_nothing_reserved(refunds: Refunds) -> None:
    leave(refunds)

    with pytest.raises(RefundRefused, match="is not linked"):
        refunds.ask(5_000)

    record = refunds.till.record(refunds.intent)
    assert [one.state for one in record.requests] == [RequestState.REFUSED]
    assert record.reserved_minor == 0
    assert refunds.sweep() == RefundSweep()
    refunds.till.adds_up()


def test_what_may_have_reached_an_account_before_it_left_is_not_asked_again(
    refunds: Refunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe made it, its answer was lost, and access was withdrawn: nobody can look."""
    make = refunds.till.stripe.create_refund

    def unheard(*args: Any, **kwargs: Any) -> Any:
        make(*args, **kwargs)
        raise DependencyUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(refunds.till.stripe, "create_refund", unheard)
        with pytest.raises(DependencyUnavailable, match="do not ask again"):
            refunds.ask(5_000, key="one")
    leave(refunds)

    with pytest.raises(RefundRefused, match="make it there: ZenBilling makes it no more"):
        refunds.ask(5_000, key="one")
    assert refunds.till.record(refunds.intent).reserved_minor == 5_000
    assert refunds.sweep() == RefundSweep()  # once a day: it keeps no other from its turn
    refunds.till.shop.clock.advance(AWAY_FOR)
    assert refunds.sweep() == RefundSweep(failed=1)
    assert refunds.sweep() == RefundSweep()
    refunds.till.stripe.refused.clear()  # it is linked again
    refunds.till.shop.clock.advance(AWAY_FOR)

    assert refunds.sweep() == RefundSweep(finished=1)
    assert refunds.at_stripe == [5_000]
    assert refunds.till.payment(refunds.intent).refunded_minor == 5_000
    refunds.till.adds_up()


def test_who_asked_first_releases_nothing_that_another_asked_for_meanwhile(
    refunds: Refunds, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same request is sent twice at once: the second one's refund is made, then the account leaves."""
    make = refunds.till.stripe.create_refund

    def unseen(*args: Any, **kwargs: Any) -> Any:
        make(*args, **kwargs)
        raise DependencyUnavailable

    def first(*_: Any, **__: Any) -> Any:
        monkeypatch.setattr(refunds.till.stripe, "create_refund", unseen)
        with pytest.raises(DependencyUnavailable):
            refunds.ask(5_000, key="one")
        leave(refunds)
        raise StripeRefused("account_invalid", status=403)

    monkeypatch.setattr(refunds.till.stripe, "create_refund", first)
    with pytest.raises(RefundRefused, match="make it there: ZenBilling makes it no more"):
        refunds.ask(5_000, key="one")

    assert refunds.at_stripe == [5_000]
    assert [one.state for one in refunds.till.record(refunds.intent).requests] == [RequestState.REQUESTED]


def recorded_and_not_made(refunds: Refunds, *keys: str) -> None:
    refunds.till.stripe.down = True
    for key in keys:
        with pytest.raises(DependencyUnavailable):
            refunds.ask(2_000, key=key)
    refunds.till.stripe.down = False


def come_back(refunds: Refunds, after: timedelta = AWAY_FOR) -> None:
    refunds.till.stripe.refused.clear()
    refunds.till.shop.clock.advance(after)


def refusals(refunds: Refunds) -> list[str]:
    told = refunds.till.shop.events(refunds.till.invoice.invoice_id)
    return [str(one.data["refusal"]) for one in told if one.event_type is EventType.PAYMENT_REFUND_REFUSED]


@pytest.mark.parametrize("asked", ["by the sweep", "by a person"])
@pytest.mark.parametrize("by_hand", [True, False])
def test_what_was_never_made_before_an_account_left_is_not_made_once_it_is_back(
    refunds: Refunds, *, asked: str, by_hand: bool
) -> None:
    """Its company was told to look at Stripe, and may have made it there."""
    till, intent = refunds.till, refunds.intent
    recorded_and_not_made(refunds, "one")
    leave(refunds)
    if asked == "by a person":
        with pytest.raises(RefundRefused, match="make it there: ZenBilling makes it no more"):
            refunds.ask(2_000, key="one")
    else:
        assert refunds.sweep() == RefundSweep(failed=1)
    if by_hand:
        till.stripe.refund(till.account_id, intent.payment_intent_id, 2_000)
    come_back(refunds)

    assert refunds.sweep() == RefundSweep(finished=1)

    made = [2_000] if by_hand else []
    assert refunds.at_stripe == made
    [request] = till.record(intent).requests
    assert (request.state, request.refusal) == (RequestState.REFUSED, NO_ACCESS)
    assert refusals(refunds) == [NO_ACCESS]
    assert till.book.coming_back == ()
    assert till.payment(intent).refunded_minor == sum(made)
    assert refunds.sweep() == RefundSweep()
    with pytest.raises(RefundRefused, match="whether it is there"):  # the same request again
        refunds.ask(2_000, key="one")
    assert refunds.at_stripe == made
    refunds.ask(1_000)
    till.adds_up()


def test_an_account_that_is_back_at_once_is_asked_nothing_before_who_asked_has_ended(refunds: Refunds) -> None:
    """Whoever began before it left may still be asking; after that nobody is."""
    recorded_and_not_made(refunds, "one")
    leave(refunds)
    with pytest.raises(RefundRefused, match="make it there: ZenBilling makes it no more"):
        refunds.ask(2_000, key="one")
    come_back(refunds, timedelta(minutes=1))

    with pytest.raises(RefundRefused, match="make it there: ZenBilling makes it no more"):
        refunds.ask(2_000, key="one")
    assert refunds.till.record(refunds.intent).reserved_minor == 2_000
    refunds.till.shop.clock.advance(timedelta(minutes=5))
    with pytest.raises(RefundRefused, match="whether it is there"):
        refunds.ask(2_000, key="one")

    assert refunds.at_stripe == []
    assert refunds.till.record(refunds.intent).reserved_minor == 0


@pytest.mark.parametrize("told_of", ["the first", "another"])
def test_nothing_else_that_waited_of_a_payment_is_made_once_its_account_is_back(refunds: Refunds, told_of: str) -> None:
    """A company that is told to look at Stripe for one makes there what it asked for of that payment."""
    recorded_and_not_made(refunds, "one", "two")
    leave(refunds)
    with pytest.raises(RefundRefused):
        refunds.ask(2_000, key="one" if told_of == "the first" else "three")
    come_back(refunds)

    for _ in range(3):
        refunds.sweep()

    assert refunds.at_stripe == []
    record = refunds.till.record(refunds.intent)
    assert {one.state for one in record.requests} == {RequestState.REFUSED}
    assert record.reserved_minor == 0


def test_what_a_note_gave_back_and_waited_for_an_account_in_vain_is_told_by_the_night(refunds: Refunds) -> None:
    till = refunds.till
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(12_000, key="one", credit_note_id=note.invoice_id)
    till.stripe.down = False
    leave(refunds)
    assert refunds.sweep() == RefundSweep(failed=1)
    come_back(refunds)
    assert refunds.sweep() == RefundSweep(finished=1)

    assert [one.subject for one in till.held.store.on_paper.values()] == [note.invoice_id, note.invoice_id]
    refunds.ask(12_000, credit_note_id=note.invoice_id)
    assert refunds.at_stripe == [12_000]
    till.adds_up()
