"""Time that stands still until a test moves it, and identifiers that follow each other."""

from __future__ import annotations

import threading
from datetime import date, datetime, timedelta

from billing.domain.dates import civil_date
from tests.factories import ISSUED_AT

MORNING = ISSUED_AT


class FakeClock:
    """Port Clock. ``sleep`` passes time at once; ``tick`` passes some at each look, as a real clock does."""

    def __init__(self, now: datetime = MORNING, *, tick: timedelta = timedelta(0)) -> None:
        self._now = now
        self._elapsed = 0.0
        self._tick = tick
        self.slept: list[float] = []

    def now(self) -> datetime:
        self.advance(self._tick)
        return self._now

    def today(self) -> date:
        return civil_date(self._now)

    def monotonic(self) -> float:
        return self._elapsed

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(timedelta(seconds=seconds))

    def set(self, now: datetime) -> None:
        self.advance(now - self._now)

    def advance(self, step: timedelta) -> None:
        self._now += step
        self._elapsed += step.total_seconds()


class FakeIds:
    """Port Ids: ``inv_000001``, ``evt_000002`` …, safe to share between threads."""

    def __init__(self, *, jitter: float = 0.5) -> None:
        self._last = 0
        self._lock = threading.Lock()
        self._jitter = jitter

    def new(self, prefix: str) -> str:
        with self._lock:
            self._last += 1
            return f"{prefix}_{self._last:06d}"

    def secret(self) -> str:
        return self.new("secret").ljust(43, "-")

    def jitter(self) -> float:
        return self._jitter
