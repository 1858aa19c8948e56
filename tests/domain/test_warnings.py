"""What is said without blocking: each warning, and when it keeps quiet."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.invoice import document_warnings, draft_warnings
from billing.domain.ledger import PaymentMethod
from billing.domain.particulars import BillingPeriod, Particulars
from billing.domain.parties import ProductKind
from billing.domain.payment_terms import PaymentTerms, TermsRule
from billing.domain.process import PaidAtIssue
from billing.domain.trades import Trade, TradeProfile
from billing.domain.vat import FRANCHISE_TREATMENT, VatRegime
from billing.domain.warnings import Notice, WarningCode
from tests import factories
from tests.factories import content, priced

TODAY = date(2026, 11, 23)
PERIOD = BillingPeriod(start=date(2026, 10, 1), end=date(2026, 10, 31))
RATE = Decimal(15)  # agreed upon: rests on no assumption


def warned(
    *, buyer: dict[str, Any] | None = None, seller: dict[str, Any] | None = None, consumer: bool = False, **written: Any
) -> list[tuple[str, str]]:
    described = factories.individual_description if consumer else factories.customer_description
    company = factories.company_description(**{"late_penalty_rate": RATE} | (seller or {}))
    customer = described(**buyer or {})
    lines = written.pop("lines", (priced(),))
    holding = content(*lines, **written)
    found = draft_warnings(holding, holding.computed(), company=company, customer=customer, today=TODAY)
    return [(notice.code.value, notice.pointer) for notice in found]


def terms(rule: TermsRule, days: int = 0) -> PaymentTerms:
    return PaymentTerms(rule=rule, days=days)


def test_an_ordinary_invoice_is_warned_of_nothing() -> None:
    assert warned() == []


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # Code de commerce L441-10, I.
        pytest.param({"payment_terms": PaymentTerms.net(60)}, [], id="60-days"),
        pytest.param(
            {"payment_terms": PaymentTerms.net(61)}, [("terms-beyond-60-days", "/payment_terms")], id="61-days"
        ),
        pytest.param({"payment_terms_days": 90}, [("terms-beyond-60-days", "/payment_terms")], id="plain-days"),
        pytest.param({"due_date": date(2027, 1, 22)}, [], id="a-date-60-days-on"),
        pytest.param({"due_date": date(2027, 1, 23)}, [("terms-beyond-60-days", "/due_date")], id="a-date-61-days-on"),
        pytest.param({"payment_terms": terms(TermsRule.DAYS_THEN_END_OF_MONTH, 45)}, [], id="45-days-end-of-month"),
        pytest.param({"payment_terms": terms(TermsRule.END_OF_MONTH_THEN_DAYS, 45)}, [], id="end-of-month-45-days"),
        pytest.param(
            {"payment_terms": terms(TermsRule.END_OF_MONTH_THEN_DAYS, 70)},
            [("terms-beyond-45-days-end-of-month", "/payment_terms")],
            id="end-of-month-70-days",
        ),
        pytest.param(
            {"payment_terms": terms(TermsRule.DAYS_THEN_END_OF_MONTH, 75)},
            [("terms-beyond-45-days-end-of-month", "/payment_terms")],
            id="75-days-end-of-month",
        ),
        pytest.param(
            {"payment_terms": PaymentTerms.net(46), "particulars": Particulars(period=PERIOD)},
            [("periodic-terms-beyond-45-days", "/payment_terms")],
            id="periodic-46-days",
        ),
        pytest.param(
            {"payment_terms": PaymentTerms.net(45), "particulars": Particulars(period=PERIOD)},
            [],
            id="periodic-45-days",
        ),
        pytest.param({"consumer": True, "payment_terms": PaymentTerms.net(120)}, [], id="a-consumer-has-no-limit"),
        # Décret 2022-1299, from 2027-09-01 for small businesses.
        pytest.param(
            {"buyer": {"siren": None, "siret": None}}, [("business-without-siren", "/customer/siren")], id="siren"
        ),
        pytest.param(
            {"lines": (factories.line(kind=ProductKind.GOODS),), "buyer": {"delivery_address": None}},
            [("delivery-address-not-stated", "/delivery_address")],
            id="goods-without-delivery",
        ),
        pytest.param(
            {"lines": (factories.line(kind=ProductKind.SERVICE),), "buyer": {"delivery_address": None}},
            [],
            id="services-need-no-delivery",
        ),
        # Code de commerce L441-10, II.
        pytest.param(
            {"seller": {"late_penalty_rate": Decimal("12.15")}},
            [("late-penalty-rate-assumed", "/company/late_penalty_rate")],
            id="assumed-rate",
        ),
        pytest.param(
            {"seller": {"late_penalty_rate": Decimal(7)}},
            [("late-penalty-rate-too-low", "/company/late_penalty_rate")],
            id="rate-below-the-floor",
        ),
        pytest.param(
            {"consumer": True, "seller": {"late_penalty_rate": Decimal("12.15")}}, [], id="no-rate-to-consumers"
        ),
        # CGI art. 293 B.
        pytest.param(
            {
                "seller": {"vat_regime": VatRegime.FRANCHISE, "vat_number": None},
                "lines": (priced("37500.01", vat=FRANCHISE_TREATMENT),),
            },
            [("franchise-threshold", "/lines")],
            id="franchise-services",
        ),
        pytest.param(
            {
                "seller": {"vat_regime": VatRegime.FRANCHISE, "vat_number": None},
                "lines": (priced("37500", vat=FRANCHISE_TREATMENT),),
            },
            [],
            id="franchise-at-the-threshold",
        ),
        pytest.param({"supply_date": date(2026, 11, 24)}, [("supply-after-issue", "/supply_date")], id="supply-later"),
        pytest.param({"supply_date": TODAY}, [], id="supply-today"),
        pytest.param(
            {"buyer": {"siret": None}, "particulars": Particulars(buyer_reference="SERVICE-7")},
            [("public-buyer-without-siret", "/buyer_siret")],
            id="public-buyer",
        ),
    ],
)
def test_each_warning_is_said_where_the_law_frowns(written: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert warned(**written) == expected


@pytest.mark.parametrize("code", list(WarningCode))
def test_every_warning_has_its_text_in_both_languages(code: WarningCode) -> None:
    notice = Notice(code=code, pointer="/x")

    assert notice.detail_fr.endswith(".")
    assert notice.detail_en.endswith(".")
    assert notice.detail_fr != notice.detail_en


def test_an_issued_document_is_judged_by_its_own_date() -> None:
    seller = factories.company(description=factories.company_description(late_penalty_rate=RATE))

    issued = factories.issued(seller=seller, payment_terms=PaymentTerms.net(61))

    assert WarningCode.TERMS_BEYOND_60_DAYS in [notice.code for notice in document_warnings(issued.document)]


PAID = PaidAtIssue(paid_on=date(2026, 11, 20), method=PaymentMethod.CASH)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        # Code de commerce L441-11, II, 5°.
        pytest.param(
            {"seller": {"trade": TradeProfile(trades=(Trade.TRANSPORT,))}, "payment_terms": PaymentTerms.net(31)},
            [("transport-terms-beyond-30-days", "/payment_terms")],
            id="transport-31-days",
        ),
        pytest.param(
            {"seller": {"trade": TradeProfile(trades=(Trade.TRANSPORT,))}, "payment_terms": PaymentTerms.net(30)},
            [],
            id="transport-30-days",
        ),
        pytest.param({"paid": replace(PAID, paid_on=TODAY)}, [], id="paid-today"),
        pytest.param({"paid": PAID}, [("payment-before-issue", "/paid/paid_on")], id="paid-before"),
        # Code monétaire et financier D112-3.
        pytest.param(
            {"paid": replace(PAID, paid_on=TODAY), "lines": (priced("833.34"),)},
            [("cash-above-limit", "/paid/method")],
            id="cash",
        ),
        pytest.param({"paid": replace(PAID, paid_on=TODAY), "lines": (priced("833.33"),)}, [], id="cash-at-the-limit"),
        pytest.param(
            {"seller": {"trade": TradeProfile(trades=(Trade.BUILDING,))}},
            [("insurance-not-stated", "/company/trade/insurance")],
            id="builder-without-insurance",
        ),
    ],
)
def test_trades_and_payments_at_issue_are_warned_of(written: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert warned(**written) == expected
