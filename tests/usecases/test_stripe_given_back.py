"""What Stripe gives back of an invoice, whoever asks and in whatever order, is in the ledger once: as a movement, or as
what a credit note recorded on paper. Never more than was paid, never twice for one note, by however many payments.
"""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.checkout import HISTORY
from billing.domain.crediting import Excess
from billing.domain.errors import BillingError, DependencyUnavailable, RefundExceedsPayment
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Payment
from billing.domain.reconciliation import DifferenceKind
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_payment import GIVEN_BACK_MEANWHILE, REQUEST_KEY, RequestState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.stripe import StripeRefused
from billing.usecases.payments import RefundInput
from billing.usecases.stripe_events import settle_stripe_payment
from billing.usecases.stripe_ledger import StripeLedger
from billing.usecases.stripe_refunds import StripeRefundInput, finish_stripe_refunds, refund_by_its_means
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part
from tests.usecases.test_payments import Till as Books
from tests.usecases.test_reconciliations import night, of_today

TOTAL, HALF, HALF_NET = 12_000, 6_000, 5_000


@dataclass
class Desk:
    """An invoice of 120 euros, its payments at Stripe and the credit notes on it."""

    till: Till
    payments: list[PaymentIntent]
    notes: list[IssuedInvoice] = field(default_factory=list)

    @classmethod
    def of(cls, shop: Shop, *amounts: int) -> Desk:
        till = Till(shop)
        return cls(till, [till.paid(one) for one in amounts])

    def note(
        self,
        net_minor: int = HALF_NET,
        *,
        excess: Excess = Excess.REFUND,
        method: PaymentMethod | None = PaymentMethod.TRANSFER,
    ) -> IssuedInvoice:
        of = self.till.invoice.invoice_id
        self.notes.append(credit(self.till.shop, of, part(net_minor), excess=excess, method=method))
        return self.notes[-1]

    def ask(
        self,
        payment: int,
        amount_minor: int,
        note: IssuedInvoice | None = None,
        *,
        method: PaymentMethod | None = None,
        once: IdempotentRequest | None = None,
        on: date | None = None,
        reference: str = "",
        reason: str = "",
        confirm_disputed: bool = False,
    ) -> Payment:
        """``method``: the company gave it back itself."""
        till = self.till
        desk = till.desk()
        return refund_by_its_means(
            till.shop.caller,
            till.payment(self.payments[payment]).payment_id,
            RefundInput(
                amount_minor=amount_minor,
                method=method,
                refunded_on=on,
                reference=reference,
                confirm_disputed=confirm_disputed,
            ),
            StripeRefundInput(reason=reason, credit_note_id=note.invoice_id if note else ""),
            once=once or till.shop.once("refundPayment"),
            payments=desk.payments,
            invoices=till.held.invoices,
            stripe=lambda: desk,
            clock=desk.clock,
            ids=desk.ids,
        )

    def ask_in_vain(self, payment: int, amount_minor: int, note: IssuedInvoice | None = None) -> None:
        """Stripe does not answer; it is asked again later."""
        self.till.stripe.down = True
        with pytest.raises(DependencyUnavailable):
            self.ask(payment, amount_minor, note)
        self.till.stripe.down = False

    def in_dashboard(self, payment: int, amount_minor: int) -> None:
        till, named = self.till, self.payments[payment].payment_intent_id
        refund = till.stripe.refund(till.account_id, named, amount_minor)
        till.tell("charge.refunded", refund.refund_id, parent_id=named)

    def comes_back(self, payment: int) -> None:
        """The latest refund of a payment that the customer's bank did not take."""
        till, named = self.till, self.payments[payment % len(self.payments)].payment_intent_id
        arrived = [
            one
            for one in till.stripe.refunds.values()
            if one.payment_intent_id == named and one.status is StripeRefundStatus.SUCCEEDED
        ]
        if arrived:
            till.stripe.fail_refund(till.account_id, arrived[-1].refund_id)
            till.tell("refund.failed", arrived[-1].refund_id, parent_id=named)

    def left_at_stripe(self, payment: int) -> int:
        """What a company that knows what it gave back itself would give back in the dashboard."""
        till, intent = self.till, self.payments[payment]
        record, besides = till.record(intent), till.book.elsewhere_of(intent.payment_intent_id)
        return intent.amount_minor - record.reserved_minor - sum(one.amount_minor for one in besides)

    def kept_at_stripe(self, payment: int) -> int:
        """As ``left_at_stripe``, for a company that does not look at what it asked for here."""
        record = self.till.record(self.payments[payment])
        return self.left_at_stripe(payment) + sum(
            one.amount_minor for one in record.requests if one.state is RequestState.REQUESTED
        )

    def sweep(self) -> None:
        self.till.shop.clock.advance(timedelta(minutes=6))
        finish_stripe_refunds(desk=self.till.desk())

    @property
    def given_back(self) -> int:
        failed = {StripeRefundStatus.FAILED, StripeRefundStatus.CANCELED}
        return sum(one.amount_minor for one in self.till.stripe.refunds.values() if one.status not in failed)

    @property
    def elsewhere(self) -> int:
        return sum(one.amount_minor for one in self.till.book.elsewhere)

    @property
    def on_paper(self) -> int:
        return sum(one.document.settlement.refunded_minor for one in self.notes if one.document.settlement)

    @property
    def moved(self) -> int:
        """By refunds of the payments themselves: invoices that are owed again, and credit that is spent."""
        return sum(self.till.payment(one).refunded_minor for one in self.payments)

    def adds_up(self) -> None:
        till, book = self.till, self.till.book
        records = [till.record(one) for one in self.payments]
        assert all(not one.bookings for one in records)
        assert self.given_back + self.elsewhere == self.moved + book.noted_minor
        assert 0 <= book.by_notes_minor <= book.noted_minor <= self.on_paper
        assert book.by_notes_minor == sum(
            one.by_note_minor for record in records for one in record.refunds if not one.returned
        )
        coming = {one.payment_intent_id: one.coming_back() for one in records}
        assert {one.payment_intent_id: one for one in book.coming_back} == {
            key: one for key, one in coming.items() if one.total_minor
        }
        assert set(book.named) == {named for record in records for named in record.named}
        kept = sum(one.for_notes_minor for one in coming.values())
        assert book.noted_minor + sum(one.by_notes_minor for one in coming.values()) <= self.on_paper, kept
        for intent in self.payments:
            given = [one for (_, _), one in till.stripe.refunds.items()]
            failed = {StripeRefundStatus.FAILED, StripeRefundStatus.CANCELED}
            mine = [
                one.amount_minor
                for one in given
                if one.payment_intent_id == intent.payment_intent_id and one.status not in failed
            ]
            besides = sum(one.amount_minor for one in book.elsewhere_of(intent.payment_intent_id))
            assert sum(mine) + besides <= intent.amount_minor
        till.adds_up()


