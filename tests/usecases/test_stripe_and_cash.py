"""An invoice that was paid online in part, and by transfer: what both give back is never more than it keeps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.crediting import Excess
from billing.domain.errors import CustomerCreditExceeded, FieldErrors, RefundExceedsPayment
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Payment, PaymentExcess, WantedAllocation
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.ports.stripe import StripeRefused
from billing.usecases import payments as usecase
from billing.usecases.payments import (
    PaymentInput,
    RefundInput,
    apply_customer_credit,
    record_payment,
    refund_payment,
    reverse_payment,
)
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_promises import Customer, overtaking
from tests.usecases.test_currencies import DOLLARS
from tests.usecases.test_stripe_given_back import HALF, HALF_NET, TOTAL, Desk

CREDIT, TRANSFER = Excess.CUSTOMER_CREDIT, PaymentMethod.TRANSFER


class Halves(Customer):
    """An invoice of 120 euros, one half paid by transfer and the other at Stripe."""

    @classmethod
    def made(cls, shop: Shop, **changes: Any) -> Halves:
        till = Till(shop)
        if changes:
            till.issue(shop.wanted(till.invoice.document.customer_id, **changes))
        till.pay(HALF)
        return cls([Desk(till, [till.paid()])])

    @classmethod
    def with_credit(cls, shop: Shop) -> Halves:
        """The other half paid from credit of the customer, which came by transfer."""
        till = Till(shop)
        found = cls([Desk(till, [till.paid(HALF)])])
        record_payment(
            shop.caller,
            found.customer_id,
            PaymentInput(amount_minor=HALF, method=TRANSFER),
            (),
            PaymentExcess.CUSTOMER_CREDIT,
            once=shop.once("recordPayment"),
            **found.ports,
        )
        wanted = (WantedAllocation(invoice_id=till.invoice.invoice_id, amount_minor=HALF),)
        apply_customer_credit(
            shop.caller, found.customer_id, wanted, once=shop.once("applyCustomerCredit"), **found.ports
        )
        return found

    @property
    def ports(self) -> dict[str, Any]:
        return {"payments": self.till.held.payments, "clock": self.shop.clock, "ids": self.shop.ids}

    @property
    def desk(self) -> Desk:
        return self.desks[0]

    @property
    def kept(self) -> int:
        return self.till.stored().ledger.kept_minor

    def refund_transfer(self, amount_minor: int = HALF) -> None:
        [paid] = [one for one in self.till.payments if not one.payment_intent_id and one.method]
        refund_payment(
            self.shop.caller,
            paid.payment_id,
            RefundInput(amount_minor=amount_minor, method=TRANSFER),
            once=self.shop.once("refundPayment"),
            payments=self.till.held.payments,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )

    def reverse_other(self) -> None:
        """What was not paid at Stripe, of the invoice."""
        of = self.till.invoice.invoice_id
        [paid] = [
            one
            for one in self.till.payments
            if not one.payment_intent_id and any(part.invoice_id == of for part in one.allocations)
        ]
        reverse_payment(
            self.shop.caller, paid.payment_id, "Impayé", once=self.shop.once("reversePayment"), **self.ports
        )


@pytest.fixture
def halves(shop: Shop) -> Halves:
    """A note took one of them, and left it as credit."""
    found = Halves.made(shop)
    found.desk.note(excess=CREDIT)
    assert (found.kept, found.credit.balance_minor) == (HALF, HALF)
    return found


def asked(halves: Halves) -> Callable[[], None]:
    halves.desk.ask_in_vain(0, HALF)
    return halves.sweep


def pending(halves: Halves) -> Callable[[], None]:
    refund = halves.pending(0, 0, HALF)
    return lambda: halves.end(refund, made=True)


@pytest.mark.parametrize("begin", [asked, pending])
def test_what_stripe_is_about_to_give_back_is_not_given_back_by_transfer(
    halves: Halves, begin: Callable[[Halves], Callable[[], None]]
) -> None:
    end = begin(halves)

    with pytest.raises(RefundExceedsPayment, match=r"keeps only €0\.00 of its payments, beside €60\.00") as refused:
        halves.refund_transfer()
    assert "à côté de 60,00\u00a0€ que Stripe ou une banque rend au client" in (refused.value.detail_fr or "")

    halves.transfer(HALF)  # the note's credit, which is promised to nobody
    end()
    assert (halves.kept, halves.credit.balance_minor, halves.promised) == (0, 0, {})
    halves.adds_up()


def test_what_the_invoice_keeps_besides_is_given_back_by_transfer(shop: Shop) -> None:
    halves = Halves.made(shop)
    halves.desk.ask_in_vain(0, HALF)

    halves.refund_transfer()

    halves.sweep()
    assert halves.kept == 0
    halves.adds_up()


def test_what_credit_is_promised_to_is_not_kept_by_the_invoice(shop: Shop) -> None:
    """It names the note that left the credit: its refund takes that, and the invoice keeps the other half."""
    halves = Halves.made(shop)
    halves.desk.ask_in_vain(0, HALF, halves.desk.note(excess=CREDIT))
    assert list(halves.promised.values()) == [HALF]

    halves.refund_transfer()

    halves.sweep()
    assert (halves.kept, halves.credit.balance_minor) == (0, 0)
    halves.adds_up()


def test_what_notes_gave_back_is_not_kept_by_the_invoice(shop: Shop) -> None:
    halves = Halves.made(shop)
    halves.desk.ask_in_vain(0, HALF, halves.desk.note())

    halves.refund_transfer()

    halves.sweep()
    assert (halves.desk.given_back, halves.till.book.noted_minor, halves.kept) == (HALF, HALF, 0)
    halves.adds_up()


def test_what_nothing_came_of_is_given_back_by_transfer(halves: Halves) -> None:
    halves.desk.ask_in_vain(0, HALF)
    halves.till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    halves.sweep()

    halves.refund_transfer()

    assert halves.kept == 0
    halves.adds_up()


def test_a_transfer_is_judged_after_what_is_asked_of_stripe_meanwhile(
    halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaking(halves, monkeypatch, "payments", "write", lambda: halves.desk.ask_in_vain(0, HALF))

    with pytest.raises(RefundExceedsPayment):
        halves.refund_transfer()

    halves.sweep()
    halves.adds_up()


def test_what_is_asked_of_stripe_is_judged_after_the_transfer_of_meanwhile(
    halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The invoice keeps nothing any more: it takes the credit, which is promised to it."""
    halves.till.stripe.down = True
    overtaking(halves, monkeypatch, "stripe_payments", "write", halves.refund_transfer)

    halves.desk.ask_in_vain(0, HALF)

    assert (halves.kept, list(halves.promised.values())) == (0, [HALF])
    halves.sweep()
    halves.adds_up()


