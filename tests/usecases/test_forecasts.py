"""What will ring is said a day or two before, once, and nothing that rings already."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from billing.domain.alerts import AlertSeverity, Kind, signal_of
from billing.domain.watch import Service
from billing.ports.figures import WatchedFigure
from billing.usecases.forecasts import LOOKS_AHEAD, LOOKS_BACK, warn_ahead
from tests.domain.test_forecast import working_week
from tests.fakes.clock import FakeClock

NOW = datetime(2026, 11, 27, 7, 50, 12, tzinfo=UTC)
ALARM = "zenbilling-prod-FunctionConcurrencyWarningAlarm"


class FakeFigures:
    """Port Figures."""

    def __init__(self, *hourly: Sequence[float | None]) -> None:
        self.hourly = hourly
        self.asked: list[tuple[Sequence[str], datetime, int]] = []

    def watched(self, alarms: Sequence[str], until: datetime, hours: int) -> tuple[WatchedFigure, ...]:
        self.asked.append((alarms, until, hours))
        return tuple(WatchedFigure(alarm=ALARM, limit=80, hourly=one) for one in self.hourly)


class FakeTopic:
    """Port AlertTopic."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def publish(self, message: str) -> None:
        self.messages.append(message)


@pytest.fixture
def topic() -> FakeTopic:
    return FakeTopic()


def warned(topic: FakeTopic, *hourly: Sequence[float | None]) -> int:
    return warn_ahead(
        ["FunctionConcurrencyWarningAlarm"], figures=FakeFigures(*hourly), topic=topic, clock=FakeClock(NOW)
    )


def test_what_rises_to_its_limit_is_told_with_its_hours(topic: FakeTopic) -> None:
    rising = working_week(LOOKS_BACK, base=25, per_day=1.7, noise=0.5)
    assert max(float(value or 0) for value in rising) < 80

    assert warned(topic, rising) == 1
    [message] = topic.messages
    told = json.loads(message)
    assert (told["kind"], told["alarm"]) == ("forecast", ALARM)
    assert 0 < told["hours"] <= LOOKS_AHEAD
    signal = signal_of(message, NOW)
    assert (signal.kind, signal.severity, signal.service) == (
        Kind.FORECAST,
        AlertSeverity.WARNING,
        Service.INFRASTRUCTURE,
    )
    assert signal.says.startswith(
        f"Prévision, d'ici {told['hours']} h environ si rien ne change – Exécutions simultanées"
    )
    assert (signal.subject, signal.environment) == ("FunctionConcurrencyForecast", "zenbilling-prod")


@pytest.mark.parametrize(
    "hourly",
    [working_week(LOOKS_BACK), [90.0] * LOOKS_BACK, [None] * LOOKS_BACK, working_week(200, per_day=5)],
    ids=["steady", "above already", "nothing measured", "too little"],
)
def test_nothing_else_is_told(topic: FakeTopic, hourly: Sequence[float | None]) -> None:
    assert warned(topic, hourly) == 0
    assert topic.messages == []


def test_whole_hours_of_four_weeks_are_asked_for(topic: FakeTopic) -> None:
    figures = FakeFigures()
    warn_ahead(["A"], figures=figures, topic=topic, clock=FakeClock(NOW))

    assert figures.asked == [(["A"], NOW.replace(minute=0, second=0), LOOKS_BACK)]


def test_a_message_that_names_no_alarm_of_ours_is_kept_and_said() -> None:
    signal = signal_of('{"kind": "forecast", "alarm": "zenbilling-prod-Other", "hours": 3}', NOW)

    assert (signal.kind, signal.severity) == (Kind.OTHER, AlertSeverity.INFO)
