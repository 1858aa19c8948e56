"""Usage of the web app as it is kept: the salt of the day, its visitors, its sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Protocol

from billing.domain.usage import CountedView, Counts, DaySalt, Marks, Standing


class UsageBook(Protocol):
    def salt(self, day: date, fresh: Callable[[], str]) -> DaySalt:
        """That of the day, the same for all; the first to ask brings a fresh one, which replaces the last day's.

        A later day's when it has begun for somebody else. From memory within a day.
        """
        ...

    def standing(self, day: date, marks: Marks) -> Standing:
        """One request."""
        ...

    def count(self, view: CountedView) -> None:
        """All of it or nothing, one request.

        Raises: StaleVersion, when the visitor, the address or the referrers are not what they were.
        """
        ...

    def days(self, first: date, last: date) -> dict[date, Counts]:
        """Those that have any, both ends included; one request for each megabyte, of which 92 days seldom fill one."""
        ...
