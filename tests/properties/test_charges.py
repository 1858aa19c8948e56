"""The calculator against the equations of EN 16931, with an independent reference in whole-number fractions.

Allowances and charges on lines and documents, taxed and untaxed groups, negative quantities and half cents.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from hypothesis import assume, given
from hypothesis import strategies as st

from billing.domain.canonical import canonical_json
from billing.domain.totals import Adjustment, Charge, ComputedAdjustment, Discount, Line, Totals, compute_totals
from billing.domain.vat import VatCategory, VatTreatment
from tests.properties.strategies import PERCENTS, TAXED, document_lines, examined

Rich = tuple[tuple[Line, ...], Discount | None, tuple[Adjustment, ...], tuple[Adjustment, ...]]

# Half cents of either sign: the product of price and quantity ends on 5 tenths of a cent.
HALVES = st.sampled_from(["0.005", "0.015", "0.125", "2.675", "10.005", "33.335"]).map(Decimal)
SIGNED = st.sampled_from([Decimal(number) for number in ("1", "3", "-1", "-3", "0.1", "-0.1")])


@st.composite
def adjustments(draw: st.DrawFn, groups: Sequence[VatTreatment], *, charges: bool) -> Adjustment:
    vat = draw(st.none() | st.sampled_from([*groups, *(TAXED if charges else [])]))
    percent = draw(st.none() | PERCENTS) if vat is None or vat in groups else None
    amount_minor = None if percent is not None else draw(st.integers(0, 50_000))
    return Adjustment(percent=percent, amount_minor=amount_minor, reason="Exemple", vat=vat)


@st.composite
def rich_documents(draw: st.DrawFn) -> Rich:
    lines = [replace(line, charge=draw(st.none() | _charges())) for line in draw(document_lines())]
    taxed = draw(st.sampled_from(TAXED))
    for price, quantity in draw(st.lists(st.tuples(HALVES, SIGNED), max_size=4)):
        halves = Line(description="Demi", quantity=quantity, unit="C62", unit_price=price, vat=taxed)
        lines.append(replace(halves, charge=draw(st.none() | _charges())))
    groups = sorted({line.vat for line in lines}, key=str)
    allowances = tuple(draw(st.lists(adjustments(groups, charges=False), max_size=3)))
    charges = tuple(draw(st.lists(adjustments(groups, charges=True), max_size=3)))
    return tuple(lines), draw(st.none() | PERCENTS.map(lambda percent: Discount(percent=percent))), allowances, charges


def _charges() -> st.SearchStrategy[Charge]:
    percents = PERCENTS.map(lambda percent: Charge(percent=percent))
    return percents | st.integers(0, 10_000).map(lambda amount: Charge(amount_minor=amount))


def _totals(document: Rich) -> Totals:
    lines, discount, allowances, charges = document
    try:
        return compute_totals(lines, discount=discount, allowances=allowances, charges=charges)
    except ValueError:
        assume(False)
        raise


def cents(exact: Fraction) -> int:
    """Half away from zero, written once more and otherwise."""
    return int(math.copysign(math.floor(abs(exact) + Fraction(1, 2)), exact))


def share(given: Discount | Charge | Adjustment | None, base: int) -> int:
    if given is None:
        return 0
    if given.percent is not None:
        return cents(Fraction(given.percent) * base / 100)
    assert given.amount_minor is not None
    return given.amount_minor


@examined
@given(rich_documents())
def test_lines_equal_an_independent_reference(document: Rich) -> None:
    for computed in _totals(document).lines:
        line = computed.line
        gross = cents(Fraction(line.quantity) * Fraction(line.unit_price) * 100)
        net = gross - share(line.discount, gross) + share(line.charge, gross)
        assert (computed.gross_minor, computed.net_minor) == (gross, net)  # BT-131


@examined
@given(rich_documents())
def test_the_equations_of_en_16931_hold(document: Rich) -> None:
    totals = _totals(document)
    groups, parts = totals.vat_breakdown, totals.adjustments
    discounts = sum(group.discount_minor for group in groups)

    assert totals.lines_minor == sum(line.net_minor for line in totals.lines)  # BR-CO-10
    assert totals.discount_minor == discounts  # BR-CO-11
    assert totals.charges_minor == sum(part.amount_minor for part in parts if part.is_charge)  # BR-CO-12
    assert totals.net_minor == totals.lines_minor - totals.discount_minor + totals.charges_minor  # BR-CO-13
    assert totals.vat_minor == sum(group.vat_minor for group in groups)  # BR-CO-14
    assert totals.total_minor == totals.net_minor + totals.vat_minor  # BR-CO-15
    assert totals.due_minor == totals.total_minor - totals.prepaid_minor  # BR-CO-16
    for group in groups:
        taxed = group.vat.category is VatCategory.STANDARD
        rate = Fraction(group.vat.rate) if taxed else Fraction(0)
        assert group.vat_minor == cents(group.taxable_minor * rate / 100)  # BR-CO-17


@examined
@given(rich_documents())
def test_each_category_holds_its_lines_allowances_and_charges(document: Rich) -> None:
    """BR-S-08, BR-E-08, BR-AE-08, BR-IC-08, BR-G-08: the taxable amount of a group."""
    _, discount, _, _ = document
    totals = _totals(document)

    for group in totals.vat_breakdown:
        lines = sum(line.net_minor for line in totals.lines if line.line.vat == group.vat)
        allowed = sum(part.amount_minor for part in _of(totals, group.vat) if not part.is_charge)
        charged = sum(part.amount_minor for part in _of(totals, group.vat) if part.is_charge)
        assert group.discount_minor == allowed + share(discount, lines)
        assert group.charges_minor == charged
        assert group.taxable_minor == lines - group.discount_minor + charged


def _of(totals: Totals, vat: VatTreatment) -> list[ComputedAdjustment]:
    return [part for part in totals.adjustments if part.vat == vat]


@examined
@given(rich_documents())
def test_an_amount_is_taken_or_added_in_full_and_a_percentage_of_each_group(document: Rich) -> None:
    _, _, allowances, charges = document
    totals = _totals(document)
    base = {group.vat: group.lines_minor for group in totals.vat_breakdown}

    for given_ones, is_charge in ((allowances, False), (charges, True)):
        expected = sum(
            (each.amount_minor or 0)
            if each.percent is None
            else sum(share(each, lines) for vat, lines in base.items() if each.vat in {None, vat})
            for each in given_ones
        )
        assert sum(part.amount_minor for part in totals.adjustments if part.is_charge is is_charge) == expected


@examined
@given(rich_documents())
def test_without_allowances_and_charges_nothing_of_the_stored_text_changes(document: Rich) -> None:
    lines, discount, _, _ = document
    plain = tuple(replace(line, charge=None) for line in lines)

    text = canonical_json(compute_totals(plain, discount=discount))

    assert not any(name in text for name in ("charge", "adjustments"))
