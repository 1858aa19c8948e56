"""The calendar of what comes again: no drift, no gap, no day lost."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.particulars import BillingPeriod
from billing.domain.recurrence import Frequency, Recurrence
from billing.domain.recurring_invoice import filled
from tests.properties.strategies import examined


def rule(frequency: str, start: str, **changes: Any) -> Recurrence:
    values: dict[str, Any] = {"weekday" if frequency == "weekly" else "day": 1}
    return Recurrence(frequency=Frequency(frequency), start=date.fromisoformat(start), **values | changes)


@pytest.mark.parametrize(
    ("recurrence", "expected"),
    [
        (rule("monthly", "2027-01-31", day=31), ["2027-01-31", "2027-02-28", "2027-03-31", "2027-04-30"]),
        (rule("monthly", "2027-12-30", day=30), ["2027-12-30", "2028-01-30", "2028-02-29", "2028-03-30"]),
        (rule("monthly", "2027-01-15", day=1), ["2027-02-01", "2027-03-01", "2027-04-01", "2027-05-01"]),
        (rule("monthly", "2027-01-01", day=1), ["2027-01-01", "2027-02-01", "2027-03-01", "2027-04-01"]),
        (rule("quarterly", "2027-11-30", day=31), ["2027-11-30", "2028-02-29", "2028-05-31", "2028-08-31"]),
        (rule("yearly", "2028-02-29", day=29), ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        (rule("weekly", "2027-03-24", weekday=7), ["2027-03-28", "2027-04-04", "2027-04-11"]),  # the clocks change
        (rule("weekly", "2027-10-27", weekday=3), ["2027-10-27", "2027-11-03", "2027-11-10"]),  # they change back
        (rule("monthly", "2026-12-31", day=31), ["2026-12-31", "2027-01-31"]),
    ],
    ids=["31st", "30th-leap", "day-has-passed", "on-its-day", "quarter-end", "29-02", "dst-on", "dst-off", "new-year"],
)
def test_dates_follow_the_rule(recurrence: Recurrence, expected: list[str]) -> None:
    assert [day.isoformat() for day in recurrence.dates(limit=len(expected))] == expected


def test_an_end_and_a_count_bound_it() -> None:
    assert len(rule("monthly", "2027-01-01", end=date(2027, 3, 1)).dates(limit=12)) == 3
    assert len(rule("monthly", "2027-01-01", occurrences=5).dates(limit=12)) == 5
    assert rule("monthly", "2027-01-02", day=1, end=date(2027, 1, 31)).dates(limit=12) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": 0},
        {"day": 32},
        {"day": None},
        {"weekday": 1},
        {"end": date(2026, 12, 31)},
        {"occurrences": 0},
        {"occurrences": 1201},
    ],
)
def test_a_rule_that_says_nothing_sensible_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        rule("monthly", "2027-01-01", **wrong)


@examined
@given(
    st.dates(date(2024, 1, 1), date(2034, 12, 31)),
    st.integers(1, 31),
    st.sampled_from([Frequency.MONTHLY, Frequency.QUARTERLY, Frequency.YEARLY]),
)
def test_months_never_drift_over_ten_years(start: date, day: int, frequency: Frequency) -> None:
    recurrence = Recurrence(frequency=frequency, start=start, day=day)

    dates = recurrence.dates(limit=120 // frequency.months)

    for before, after in pairwise(dates):
        assert (after.year - before.year) * 12 + after.month - before.month == frequency.months
    assert all(one.day == min(day, monthrange(one.year, one.month)[1]) for one in dates)
    assert dates[0] >= start
    assert dates[0] - start < timedelta(days=31 * (frequency.months + 1))


@examined
@given(st.dates(date(2024, 1, 1), date(2034, 12, 31)), st.integers(1, 7))
def test_weeks_are_seven_days(start: date, weekday: int) -> None:
    dates = Recurrence(frequency=Frequency.WEEKLY, start=start, weekday=weekday).dates(limit=60)

    assert {after - before for before, after in pairwise(dates)} == {timedelta(days=7)}
    assert {day.isoweekday() for day in dates} == {weekday}
    assert timedelta(0) <= dates[0] - start < timedelta(days=7)


@examined
@given(st.dates(date(2024, 1, 1), date(2026, 12, 31)), st.integers(1, 31), st.dates(date(2024, 1, 1), date(2034, 1, 1)))
def test_the_next_rank_is_the_first_later_date(start: date, day: int, after: date) -> None:
    recurrence = Recurrence(frequency=Frequency.MONTHLY, start=start, day=day)

    rank = recurrence.rank_after(after)

    found = recurrence.date_of(rank)
    assert found is not None
    assert found > after
    before = recurrence.date_of(rank - 1) if rank else None
    assert before is None or before <= after


@pytest.mark.parametrize(
    ("frequency", "day", "start", "end"),
    [
        ("monthly", date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29)),
        ("quarterly", date(2026, 12, 31), date(2026, 10, 1), date(2026, 12, 31)),
        ("yearly", date(2027, 6, 30), date(2027, 1, 1), date(2027, 12, 31)),
        ("weekly", date(2026, 12, 28), date(2026, 12, 28), date(2027, 1, 3)),
    ],
)
def test_an_occurrence_covers_its_calendar_period(frequency: str, day: date, start: date, end: date) -> None:
    assert rule(frequency, "2026-01-01").period(day) == BillingPeriod(start=start, end=end)


def test_variables_are_filled_in_french() -> None:
    period = BillingPeriod(start=date(2026, 11, 1), end=date(2026, 11, 30))

    text = filled("{month} – {year} – {quarter} – du {period_start} au {period_end}", period)

    assert text == "novembre 2026 – 2026 – 4e trimestre 2026 – du 01/11/2026 au 30/11/2026"
    assert filled("{quarter}", BillingPeriod(start=date(2027, 1, 1), end=date(2027, 3, 31))) == "1er trimestre 2027"
