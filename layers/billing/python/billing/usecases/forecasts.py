"""Once a day: what will reach the limit of its alarm before long is said before it rings."""

from __future__ import annotations

import json
from collections.abc import Sequence

from billing.domain.alerts import FORECAST
from billing.domain.forecast import DAY, WEEK, forecast
from billing.ports.clock import Clock
from billing.ports.figures import AlertTopic, Figures

LOOKS_BACK = 4 * WEEK
LOOKS_AHEAD = 2 * DAY


def warn_ahead(alarms: Sequence[str], *, figures: Figures, topic: AlertTopic, clock: Clock) -> int:
    """How many were told. What is above its limit now is for its alarm to say. Raises: DependencyUnavailable."""
    told = 0
    until = clock.now().replace(minute=0, second=0, microsecond=0)
    for figure in figures.watched(alarms, until, LOOKS_BACK):
        expected = forecast(figure.hourly, LOOKS_AHEAD)
        now = next((value for value in reversed(figure.hourly) if value is not None), None)
        hours = expected.crosses(figure.limit) if expected is not None else None
        if hours is None or now is None or now >= figure.limit:
            continue
        topic.publish(json.dumps({"kind": FORECAST, "alarm": figure.alarm, "hours": hours}))
        told += 1
    return told
