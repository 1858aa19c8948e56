"""The forecast against series whose future is known: it is back-tested on what came after."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest

from billing.domain.forecast import DAY, LEAST_DAYS, WEEK, forecast

FOUR_WEEKS = 4 * WEEK


def working_week(
    hours: int, *, base: float = 40, per_day: float = 0, noise: float = 2, seed: int = 1
) -> list[float | None]:
    """Busy by day, calm at the weekend, as offices are."""
    chance = random.Random(seed)  # noqa: S311 - a sample
    series: list[float | None] = []
    for hour in range(hours):
        busy = max(math.sin((hour % DAY - 6) / DAY * 2 * math.pi), 0) * (0.2 if hour // DAY % 7 >= 5 else 1)
        series.append(base * (0.4 + busy) + per_day * hour / DAY + chance.gauss(0, noise))
    return series


def naive(series: list[float | None], hours: int) -> list[float]:
    """The same hour of last week: what a forecast has to beat."""
    return [float(series[len(series) - WEEK + ahead % WEEK] or 0) for ahead in range(hours)]


def error(expected: list[float], came: list[float | None]) -> float:
    return median(abs(one - float(other or 0)) for one, other in zip(expected, came, strict=True))


@pytest.mark.parametrize("per_day", [-0.5, 0, 0.4, 1.5])
def test_what_came_is_nearer_to_it_than_to_last_week(per_day: float) -> None:
    ours, last_weeks, within = [], [], 0
    for seed in range(10):
        known = working_week(FOUR_WEEKS + 48, per_day=per_day, seed=seed)
        past, came = known[:FOUR_WEEKS], known[FOUR_WEEKS:]
        told = forecast(past, 48)
        assert told is not None
        assert told.per_day == pytest.approx(per_day, abs=0.2)
        ours.append(error(list(told.expected), came))
        last_weeks.append(error(naive(past, 48), came))
        within += sum(
            abs(one - float(other or 0)) <= 3 * told.spread for one, other in zip(told.expected, came, strict=True)
        )

    assert sum(ours) < 0.9 * sum(last_weeks)
    assert within >= 0.9 * 480


def test_it_says_in_how_many_hours_the_limit_is_crossed() -> None:
    rising = working_week(FOUR_WEEKS + 48, per_day=1.5, noise=0.5)
    limit = max(float(value or 0) for value in rising[FOUR_WEEKS : FOUR_WEEKS + 40]) - 0.5
    came = next(hour for hour, value in enumerate(rising[FOUR_WEEKS:], start=1) if value is not None and value >= limit)
    told = forecast(rising[:FOUR_WEEKS], 48)

    assert told is not None
    hours = told.crosses(limit)
    assert hours is not None
    assert abs(hours - came) <= 3
    steady = forecast(working_week(FOUR_WEEKS, noise=0.5), 48)
    assert steady is not None
    assert steady.crosses(limit) is None


def test_an_outage_and_lone_peaks_of_the_past_move_nothing() -> None:
    calm = working_week(FOUR_WEEKS)
    shaken = list(calm)
    for hour in (100, 333, 500):
        shaken[hour] = 5_000
    for hour in range(200, 212):
        shaken[hour] = None
    before, after = forecast(calm, 24), forecast(shaken, 24)

    assert before is not None
    assert after is not None
    assert all(abs(one - other) < 4 for one, other in zip(before.expected, after.expected, strict=True))
    assert after.crosses(100) is None


def test_too_little_says_nothing() -> None:
    assert forecast(working_week((LEAST_DAYS - 1) * DAY), 24) is None
    assert forecast([None] * FOUR_WEEKS, 24) is None
    assert forecast([], 24) is None


def test_what_never_moves_is_expected_to_stay() -> None:
    told = forecast([0.0] * FOUR_WEEKS, 24)

    assert told is not None
    assert (set(told.expected), told.spread, told.per_day) == ({0.0}, 0.0, 0.0)