@pytest.mark.parametrize("how", ["unnamed", "dashboard"])
def test_a_note_whose_refund_was_made_refunds_nothing_more_when_it_is_named(shop: Shop, how: str) -> None:
    desk = Desk.of(shop, TOTAL)
    note = desk.note()
    desk.ask(0, HALF) if how == "unnamed" else desk.in_dashboard(0, HALF)
    assert desk.till.record(desk.payments[0]).refunds[0].by_note_minor == HALF

    with pytest.raises(RefundExceedsPayment, match="Nothing of this credit note is left"):
        desk.ask(0, HALF, note)

    assert desk.given_back == desk.till.stored().ledger.refunded_minor == HALF
    desk.adds_up()


@pytest.mark.parametrize("came_back", [False, True])
def test_a_note_is_named_once_though_the_book_forgot_the_payment_that_did(shop: Shop, *, came_back: bool) -> None:
    till = Till(shop)
    desk = Desk(till, [till.paid(3_000)])
    note = desk.note(2_500, excess=Excess.CUSTOMER_CREDIT)
    for _ in range(HISTORY):
        session_id = till.session_id(HALF)
        till.stripe.expire_checkout_session(till.account_id, session_id)
        till.tell("checkout.session.expired", session_id)
        shop.clock.advance(timedelta(hours=1))
    desk.payments.append(till.paid(HALF))
    assert [one.payment_intent_id for one in till.book.paid] == [desk.payments[1].payment_intent_id]
    desk.ask(0, 3_000, note)

    if came_back:
        desk.comes_back(0)
        desk.ask(1, 3_000, note)
    with pytest.raises(RefundExceedsPayment):
        desk.ask(1, 3_000, note)

    assert desk.given_back == 3_000


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("named_first", [True, False])
@pytest.mark.parametrize("named_then", [True, False])
def test_two_payments_refund_one_note_once(shop: Shop, *, named_first: bool, named_then: bool, answered: bool) -> None:
    desk = Desk.of(shop, HALF, HALF)
    note = desk.note()
    ask = desk.ask if answered else desk.ask_in_vain
    ask(0, HALF, note if named_first else None)

    with pytest.raises(RefundExceedsPayment):
        desk.ask(1, HALF, note if named_then else None)

    desk.sweep()
    assert desk.given_back == desk.till.stored().ledger.refunded_minor == HALF
    assert night(desk.till).differing == 0
    desk.adds_up()


