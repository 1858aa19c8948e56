"""Time and identifiers, so that tests control both."""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The instant, in UTC, aware."""
        ...

    def today(self) -> date:
        """The civil date in Europe/Paris."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary origin, never going back."""
        ...

    def sleep(self, seconds: float) -> None: ...


class Ids(Protocol):
    def new(self, prefix: str) -> str:
        """A new identifier such as ``inv_01JD…``; later ones sort after earlier ones."""
        ...

    def secret(self) -> str:
        """256 random bits as 43 URL-safe characters."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1) that spreads retries."""
        ...
