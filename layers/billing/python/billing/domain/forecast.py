"""Where a figure goes: what is usual at this hour of the week, carried on by its trend. Medians throughout, so that an
outage or a lone peak of the past moves nothing.

Series are hourly, oldest first, the last value of the hour that has just ended; None where nothing was measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

DAY, WEEK = 24, 168
LEAST_DAYS = 14  # of history with figures: less says nothing about a week
_LEAST_OF_HOUR = 2  # values of the same hour of the week; else what is usual at that hour of any day
_TO_SIGMA = 1.4826  # of a median absolute deviation, where values scatter normally


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """``expected`` of each hour to come, the next one first; ``spread`` is a standard deviation around it."""

    expected: tuple[float, ...]
    spread: float
    per_day: float

    def crosses(self, limit: float) -> int | None:
        """In how many hours the expected figure reaches the limit first; None when it does not."""
        return next((hour for hour, value in enumerate(self.expected, start=1) if value >= limit), None)


def forecast(series: Sequence[float | None], hours: int) -> Forecast | None:
    """None when there is too little to go by."""
    days = _days(series)
    if len(days) < LEAST_DAYS:
        return None
    per_day = _slope(days)
    end = len(series)
    level = [None if value is None else value + per_day * (end - at) / DAY for at, value in enumerate(series)]
    usual = _Usual(level)
    residuals = [abs(value - usual.at(at)) for at, value in enumerate(level) if value is not None]
    expected = tuple(usual.at(end + ahead) + per_day * ahead / DAY for ahead in range(hours))
    return Forecast(expected=expected, spread=_TO_SIGMA * median(residuals), per_day=per_day)


def _days(series: Sequence[float | None]) -> list[tuple[int, float]]:
    """The median of each day that has at least half of its hours, by its number back from the end."""
    days = []
    for back in range(len(series) // DAY):
        last = len(series) - back * DAY
        known = [value for value in series[last - DAY : last] if value is not None]
        if 2 * len(known) >= DAY:
            days.append((-back, median(known)))
    return days


def _slope(days: Sequence[tuple[int, float]]) -> float:
    """Theil and Sen's: the median slope between days of the same weekday, which a weekend does not tilt."""
    slopes = [
        (value - before) / (day - earlier)
        for day, value in days
        for earlier, before in days
        if earlier < day and (day - earlier) % 7 == 0
    ]
    return median(slopes) if slopes else 0.0


class _Usual:
    """The level of each hour of the week, of its day where that hour is hardly known, of all where neither is."""

    def __init__(self, level: Sequence[float | None]) -> None:
        weekly: list[list[float]] = [[] for _ in range(WEEK)]
        for at, value in enumerate(level):
            if value is not None:
                weekly[at % WEEK].append(value)
        daily = [[value for hour in range(start, WEEK, DAY) for value in weekly[hour]] for start in range(DAY)]
        whole = median(value for values in weekly for value in values)
        self._hours = [
            median(values)
            if len(values) >= _LEAST_OF_HOUR
            else (median(daily[hour % DAY]) if daily[hour % DAY] else whole)
            for hour, values in enumerate(weekly)
        ]

    def at(self, place: int) -> float:
        return self._hours[place % WEEK]
