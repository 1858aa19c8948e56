"""Ten years from the close of the fiscal year, whenever it closes."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.retention_period import kept_until


@pytest.mark.parametrize(
    ("issued", "until"),
    [
        (date(2026, 1, 1), date(2037, 2, 1)),
        (date(2026, 11, 26), date(2037, 12, 1)),
        (date(2026, 12, 31), date(2038, 1, 1)),
        (date(2028, 2, 29), date(2039, 3, 1)),
    ],
)
def test_the_day_on_which_it_may_go(issued: date, until: date) -> None:
    assert kept_until(issued) == until


@given(st.dates(date(2026, 1, 1), date(2090, 12, 31)), st.integers(1, 12))
def test_it_is_never_before_ten_years_from_the_close(issued: date, last_month: int) -> None:
    year = issued.year if issued.month <= last_month else issued.year + 1
    after_the_close = date(year + 10, last_month + 1, 1) if last_month < 12 else date(year + 11, 1, 1)

    assert kept_until(issued) >= after_the_close