def test_two_payments_that_are_asked_at_once_are_judged_one_after_the_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read before either writes."""
    desk = Desk.of(shop, HALF, HALF)
    note = desk.note()
    write = desk.till.held.stripe_payments.write

    def overtaken(*args: Any, **kwargs: Any) -> None:
        monkeypatch.setattr(desk.till.held.stripe_payments, "write", write)
        desk.ask(1, HALF, note)
        write(*args, **kwargs)

    monkeypatch.setattr(desk.till.held.stripe_payments, "write", overtaken)
    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, note)

    assert desk.given_back == HALF
    desk.adds_up()


@pytest.mark.parametrize("answered", [True, False])
def test_a_refund_that_names_a_note_of_credit_is_no_other_note_s(shop: Shop, *, answered: bool) -> None:
    """One note gives back, the other leaves credit: the customer has both back, and no credit."""
    desk = Desk.of(shop, TOTAL)
    gives_back, leaves_credit = desk.note(), desk.note(excess=Excess.CUSTOMER_CREDIT)
    assert desk.till.credit() == HALF
    ask = desk.ask if answered else desk.ask_in_vain

    ask(0, HALF, leaves_credit)
    ask(0, HALF, gives_back)
    for _ in range(2):
        desk.sweep()

    assert desk.given_back == TOTAL
    assert desk.till.credit() == 0
    desk.adds_up()


def test_what_waits_is_the_note_s_that_comes_meanwhile(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.ask_in_vain(0, HALF)
    note = desk.note()

    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, note)
    desk.sweep()

    ledger = desk.till.stored().ledger
    assert (desk.given_back, ledger.refunded_minor, ledger.balance_minor) == (HALF, HALF, 0)
    desk.adds_up()


def test_what_was_kept_for_a_request_is_free_again_once_it_is_refused(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    note = desk.note()
    desk.till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    with pytest.raises(BillingError):
        desk.ask(0, HALF)
    desk.till.stripe.refused.clear()
    assert desk.till.book.coming_back == ()

    desk.ask(1, HALF, note)

    desk.adds_up()


def test_credit_that_a_late_debit_left_is_given_back_by_stripe(shop: Shop) -> None:
    """A debit was given up, the invoice paid again, credited and refunded; then the debit comes, and is credit."""
    till = Till(shop)
    debit = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", debit.payment_intent_id)
    till.stripe.settle(till.account_id, debit.payment_intent_id, success=False)
    till.tell("payment_intent.payment_failed", debit.payment_intent_id)
    desk = Desk(till, [till.paid(), debit])
    note = desk.note(10_000)
    desk.ask(0, TOTAL, note)
    till.stripe.settle(till.account_id, debit.payment_intent_id, success=True)
    till.tell("payment_intent.succeeded", debit.payment_intent_id)
    assert (till.credit(), till.payment(debit).credited_minor) == (TOTAL, TOTAL)

    desk.ask(1, TOTAL)

    assert till.credit() == 0
    desk.adds_up()


def test_credit_of_one_note_is_given_back_after_the_refund_of_another(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note()
    desk.ask(0, HALF)
    desk.note(excess=Excess.CUSTOMER_CREDIT)
    assert desk.till.credit() == HALF

    desk.ask(0, HALF)

    assert desk.till.credit() == 0
    desk.adds_up()


def test_credit_is_not_promised_to_two_payments(shop: Shop) -> None:
    """The first one's refund waits: what it will take of the customer's credit is not there for the second."""
    desk = Desk.of(shop, HALF, HALF)
    notes = [desk.note(excess=Excess.CUSTOMER_CREDIT) for _ in range(2)]
    books = Books.__new__(Books)
    books.shop, books.customer_id = shop, desk.till.invoice.document.customer_id
    books.invoices = [shop.issue(shop.draft(shop.wanted(books.customer_id)))]
    books.apply(HALF)
    assert desk.till.credit() == HALF
    desk.ask_in_vain(0, HALF, notes[0])

    with pytest.raises(RefundExceedsPayment, match="keep only €0"):
        desk.ask(1, HALF, notes[1])
    desk.sweep()

    assert (desk.given_back, desk.till.credit()) == (HALF, 0)
    desk.adds_up()


def test_many_at_once_by_two_payments_refund_a_note_once(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    note = desk.note()

    def ask(number: int) -> bool:
        try:
            desk.ask(number % 2, 3_000, note if number % 3 else None)
        except RefundExceedsPayment:
            return False
        return True

    with ThreadPoolExecutor(8) as people:
        made = list(people.map(ask, range(16)))

    assert (made.count(True), desk.given_back, desk.till.book.by_notes_minor) == (2, HALF, HALF)
    assert desk.moved == 0
    desk.adds_up()


@pytest.mark.parametrize("named", [True, False])
def test_what_is_kept_for_one_payment_is_taken_by_no_refund_of_another(shop: Shop, *, named: bool) -> None:
    desk = Desk.of(shop, HALF, HALF)
    note = desk.note()
    desk.ask_in_vain(0, HALF, note if named else None)

    desk.in_dashboard(1, HALF)
    assert desk.till.stored().ledger.balance_minor == HALF
    desk.sweep()

    assert [desk.till.record(one).refunds[0].by_note_minor for one in desk.payments] == [HALF, 0]
    desk.adds_up()


def test_what_waits_of_a_payment_is_the_notes_no_further_than_it_settled_the_invoice(shop: Shop) -> None:
    """Half of the payment came too late, and is credit; what was paid otherwise was given back otherwise."""
    till = Till(shop)
    intent = till.confirm()
    till.pay(HALF)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    desk = Desk(till, [intent])
    desk.note(2 * HALF_NET)
    assert (till.credit(), desk.on_paper) == (HALF, TOTAL)
    for _ in range(2):
        desk.ask_in_vain(0, HALF)

    for _ in range(2):
        desk.sweep()

    assert (desk.given_back, till.book.by_notes_minor, till.credit()) == (TOTAL, HALF, 0)
    desk.adds_up()


def test_a_refund_that_waited_over_the_night_of_a_note_and_is_refused_is_on_paper(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note()
    desk.ask_in_vain(0, HALF)
    assert night(desk.till).differing == 0
    today = desk.till.shop.clock.today()
    desk.till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    desk.sweep()

    assert night(desk.till).differing == 1

    assert [(one.kind, one.ours_minor) for one in of_today(desk.till, today).differences] == [
        (DifferenceKind.ON_PAPER, -HALF)
    ]


def test_a_refund_that_was_refused_and_is_at_stripe_takes_nothing_that_another_gave_back(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    till, note = desk.till, desk.note()
    till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    with pytest.raises(BillingError):
        desk.ask(0, HALF, note)
    till.stripe.refused.clear()
    desk.ask(1, HALF, note)
    [request] = till.record(desk.payments[0]).requests
    named = desk.payments[0].payment_intent_id

    made = till.stripe.refund(till.account_id, named, HALF, of={REQUEST_KEY: request.request_id})
    till.tell("charge.refunded", made.refund_id, parent_id=named)

    assert (till.book.by_notes_minor, desk.moved, till.stored().ledger.balance_minor) == (HALF, HALF, HALF)
    desk.adds_up()


def test_the_night_says_when_stripe_gave_back_for_notes_more_than_they_say(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an earlier version booked it, for two payments of one note: a refund that is in no ledger."""
    desk = Desk.of(shop, HALF, HALF)
    note, today = desk.note(), shop.clock.today()
    desk.ask(0, HALF, note)
    monkeypatch.setattr(StripeLedger, "by_notes", lambda *_: HALF)
    desk.in_dashboard(1, HALF)
    assert (desk.given_back, desk.till.stored().ledger.refunded_minor) == (TOTAL, HALF)

    assert night(desk.till).differing == 1

    found = {(one.kind, one.stripe_minor, one.ours_minor) for one in of_today(desk.till, today).differences}
    assert found == {(DifferenceKind.OTHER_AMOUNT, -HALF, 0)}
    assert desk.till.counted["StripeReconciliationDiffers"] == 1


