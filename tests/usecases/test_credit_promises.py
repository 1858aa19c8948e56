"""What refunds at Stripe will take of a customer's credit is promised: nobody spends it meanwhile, on whatever invoice,
by whatever means, under whatever name of the customer.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.domain.crediting import Excess
from billing.domain.customer_credit import CustomerCredit
from billing.domain.errors import (
    BillingError,
    CustomerCreditExceeded,
    DependencyUnavailable,
    RefundExceedsPayment,
)
from billing.domain.events import EventType
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Payment, PaymentExcess, WantedAllocation
from billing.domain.stripe import PaymentIntent, StripeRefund, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState
from billing.domain.stripe_payment import GIVEN_BACK_MEANWHILE, RefundRequest, RequestState
from billing.domain.stripe_words import explain_refund_request
from billing.ports.stripe import StripeRefused
from billing.usecases.customer_merges import merge_customer
from billing.usecases.payments import (
    PaymentInput,
    RefundInput,
    apply_customer_credit,
    record_payment,
    refund_customer_credit,
    reverse_payment,
)
from billing.usecases.stripe_events import settle_stripe_payment
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import verified
from tests.usecases.test_currencies import DOLLARS
from tests.usecases.test_stripe_given_back import HALF, HALF_NET, TOTAL, Desk
from tests.usecases.test_stripe_mixed import lost

TRANSFER = PaymentMethod.TRANSFER


@dataclass
class Customer:
    """One customer, invoices of 120 euros, each paid at Stripe, and what was paid besides is its credit."""

    desks: list[Desk] = field(default_factory=list)

    @classmethod
    def of(cls, shop: Shop, *paid: tuple[int, ...]) -> Customer:
        """For each invoice what was paid of it at Stripe once it was paid by transfer, and else; negative: else."""
        till, customer = Till(shop), cls()
        for amounts in paid:
            if customer.desks:
                till = copy.copy(till)
                till.issue(shop.wanted(till.invoice.document.customer_id))
            customer.desks.append(Desk(till, [paid_twice(till) if one < 0 else till.paid(one) for one in amounts]))
        return customer

    @property
    def till(self) -> Till:
        return self.desks[0].till

    @property
    def shop(self) -> Shop:
        return self.till.shop

    @property
    def customer_id(self) -> str:
        return self.till.invoice.document.customer_id

    @property
    def credit(self) -> CustomerCredit:
        return self.till.held.payments.load(self.shop.caller, self.customer_id, ()).credit

    @property
    def promised(self) -> dict[str, int]:
        return {one.payment_intent_id: one.amount_minor for one in self.credit.promised}

    def apply(self, amount_minor: int | None) -> Payment:
        """On another invoice."""
        shop = self.shop
        other = shop.issue(shop.draft(shop.wanted(self.customer_id)))
        return apply_customer_credit(
            shop.caller,
            self.customer_id,
            (WantedAllocation(invoice_id=other.invoice_id, amount_minor=amount_minor),),
            once=shop.once("applyCustomerCredit"),
            payments=self.till.held.payments,
            clock=shop.clock,
            ids=shop.ids,
        )

    def transfer(self, amount_minor: int) -> None:
        refund_customer_credit(
            self.shop.caller,
            self.customer_id,
            RefundInput(amount_minor=amount_minor, method=TRANSFER),
            once=self.shop.once("refundCustomerCredit"),
            payments=self.till.held.payments,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def spend(self, how: str, amount_minor: int) -> None:
        self.transfer(amount_minor) if how == "transfer" else self.apply(amount_minor)

    def pending(self, desk: int, payment: int, amount_minor: int) -> StripeRefund:
        """In the dashboard; the bank takes days."""
        till, named = self.till, self.desks[desk].payments[payment].payment_intent_id
        refund = till.stripe.refund(till.account_id, named, amount_minor, status=StripeRefundStatus.PENDING)
        self.told(refund)
        return refund

    def end(self, refund: StripeRefund, *, made: bool) -> None:
        stripe = self.till.stripe
        if made:
            key = self.till.account_id, refund.refund_id
            stripe.refunds[key] = replace(stripe.refunds[key], status=StripeRefundStatus.SUCCEEDED)
        else:
            stripe.fail_refund(self.till.account_id, refund.refund_id)
        self.told(refund)

    def told(self, refund: StripeRefund) -> None:
        self.till.tell("refund.updated", refund.refund_id, parent_id=refund.payment_intent_id or "")

    def sweep(self) -> None:
        self.desks[0].sweep()

    def settle(self) -> None:
        for desk in self.desks:
            for intent in desk.payments:
                tenant_id, account_id = self.shop.caller.tenant_id, self.till.account_id
                settle_stripe_payment(tenant_id, account_id, intent.payment_intent_id, desk=self.till.desk())

    def adds_up(self) -> None:
        """Whatever Stripe gave back, and the company by other means, is in the books once."""
        given, moved = self.desks[0].given_back, 0
        for desk in self.desks:
            assert all(not desk.till.record(one).bookings for one in desk.payments)
            given += desk.elsewhere
            moved += desk.moved + desk.till.book.noted_minor
            coming = {one.payment_intent_id: one.moving_minor for one in desk.till.book.coming_back}
            for intent in desk.payments:
                name = intent.payment_intent_id
                assert self.promised.get(name, 0) <= coming.get(name, 0)
        assert given == moved
        self.till.adds_up()


def paid_twice(till: Till) -> PaymentIntent:
    """At Stripe after it was paid by transfer: all of it is credit."""
    intent = till.confirm()
    till.pay(TOTAL)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    return intent


@pytest.fixture
def twice(shop: Shop) -> Customer:
    """An invoice that was paid twice."""
    return Customer.of(shop, (-1,))


@pytest.mark.parametrize("how", ["asked", "pending"])
@pytest.mark.parametrize("spent", ["transfer", "invoice"])
def test_credit_that_a_waiting_refund_takes_is_not_spent(twice: Customer, how: str, spent: str) -> None:
    refund = None
    if how == "pending":
        refund = twice.pending(0, 0, TOTAL)
    else:
        twice.desks[0].ask_in_vain(0, TOTAL)
    assert list(twice.promised.values()) == [TOTAL]

    with pytest.raises(
        CustomerCreditExceeded, match=r"€120\.00 of it is kept for what Stripe or a bank gives back"
    ) as refused:
        twice.spend(spent, TOTAL)
    assert re.search("dont 120,00.€ pour ce que Stripe ou une banque lui rend", refused.value.detail_fr)

    twice.end(refund, made=True) if refund else twice.sweep()
    assert (twice.desks[0].given_back, twice.credit.balance_minor, twice.promised) == (TOTAL, 0, {})
    twice.adds_up()


@pytest.mark.parametrize("spent", ["transfer", "invoice"])
def test_what_is_not_promised_is_spent(twice: Customer, spent: str) -> None:
    twice.desks[0].ask_in_vain(0, HALF)

    twice.spend(spent, HALF)
    with pytest.raises(CustomerCreditExceeded):
        twice.spend(spent, 1)

    twice.sweep()
    assert (twice.credit.balance_minor, twice.promised) == (0, {})
    twice.adds_up()


def test_an_invoice_without_an_amount_takes_what_is_not_promised(twice: Customer) -> None:
    twice.desks[0].ask_in_vain(0, HALF)

    twice.apply(None)
    with pytest.raises(CustomerCreditExceeded):
        twice.apply(None)

    assert twice.credit.balance_minor == HALF


@pytest.mark.parametrize("how", ["failed", "refused"])
def test_credit_is_free_again_when_nothing_comes_of_a_refund(twice: Customer, how: str) -> None:
    if how == "failed":
        twice.end(twice.pending(0, 0, TOTAL), made=False)
    else:
        twice.desks[0].ask_in_vain(0, TOTAL)
        twice.till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
        twice.sweep()
    assert twice.promised == {}

    twice.transfer(TOTAL)

    twice.adds_up()


@pytest.mark.parametrize("method", [None, TRANSFER])
def test_credit_is_not_promised_over_two_invoices(shop: Shop, method: PaymentMethod | None) -> None:
    customer = Customer.of(shop, (-1,), (-1,))
    first, second = customer.desks
    customer.apply(TOTAL)
    first.ask_in_vain(0, TOTAL)

    with pytest.raises(RefundExceedsPayment, match="keep only €0"):
        second.ask(0, TOTAL, method=method)

    customer.sweep()
    assert (first.given_back, first.moved) == (TOTAL, TOTAL)
    customer.adds_up()


def test_a_payment_whose_credit_is_promised_is_not_taken_back(shop: Shop) -> None:
    """What was paid too much by transfer is credit, of which a refund at Stripe takes what is left."""
    customer = Customer.of(shop, (-1,))
    ports: dict[str, Any] = {"payments": customer.till.held.payments, "clock": shop.clock, "ids": shop.ids}
    by_transfer = record_payment(
        shop.caller,
        customer.customer_id,
        PaymentInput(amount_minor=TOTAL, method=TRANSFER),
        (),
        PaymentExcess.CUSTOMER_CREDIT,
        once=shop.once("recordPayment"),
        **ports,
    )
    customer.apply(TOTAL)
    customer.desks[0].ask_in_vain(0, TOTAL)

    with pytest.raises(CustomerCreditExceeded, match="is kept for what Stripe or a bank gives back"):
        reverse_payment(shop.caller, by_transfer.payment_id, "Erreur", once=shop.once("reversePayment"), **ports)

    customer.sweep()
    customer.adds_up()


def overtaking(
    customer: Customer, monkeypatch: pytest.MonkeyPatch, port: str, name: str, act: Callable[[], None]
) -> None:
    """Somebody acts once whoever is next has read everything, and before they write."""
    held = getattr(customer.till.held, port)
    write = getattr(held, name)

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(held, name, write)
        act()
        return write(*args, **kwargs)

    monkeypatch.setattr(held, name, overtaken)


@pytest.mark.parametrize(("spent", "write"), [("transfer", "move_credit"), ("invoice", "write")])
def test_who_spends_it_meanwhile_is_judged_after_the_promise(
    twice: Customer, monkeypatch: pytest.MonkeyPatch, spent: str, write: str
) -> None:
    overtaking(twice, monkeypatch, "payments", write, lambda: twice.desks[0].ask_in_vain(0, TOTAL))

    with pytest.raises(CustomerCreditExceeded):
        twice.spend(spent, TOTAL)

    twice.sweep()
    twice.adds_up()


@pytest.mark.parametrize("spent", ["transfer", "invoice"])
def test_who_asks_meanwhile_is_judged_after_it_is_spent(
    twice: Customer, monkeypatch: pytest.MonkeyPatch, spent: str
) -> None:
    overtaking(twice, monkeypatch, "stripe_payments", "write", lambda: twice.spend(spent, TOTAL))

    with pytest.raises(RefundExceedsPayment):
        twice.desks[0].ask(0, TOTAL)

    assert (twice.desks[0].given_back, twice.promised) == (0, {})
    twice.adds_up()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_two_invoices_asked_at_once_are_judged_one_after_the_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, elsewhere: bool
) -> None:
    customer = Customer.of(shop, (-1,), (-1,))
    first, second = customer.desks
    customer.apply(TOTAL)
    held = ("payments", "write") if elsewhere else ("stripe_payments", "write")
    overtaking(customer, monkeypatch, *held, lambda: second.ask_in_vain(0, TOTAL))

    with pytest.raises(RefundExceedsPayment):
        first.ask(0, TOTAL, method=TRANSFER if elsewhere else None)

    customer.sweep()
    assert (second.moved, first.moved) == (TOTAL, 0)
    customer.adds_up()


@pytest.mark.parametrize("begun", ["asked", "pending"])
@pytest.mark.parametrize("note_first", [True, False])
def test_a_note_and_a_refund_at_once_are_judged_one_after_the_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, begun: str, *, note_first: bool
) -> None:
    """Whoever reads first is overtaken: what the note leaves as credit is what the refund takes."""
    customer = Customer.of(shop, (TOTAL,))
    [desk] = customer.desks

    def note() -> None:
        desk.note(2 * HALF_NET, excess=Excess.CUSTOMER_CREDIT)

    def begin() -> None:
        desk.ask_in_vain(0, TOTAL) if begun == "asked" else customer.pending(0, 0, TOTAL)

    if note_first:
        overtaking(customer, monkeypatch, "stripe_payments", "write", note)
        begin()
    else:
        overtaking(customer, monkeypatch, "credit_notes", "issue", begin)
        note()

    assert (customer.credit.balance_minor, list(customer.promised.values())) == (TOTAL, [TOTAL])
    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(TOTAL)


def test_what_an_invoice_keeps_is_promised_of_no_credit(shop: Shop) -> None:
    """Nor is the credit written: who moves it at the same time is not in the way."""
    customer = Customer.of(shop, (-1,), (TOTAL,))
    before = customer.credit
    customer.desks[1].ask_in_vain(0, TOTAL)
    assert customer.credit == before

    customer.transfer(TOTAL)

    customer.sweep()
    customer.adds_up()


def test_what_a_note_takes_from_under_a_refund_is_promised_of_what_it_leaves(shop: Shop) -> None:
    customer = Customer.of(shop, (TOTAL,))
    [desk] = customer.desks
    refund = customer.pending(0, 0, HALF)
    assert customer.promised == {}
    desk.note(2 * HALF_NET, excess=Excess.CUSTOMER_CREDIT)
    assert (customer.credit.balance_minor, list(customer.promised.values())) == (TOTAL, [HALF])

    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(TOTAL)
    customer.transfer(HALF)

    customer.end(refund, made=True)
    assert (customer.credit.balance_minor, customer.promised) == (0, {})
    customer.adds_up()


@pytest.mark.parametrize("method", [None, TRANSFER])
@pytest.mark.parametrize("payments", [(TOTAL,), (HALF, HALF)])
def test_what_a_later_note_takes_from_under_a_refund_is_not_given_back_besides(
    shop: Shop, payments: tuple[int, ...], method: PaymentMethod | None
) -> None:
    """The refund names another note, whose credit is spent: what the invoice kept for it is on paper now."""
    customer = Customer.of(shop, payments)
    [desk] = customer.desks
    left_credit = desk.note(excess=Excess.CUSTOMER_CREDIT)
    customer.apply(HALF)
    desk.ask_in_vain(0, HALF, left_credit)
    gives_back = desk.note()
    assert desk.till.stored().ledger.kept_minor == 0

    for named in (gives_back, None):
        with pytest.raises(RefundExceedsPayment):
            desk.ask(len(payments) - 1, HALF, named, method=method)

    customer.sweep()
    assert (desk.given_back, desk.elsewhere, desk.till.book.noted_minor) == (HALF, 0, HALF)
    customer.adds_up()


def test_what_credit_is_promised_to_leaves_a_later_note_its_refund(shop: Shop) -> None:
    """The credit of the note that it names is there: the other note gives back the other half."""
    customer = Customer.of(shop, (TOTAL,))
    [desk] = customer.desks
    desk.ask_in_vain(0, HALF, desk.note(excess=Excess.CUSTOMER_CREDIT))

    desk.ask(0, HALF, desk.note())

    customer.sweep()
    assert (desk.given_back, desk.till.book.noted_minor, customer.credit.balance_minor) == (TOTAL, HALF, 0)
    customer.adds_up()


def test_what_a_fact_took_of_a_promise_leaves_a_later_note_nothing_to_give_back_besides(shop: Shop) -> None:
    """The credit is promised to the refund, and the dashboard gave it back on another invoice."""
    customer = Customer.of(shop, (TOTAL,), (-1,))
    desk, other = customer.desks
    desk.ask_in_vain(0, HALF, desk.note(excess=Excess.CUSTOMER_CREDIT))
    customer.apply(TOTAL)
    other.in_dashboard(0, HALF)
    assert (customer.credit.balance_minor, list(customer.promised.values())) == (0, [HALF])

    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, HALF, desk.note())

    customer.sweep()
    assert (desk.given_back, desk.till.book.noted_minor) == (TOTAL, HALF)  # with the dashboard's
    customer.adds_up()


def test_dollars_of_a_later_note_are_not_given_back_besides(shop: Shop) -> None:
    """There is no credit of them that would bear what the invoice keeps no more."""
    till = Till(shop)
    till.issue(shop.wanted(till.invoice.document.customer_id, particulars=DOLLARS))
    desk = Desk(till, [till.paid(HALF)])
    desk.ask_in_vain(0, 3_000, desk.note())  # which took off what was owed
    desk.note()

    record = till.record(desk.payments[0])
    assert till.desk().ledger.unasked_by_notes(shop.caller, (record,), till.book) == 3_000


def test_what_a_note_gave_back_on_paper_is_promised_of_no_credit(shop: Shop) -> None:
    """The dashboard gives back what the note says: the credit of another invoice stays the customer's."""
    customer = Customer.of(shop, (TOTAL,), (-1,))
    customer.desks[0].note(2 * HALF_NET)
    refund = customer.pending(0, 0, TOTAL)
    assert customer.promised == {}

    customer.transfer(TOTAL)

    customer.end(refund, made=True)
    customer.adds_up()


