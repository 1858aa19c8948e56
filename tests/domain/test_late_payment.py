"""The legal floor of late payment penalties between businesses (Code de commerce L441-10, II)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from billing.domain.late_payment import (
    DEFAULT_LATE_PENALTY_RATE,
    HALF_YEARS,
    late_penalty_rate,
    minimum_late_penalty_rate,
    rests_on_an_assumption,
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
    starts = [half.since for half in HALF_YEARS]

    assert all((start.month, start.day) in {(1, 1), (7, 1)} for start in starts)
    assert [(later.year - start.year) * 12 + later.month - start.month for start, later in pairwise(starts)] == [6] * (
        len(starts) - 1
    )
    assert all(half.source for half in HALF_YEARS)


@pytest.mark.parametrize(
    ("day", "percent", "since", "assumed"),
    [
        (date(2024, 12, 31), "14.25", date(2024, 7, 1), False),
        (date(2025, 1, 1), "13.15", date(2025, 1, 1), False),
        (date(2026, 6, 30), "12.15", date(2026, 1, 1), False),
        (date(2026, 7, 1), "12.15", date(2026, 7, 1), True),
        (date(2026, 12, 31), "12.15", date(2026, 7, 1), True),
        (date(2027, 1, 1), "12.15", date(2026, 7, 1), True),
    ],
)
def test_the_default_is_the_refinancing_rate_and_ten_points_and_says_when_it_is_assumed(
    day: date, percent: str, since: date, assumed: bool
) -> None:
    rate = late_penalty_rate(day)

    assert (rate.percent, rate.since, rate.assumed) == (Decimal(percent), since, assumed)


def test_a_rate_agreed_upon_rests_on_no_assumption() -> None:
    assert rests_on_an_assumption(Decimal("12.15"), date(2026, 11, 23))
    assert not rests_on_an_assumption(Decimal(15), date(2026, 11, 23))
    assert not rests_on_an_assumption(Decimal("12.15"), date(2026, 6, 30))


def test_the_default_is_above_the_floor() -> None:
    assert max(minimum_late_penalty_rate(half.since) for half in HALF_YEARS[-2:]) < DEFAULT_LATE_PENALTY_RATE