@pytest.mark.parametrize("begin", [asked, pending])
@pytest.mark.parametrize("with_credit", [True, False])
def test_what_a_reversal_takes_from_under_a_refund_is_promised_of_the_credit(
    shop: Shop, begin: Callable[[Halves], Callable[[], None]], *, with_credit: bool
) -> None:
    halves = Halves.with_credit(shop) if with_credit else Halves.made(shop)
    halves.desk.note(excess=CREDIT)
    end = begin(halves)
    assert halves.promised == {}

    halves.reverse_other()

    left = TOTAL if with_credit else HALF
    assert (halves.kept, halves.credit.balance_minor, list(halves.promised.values())) == (0, left, [HALF])
    with pytest.raises(CustomerCreditExceeded):
        halves.transfer(left)
    end()
    assert (halves.desk.moved, halves.credit.balance_minor, halves.promised) == (HALF, left - HALF, {})
    halves.adds_up()


@pytest.mark.parametrize("begin", [asked, pending])
def test_a_payment_is_not_reversed_whose_money_stripe_is_about_to_give_back(
    halves: Halves, begin: Callable[[Halves], Callable[[], None]]
) -> None:
    """The note's credit is spent."""
    end = begin(halves)
    halves.apply(HALF)

    with pytest.raises(CustomerCreditExceeded, match=r"without this payment, .* would be €60\.00 short") as refused:
        halves.reverse_other()
    assert "il manquerait 60,00\u00a0€ à ses factures et à son crédit" in (refused.value.detail_fr or "")
    assert (halves.kept, halves.promised) == (HALF, {})

    end()
    halves.reverse_other()
    halves.adds_up()