@pytest.mark.parametrize("named", [True, False])
def test_a_note_promises_no_more_than_what_other_notes_leave_of_a_refund(shop: Shop, *, named: bool) -> None:
    """Of the 120 that come back 60 are the first note's; the second one takes 12 of what the invoice kept."""
    customer = Customer.of(shop, (TOTAL,), (-1,))
    desk = customer.desks[0]
    note = desk.note()
    if named:  # what is kept for it is free for nothing else
        desk.ask_in_vain(0, HALF, note)
    refund = customer.pending(0, 0, HALF if named else TOTAL)
    assert customer.promised == {}

    desk.note(1_000, excess=Excess.CUSTOMER_CREDIT)

    assert list(customer.promised.values()) == [1_200]
    customer.transfer(TOTAL)  # what there was before
    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(1)
    customer.end(refund, made=True)
    customer.sweep()
    assert (desk.given_back, customer.credit.balance_minor, customer.promised) == (TOTAL, 0, {})
    customer.adds_up()


def test_a_refund_that_was_there_before_the_payment_is_promised_with_it(shop: Shop) -> None:
    """Both are told by one event: the payment is booked, and the refund has not ended."""
    till = Till(shop)
    intent = till.confirm()
    till.pay(TOTAL)
    customer = Customer([Desk(till, [intent])])
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, HALF, status=StripeRefundStatus.PENDING)

    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    assert (customer.credit.balance_minor, list(customer.promised.values())) == (TOTAL, [HALF])
    customer.end(refund, made=True)
    assert (customer.credit.balance_minor, customer.promised) == (HALF, {})
    customer.adds_up()


