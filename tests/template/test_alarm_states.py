"""Each alarm of the template, fed with what it watches, reaches the state it must: one that cannot ring is no alarm.

The definitions are those of supervision.yaml; the series are written in CloudWatch's names of metrics, so that an alarm
on a wrong one fails here too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pytest

from billing.domain.indicators import INDICATORS
from billing.domain.watch import Indicator, Level, Severity, Unusual
from local.cloudwatch.alarms import Alarm, AlarmState, MetricKey
from local.supervision.application import alarms

NOW = 1_800_057_600  # a midnight: the end of a period of any length


def _cpu(memory: int, percent: float) -> Mapping[str, float]:
    """Five runs of 20 ms each, that used so much of what this memory gives."""
    return {"cpu_total_time": percent * memory / 1769, "Duration": 100, "Invocations": 5}


def _dependency(metric: str, milliseconds: float) -> Mapping[str, float]:
    return {f"{metric}:p95": milliseconds, f"{metric}:SampleCount": 20}


# What makes an indicator have a value: metric by name → value. Where nothing is said, its one metric has it.
SCENES: dict[str, Callable[[float], Mapping[str, float]]] = {
    "ApiErrors": lambda percent: {"5xx": percent * 100, "Count": 10_000},
    "ApiLatency": lambda milliseconds: {"Latency": milliseconds, "Count": 20},
    "NetworkLatency": lambda milliseconds: {"Latency": 250 + milliseconds, "IntegrationLatency": 250, "Count": 10},
    "InvoiceGenerationErrors": lambda percent: {
        "ExecutionsFailed": percent,
        "ExecutionsTimedOut": percent,
        "ExecutionsAborted": percent,
        "ExecutionsSucceeded": 300 - 3 * percent,
    },
    **{f"{name}Latency": partial(_dependency, f"{name}Latency") for name in ("Table", "Stripe", "Mail")},
    "FailedPayments": lambda percent: {"PaymentFailed": percent, "PaymentAttempted": 100},
    **{f"{name}Cpu": partial(_cpu, 1024) for name in ("IssueInvoice", "StripeEvents", "PlaceEvents")},
    **{f"{name}Cpu": partial(_cpu, 1769) for name in ("RenderInvoice", "JudgeInvoice")},
    **{
        f"{name}Saturation": lambda percent: {"memory_utilization": percent}
        for name in ("IssueInvoice", "RenderInvoice", "JudgeInvoice", "StripeEvents", "PlaceEvents")
    },
    "FunctionMemory": lambda percent: {"memory_utilization": percent},
    "FunctionDisk": lambda percent: {"tmp_used": percent, "tmp_free": 100 - percent},
    "DatabaseCapacity": lambda percent: {"ConsumedWriteCapacityUnits": 60 * 4_000 * percent / 100},
    "TableThrottles": lambda refused: {"WriteThrottleEvents": refused / 7},
    "FunctionConcurrency": lambda percent: {"ConcurrentExecutions": 10 * percent},
    "LiveErrors": lambda failed: {"Errors": failed / 8},
    "AlertRouterErrors": lambda failed: {"Errors": failed / 2},
    "MailBounces": lambda percent: {"Reputation.BounceRate": percent / 100},
    "MailComplaints": lambda percent: {"Reputation.ComplaintRate": percent / 100},
}
# Below these the figure says nothing, however bad it is.
TOO_LITTLE: dict[str, Mapping[str, float]] = {
    "ApiErrors": {"5xx": 19, "Count": 19},
    "ApiLatency": {"Latency": 29_000, "Count": 19},
    "NetworkLatency": {"Latency": 29_000, "IntegrationLatency": 1, "Count": 9},
    "InvoiceGenerationErrors": {"ExecutionsFailed": 4},
    "FailedPayments": {"PaymentFailed": 9, "PaymentAttempted": 9},
    "IssueInvoiceCpu": {"cpu_total_time": 1_000, "Duration": 1, "Invocations": 4},
    "StripeLatency": {"StripeLatency:p95": 29_000, "StripeLatency:SampleCount": 19},
}
TOO_FEW_BAD: dict[str, Mapping[str, float]] = {
    "ApiErrors": {"5xx": 2, "Count": 20},
    "InvoiceGenerationErrors": {"ExecutionsFailed": 1, "ExecutionsSucceeded": 5},
}
NOTHING_YET = {"ApiErrors": {"Count": 10_000}, "FailedPayments": {"PaymentAttempted": 100}}
DEPLOYED = alarms()
ALARMS = [(one, severity, level) for one in INDICATORS if one.unusual is None for severity, level in one.levels()]
each_alarm = pytest.mark.parametrize(
    ("indicator", "severity", "level"), ALARMS, ids=[one.alarm_name(severity) for one, severity, _ in ALARMS]
)


def _alarm(indicator: Indicator, severity: Severity) -> Alarm:
    """As the template has it."""
    return DEPLOYED[indicator.alarm_name(severity)]


def _scene(indicator: Indicator, alarm: Alarm, value: float) -> Mapping[str, float]:
    if indicator.name in SCENES:
        return SCENES[indicator.name](value)
    (metric,) = alarm.metrics.values()
    return {metric.name: value}


def _state(alarm: Alarm, scenes: Sequence[Mapping[str, float]], before: AlarmState = AlarmState.OK) -> AlarmState:
    """After these periods, the last of which has just ended; a metric that a scene does not name is missing."""
    paired = list(zip(range(NOW - len(scenes) * alarm.period, NOW, alarm.period), scenes, strict=True))

    def statistics(key: MetricKey) -> dict[int, float]:
        names = (f"{key.name}:{key.statistic}", key.name)
        found = ((time, next((scene[name] for name in names if name in scene), None)) for time, scene in paired)
        return {time: value for time, value in found if value is not None}

    return alarm.state(NOW, statistics, before)


def _bad_and_good(indicator: Indicator, level: Level) -> tuple[float, float]:
    """Just over and just under."""
    under = level.limit - max(level.limit / 1000, 1e-9)
    return (under, level.limit) if indicator.below else (level.limit * (1 + 1e-9), under)


@each_alarm
def test_it_rings_at_its_limit_and_not_before(indicator: Indicator, severity: Severity, level: Level) -> None:
    alarm = _alarm(indicator, severity)
    bad, good = (_scene(indicator, alarm, value) for value in _bad_and_good(indicator, level))
    spared = level.periods - level.datapoints

    assert _state(alarm, [good] * spared + [bad] * level.datapoints) is AlarmState.ALARM
    assert _state(alarm, [good] * level.periods) is AlarmState.OK
    assert _state(alarm, [good] * (spared + 1) + [bad] * (level.datapoints - 1)) is AlarmState.OK


@each_alarm
def test_it_ends_when_all_is_well_again(indicator: Indicator, severity: Severity, level: Level) -> None:
    alarm = _alarm(indicator, severity)
    bad, good = (_scene(indicator, alarm, value) for value in _bad_and_good(indicator, level))

    assert _state(alarm, [bad] * level.periods + [good] * level.periods, AlarmState.ALARM) is AlarmState.OK


@each_alarm
def test_silence_is_what_it_should_be(indicator: Indicator, severity: Severity, level: Level) -> None:
    alarm = _alarm(indicator, severity)
    expected = AlarmState.ALARM if indicator.silent_is_bad else AlarmState.OK
    bad = _scene(indicator, alarm, _bad_and_good(indicator, level)[0])

    assert _state(alarm, []) is expected
    assert _state(alarm, [{}] * 20, AlarmState.ALARM) is expected
    assert _state(alarm, [bad] * level.periods + [{}] * 20, AlarmState.ALARM) is expected


@pytest.mark.parametrize("name", TOO_LITTLE | TOO_FEW_BAD)
def test_little_traffic_and_lone_faults_wake_nobody(name: str) -> None:
    (indicator,) = (one for one in INDICATORS if one.name == name)
    for severity, level in indicator.levels():
        alarm = _alarm(indicator, severity)
        for scenes in (TOO_LITTLE, TOO_FEW_BAD, NOTHING_YET):
            assert _state(alarm, [scenes.get(name, {})] * level.periods) is AlarmState.OK


@pytest.mark.parametrize("name", ["DatabaseCapacity", "RenderInvoiceSaturation", "TableThrottles"])
def test_each_of_its_measures_counts_by_itself(name: str) -> None:
    others: dict[str, list[dict[str, float]]] = {
        "DatabaseCapacity": [{"ConsumedReadCapacityUnits": 60 * 12_000 * 0.96}],
        "RenderInvoiceSaturation": [{"cpu_total_time": 81, "Duration": 100, "Invocations": 5}],
        "TableThrottles": [{"ReadThrottleEvents": 1}],
    }
    (indicator,) = (one for one in INDICATORS if one.name == name)
    for severity, level in indicator.levels():
        assert _state(_alarm(indicator, severity), others[name] * level.periods) is AlarmState.ALARM


def test_every_alarm_of_the_template_is_fed() -> None:
    """None is written by hand beside those of the indicators."""
    assert set(DEPLOYED) == {one.alarm_name(severity) for one in INDICATORS for severity, _ in one.levels()}


@pytest.mark.parametrize("indicator", [one for one in INDICATORS if one.unusual is not None], ids=lambda one: one.name)
def test_what_is_unusual_rings_beyond_the_band_that_was_learnt(indicator: Indicator) -> None:
    alarm = _alarm(indicator, Severity.WARNING)

    def state(*values: float | None) -> AlarmState:
        times = range(NOW - len(values) * alarm.period, NOW, alarm.period)
        series = {time: value for time, value in zip(times, values, strict=True) if value is not None}
        busy = dict.fromkeys(times, 20.0)
        return alarm.state(
            NOW,
            lambda key: busy if key.name == "Count" and indicator.name == "ApiLatencyUnusual" else series,
            AlarmState.OK,
            bands=lambda _: (10, 20),
        )

    low = AlarmState.OK if indicator.unusual is Unusual.ABOVE else AlarmState.ALARM
    high = AlarmState.OK if indicator.unusual is Unusual.BELOW else AlarmState.ALARM
    assert (state(9, 9, 9), state(21, 21, 21)) == (low, high)
    assert (state(9, 9, 10), state(21, 20, 21), state(10, 15, 20)) == (AlarmState.OK,) * 3
    assert state(None, None, None) == low  # none at all is few, and no time is no slow one
