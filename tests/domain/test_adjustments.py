"""Allowances and charges: what they come to, and which are refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain.adjustments import MAX_ADJUSTMENTS
from billing.domain.errors import FieldErrors
from billing.domain.invoice import check_content
from billing.domain.totals import Adjustment, Charge, Discount, compute_totals
from billing.domain.vat import EXEMPTIONS, FRANCHISE_TREATMENT, VatRegime, VatTreatment
from tests.factories import VAT_5_5, VAT_20, content, issued, priced


def adjustment(**values: Any) -> Adjustment:
    return Adjustment(**{"reason": "Exemple"} | values)


def untaxed(code: str) -> VatTreatment:
    return VatTreatment(category=EXEMPTIONS[code].category, rate=Decimal(0), exemption_code=code)


def test_a_line_bears_an_allowance_and_a_charge_of_its_gross_amount() -> None:
    line = priced("100", discount=Discount(percent=Decimal(10)), charge=Charge(amount_minor=250, reason="Éco-part"))

    computed = compute_totals((line,)).lines[0]

    assert (computed.gross_minor, computed.discount_minor, computed.charge_minor) == (10_000, 1_000, 250)
    assert computed.net_minor == 9_250


def test_a_charge_over_all_groups_is_split_by_weight_and_re_adds() -> None:
    totals = compute_totals(
        (priced("100"), priced("50", vat=VAT_5_5)), charges=(adjustment(amount_minor=1_000, reason_code="FC"),)
    )

    assert [group.charges_minor for group in totals.vat_breakdown] == [667, 333]
    assert [(part.vat, part.amount_minor, part.reason_code) for part in totals.adjustments] == [
        (VAT_20, 667, "FC"),
        (VAT_5_5, 333, "FC"),
    ]
    assert totals.net_minor == 16_000


def test_a_charge_may_open_a_vat_group_of_its_own() -> None:
    totals = compute_totals((priced("100", vat=VAT_5_5),), charges=(adjustment(amount_minor=800, vat=VAT_20),))

    assert [(group.vat, group.lines_minor, group.taxable_minor, group.vat_minor) for group in totals.vat_breakdown] == [
        (VAT_20, 0, 800, 160),
        (VAT_5_5, 10_000, 10_000, 550),
    ]


def test_a_percentage_of_one_group_leaves_the_others() -> None:
    totals = compute_totals(
        (priced("100"), priced("50", vat=VAT_5_5)), allowances=(adjustment(percent=Decimal(10), vat=VAT_5_5),)
    )

    assert [group.discount_minor for group in totals.vat_breakdown] == [0, 500]
    assert (totals.adjustments[0].base_minor, totals.adjustments[0].percent) == (5_000, Decimal(10))


OUTSIDE, EXPORT, DISBURSED = untaxed("VATEX-EU-O"), untaxed("VATEX-EU-G"), untaxed("VATEX-EU-79-C")
REFUSALS = [
    pytest.param({"allowances": (adjustment(amount_minor=1, vat=VAT_5_5),)}, ["/allowances/0/vat_rate"], id="no-line"),
    pytest.param({"allowances": (adjustment(amount_minor=10_001),)}, ["/allowances"], id="more-than-the-lines"),
    pytest.param(
        {"allowances": (adjustment(amount_minor=1, reason_code="FC"),)}, ["/allowances/0/reason_code"], id="5189"
    ),
    pytest.param({"charges": (adjustment(amount_minor=1, reason_code="95"),)}, ["/charges/0/reason_code"], id="7161"),
    pytest.param({"charges": (adjustment(percent=Decimal(1), vat=VAT_5_5),)}, ["/charges/0/percent"], id="of-nothing"),
    pytest.param(
        {"charges": (adjustment(amount_minor=1, vat=OUTSIDE),)}, ["/charges/0/vat_category"], id="beside-BR-O-14"
    ),
    pytest.param(
        {"charges": (adjustment(amount_minor=1, vat=EXPORT), adjustment(amount_minor=1, vat=DISBURSED))},
        [],
        id="one-reason-of-each-category",
    ),
    pytest.param(
        {"charges": (adjustment(amount_minor=1, vat=DISBURSED), adjustment(amount_minor=1, vat=untaxed("VATEX-EU-D")))},
        ["/charges/1/exemption_code"],
        id="two-reasons-BR-E-01",
    ),
    pytest.param(
        {"charges": (adjustment(amount_minor=1, vat=FRANCHISE_TREATMENT),)}, ["/charges/0/exemption_code"], id="regime"
    ),
    pytest.param({"charges": (adjustment(amount_minor=1, reason="😀"),)}, ["/charges/0/reason"], id="no-glyph"),
    pytest.param({"charges": (adjustment(amount_minor=1),) * (MAX_ADJUSTMENTS + 1)}, ["/charges"], id="too-many"),
]


@pytest.mark.parametrize(("written", "pointers"), REFUSALS)
def test_an_allowance_or_charge_that_cannot_stand_is_refused_by_its_field(
    written: dict[str, Any], pointers: list[str]
) -> None:
    try:
        check_content(content(priced("100"), **written), VatRegime.NORMAL)
        refused = []
    except FieldErrors as error:
        refused = [each.pointer for each in error.errors]

    assert refused == pointers


def test_an_issued_document_freezes_them_by_vat_group() -> None:
    allowance, charge = adjustment(percent=Decimal(5)), adjustment(amount_minor=800, vat=VAT_20)

    document = issued(lines=(priced("100", vat=VAT_5_5),), allowances=(allowance,), charges=(charge,)).document

    assert (document.allowances, document.charges) == ((allowance,), (charge,))
    assert document.totals.total_minor == 9_500 + 523 + 800 + 160
