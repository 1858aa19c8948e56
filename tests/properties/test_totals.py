"""Every document re-adds, whatever its lines, rates and discounts."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given

from billing.domain.invoice import check_content
from billing.domain.totals import Discount, Line, Totals, compute_totals
from billing.domain.vat import VatCategory, VatRegime
from tests.factories import content
from tests.properties.strategies import documents, examined
from tests.properties.test_money import half_away

Document = tuple[tuple[Line, ...], Discount | None, Totals]


def _discount_of(discount: Discount | None, base_minor: int) -> int:
    if discount is None:
        return 0
    if discount.percent is not None:
        return half_away(base_minor * Fraction(discount.percent) / 100)
    assert discount.amount_minor is not None
    return discount.amount_minor


@examined
@given(documents())
def test_sums_are_of_what_is_shown(document: Document) -> None:
    _, _, totals = document

    assert totals.lines_minor == sum(line.net_minor for line in totals.lines)  # BR-CO-10
    assert totals.net_minor == totals.lines_minor - totals.discount_minor  # BR-CO-13
    assert totals.vat_minor == sum(group.vat_minor for group in totals.vat_breakdown)  # BR-CO-14
    assert totals.total_minor == totals.net_minor + totals.vat_minor  # BR-CO-15
    assert totals.due_minor == totals.total_minor - totals.prepaid_minor  # BR-CO-16


@examined
@given(documents())
def test_groups_re_add_to_the_document(document: Document) -> None:
    _, _, totals = document
    groups = totals.vat_breakdown

    assert sum(group.lines_minor for group in groups) == totals.lines_minor
    assert sum(group.discount_minor for group in groups) == totals.discount_minor
    assert sum(group.taxable_minor for group in groups) == totals.net_minor
    assert len({group.vat for group in groups}) == len(groups)
    for group in groups:
        of_group = [line.net_minor for line in totals.lines if line.line.vat == group.vat]
        assert group.lines_minor == sum(of_group)
        assert 0 <= group.taxable_minor == group.lines_minor - group.discount_minor


@examined
@given(documents())
def test_lines_and_vat_agree_with_whole_number_arithmetic(document: Document) -> None:
    lines, _, totals = document

    for line, computed in zip(lines, totals.lines, strict=True):
        gross = half_away(Fraction(line.quantity) * Fraction(line.unit_price) * 100)
        taken = _discount_of(line.discount, gross)
        assert (computed.gross_minor, computed.discount_minor, computed.net_minor) == (gross, taken, gross - taken)
    for group in totals.vat_breakdown:
        taxed = group.vat.category is VatCategory.STANDARD
        exact = group.taxable_minor * Fraction(group.vat.rate) / 100 if taxed else Fraction(0)
        assert group.vat_minor == half_away(exact)


@examined
@given(documents())
def test_a_document_discount_is_taken_in_full(document: Document) -> None:
    _, discount, totals = document

    if discount is not None and discount.amount_minor is not None:
        assert totals.discount_minor == discount.amount_minor
    elif discount is not None:
        by_group = [_discount_of(discount, group.lines_minor) for group in totals.vat_breakdown]
        assert totals.discount_minor == sum(by_group)
        assert abs(totals.discount_minor - _discount_of(discount, totals.lines_minor)) <= len(by_group)


@examined
@given(documents())
def test_the_order_of_lines_changes_no_amount(document: Document) -> None:
    lines, discount, totals = document

    turned = compute_totals(tuple(reversed(lines)), discount=discount)

    assert (turned.net_minor, turned.vat_minor, turned.total_minor) == (
        totals.net_minor,
        totals.vat_minor,
        totals.total_minor,
    )
    assert turned.vat_breakdown == totals.vat_breakdown


@examined
@given(documents())
def test_screen_and_document_have_one_calculator(document: Document) -> None:
    lines, discount, totals = document

    assert check_content(content(*lines, discount=discount), VatRegime.NORMAL) == totals
