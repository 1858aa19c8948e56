"""Fake of the port UsageBook."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

from billing.domain.errors import StaleVersion
from billing.domain.usage import (
    MOST_REFERRERS,
    MOST_VISITORS,
    NO_HOSTS,
    CountedView,
    Counts,
    DaySalt,
    Dimension,
    Marks,
    Standing,
    Visitor,
)

SHARDS = 4


class FakeUsageBook:
    """Port UsageBook: one lock is one transaction."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._salt: DaySalt | None = None
        self._visitors: dict[tuple[date, str], Visitor] = {}
        self._addresses: dict[tuple[date, str], int] = {}
        self._sums: dict[tuple[date, int], Counts] = {}

    def salt(self, day: date, fresh: Callable[[], str]) -> DaySalt:
        with self._lock:
            if self._salt is None or self._salt.day < day:
                self._salt = DaySalt(day=day, secret=fresh())
            return self._salt

    def standing(self, day: date, marks: Marks) -> Standing:
        with self._lock:
            return Standing(
                visitor=self._visitors.get((day, marks.visitor)),
                of_address=self._addresses.get((day, marks.address), 0),
                referrers=self._named(day, marks.visitor),
            )

    def count(self, view: CountedView) -> None:
        visitor, day = view.visitor, view.visitor.day
        with self._lock:
            known = self._visitors.get((day, visitor.mark))
            of_address = self._addresses.get((day, view.new_at_address or ""), 0)
            named = self._named(day, visitor.mark)
            stale = (known.version if known else 0) != visitor.version - 1 or of_address >= MOST_VISITORS
            if stale or (view.new_referrer and (view.new_referrer in named or len(named) >= MOST_REFERRERS)):
                raise StaleVersion
            self._visitors[day, visitor.mark] = visitor
            if view.new_at_address:
                self._addresses[day, view.new_at_address] = of_address + 1
            part = day, _shard(visitor.mark)
            self._sums[part] = self._sums.get(part, Counts()).plus(view.counts)

    def days(self, first: date, last: date) -> dict[date, Counts]:
        found: dict[date, Counts] = {}
        for (day, _), counts in self._sums.items():
            if first <= day <= last:
                found[day] = found.get(day, Counts()).plus(counts)
        return found

    def _named(self, day: date, mark: str) -> frozenset[str]:
        known = self._sums.get((day, _shard(mark)), Counts()).by.get(Dimension.REFERRER, {})
        return frozenset(known) - NO_HOSTS


def _shard(mark: str) -> int:
    return int(mark[:8], 16) % SHARDS
