"""A refusal that one field of the request causes names that field."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.credit_notes import CreditByLine, CreditByVat, CreditInFull, LineCredit, VatCredit
from billing.domain.errors import BillingError, CodeRefused
from billing.domain.ledger import PaymentMethod
from tests import factories
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_payments import Till, invoice_of

CASH: dict[str, Any] = {"method": PaymentMethod.CASH}


def cash_on_a_dear_invoice(till: Till) -> None:
    till.pay(100, allocations=invoice_of(till, "1000"), **CASH)


def cash_on_one_dear_invoice(till: Till) -> None:
    till.shop.pay(invoice_of(till, "1000")[0].invoice_id, 100, **CASH)


def a_second_amount_too_high(till: Till) -> None:
    till.invoices.append(till.issue())
    till.pay(24_000, 1, 12_001)


def issued_before_the_last(till: Till) -> None:
    till.shop.issue(issue_date=date(2026, 11, 22))


def of_credit(scope: Any) -> Callable[[Till], object]:
    return lambda till: credit(till.shop, till.invoices[0].invoice_id, scope)


def credited_twice(till: Till) -> None:
    for _ in range(2):
        credit(till.shop, till.invoices[0].invoice_id, CreditInFull())


def refunded_beyond(till: Till) -> None:
    till.refund(till.pay(100, 100), 101)


LINE_AMOUNT = CreditByLine(lines=(LineCredit(index=0, net_minor=10_001),))
LINE_QUANTITY = CreditByLine(lines=(LineCredit(index=0, quantity=Decimal(1_000)),))
BY_VAT = CreditByVat(amounts=(VatCredit(vat=factories.VAT_20, net_minor=10_001),))


@pytest.mark.parametrize(
    ("act", "pointer"),
    [
        (lambda till: till.pay(12_001, None), "/amount_minor"),
        (a_second_amount_too_high, "/allocations/1/amount_minor"),
        (lambda till: till.shop.pay(till.invoices[0].invoice_id, 12_001), "/amount_minor"),
        (cash_on_a_dear_invoice, "/confirm_cash_above_limit"),
        (cash_on_one_dear_invoice, "/confirm_cash_above_limit"),
        (issued_before_the_last, "/issue_date"),
        (of_credit(LINE_AMOUNT), "/lines/0/net_minor"),
        (of_credit(LINE_QUANTITY), "/lines/0/quantity"),
        (of_credit(BY_VAT), "/amounts/0/net_minor"),
        (credited_twice, "/mode"),
        (refunded_beyond, "/amount_minor"),
    ],
)
def test_it_names_the_field(shop: Shop, act: Callable[[Till], object], pointer: str) -> None:
    till = Till(shop)

    with pytest.raises(BillingError) as refused:
        act(till)

    assert refused.value.errors[0].pointer == pointer


def test_a_refused_code_names_its_field_and_cash_the_one_that_accepts_it(shop: Shop) -> None:
    assert CodeRefused().errors[0].pointer == "/code"
    till = Till(shop)
    with pytest.raises(BillingError) as refused:
        cash_on_a_dear_invoice(till)
    assert "confirm_cash_above_limit" in refused.value.detail_fr
    assert "confirm_cash_above_limit" in refused.value.detail_en
