"""The real time, and identifiers that sort by it."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from random import SystemRandom
from secrets import token_urlsafe

from ulid import ULID

from billing.domain.dates import civil_date


class SystemClock:
    """Port Clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def today(self) -> date:
        return civil_date(self.now())

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class UlidIds:
    """Port Ids: ``inv_01JD3…``."""

    def __init__(self) -> None:
        self._random = SystemRandom()

    def new(self, prefix: str) -> str:
        return f"{prefix}_{ULID()}"

    def secret(self) -> str:
        return token_urlsafe(32)

    def jitter(self) -> float:
        return self._random.random()


clock = SystemClock()
ids = UlidIds()
