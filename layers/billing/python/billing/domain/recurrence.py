"""When something comes again. Every date is computed from the start, never from the date before: nothing drifts."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import count, islice, takewhile

from billing.domain.particulars import BillingPeriod

MAX_OCCURRENCES = 1200
END_OF_MONTH = 31


class Frequency(StrEnum):
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def months(self) -> int:
        """Between two occurrences; 0 where weeks count."""
        return {Frequency.WEEKLY: 0, Frequency.MONTHLY: 1, Frequency.QUARTERLY: 3, Frequency.YEARLY: 12}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """A calendar rule from ``start`` on.

    ``weekday`` (1 Monday … 7 Sunday) of weekly ones; ``day`` (1 … 31) of the others: in a shorter month its last
    day, so that 31 is the end of every month. ``end`` and ``occurrences`` bound it, both or neither.
    """

    frequency: Frequency
    start: date
    weekday: int | None = None
    day: int | None = None
    end: date | None = None
    occurrences: int | None = None

    def __post_init__(self) -> None:
        weekly = self.frequency is Frequency.WEEKLY
        if (self.weekday is not None) is not weekly or (self.day is not None) is weekly:
            raise ValueError("weekly ones name a weekday, the others a day of the month")
        if self.weekday is not None and not 1 <= self.weekday <= 7:
            raise ValueError("a weekday is between 1 and 7")
        if self.day is not None and not 1 <= self.day <= END_OF_MONTH:
            raise ValueError("a day of the month is between 1 and 31")
        if self.end is not None and self.end < self.start:
            raise ValueError("it ends before it starts")
        if self.occurrences is not None and not 1 <= self.occurrences <= MAX_OCCURRENCES:
            raise ValueError("it occurs at least once")

    def date_of(self, rank: int) -> date | None:
        """The date of an occurrence, counted from 0; None once it is over."""
        if rank >= (self.occurrences or MAX_OCCURRENCES):
            return None
        day = self._weekly(rank) if self.weekday is not None else self._monthly(rank)
        return None if self.end is not None and day > self.end else day

    def dates(self, *, from_rank: int = 0, limit: int) -> tuple[date, ...]:
        found: Iterator[date | None] = (self.date_of(rank) for rank in count(from_rank))
        return tuple(islice((day for day in takewhile(lambda day: day is not None, found) if day), limit))

    def dates_until(self, day: date, *, from_rank: int = 0) -> tuple[date, ...]:
        """Those that have come by a day."""
        found: Iterator[date | None] = (self.date_of(rank) for rank in count(from_rank))
        return tuple(one for one in takewhile(lambda one: one is not None and one <= day, found) if one)

    def rank_after(self, day: date) -> int:
        """The first occurrence after a day."""
        return next(rank for rank in count() if (found := self.date_of(rank)) is None or found > day)

    def period(self, day: date) -> BillingPeriod:
        """What the occurrence of a day covers: its calendar month, quarter or year, or the seven days from it on."""
        if self.frequency is Frequency.WEEKLY:
            return BillingPeriod(start=day, end=day + timedelta(days=6))
        months = self.frequency.months
        first = _month(day.year, (day.month - 1) // months * months, 1)
        return BillingPeriod(start=first, end=_month(first.year, first.month - 1 + months, 1) - timedelta(days=1))

    def _weekly(self, rank: int) -> date:
        assert self.weekday is not None  # noqa: S101 - held by __post_init__
        ahead = (self.weekday - self.start.isoweekday()) % 7
        return self.start + timedelta(days=ahead + 7 * rank)

    def _monthly(self, rank: int) -> date:
        assert self.day is not None  # noqa: S101 - held by __post_init__
        months = self.frequency.months
        first = _month(self.start.year, self.start.month - 1, self.day)
        # The start's own month when its day is still to come, else the next one of the rule.
        late = 1 if first < self.start else 0
        return _month(self.start.year, self.start.month - 1 + (rank + late) * months, self.day)


def _month(year: int, months: int, day: int) -> date:
    """A day so many months after January of a year, or the last day of that month."""
    year, month = year + months // 12, months % 12 + 1
    return date(year, month, min(day, monthrange(year, month)[1]))
