"""Legal dates are civil dates in Paris, whatever the hour in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from billing.domain.dates import civil_date, due_date, format_french


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        pytest.param(datetime(2026, 12, 31, 22, 59, 59, tzinfo=UTC), date(2026, 12, 31), id="year-end-before-midnight"),
        pytest.param(datetime(2026, 12, 31, 23, 0, tzinfo=UTC), date(2027, 1, 1), id="year-end-at-midnight"),
        pytest.param(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), date(2027, 1, 1), id="year-end-23-30-utc"),
        pytest.param(datetime(2026, 3, 28, 22, 59, tzinfo=UTC), date(2026, 3, 28), id="eve-of-summer-time"),
        pytest.param(datetime(2026, 3, 28, 23, 0, tzinfo=UTC), date(2026, 3, 29), id="summer-time-begins"),
        pytest.param(datetime(2026, 3, 29, 1, 0, tzinfo=UTC), date(2026, 3, 29), id="the-hour-that-does-not-exist"),
        pytest.param(datetime(2026, 3, 29, 21, 59, tzinfo=UTC), date(2026, 3, 29), id="first-summer-evening"),
        pytest.param(datetime(2026, 3, 29, 22, 0, tzinfo=UTC), date(2026, 3, 30), id="first-summer-midnight"),
        pytest.param(datetime(2026, 10, 24, 22, 0, tzinfo=UTC), date(2026, 10, 25), id="last-summer-midnight"),
        pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25), id="the-hour-that-comes-twice"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25), id="the-same-hour-again"),
        pytest.param(datetime(2026, 10, 25, 22, 59, tzinfo=UTC), date(2026, 10, 25), id="first-winter-evening"),
        pytest.param(datetime(2028, 2, 28, 23, 0, tzinfo=UTC), date(2028, 2, 29), id="leap-day"),
    ],
)
def test_the_civil_date_is_that_of_paris(instant: datetime, day: date) -> None:
    assert civil_date(instant) == day


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        civil_date(datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("issued", "days", "due"),
    [
        (date(2026, 11, 23), 30, date(2026, 12, 23)),
        (date(2026, 12, 15), 30, date(2027, 1, 14)),
        (date(2028, 1, 30), 30, date(2028, 2, 29)),
        (date(2026, 1, 30), 30, date(2026, 3, 1)),
        (date(2028, 2, 29), 365, date(2029, 2, 28)),
        (date(2026, 3, 29), 0, date(2026, 3, 29)),
    ],
)
def test_payment_terms_count_calendar_days(issued: date, days: int, due: date) -> None:
    assert due_date(issued, days) == due


def test_a_date_is_read_in_french() -> None:
    assert format_french(date(2026, 3, 1)) == "01/03/2026"
