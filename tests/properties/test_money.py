"""Rounding, splitting and writing amounts, against models that share no code with them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.money import (
    apportion,
    format_decimal,
    multiply,
    parse_decimal,
    percentage_of,
    round_minor,
    to_major,
    to_minor,
)
from tests.properties.strategies import PERCENTS, PRICES, QUANTITIES, examined

AMOUNTS = st.integers(-(10**13), 10**13)


def half_away(value: Fraction) -> int:
    """Half away from zero, in whole numbers only."""
    doubled = abs(value) * 2
    whole = (doubled.numerator + doubled.denominator) // (2 * doubled.denominator)
    return whole if value >= 0 else -whole


@examined
@given(st.decimals(-(10**13), 10**13, places=10))
def test_rounding_is_half_away_from_zero(value: Decimal) -> None:
    assert round_minor(value) == half_away(Fraction(value))
    assert round_minor(-value) == -round_minor(value)


@examined
@given(st.integers(-(10**12), 10**12))
def test_every_half_cent_rounds_away_from_zero(cents: int) -> None:
    half = Decimal(2 * cents + 1) / 2

    assert abs(round_minor(half)) == (abs(2 * cents + 1) + 1) // 2


@examined
@given(QUANTITIES, PRICES, PERCENTS)
def test_products_are_exact(quantity: Decimal, price: Decimal, percent: Decimal) -> None:
    assert Fraction(multiply(quantity, price, percent)) == Fraction(quantity) * Fraction(price) * Fraction(percent)


@examined
@given(AMOUNTS, PERCENTS)
def test_a_percentage_is_the_exact_one_rounded(amount_minor: int, percent: Decimal) -> None:
    assert percentage_of(amount_minor, percent) == half_away(amount_minor * Fraction(percent) / 100)


@examined
@given(AMOUNTS)
def test_euros_and_cents_are_one_amount(amount_minor: int) -> None:
    assert to_minor(to_major(amount_minor)) == amount_minor
    assert to_major(amount_minor).as_tuple().exponent == -2


@examined
@given(st.integers(-(10**10), 10**10), st.lists(st.integers(0, 10**10), max_size=12).map(tuple))
def test_parts_re_add_and_each_is_within_a_cent_of_exact(amount_minor: int, weights: tuple[int, ...]) -> None:
    parts = apportion(amount_minor, weights)

    assert sum(parts) == (amount_minor if weights else 0)
    assert len(parts) == len(weights)
    total = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        if total:
            assert abs(Fraction(amount_minor * weight, total) - part) < 1
            assert weight or not part


@examined
@given(st.integers(0, 10**10), st.lists(st.integers(0, 10**6), min_size=2, max_size=12))
def test_a_heavier_part_is_never_smaller(amount_minor: int, weights: list[int]) -> None:
    parts = apportion(amount_minor, tuple(weights))

    if sum(weights):
        pairs = sorted(zip(weights, parts, strict=True))
        assert all(lighter[1] <= heavier[1] for lighter, heavier in pairwise(pairs))


@examined
@given(st.integers(-(10**16) + 1, 10**16 - 1), st.integers(0, 4))
def test_writing_and_reading_a_decimal_changes_nothing(digits: int, places: int) -> None:
    value = Decimal(digits).scaleb(-places) if abs(digits) < 10 ** (12 + places) else Decimal(0)

    text = format_decimal(value)

    assert parse_decimal(text, max_decimals=4) == value
    assert format_decimal(parse_decimal(text, max_decimals=4)) == text


@examined
@given(st.text(max_size=20))
def test_any_text_is_a_plain_decimal_or_refused(text: str) -> None:
    try:
        value = parse_decimal(text, max_decimals=4)
    except ValueError:
        return
    assert value.is_finite()
    assert Decimal(text) == value
    assert text.isascii()