def test_what_ended_at_stripe_and_is_in_no_books_holds_no_reversal(shop: Shop) -> None:
    """A note left as credit more than the invoice keeps beside it, and that is spent."""
    halves = Halves.made(shop)
    halves.desk.note(HALF_NET + HALF_NET // 2, excess=CREDIT)
    spent = halves.apply(HALF + HALF // 2)
    halves.desk.in_dashboard(0, HALF)
    intent = halves.desk.payments[0]
    assert [one.parked for one in halves.till.record(intent).unborne] == [True]

    halves.reverse_other()

    assert [one.parked for one in halves.till.record(intent).unborne] == [True]
    reverse_payment(shop.caller, spent.payment_id, "Erreur", once=shop.once("reversePayment"), **halves.ports)
    shop.clock.advance(timedelta(days=1, minutes=6))
    halves.sweep()
    assert halves.till.record(intent).unborne == ()
    assert (halves.desk.moved, halves.credit.balance_minor, halves.promised) == (HALF, HALF // 2, {})
    halves.adds_up()


def test_what_is_on_its_way_besides_is_still_to_be_borne(shop: Shop) -> None:
    """The refund that ended could not be borne; one that has not ended, and is promised nothing, can."""
    halves = Halves.made(shop)
    halves.desk.note(HALF_NET + HALF_NET // 2, excess=CREDIT)
    halves.apply(HALF + HALF // 2)
    halves.desk.in_dashboard(0, HALF - 1_000)
    assert halves.till.record(halves.desk.payments[0]).unborne
    halves.pending(0, 0, 1_000)

    with pytest.raises(CustomerCreditExceeded, match=r"would be €10\.00 short"):
        halves.reverse_other()


def test_a_reversal_takes_nothing_of_what_the_invoice_keeps_besides(shop: Shop) -> None:
    halves = Halves.made(shop)
    halves.desk.ask_in_vain(0, HALF)

    halves.reverse_other()

    assert (halves.kept, halves.promised) == (HALF, {})
    halves.sweep()
    halves.adds_up()


@pytest.mark.parametrize("reversed_first", [True, False])
def test_a_reversal_and_a_refund_at_once_are_judged_one_after_the_other(
    halves: Halves, monkeypatch: pytest.MonkeyPatch, *, reversed_first: bool
) -> None:
    halves.till.stripe.down = True
    if reversed_first:
        overtaking(halves, monkeypatch, "stripe_payments", "write", halves.reverse_other)
        halves.desk.ask_in_vain(0, HALF)
    else:
        overtaking(halves, monkeypatch, "payments", "write", lambda: halves.desk.ask_in_vain(0, HALF))
        halves.reverse_other()

    assert (halves.kept, list(halves.promised.values())) == (0, [HALF])
    halves.sweep()
    halves.adds_up()


def test_what_notes_gave_back_is_no_matter_of_a_reversal(shop: Shop) -> None:
    halves = Halves.made(shop)
    halves.desk.ask_in_vain(0, HALF, halves.desk.note())

    halves.reverse_other()

    assert (halves.kept, halves.promised) == (0, {})
    halves.sweep()
    halves.adds_up()


def test_dollars_are_given_back_once_too(shop: Shop) -> None:
    """There is no credit of them: what a note gave back is told apart from what is still to be."""
    halves = Halves.made(shop, particulars=DOLLARS)
    till, named = halves.till, halves.desk.payments[0].payment_intent_id
    halves.told(till.stripe.refund(till.account_id, named, HALF, status=StripeRefundStatus.PENDING))
    halves.desk.note()

    with pytest.raises(RefundExceedsPayment, match=r"beside USD 60\.00"):
        halves.refund_transfer()
    with pytest.raises(CustomerCreditExceeded, match=r"would be USD 60\.00 short"):
        halves.reverse_other()


def of_two_invoices(shop: Shop) -> tuple[Till, Payment, list[PaymentIntent], dict[str, Any]]:
    """A transfer for two invoices, of which one half each was paid online."""
    till, invoices, intents = Till(shop), [], []
    customer_id = till.invoice.document.customer_id
    for _ in range(2):
        intents.append(till.paid(HALF))
        invoices.append(till.invoice)
        till.issue(shop.wanted(customer_id))
    ports: dict[str, Any] = {"payments": till.held.payments, "clock": shop.clock, "ids": shop.ids}
    paid = record_payment(
        shop.caller,
        customer_id,
        PaymentInput(amount_minor=TOTAL, method=TRANSFER),
        tuple(WantedAllocation(invoice_id=one.invoice_id) for one in invoices),
        PaymentExcess.REFUSE,
        once=shop.once("recordPayment"),
        **ports,
    )
    return till, paid, intents, ports


def test_more_invoices_than_fit_are_refunded_in_parts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecase, "MOST_PAID_ONLINE", 1)
    _, paid, _, ports = of_two_invoices(shop)

    with pytest.raises(FieldErrors) as refused:
        refund_payment(
            shop.caller, paid.payment_id, RefundInput(amount_minor=TOTAL), once=shop.once("refundPayment"), **ports
        )

    assert [one.pointer for one in refused.value.errors] == ["/amount_minor"]
    for _ in range(2):
        refund_payment(
            shop.caller, paid.payment_id, RefundInput(amount_minor=HALF), once=shop.once("refundPayment"), **ports
        )
    invoices = [shop.repositories.deliveries.invoice(paid.tenant_id, one.invoice_id) for one in paid.allocations]
    assert [one.ledger.balance_minor for one in invoices] == [HALF, HALF]


def versions(till: Till) -> dict[str, int]:
    """Of the books of what was paid online, by invoice."""
    return {invoice_id: book.version for (_, invoice_id), book in till.held.store.checkout_books.items()}


@pytest.mark.parametrize("coming", [1, 2])
def test_a_reversal_moves_first_the_books_of_which_something_comes_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, coming: int
) -> None:
    monkeypatch.setattr(usecase, "MOST_PAID_ONLINE", 1)
    till, paid, intents, ports = of_two_invoices(shop)
    refunds = []
    for intent in intents[-coming:]:
        refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000, status=StripeRefundStatus.PENDING)
        till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
        refunds.append(refund)
    before = versions(till)

    def reverse() -> None:
        reverse_payment(shop.caller, paid.payment_id, "Impayé", once=shop.once("reversePayment"), **ports)

    if coming > 1:
        with pytest.raises(FieldErrors, match="of more than 1 of its invoices"):
            reverse()
        return
    reverse()
    moved = [invoice_id for invoice_id, version in versions(till).items() if version > before[invoice_id]]
    assert moved == [till.record(intents[-1]).invoice_id]
