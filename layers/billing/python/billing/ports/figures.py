"""Figures of the past, as CloudWatch keeps them, and the topic of alerts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedFigure:
    """``alarm`` is CloudWatch's name of it. ``hourly``: oldest first, None where nothing was measured."""

    alarm: str
    limit: float
    hourly: Sequence[float | None]


class Figures(Protocol):
    def watched(self, alarms: Sequence[str], until: datetime, hours: int) -> tuple[WatchedFigure, ...]:
        """What these alarms look at, in the hours before ``until``; an alarm that is not there is left out.

        ``alarms``: logical ids. Raises: DependencyUnavailable.
        """
        ...


class AlertTopic(Protocol):
    def publish(self, message: str) -> None:
        """Raises: DependencyUnavailable."""
        ...