def test_what_a_note_named_left_as_credit_is_promised_to_its_refund(shop: Shop) -> None:
    """Though the invoice keeps as much: it is taken off the credit first."""
    customer = Customer.of(shop, (TOTAL,))
    [desk] = customer.desks
    desk.ask_in_vain(0, HALF, desk.note(excess=Excess.CUSTOMER_CREDIT))
    assert list(customer.promised.values()) == [HALF]

    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(HALF)

    customer.sweep()
    assert (desk.till.stored().ledger.balance_minor, customer.credit.balance_minor, customer.promised) == (0, 0, {})
    customer.adds_up()


def test_what_is_given_back_elsewhere_leaves_the_rest_to_the_other_payment(shop: Shop) -> None:
    """The invoice keeps half, a note left half: a refund of each payment, and the credit is the second one's."""
    customer = Customer.of(shop, (HALF, HALF))
    [desk] = customer.desks
    desk.note(excess=Excess.CUSTOMER_CREDIT)
    desk.ask_in_vain(0, HALF)
    assert customer.promised == {}

    desk.ask(1, HALF, method=TRANSFER)

    assert (customer.credit.balance_minor, list(customer.promised.values())) == (HALF, [HALF])
    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(HALF)
    customer.sweep()
    customer.adds_up()


@pytest.mark.parametrize("spent", [True, False])
def test_a_promise_goes_with_the_credit_of_a_duplicate(shop: Shop, *, spent: bool) -> None:
    """Where nothing is left of that, too: the dashboard gave back what was spent, and the other has credit one day."""
    customer = Customer.of(shop, (-1,))
    kept = shop.customer().customer_id
    if spent:
        customer.apply(TOTAL)
    refund = customer.pending(0, 0, TOTAL)
    before = customer.credit

    merge_customer(
        shop.caller,
        kept,
        customer.customer_id,
        once=shop.once("mergeCustomer"),
        merges=customer.till.held.customer_merges,
        clock=shop.clock,
        ids=shop.ids,
    )

    assert (customer.credit.customer_id, customer.credit.promised) == (kept, before.promised)
    assert list(customer.promised.values()) == [TOTAL]
    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(TOTAL)
    assert verified(shop).findings == ()
    customer.end(refund, made=not spent)
    assert (customer.credit.balance_minor, customer.promised) == (0, {})