def test_a_request_of_before_is_judged_as_it_was_then(shop: Shop) -> None:
    """Recorded before what is the note's was decided at once: all of it is the note's that it names."""
    desk = Desk.of(shop, TOTAL)
    note = desk.note()
    desk.ask_in_vain(0, HALF, note)
    record = desk.till.record(desk.payments[0])
    key = record.tenant_id, record.payment_intent_id
    before = tuple(replace(one, by_notes_minor=None) for one in record.requests)
    desk.till.held.store.stripe_payments[key] = replace(record, requests=before)

    desk.sweep()

    assert desk.till.book.by_notes_minor == HALF
    desk.adds_up()


amounts = st.sampled_from([1_000, 2_500, HALF, TOTAL])
nets = st.sampled_from([1_000, 2_500, HALF_NET])
which = st.integers(0, 1)
steps = st.one_of(
    st.tuples(st.just("note"), nets, st.sampled_from([Excess.REFUND, Excess.REFUND, Excess.CUSTOMER_CREDIT])),
    st.tuples(st.just("named"), which, amounts, which, st.booleans()),
    st.tuples(st.just("unnamed"), which, amounts, st.booleans()),
    st.tuples(st.just("dashboard"), which, amounts),
    st.tuples(st.just("elsewhere"), which, amounts, st.one_of(st.none(), which)),
    st.tuples(st.just("refused"), which, amounts, which),
    st.tuples(st.just("comes back"), which),
    st.tuples(st.just("sweep")),
)


