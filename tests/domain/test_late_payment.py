"""The legal floor of late payment penalties between businesses (Code de commerce L441-10, II)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from billing.domain.late_payment import (
    DEFAULT_LATE_PENALTY_RATE,
    LEGAL_INTEREST_RATES,
    minimum_late_penalty_rate,
)


@pytest.mark.parametrize(
    ("day", "rate"),
    [
        (date(2025, 6, 30), "11.13"),
        (date(2025, 7, 1), "8.28"),
        (date(2025, 12, 31), "8.28"),
        (date(2026, 1, 1), "7.86"),
        (date(2026, 11, 23), "7.86"),
        (date(2031, 1, 1), "7.86"),
        (date(2020, 1, 1), "14.76"),
    ],
)
def test_the_floor_is_three_times_the_legal_rate_of_the_half_year(day: date, rate: str) -> None:
    assert minimum_late_penalty_rate(day) == Decimal(rate)


def test_the_table_goes_by_half_years_without_a_hole() -> None:
    starts = sorted(LEGAL_INTEREST_RATES)

    assert all((start.month, start.day) in {(1, 1), (7, 1)} for start in starts)
    assert [(later.year - start.year) * 12 + later.month - start.month for start, later in pairwise(starts)] == [6] * (
        len(starts) - 1
    )


def test_the_default_is_above_the_floor() -> None:
    assert max(3 * rate for rate in list(LEGAL_INTEREST_RATES.values())[-2:]) < DEFAULT_LATE_PENALTY_RATE