def test_dollars_promise_no_euros(shop: Shop) -> None:
    customer = Customer.of(shop, (-1,))
    till = copy.copy(customer.till)
    till.issue(shop.wanted(customer.customer_id, particulars=DOLLARS))
    customer.desks.append(Desk(till, [till.paid()]))

    customer.pending(1, 0, TOTAL)

    assert customer.promised == {}
    customer.transfer(TOTAL)


def waiting_and_taken(shop: Shop, taken_minor: int) -> Customer:
    """A refund of all the credit waits, and the dashboard gives back so much of what was paid on another invoice."""
    customer = Customer.of(shop, (-1,), (-1,))
    customer.apply(TOTAL)
    customer.desks[0].ask_in_vain(0, TOTAL)
    customer.desks[1].in_dashboard(0, taken_minor)
    assert customer.credit.balance_minor == TOTAL - taken_minor
    return customer


def refused_meanwhile(desk: Desk) -> RefundRequest:
    [request] = desk.till.record(desk.payments[0]).requests
    assert (request.state, request.refusal) == (RequestState.REFUSED, GIVEN_BACK_MEANWHILE)
    assert request.asked is False
    return request


@pytest.mark.parametrize("taken_minor", [TOTAL, HALF, 1])
def test_what_the_dashboard_gave_back_meanwhile_is_not_given_back_again(shop: Shop, taken_minor: int) -> None:
    """Nor is a part of it: who asked for all of it decides what is asked for now."""
    customer = waiting_and_taken(shop, taken_minor)
    desk = customer.desks[0]

    customer.sweep()

    said = explain_refund_request(refused_meanwhile(desk))
    assert "rendu autrement" in said.french
    assert "given back otherwise" in said.english
    assert (desk.given_back, desk.till.record(desk.payments[0]).reserved_minor) == (taken_minor, 0)
    assert (customer.promised, desk.till.book.coming_back) == ({}, ())
    told = [one for one in shop.events(desk.till.invoice.invoice_id) if one.data.get("refusal")]
    assert [one.event_type for one in told] == [EventType.PAYMENT_REFUND_REFUSED]
    customer.spend("transfer", TOTAL - taken_minor) if taken_minor < TOTAL else None
    customer.adds_up()


