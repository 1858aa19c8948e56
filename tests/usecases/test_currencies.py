"""Currencies never mix: a payment settles one of them, and a customer's credit is in euros."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from billing.domain.credit_notes import CreditByLine, CreditScope, LineCredit, settle
from billing.domain.crediting import Excess
from billing.domain.currency import ExchangeRate
from billing.domain.errors import CreditExceedsRemaining, FieldErrors, PaymentExceedsBalance, RefundExceedsPayment
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.particulars import Particulars
from billing.domain.payments import Payment, PaymentExcess, WantedAllocation
from billing.usecases import payments
from billing.usecases.payments import PaymentInput, RefundInput
from tests import factories
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit, part

DOLLARS = Particulars(
    exchange=ExchangeRate(currency="USD", rate=Decimal("1.0823"), on=date(2026, 11, 20), source="BCE")
)


def bill(shop: Shop, customer_id: str, particulars: Particulars = DOLLARS) -> IssuedInvoice:
    return shop.issue(shop.draft(shop.wanted(customer_id, particulars=particulars)))


def pay(shop: Shop, customer_id: str, amount_minor: int, *invoices: IssuedInvoice) -> Payment:
    return payments.record_payment(
        shop.caller,
        customer_id,
        PaymentInput(amount_minor=amount_minor, method=PaymentMethod.TRANSFER),
        tuple(WantedAllocation(invoice_id=one.invoice_id) for one in invoices),
        PaymentExcess.CUSTOMER_CREDIT,
        once=shop.once("recordPayment"),
        payments=shop.repositories.payments,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_payment_is_in_the_currency_of_its_invoices(shop: Shop) -> None:
    customer_id = shop.customer().customer_id

    assert pay(shop, customer_id, 12_000, bill(shop, customer_id)).currency == "USD"


def test_invoices_of_two_currencies_are_not_paid_together(shop: Shop) -> None:
    customer_id = shop.customer().customer_id
    both = bill(shop, customer_id), bill(shop, customer_id, Particulars())

    with pytest.raises(FieldErrors) as refused:
        pay(shop, customer_id, 24_000, *both)

    assert [error.pointer for error in refused.value.errors] == ["/allocations"]


def test_an_overpayment_in_another_currency_becomes_no_credit(shop: Shop) -> None:
    customer_id = shop.customer().customer_id

    with pytest.raises(FieldErrors) as refused:
        pay(shop, customer_id, 12_001, bill(shop, customer_id))

    assert [error.pointer for error in refused.value.errors] == ["/excess"]


def test_credit_in_euros_pays_no_invoice_in_another_currency(shop: Shop) -> None:
    customer_id = shop.customer().customer_id
    pay(shop, customer_id, 5_000)
    invoice = bill(shop, customer_id)

    with pytest.raises(FieldErrors) as refused:
        payments.apply_customer_credit(
            shop.caller,
            customer_id,
            (WantedAllocation(invoice_id=invoice.invoice_id),),
            once=shop.once("applyCustomerCredit"),
            payments=shop.repositories.payments,
            clock=shop.clock,
            ids=shop.ids,
        )

    assert [error.pointer for error in refused.value.errors] == ["/allocations"]


def test_a_paid_invoice_in_another_currency_is_credited_by_a_refund() -> None:
    paid = factories.ledger(12_000, 12_000)

    assert settle(paid, 5_000, Excess.REFUND, currency="USD").refunded_minor == 5_000
    with pytest.raises(FieldErrors) as refused:
        settle(paid, 5_000, Excess.CUSTOMER_CREDIT, currency="USD")
    assert [error.pointer for error in refused.value.errors] == ["/excess"]


def test_what_is_kept_of_a_refund_is_said_in_the_currency_of_the_invoice(shop: Shop) -> None:
    customer_id = shop.customer().customer_id
    invoice = bill(shop, customer_id)
    payment = pay(shop, customer_id, 12_000, invoice)
    credit(shop, invoice.invoice_id, part(5_000), excess=Excess.REFUND)

    with pytest.raises(RefundExceedsPayment) as refused:
        payments.refund_payment(
            shop.caller,
            payment.payment_id,
            RefundInput(amount_minor=12_000),
            once=shop.once("refundPayment"),
            payments=shop.repositories.payments,
            clock=shop.clock,
            ids=shop.ids,
        )

    assert refused.value.detail_fr == "La facture F2026-00001 ne garde que 60,00\u00a0USD de ses paiements."
    assert refused.value.detail_en == "The invoice F2026-00001 keeps only USD 60.00 of its payments."


@pytest.mark.parametrize(
    ("scope", "said"),
    [
        (part(6_000), "TVA 20 % : il reste 50,00\u00a0USD HT à créditer."),
        (
            CreditByLine(lines=(LineCredit(index=0, net_minor=6_000),)),
            "Ligne 1 : il reste 50,00\u00a0USD HT à créditer.",
        ),
    ],
)
def test_what_is_left_to_credit_is_said_in_the_currency_of_the_invoice(
    shop: Shop, scope: CreditScope, said: str
) -> None:
    invoice = bill(shop, shop.customer().customer_id)
    half = CreditByLine(lines=(LineCredit(index=0, net_minor=5_000),))
    credit(shop, invoice.invoice_id, half, excess=Excess.REFUND)

    with pytest.raises(CreditExceedsRemaining) as refused:
        credit(shop, invoice.invoice_id, scope, excess=Excess.REFUND)

    assert refused.value.detail_fr == said
    assert "USD 50.00 without VAT is left" in refused.value.detail_en


def test_a_movement_beyond_the_balance_is_refused_in_the_currency_of_the_invoice(shop: Shop) -> None:
    invoice = bill(shop, shop.customer().customer_id)

    with pytest.raises(PaymentExceedsBalance, match=r"USD 120\.00 is left to pay"):
        invoice.with_entry(factories.entry(1, 12_001))
