"""The one calculator: rounding only where EN 16931 names it, and everything re-adds."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.domain.totals import Discount, compute_line, compute_totals
from billing.domain.vat import VatCategory, VatTreatment
from tests.factories import VAT_5_5, VAT_20, priced

EXPORT = VatTreatment(category=VatCategory.EXPORT, rate=Decimal(0), exemption_code="VATEX-EU-G")


def percent(value: str) -> Discount:
    return Discount(percent=Decimal(value))


@pytest.mark.parametrize(
    ("price", "quantity", "net_minor"),
    [
        ("0.005", "1", 1),
        ("0.004999", "1", 0),
        ("0.005", "-1", -1),
        ("0.015", "-1", -2),
        ("19.999999", "3", 6000),
        ("1.10", "3", 330),
        ("0.000001", "10000", 1),
        ("33.333333", "0.3333", 1111),
        ("100", "0", 0),
    ],
)
def test_a_line_rounds_its_product_half_away_from_zero(price: str, quantity: str, net_minor: int) -> None:
    assert compute_line(priced(price, quantity)).net_minor == net_minor


@pytest.mark.parametrize(
    ("discount", "taken", "net_minor"),
    [
        (percent("10"), 1000, 9000),
        (percent("12.5"), 1250, 8750),
        (percent("33.33"), 3333, 6667),
        (percent("100"), 10000, 0),
        (percent("0"), 0, 10000),
        (Discount(amount_minor=1), 1, 9999),
        (Discount(amount_minor=10000), 10000, 0),
    ],
)
def test_a_line_discount_is_a_percentage_or_an_amount(discount: Discount, taken: int, net_minor: int) -> None:
    computed = compute_line(priced("100.00", discount=discount))

    assert (computed.gross_minor, computed.discount_minor, computed.net_minor) == (10000, taken, net_minor)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"percent": Decimal(10), "amount_minor": 10},
        {"percent": Decimal("-0.01")},
        {"percent": Decimal("100.01")},
        {"amount_minor": -1},
    ],
)
def test_an_impossible_discount_cannot_be_built(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"discount|percentage"):
        Discount(**wrong)  # type: ignore[arg-type]


def test_vat_is_computed_once_per_rate_on_the_sum() -> None:
    # Three lines of 0.03 €: 20 % of each would round to 1 + 1 + 1 cents; of the sum, 9 cents, to 2.
    totals = compute_totals((priced("0.03"), priced("0.03"), priced("0.03")))

    assert totals.vat_minor == 2
    assert totals.total_minor == 11


def test_mixed_rates_are_grouped_highest_first() -> None:
    totals = compute_totals(
        (priced("10", vat=VAT_5_5), priced("100"), priced("7", vat=EXPORT), priced("20", vat=VAT_5_5))
    )

    groups = [(group.vat, group.taxable_minor, group.vat_minor) for group in totals.vat_breakdown]
    assert groups == [(VAT_20, 10000, 2000), (VAT_5_5, 3000, 165), (EXPORT, 700, 0)]
    assert (totals.net_minor, totals.vat_minor, totals.total_minor) == (13700, 2165, 15865)


def test_a_document_discount_in_percent_is_taken_from_each_rate() -> None:
    totals = compute_totals((priced("100"), priced("50", vat=VAT_5_5)), discount=percent("10"))

    assert [group.discount_minor for group in totals.vat_breakdown] == [1000, 500]
    assert (totals.discount_minor, totals.net_minor) == (1500, 13500)
    assert totals.total_minor == 9000 + 1800 + 4500 + 248  # 5.5 % of 45.00 is 2.475


def test_a_document_discount_in_euros_is_split_by_weight_and_re_adds() -> None:
    totals = compute_totals((priced("100"), priced("50", vat=VAT_5_5)), discount=Discount(amount_minor=1000))

    assert [group.discount_minor for group in totals.vat_breakdown] == [667, 333]
    assert totals.discount_minor == 1000
    assert totals.net_minor == totals.lines_minor - 1000


@pytest.mark.parametrize("discount", [percent("100"), Discount(amount_minor=15000)])
def test_everything_can_be_given_away(discount: Discount) -> None:
    totals = compute_totals((priced("100"), priced("50", vat=VAT_5_5)), discount=discount)

    assert (totals.net_minor, totals.vat_minor, totals.total_minor, totals.due_minor) == (0, 0, 0, 0)


def test_no_discount_exceeds_what_it_is_taken_from() -> None:
    with pytest.raises(ValueError, match="line's discount"):
        compute_totals((priced("1", discount=Discount(amount_minor=101)),))
    with pytest.raises(ValueError, match="document's discount"):
        compute_totals((priced("1"),), discount=Discount(amount_minor=101))


def test_what_was_prepaid_is_no_longer_due() -> None:
    totals = compute_totals((priced("100"),), prepaid_minor=12000)

    assert (totals.total_minor, totals.prepaid_minor, totals.due_minor) == (12000, 12000, 0)


def test_a_deposit_taken_off_by_a_negative_quantity_takes_its_vat_off() -> None:
    totals = compute_totals((priced("1000"), priced("300", "-1")))

    assert (totals.net_minor, totals.vat_minor, totals.total_minor) == (70000, 14000, 84000)