def test_who_asks_again_is_told_that_it_was_given_back_meanwhile(shop: Shop) -> None:
    """The same request of a person, before the sweep."""
    customer = Customer.of(shop, (-1,), (-1,))
    customer.apply(TOTAL)
    first, second = customer.desks
    once = shop.once("refundPayment")
    customer.till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        first.ask(0, TOTAL, once=once)
    customer.till.stripe.down = False
    second.in_dashboard(0, TOTAL)

    for _ in range(2):
        with pytest.raises(RefundExceedsPayment, match="given back otherwise"):
            first.ask(0, TOTAL, once=once)

    refused_meanwhile(first)
    customer.adds_up()


def test_what_is_told_of_it_right_before_stripe_is_asked_counts(shop: Shop) -> None:
    """The dashboard gave back half of a payment, and no event told before somebody asks for all of it here."""
    customer = Customer.of(shop, (-1,), (-1,))
    first = customer.desks[0]
    named, till = first.payments[0].payment_intent_id, customer.till
    till.stripe.refund(till.account_id, named, HALF)

    with pytest.raises(RefundExceedsPayment, match="given back otherwise"):
        first.ask(0, TOTAL)

    refused_meanwhile(first)
    first.ask(0, HALF)
    customer.adds_up()


def test_what_a_lost_dispute_took_meanwhile_is_not_given_back_again(shop: Shop) -> None:
    """The invoice keeps half and a note left half, which is spent: the bank takes what the refund was to take."""
    customer = Customer.of(shop, (HALF, HALF))
    [desk] = customer.desks
    desk.note(excess=Excess.CUSTOMER_CREDIT)
    customer.apply(HALF)
    desk.ask_in_vain(0, HALF)
    assert lost(desk.till, desk.payments[1]).state is InboxState.DONE

    customer.sweep()

    refused_meanwhile(desk)
    assert (desk.given_back, desk.till.stored().ledger.kept_minor) == (0, 0)
    assert (desk.moved, customer.credit.balance_minor) == (HALF, 0)
    desk.till.adds_up()


