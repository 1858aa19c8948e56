"""Amounts are cents; rounding is half away from zero, and nothing else is ever rounded."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

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


@pytest.mark.parametrize(
    ("amount", "rounded"),
    [
        ("0.5", 1),
        ("-0.5", -1),
        ("1.5", 2),
        ("-1.5", -2),
        ("2.5", 3),
        ("-2.5", -3),
        ("0.49999999999999999999999999999999999", 0),
        ("-0.49999999999999999999999999999999999", 0),
        ("0.50000000000000000000000000000000001", 1),
        ("12345678901234567890123456.5", 12345678901234567890123457),
    ],
)
def test_halves_round_away_from_zero(amount: str, rounded: int) -> None:
    assert round_minor(Decimal(amount)) == rounded


@pytest.mark.parametrize(
    ("amount_minor", "percent", "expected"),
    [
        (10, "5", 1),  # 0.5
        (-10, "5", -1),
        (30, "5", 2),  # 1.5
        (-30, "5", -2),
        (1_000, "5.5", 55),
        (9, "5.5", 0),  # 0.495
        (100_00, "2.1", 210),
        (1, "100", 1),
        (333, "20", 67),  # 66.6
    ],
)
def test_a_percentage_rounds_to_the_cent(amount_minor: int, percent: str, expected: int) -> None:
    assert percentage_of(amount_minor, Decimal(percent)) == expected


def test_a_callers_decimal_context_changes_nothing() -> None:
    with localcontext() as context:
        context.prec = 3

        assert multiply(Decimal("1.234567"), Decimal("7.6543")) == Decimal("9.4497461881")
        assert to_minor(Decimal("123456.785")) == 12_345_679
        assert percentage_of(12_345_678, Decimal(20)) == 2_469_136
        assert to_major(12_345_678) == Decimal("123456.78")


def test_one_euro_ten_and_two_euros_twenty_are_three_euros_thirty() -> None:
    assert to_minor(Decimal("1.10")) + to_minor(Decimal("2.20")) == to_minor(Decimal("3.30"))


@pytest.mark.parametrize(
    ("amount_minor", "weights", "parts"),
    [
        (100, (1, 1, 1), (34, 33, 33)),
        (100, (1, 2), (33, 67)),
        (1, (5, 5), (1, 0)),
        (0, (3, 4), (0, 0)),
        (10, (0, 0), (10, 0)),
        (10, (0, 5), (0, 10)),
        (10, (), ()),
        (-100, (1, 1, 1), (-33, -33, -34)),
    ],
)
def test_parts_re_add_to_the_amount(amount_minor: int, weights: tuple[int, ...], parts: tuple[int, ...]) -> None:
    assert apportion(amount_minor, weights) == parts


@pytest.mark.parametrize("text", ["0", "1", "-1", "0.5", "12345.6789", "999999999999.9999", "007"])
def test_a_plain_decimal_is_read(text: str) -> None:
    assert parse_decimal(text, max_decimals=4) == Decimal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "1\n",
        "1e3",
        "1E3",
        "NaN",
        "sNaN",
        "Infinity",
        "-Infinity",
        "1_000",
        "1,5",
        "+1",
        ".5",
        "5.",
        "0x1",
        "--1",
        "1.00001",
        "1000000000000",
        "１２",
        "٣",
        "1" * 2_000_000,
    ],
    ids=lambda text: repr(text[:12]),
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"decimal"):
        parse_decimal(text, max_decimals=4)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("20", "20"),
        ("20.00", "20"),
        ("5.50", "5.5"),
        ("1E+2", "100"),
        ("0.000001", "0.000001"),
        ("100", "100"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("-1.50", "-1.5"),
    ],
)
def test_equal_decimals_have_one_text(value: str, text: str) -> None:
    assert format_decimal(Decimal(value)) == text
