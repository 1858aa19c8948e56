"""Every morning — say which figures will reach the limit of their alarm within two days."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.indicators import FORECAST, INDICATORS
from billing.domain.watch import Severity
from billing.runtime.clock import clock
from billing.runtime.figures import figures, topic
from billing.usecases import forecasts as usecases


def warn_ahead(_event: dict[str, Any]) -> dict[str, int]:
    alarms = [one.alarm_name(Severity.WARNING) for one in INDICATORS if one.name in FORECAST]
    return {"warned": usecases.warn_ahead(alarms, figures=figures(), topic=topic(), clock=clock)}


handler = task_point(warn_ahead)
