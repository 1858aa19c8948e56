"""When what is retained on works is due."""

from __future__ import annotations

from datetime import date

import pytest

from billing.domain.retention import Reception, reception_errors

RECEIVED, TODAY = date(2026, 3, 2), date(2026, 11, 26)


@pytest.mark.parametrize(
    ("received_on", "released_on", "until"),
    [
        (RECEIVED, None, date(2027, 3, 2)),
        (RECEIVED, date(2026, 6, 1), date(2026, 6, 1)),
        (date(2024, 2, 29), date(2026, 6, 1), date(2025, 2, 28)),  # the year had passed: nothing is retained after it
        (None, date(2026, 6, 1), date(2026, 6, 1)),
        (None, None, None),
    ],
)
def test_it_is_due_a_year_after_the_reception_or_when_it_is_released(
    received_on: date | None, released_on: date | None, until: date | None
) -> None:
    assert Reception(received_on=received_on, released_on=released_on).retained_until == until


@pytest.mark.parametrize(
    ("received_on", "released_on", "pointers"),
    [
        (RECEIVED, None, []),
        (RECEIVED, RECEIVED, []),
        (RECEIVED, date(2026, 3, 1), ["/released_on"]),
        (date(2026, 11, 27), None, ["/received_on"]),
        (None, None, ["/received_on", "/released_on"]),
    ],
)
def test_days_are_held_to_each_other_and_to_today(
    received_on: date | None, released_on: date | None, pointers: list[str]
) -> None:
    errors = reception_errors(Reception(received_on=received_on, released_on=released_on), TODAY)

    assert [error.pointer for error in errors] == pointers