@pytest.mark.parametrize("made", [True, False])
def test_what_stripe_may_have_been_asked_for_is_learnt_there(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, made: bool
) -> None:
    """Its answer was lost, or it never heard of it: whatever the books say, nobody here decides that it was not."""
    customer = Customer.of(shop, (-1,), (-1,))
    customer.apply(TOTAL)
    desk, make = customer.desks[0], customer.till.stripe.create_refund

    def unheard(*args: Any, **kwargs: Any) -> None:
        if made:
            make(*args, **kwargs)
        raise DependencyUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(customer.till.stripe, "create_refund", unheard)
        with pytest.raises(DependencyUnavailable):
            desk.ask(0, TOTAL)
    customer.desks[1].in_dashboard(0, TOTAL)

    customer.sweep()

    [request] = desk.till.record(desk.payments[0]).requests
    assert (request.state, request.asked) == (RequestState.ACCEPTED, True)
    assert desk.given_back == 2 * TOTAL


def test_of_what_was_recorded_before_it_was_noted_nobody_says_that_stripe_was_not_asked(shop: Shop) -> None:
    customer = waiting_and_taken(shop, TOTAL)
    desk = customer.desks[0]
    record = desk.till.record(desk.payments[0])
    before = tuple(replace(one, asked=None) for one in record.requests)
    key = record.tenant_id, record.payment_intent_id
    desk.till.held.store.stripe_payments[key] = replace(record, requests=before)

    customer.sweep()

    assert desk.given_back == 2 * TOTAL


