"""An invoice that was paid online in part, and by transfer: what both give back is never more than it keeps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billing.domain.crediting import Excess
from billing.domain.errors import FieldErrors, RefundExceedsPayment
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import PaymentExcess, WantedAllocation
from billing.domain.stripe import StripeRefundStatus
from billing.ports.stripe import StripeRefused
from billing.usecases import payments as usecase
from billing.usecases.payments import PaymentInput, RefundInput, record_payment, refund_payment
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_promises import Customer, overtaking
from tests.usecases.test_currencies import DOLLARS
from tests.usecases.test_stripe_given_back import HALF, TOTAL, Desk

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
    assert "à côté de 60,00\u00a0€ que Stripe est en train de rendre" in (refused.value.detail_fr or "")

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


def test_dollars_are_given_back_once_too(shop: Shop) -> None:
    """There is no credit of them: what a note gave back is told apart from what is still to be."""
    halves = Halves.made(shop, particulars=DOLLARS)
    till, named = halves.till, halves.desk.payments[0].payment_intent_id
    halves.told(till.stripe.refund(till.account_id, named, HALF, status=StripeRefundStatus.PENDING))
    halves.desk.note()

    with pytest.raises(RefundExceedsPayment, match=r"beside USD 60\.00"):
        halves.refund_transfer()


def test_more_invoices_than_fit_are_refunded_in_parts(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usecase, "MOST_PAID_ONLINE", 1)
    till, invoices = Till(shop), []
    customer_id = till.invoice.document.customer_id
    for _ in range(2):
        till.paid(HALF)
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

    with pytest.raises(FieldErrors) as refused:
        refund_payment(
            shop.caller, paid.payment_id, RefundInput(amount_minor=TOTAL), once=shop.once("refundPayment"), **ports
        )

    assert [one.pointer for one in refused.value.errors] == ["/amount_minor"]
    for _ in range(2):
        refund_payment(
            shop.caller, paid.payment_id, RefundInput(amount_minor=HALF), once=shop.once("refundPayment"), **ports
        )
    assert [shop.stored(one).ledger.balance_minor for one in invoices] == [HALF, HALF]