def take(desk: Desk, step: tuple[Any, ...]) -> None:
    till, kind = desk.till, step[0]
    if kind == "note":
        desk.note(step[1], excess=step[2])
    elif kind == "sweep":
        desk.sweep()
    elif kind == "comes back":
        desk.comes_back(step[1])
    else:
        payment, amount_minor = step[1] % len(desk.payments), step[2]
        note = desk.notes[step[3] % len(desk.notes)] if kind in {"named", "refused"} and desk.notes else None
        if kind == "dashboard":
            desk.in_dashboard(payment, min(amount_minor, desk.left_at_stripe(payment)))
        elif kind == "elsewhere":
            named = desk.notes[step[3] % len(desk.notes)] if step[3] is not None and desk.notes else None
            desk.ask(payment, amount_minor, named, method=PaymentMethod.TRANSFER)
        elif kind == "refused":
            till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
            desk.ask(payment, amount_minor, note)
        else:
            till.stripe.down = step[-1]
            desk.ask(payment, amount_minor, note)


@settings(max_examples=150, deadline=None)
@given(
    paid=st.sampled_from([(TOTAL,), (HALF, HALF), (4_000, 8_000)]),
    order=st.lists(steps, min_size=2, max_size=9),
)
def test_whatever_is_given_back_in_whatever_order_is_in_the_books_once(
    paid: tuple[int, ...], order: list[tuple[Any, ...]]
) -> None:
    shop = Shop()
    shop.describe()
    desk = Desk.of(shop, *paid)
    for step in order:
        with contextlib.suppress(BillingError, StripeRefused):
            take(desk, step)
        desk.till.stripe.down = False
        desk.till.stripe.refused.clear()

    for _ in order:
        desk.sweep()
    # What fitted in no ledger while something else was kept for another may fit now: a person takes it up again.
    for _ in range(2):
        for intent in desk.payments:
            settle_stripe_payment(
                shop.caller.tenant_id, desk.till.account_id, intent.payment_intent_id, desk=desk.till.desk()
            )

    records = [desk.till.record(one) for one in desk.payments]
    assert all(one.state is not RequestState.REQUESTED for record in records for one in record.requests)
    assert all(one.refusal != GIVEN_BACK_MEANWHILE for record in records for one in record.requests)
    assert desk.till.book.coming_back == ()
    desk.adds_up()