def test_a_fact_that_comes_while_it_is_judged_is_judged_with(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the same payment, between the reading of its books and the note that Stripe is asked."""
    customer = Customer.of(shop, (-1,))
    [desk] = customer.desks
    desk.ask_in_vain(0, TOTAL)
    overtaking(customer, monkeypatch, "stripe_payments", "write", lambda: desk.in_dashboard(0, HALF))

    customer.sweep()

    refused_meanwhile(desk)
    assert desk.given_back == HALF
    customer.adds_up()


def test_what_nothing_took_is_made_whatever_else_is_short(shop: Shop) -> None:
    """The dashboard took the credit; what waits of the other invoice is what a note gave back, and is made."""
    customer = Customer.of(shop, (TOTAL,), (-1,))
    desk = customer.desks[0]
    desk.note()
    desk.ask_in_vain(0, HALF)
    customer.desks[1].in_dashboard(0, TOTAL)

    customer.sweep()

    assert desk.till.record(desk.payments[0]).requests[0].state is RequestState.ACCEPTED
    customer.adds_up()


def test_what_it_will_take_is_promised_before_stripe_is_asked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A note took from under it what the invoice kept, when nothing was promised for that yet."""
    customer = Customer.of(shop, (TOTAL,))
    [desk] = customer.desks
    desk.ask_in_vain(0, TOTAL)
    desk.note(excess=Excess.CUSTOMER_CREDIT)
    credit = customer.credit
    desk.till.held.store.credits[credit.tenant_id, credit.customer_id] = replace(credit, promised=())
    monkeypatch.setattr(customer.till.stripe, "create_refund", unanswered)

    customer.sweep()

    assert list(customer.promised.values()) == [HALF]
    with pytest.raises(CustomerCreditExceeded):
        customer.transfer(HALF)
    monkeypatch.undo()
    customer.sweep()
    customer.adds_up()


def unanswered(*_: Any, **__: Any) -> None:
    raise DependencyUnavailable


amounts = st.sampled_from([2_500, HALF, TOTAL, TOTAL])
which = st.integers(0, 1)
steps = st.one_of(
    st.tuples(st.just("note"), which, st.sampled_from([1_000, 2_500, HALF_NET]), st.sampled_from(list(Excess))),
    st.tuples(st.just("ask"), which, which, amounts, st.sampled_from([True, True, False]), st.booleans()),
    st.tuples(st.just("ask"), which, which, amounts, st.sampled_from([True, True, False]), st.booleans()),
    st.tuples(st.just("refused"), which, which, amounts),
    st.tuples(st.just("elsewhere"), which, which, amounts),
    st.tuples(st.just("pending"), which, which, amounts),
    st.tuples(st.just("end"), st.booleans()),
    st.tuples(st.just("spend"), st.sampled_from(["transfer", "invoice"]), amounts),
    st.tuples(st.just("spend"), st.sampled_from(["transfer", "invoice"]), amounts),
    st.tuples(st.just("sweep")),
)


def take(customer: Customer, step: tuple[Any, ...], waiting: list[StripeRefund]) -> None:
    kind, stripe = step[0], customer.till.stripe
    if kind == "sweep":
        customer.sweep()
    elif kind == "spend":
        customer.spend(*step[1:])
    elif kind == "end":
        if waiting:
            customer.end(waiting.pop(0), made=step[1])
    else:
        desk = customer.desks[step[1]]
        if kind == "note":
            desk.note(step[2], excess=step[3])
            return
        payment, amount_minor = step[2] % len(desk.payments), step[3]
        if kind in {"fact", "pending"}:
            in_dashboard(customer, kind, step, waiting)
        elif kind == "elsewhere":
            desk.ask(payment, amount_minor, method=TRANSFER)
        elif kind == "refused":
            stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
            desk.ask(payment, amount_minor)
        else:
            stripe.down = step[4]
            desk.ask(payment, amount_minor, desk.notes[-1] if step[5] and desk.notes else None)


def in_dashboard(customer: Customer, kind: str, step: tuple[Any, ...], waiting: list[StripeRefund]) -> None:
    desk = customer.desks[step[1]]
    payment, amount_minor = step[2] % len(desk.payments), step[3]
    if kind == "fact":  # where nothing else is on its way at Stripe
        amount_minor = min(amount_minor, customer.credit.balance_minor, desk.kept_at_stripe(payment))
        if amount_minor and not waiting:
            desk.in_dashboard(payment, amount_minor)
        return
    # The company looks at what the customer has before.
    amount_minor = min(amount_minor, desk.left_at_stripe(payment), customer.credit.free_minor())
    if amount_minor:
        waiting.append(customer.pending(step[1], payment, amount_minor))


def end_of(paid: tuple[tuple[int, ...], ...], order: list[tuple[Any, ...]]) -> list[RefundRequest]:
    """All that was asked for, once everything has ended and adds up."""
    shop = Shop()
    shop.describe()
    customer, waiting = Customer.of(shop, *paid), list[StripeRefund]()
    for step in order:
        with contextlib.suppress(BillingError, StripeRefused):
            take(customer, step, waiting)
        customer.till.stripe.down = False
        customer.till.stripe.refused.clear()
    for refund in waiting:
        customer.end(refund, made=True)
    for _ in order:
        customer.sweep()
    for _ in range(2):
        customer.settle()

    records = [desk.till.record(one) for desk in customer.desks for one in desk.payments]
    requests = [one for record in records for one in record.requests]
    assert all(one.state is not RequestState.REQUESTED for one in requests)
    assert customer.promised == {}
    customer.adds_up()
    return requests


PAID = st.sampled_from([((-1,), (-1,)), ((TOTAL,), (-1,)), ((HALF, HALF), (-1,)), ((-1,), (4_000, 8_000))])


@settings(max_examples=150, deadline=None)
@given(paid=PAID, order=st.lists(steps, min_size=2, max_size=10))
def test_whoever_takes_the_credit_of_a_customer_in_whatever_order_it_is_given_once(
    paid: tuple[tuple[int, ...], ...], order: list[tuple[Any, ...]]
) -> None:
    requests = end_of(paid, order)

    # Nothing that was done at Stripe took what was promised: whatever was recorded is made, or Stripe says no.
    assert all(one.refusal != GIVEN_BACK_MEANWHILE for one in requests)


halves = st.sampled_from([HALF, TOTAL])
spends = st.tuples(st.just("spend"), st.sampled_from(["transfer", "invoice"]), halves)
asks = st.tuples(st.just("ask"), which, which, halves, st.just(value=True), st.booleans())
facts = st.tuples(st.just("fact"), which, which, halves)
others = st.one_of(
    st.tuples(st.just("sweep")),
    st.tuples(st.just("note"), which, st.just(HALF_NET), st.sampled_from(list(Excess))),
    st.tuples(st.just("elsewhere"), which, which, st.just(HALF)),
)


@settings(max_examples=150, deadline=None)
@given(
    paid=PAID, spent=spends, asked=asks, then=st.lists(st.one_of(facts, spends, asks, others), min_size=1, max_size=5)
)
def test_whatever_is_done_at_stripe_besides_what_waits_is_given_back_once(
    paid: tuple[tuple[int, ...], ...], spent: tuple[Any, ...], asked: tuple[Any, ...], then: list[tuple[Any, ...]]
) -> None:
    """The company looks at Stripe, and at what the customer has, and not at what it asked for here."""
    end_of(paid, [spent, asked, *then])
