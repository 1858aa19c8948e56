"""Payments over several invoices, their corrections, customers' credit: to the cent, whoever comes at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.customer_credit import CreditEntryKind
from billing.domain.errors import (
    CashAboveLimit,
    CustomerCreditExceeded,
    FieldErrors,
    InvoiceNotIssued,
    NotFound,
    PaymentExceedsBalance,
    PaymentFromCredit,
    PaymentReversed,
    RefundExceedsPayment,
    UnknownReference,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.parties import CustomerKind
from billing.domain.payments import Payment, PaymentExcess, PaymentState, WantedAllocation
from billing.ports.drafts import LineInput
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.payments import PaymentQuery
from billing.usecases import payments
from billing.usecases.receipts import download_payment_receipt
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.payments import FakeReceiptRenderer
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit, part, verified

CREDIT, REFUSE = PaymentExcess.CUSTOMER_CREDIT, PaymentExcess.REFUSE
PAGE = PageRequest()


class Till:
    """A customer with invoices of 120 euros each, and short ways to move money."""

    def __init__(self, shop: Shop, *, invoices: int = 1, **customer: Any) -> None:
        self.shop = shop
        self.customer_id = shop.customer(**customer).customer_id
        self.invoices = [self.issue() for _ in range(invoices)]

    def issue(self) -> IssuedInvoice:
        return self.shop.issue(self.shop.draft(self.shop.wanted(self.customer_id)))

    def ports(self, operation: str, changes: dict[str, Any]) -> dict[str, Any]:
        values: dict[str, Any] = {
            "once": self.shop.once(operation),
            "payments": self.shop.repositories.payments,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        }
        return values | changes

    def pay(self, amount_minor: int, *allocated: int | None, excess: PaymentExcess = REFUSE, **changes: Any) -> Payment:
        wanted = payments.PaymentInput(
            amount_minor=amount_minor,
            method=changes.pop("method", PaymentMethod.CHEQUE),
            confirm_cash_above_limit=changes.pop("confirm", False),
            paid_on=changes.pop("paid_on", None),
        )
        allocations = tuple(
            WantedAllocation(invoice_id=invoice.invoice_id, amount_minor=amount)
            for invoice, amount in zip(self.invoices, allocated, strict=False)
        )
        allocations = changes.pop("allocations", allocations)
        return payments.record_payment(
            changes.pop("caller", self.shop.caller),
            changes.pop("customer_id", self.customer_id),
            wanted,
            allocations,
            excess,
            **self.ports("recordPayment", changes),
        )

    def reverse(self, payment: Payment, **changes: Any) -> Payment:
        return payments.reverse_payment(
            self.shop.caller, payment.payment_id, "Chèque impayé", **self.ports("reversePayment", changes)
        )

    def refund(self, payment: Payment, amount_minor: int, **changes: Any) -> Payment:
        wanted = payments.RefundInput(
            amount_minor=amount_minor, method=PaymentMethod.TRANSFER, refunded_on=changes.pop("on", None)
        )
        return payments.refund_payment(
            self.shop.caller, payment.payment_id, wanted, **self.ports("refundPayment", changes)
        )

    def apply(self, *allocated: int | None, **changes: Any) -> Payment:
        allocations = tuple(
            WantedAllocation(invoice_id=invoice.invoice_id, amount_minor=amount)
            for invoice, amount in zip(self.invoices, allocated, strict=False)
        )
        return payments.apply_customer_credit(
            self.shop.caller, self.customer_id, allocations, **self.ports("applyCustomerCredit", changes)
        )

    def give_back(self, amount_minor: int, **changes: Any) -> int:
        wanted = payments.RefundInput(amount_minor=amount_minor, method=PaymentMethod.TRANSFER)
        left = payments.refund_customer_credit(
            self.shop.caller, self.customer_id, wanted, **self.ports("refundCustomerCredit", changes)
        )
        return left.balance_minor

    def balances(self) -> list[int]:
        return [self.shop.stored(invoice).ledger.balance_minor for invoice in self.invoices]

    @property
    def credit(self) -> int:
        held = payments.read_customer_credit(
            self.shop.caller, self.customer_id, PAGE, payments=self.shop.repositories.payments
        )
        movements = [entry.kind.sign * entry.amount_minor for entry in held.entries.items]
        assert sum(movements) == held.credit.balance_minor
        return held.credit.balance_minor


def test_one_payment_settles_several_invoices(shop: Shop) -> None:
    till = Till(shop, invoices=3)

    payment = till.pay(30_000, 12_000, 12_000, 6_000)

    assert till.balances() == [0, 0, 6_000]
    assert [one.amount_minor for one in payment.allocations] == [12_000, 12_000, 6_000]
    assert payment.allocations[0].number == till.invoices[0].document.number
    events = [event.event_type for event in shop.events(till.invoices[2].invoice_id)]
    assert events[-1] is EventType.PAYMENT_RECORDED
    assert verified(shop).findings == ()


def test_amounts_left_out_are_filled_in_order(shop: Shop) -> None:
    till = Till(shop, invoices=3)

    till.pay(20_000, None, 5_000, None)

    assert till.balances() == [0, 7_000, 9_000]


def test_what_exceeds_is_refused_or_becomes_credit(shop: Shop) -> None:
    till = Till(shop, invoices=2)
    for allocated in ((12_001,), (None,), (12_000,), ()):
        with pytest.raises(PaymentExceedsBalance):
            till.pay(13_000, *allocated)
    assert till.balances() == [12_000, 12_000]

    payment = till.pay(30_000, None, 12_000, excess=CREDIT)

    assert (till.balances(), till.credit, payment.credited_minor) == ([0, 0], 6_000, 6_000)
    assert verified(shop).findings == ()


def test_a_payment_on_account_is_all_credit(shop: Shop) -> None:
    till = Till(shop)

    payment = till.pay(5_000, excess=CREDIT)

    assert (payment.allocations, till.credit, till.balances()) == ((), 5_000, [12_000])


def test_an_invoice_settled_meanwhile_takes_nothing_more_where_the_rest_is_credit(shop: Shop) -> None:
    till = Till(shop, invoices=2)
    till.pay(12_000, 12_000)

    payment = till.pay(12_000, 12_000, excess=CREDIT)

    assert (payment.allocations, till.credit) == ((), 12_000)


@pytest.mark.parametrize(
    ("change", "refusal", "pointer"),
    [
        (lambda _: {"customer_id": "cus_none"}, UnknownReference, "/customer_id"),
        (
            lambda _: {"allocations": (WantedAllocation(invoice_id="inv_none"),)},
            UnknownReference,
            "/allocations/0/invoice_id",
        ),
        (
            lambda till: {"allocations": (WantedAllocation(invoice_id=till.invoices[0].invoice_id),) * 2},
            FieldErrors,
            "/allocations/1/invoice_id",
        ),
        (
            lambda till: {"allocations": (WantedAllocation(invoice_id=till.shop.issue().invoice_id),)},
            FieldErrors,
            "/allocations/0/invoice_id",
        ),
        (
            lambda _: {"allocations": tuple(WantedAllocation(invoice_id=f"inv_{rank}") for rank in range(21))},
            FieldErrors,
            "/allocations",
        ),
        (
            lambda till: {
                "allocations": (WantedAllocation(invoice_id=till.invoices[0].invoice_id, amount_minor=1_001),)
            },
            FieldErrors,
            "/allocations",
        ),
        (lambda _: {"paid_on": date(2026, 11, 24)}, FieldErrors, "/paid_on"),
    ],
)
def test_each_wrong_field_is_pointed_at(
    shop: Shop, change: Callable[[Till], dict[str, Any]], refusal: type[FieldErrors], pointer: str
) -> None:
    till = Till(shop)

    with pytest.raises(refusal) as refused:
        till.pay(1_000, 1_000, **change(till))

    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert till.balances() == [12_000]


def test_drafts_credit_notes_and_other_companies_are_not_paid(shop: Shop) -> None:
    till = Till(shop)
    draft = shop.draft(shop.wanted(till.customer_id))
    note = credit(shop, till.invoices[0].invoice_id, part(1_000))
    stranger = factories.caller("ten_other", user_id="other")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    with pytest.raises(InvoiceNotIssued):
        till.pay(1, allocations=(WantedAllocation(invoice_id=draft.invoice_id),))
    with pytest.raises(NotFound):
        till.pay(1, allocations=(WantedAllocation(invoice_id=note.invoice_id),))
    with pytest.raises(UnknownReference):
        till.pay(1, 1, caller=stranger)
    payment = till.pay(1, 1)
    with pytest.raises(NotFound):
        payments.read_payment(stranger, payment.payment_id, payments=shop.repositories.payments)


def test_cash_above_the_limit_of_the_law_takes_a_confirmation(shop: Shop) -> None:
    till = Till(shop)
    dear = invoice_of(till, "1000")

    with pytest.raises(CashAboveLimit) as refused:
        till.pay(100, allocations=dear, method=PaymentMethod.CASH)
    assert "D112-3" in refused.value.detail_fr
    with pytest.raises(CashAboveLimit):
        till.pay(100_001, excess=CREDIT, method=PaymentMethod.CASH)
    with pytest.raises(CashAboveLimit):
        shop.pay(dear[0].invoice_id, 100, method=PaymentMethod.CASH)

    till.pay(100, allocations=dear, method=PaymentMethod.CASH, confirm=True)
    till.pay(100, allocations=dear, method=PaymentMethod.CARD)
    till.pay(100, 100, method=PaymentMethod.CASH)


def test_a_consumer_abroad_may_pay_more_in_cash(shop: Shop) -> None:
    abroad = factories.address(country_code="BE")
    till = Till(shop, kind=CustomerKind.INDIVIDUAL, siren=None, siret=None, vat_number=None, billing_address=abroad)

    till.pay(100, allocations=invoice_of(till, "10000"), method=PaymentMethod.CASH)
    with pytest.raises(CashAboveLimit):
        till.pay(100, allocations=invoice_of(till, "13000"), method=PaymentMethod.CASH)


def invoice_of(till: Till, price: str) -> tuple[WantedAllocation]:
    line = LineInput(description="Prestation", quantity=Decimal(1), unit_price=Decimal(price), vat=factories.VAT_20)
    made = till.shop.issue(till.shop.draft(till.shop.wanted(till.customer_id, line)))
    return (WantedAllocation(invoice_id=made.invoice_id),)


def test_a_reversed_payment_is_owed_again_and_stays_in_the_book(shop: Shop) -> None:
    till = Till(shop, invoices=2)
    payment = till.pay(30_000, 12_000, 12_000, excess=CREDIT)

    taken_back = till.reverse(payment)

    assert (till.balances(), till.credit) == ([12_000, 12_000], 0)
    assert shop.stored(till.invoices[0]).ledger.status is InvoiceStatus.ISSUED
    assert taken_back.state is PaymentState.REVERSED
    assert replace(taken_back, version=1, reversal=None) == payment
    assert [event.event_type for event in shop.events(till.invoices[0].invoice_id)][-1] is (
        EventType.PAYMENT_REVERSED_ON_INVOICE
    )
    with pytest.raises(PaymentReversed):
        till.reverse(payment)
    with pytest.raises(PaymentReversed):
        till.refund(payment, 1)
    assert verified(shop).findings == ()


def test_a_payment_whose_credit_was_spent_is_not_reversed(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(5_000, excess=CREDIT)
    applied = till.apply(None)

    with pytest.raises(CustomerCreditExceeded) as refused:
        till.reverse(payment)
    assert "du crédit venu de ce paiement ont servi. Annulez d'abord" in refused.value.detail_fr
    assert "First reverse the payments made from that credit" in refused.value.detail_en
    till.reverse(applied)
    till.reverse(payment)

    assert (till.balances(), till.credit) == ([12_000], 0)


def test_a_payment_whose_credit_was_refunded_is_reversed_once_the_customer_gave_it_back(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(5_000, excess=CREDIT)
    till.give_back(2_000)

    with pytest.raises(CustomerCreditExceeded) as refused:
        till.reverse(payment)
    assert refused.value.detail_fr.startswith("20,00")
    till.pay(2_000, excess=CREDIT)
    till.reverse(payment)

    assert till.credit == 0
    assert verified(shop).findings == ()


def test_a_payment_that_bounces_after_a_credit_note_leaves_what_is_owed(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(12_000, 12_000)
    credit(shop, till.invoices[0].invoice_id)
    assert till.credit == 12_000

    till.reverse(payment)

    assert till.balances() == [12_000]
    till.apply(None)
    assert (till.balances(), till.credit) == ([0], 0)
    assert shop.stored(till.invoices[0]).ledger.status is InvoiceStatus.CANCELLED
    assert verified(shop).findings == ()


def test_money_given_back_reopens_the_invoices_settled_last(shop: Shop) -> None:
    till = Till(shop, invoices=2)
    payment = till.pay(24_000, 12_000, 12_000)

    till.refund(payment, 15_000)
    assert till.balances() == [3_000, 12_000]
    refunded = till.refund(payment, 9_000)

    assert (till.balances(), refunded.state) == ([12_000, 12_000], PaymentState.REFUNDED)
    events = shop.repositories.store.events[shop.caller.tenant_id, payment.payment_id]
    told = [one for one in events if one.event_type is EventType.PAYMENT_REFUNDED]
    assert [(one.data["refund_amount_minor"], one.data["refunded_minor"]) for one in told] == [
        (15_000, 15_000),
        (9_000, 24_000),
    ]
    with pytest.raises(RefundExceedsPayment):
        till.refund(payment, 1)
    with pytest.raises(PaymentReversed):
        till.reverse(payment)
    assert verified(shop).findings == ()


def test_money_is_not_given_back_before_it_came(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(12_000, 12_000)

    with pytest.raises(FieldErrors) as refused:
        till.refund(payment, 1, on=payment.paid_on - timedelta(days=1))
    till.refund(payment, 1, on=payment.paid_on)

    assert [one.pointer for one in refused.value.errors] == ["/refunded_on"]
    assert till.balances() == [1]


def test_what_a_credit_note_gave_back_is_not_refunded_again(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(12_000, 12_000)
    credit(shop, till.invoices[0].invoice_id, part(5_000))

    with pytest.raises(RefundExceedsPayment):
        till.refund(payment, 6_001)
    till.refund(payment, 6_000)

    assert till.balances() == [6_000]


def test_credit_pays_invoices_and_is_refunded(shop: Shop) -> None:
    till = Till(shop, invoices=2)
    till.pay(20_000, excess=CREDIT)

    applied = till.apply(5_000, None)

    assert (till.balances(), till.credit) == ([7_000, 0], 3_000)
    assert (applied.method, applied.amount_minor) == (None, 17_000)
    with pytest.raises(CustomerCreditExceeded):
        till.apply(3_001)
    with pytest.raises(CustomerCreditExceeded):
        till.give_back(3_001)
    with pytest.raises(PaymentExceedsBalance):
        payments.apply_customer_credit(
            shop.caller,
            till.customer_id,
            (WantedAllocation(invoice_id=till.invoices[1].invoice_id),),
            **till.ports("applyCustomerCredit", {}),
        )
    with pytest.raises(PaymentFromCredit, match="reverse it"):
        till.refund(applied, 1)
    assert till.give_back(3_000) == 0
    with pytest.raises(CustomerCreditExceeded):
        till.apply(None)
    with pytest.raises(FieldErrors):
        till.apply()
    assert verified(shop).findings == ()


def test_the_credit_of_nobody_is_not_found(shop: Shop) -> None:
    ports = {"payments": shop.repositories.payments}

    with pytest.raises(NotFound):
        payments.read_customer_credit(shop.caller, "cus_none", PAGE, **ports)
    till = Till(shop)
    till.customer_id = "cus_none"
    with pytest.raises(NotFound):
        till.give_back(1)
    with pytest.raises(NotFound):
        till.apply(1)


@pytest.mark.parametrize("excess", list(PaymentExcess))
def test_sixteen_payments_at_once_never_overpay_one_of_several_invoices(shop: Shop, excess: PaymentExcess) -> None:
    till = Till(shop, invoices=2)
    gate = threading.Barrier(16)

    def one(rank: int) -> bool:
        gate.wait()
        try:
            till.pay(12_000, *((12_000,) if rank % 2 else (6_000, 6_000)), excess=excess)
        except PaymentExceedsBalance:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        accepted = sum(pool.map(one, range(16)))

    paid = 24_000 - sum(till.balances())
    assert min(till.balances()) >= 0
    if excess is CREDIT:
        assert (accepted, paid + till.credit) == (16, 16 * 12_000)
    else:
        assert (paid, till.credit) == (accepted * 12_000, 0)
        assert accepted <= 2
    assert verified(shop).findings == ()


def test_credit_is_not_spent_twice_by_sixteen_at_once(shop: Shop) -> None:
    till = Till(shop)
    till.pay(5_000, excess=CREDIT)
    gate = threading.Barrier(16)

    def one(rank: int) -> bool:
        gate.wait()
        try:
            if rank % 2:
                till.apply(5_000)
            else:
                till.give_back(5_000)
        except CustomerCreditExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(one, range(16))) == 1

    assert till.credit == 0
    assert verified(shop).findings == ()


def _pay(till: Till, _first: Payment, _other: Payment, **ports: Any) -> None:
    till.pay(13_000, None, 12_000, excess=CREDIT, **ports)


def _reverse(till: Till, _first: Payment, other: Payment, **ports: Any) -> None:
    till.reverse(other, **ports)


def _refund(till: Till, first: Payment, _other: Payment, **ports: Any) -> None:
    till.refund(first, 2_000, **ports)


def _apply(till: Till, _first: Payment, _other: Payment, **ports: Any) -> None:
    till.apply(None, 4_000, **ports)


def _give_back(till: Till, _first: Payment, _other: Payment, **ports: Any) -> None:
    till.give_back(1_000, **ports)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (_pay, (0, 0, 6_000)),
        (_reverse, (0, 12_000, 3_000)),
        (_refund, (2_000, 12_000, 5_000)),
        (_apply, (0, 8_000, 1_000)),
        (_give_back, (0, 12_000, 4_000)),
    ],
)
def test_a_crash_anywhere_and_the_request_again_have_one_effect(
    act: Callable[..., None], expected: tuple[int, int, int], after: bool
) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        till = Till(shop, invoices=2)
        first = till.pay(15_000, 12_000, excess=CREDIT)
        other = till.pay(2_000, excess=CREDIT)
        once = shop.once("act")
        crash = CrashPoint(at=at, after=after)
        try:
            act(till, first, other, once=once, payments=crash.watch(shop.repositories.payments))
        except Crashed:
            pass
        else:
            assert at > 2
            return
        try:
            act(till, first, other, once=once)
        except AlreadyAnswered:
            assert after
        assert (*till.balances(), till.credit) == expected
        assert verified(shop).findings == ()


def test_lists_show_payments_by_day_and_customer(shop: Shop) -> None:
    first, second = Till(shop), Till(shop)
    early = first.pay(100, 100, paid_on=date(2026, 11, 20))
    late = first.pay(200, 200)
    other = second.pay(300, 300)

    def listed(query: PaymentQuery) -> list[str]:
        page = payments.list_payments(shop.caller, query, PAGE, payments=shop.repositories.payments)
        return [row.payment_id for row in page.items]

    assert listed(PaymentQuery()) == [other.payment_id, late.payment_id, early.payment_id]
    assert listed(PaymentQuery(customer_id=first.customer_id)) == [late.payment_id, early.payment_id]
    assert listed(PaymentQuery(to_date=date(2026, 11, 22))) == [early.payment_id]


def test_a_payment_of_one_invoice_is_the_same_aggregate(shop: Shop) -> None:
    till = Till(shop)

    shop.pay(till.invoices[0].invoice_id, 5_000)

    (row,) = payments.list_payments(shop.caller, PaymentQuery(), PAGE, payments=shop.repositories.payments).items
    payment = payments.read_payment(shop.caller, row.payment_id, payments=shop.repositories.payments)
    assert (payment.customer_id, payment.allocations[0].amount_minor) == (till.customer_id, 5_000)
    till.reverse(payment)
    assert till.balances() == [12_000]


def test_entries_of_credit_say_where_they_come_from(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(5_000, excess=CREDIT)

    held = payments.read_customer_credit(shop.caller, till.customer_id, PAGE, payments=shop.repositories.payments)

    (entry,) = held.entries.items
    assert (entry.kind, entry.source_id) == (CreditEntryKind.OVER_PAYMENT, payment.payment_id)


def test_a_receipt_is_the_same_bytes_until_the_payment_is_corrected(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(12_000, 12_000)

    def receipt() -> str:
        link = download_payment_receipt(
            shop.caller,
            payment.payment_id,
            payments=shop.repositories.payments,
            companies=shop.repositories.companies,
            documents=shop.documents,
            renderer=FakeReceiptRenderer(),
            clock=shop.clock,
        )
        return link.url

    first = receipt()
    shop.describe(legal_name="Autre Exemple SARL")
    assert receipt() == first
    till.reverse(payment)
    assert receipt() != first
    assert len([key for key in shop.documents.stored if "/receipts/" in key]) == 2


def test_a_payment_keeps_the_address_of_who_paid(shop: Shop) -> None:
    """It stands on the receipt: over several invoices, of one invoice, from the customer's credit."""
    till = Till(shop, invoices=2)
    till.pay(13_000, 12_000, excess=CREDIT)
    till.apply(0, 1_000)
    shop.pay(till.invoices[1].invoice_id, 500)

    rows = payments.list_payments(shop.caller, PaymentQuery(), PAGE, payments=shop.repositories.payments).items

    known = [shop.repositories.payments.read(shop.caller, row.payment_id) for row in rows]
    assert len(known) == 3
    assert {payment.customer_address for payment in known} == {factories.customer_description().billing_address}


def test_texts_that_a_receipt_cannot_print_are_refused(shop: Shop) -> None:
    till = Till(shop)
    payment = till.pay(100, 100)

    with pytest.raises(FieldErrors) as refused:
        payments.reverse_payment(shop.caller, payment.payment_id, "\U0001f600", **till.ports("reversePayment", {}))
    assert [error.pointer for error in refused.value.errors] == ["/reason"]
