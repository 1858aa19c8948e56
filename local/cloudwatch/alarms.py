"""The state an alarm of the template reaches, from what its metrics were.

Source: CloudWatch User Guide, "Alarm evaluation": M out of N datapoints, missing data, composite alarms. CloudWatch
looks back further than the evaluation periods, to have N real points where some are missing, and never as far as to
keep an alarm ringing on old ones; on the namespace AWS/DynamoDB missing data is ignored whatever the alarm says.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from local.cloudwatch.expressions import ExpressionError, Series, value_at

_LOOKED_BACK = 2  # periods more than those evaluated
_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


class AlarmState(StrEnum):
    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricKey:
    """What a series belongs to: dimensions as sorted pairs of name and value."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    statistic: str = "Sum"
    period: int = 60


Statistics = Callable[[MetricKey], Series]
Bands = Callable[[int], tuple[float, float]]


class Alarm:
    """One metric alarm. ``properties`` are those of the template with its intrinsics resolved to strings."""

    def __init__(self, name: str, properties: Mapping[str, Any]) -> None:
        self.name = name
        self._properties = properties
        self._entries = {entry["Id"]: entry for entry in properties.get("Metrics", ())} or {"m": _entry(properties)}

    @cached_property
    def metrics(self) -> dict[str, MetricKey]:
        """By the id that expressions use."""
        return {ident: _key(entry) for ident, entry in self._entries.items() if "MetricStat" in entry}

    @cached_property
    def period(self) -> int:
        """Seconds of a datapoint."""
        periods = {metric.period for metric in self.metrics.values()}
        if len(periods) != 1:
            raise ExpressionError(f"{self.name}: its metrics have periods of {sorted(periods)}")
        return periods.pop()

    def state(
        self,
        now: int,
        statistics: Statistics,
        before: AlarmState = AlarmState.INSUFFICIENT_DATA,
        *,
        bands: Bands | None = None,
    ) -> AlarmState:
        """After the evaluation at ``now``, when the last whole period has ended; ``before`` is what it was.

        ``bands``: what CloudWatch has learnt, lower and upper edge at a time, for an alarm on what is unusual.
        """
        evaluated, needed = self._properties["EvaluationPeriods"], self._datapoints
        last = now // self.period * self.period - self.period
        looked_at = [last - rank * self.period for rank in range(evaluated + _LOOKED_BACK)]
        points = [self._judgement(time, statistics, bands) for time in looked_at]
        breaching = [point for point in points if point is not None][:evaluated]
        if not any(point is not None for point in points[:evaluated]):
            return self._without_data(before)
        if len(breaching) >= evaluated:
            return _judged(breaching, needed)
        if self._missing in {"breaching", "notBreaching"}:
            filled = self._missing == "breaching"
            return _judged([filled if one is None else one for one in points[:evaluated]], needed)
        if sum(breaching) >= needed or not all(breaching):
            return _judged(breaching, needed)
        old_enough = any(point is not None for point in points[needed - 1 : evaluated])
        return AlarmState.ALARM if self._missing == "missing" and old_enough else before

    def value(self, time: int, statistics: Statistics) -> float | None:
        """The datapoint that is compared with the threshold."""
        return self._value(self._returned, time, statistics)

    @cached_property
    def _returned(self) -> str:
        band = self._properties.get("ThresholdMetricId")
        returned = [
            str(ident) for ident, entry in self._entries.items() if entry.get("ReturnData", True) and ident != band
        ]
        if len(returned) != 1:
            raise ExpressionError(f"{self.name}: one series decides, not {returned}")
        return returned[0]

    def _value(self, ident: str, time: int, statistics: Statistics) -> float | None:
        if ident not in self._entries:
            raise ExpressionError(f"{self.name}: nothing is called {ident}")
        if ident in self.metrics:
            return statistics(self.metrics[ident]).get(time)

        def series(name: str) -> Series:
            value = self._value(name, time, statistics)
            return {} if value is None else {time: value}

        return value_at(self._entries[ident]["Expression"], time, series, period=self.period)

    @property
    def _datapoints(self) -> int:
        needed: int = self._properties.get("DatapointsToAlarm", self._properties["EvaluationPeriods"])
        return needed

    @property
    def _missing(self) -> str:
        if any(metric.namespace == "AWS/DynamoDB" for metric in self.metrics.values()):
            return "ignore"
        return str(self._properties.get("TreatMissingData", "missing"))

    def _without_data(self, before: AlarmState) -> AlarmState:
        known = {
            "breaching": AlarmState.ALARM,
            "notBreaching": AlarmState.OK,
            "missing": AlarmState.INSUFFICIENT_DATA,
            "ignore": before,
        }
        return known[self._missing]

    def _judgement(self, time: int, statistics: Statistics, bands: Bands | None) -> bool | None:
        """Whether the datapoint breaches; None when it is missing."""
        point = self.value(time, statistics)
        if point is None:
            return None
        comparison = self._properties["ComparisonOperator"]
        if "ThresholdMetricId" not in self._properties:
            return _COMPARISONS[comparison](point, self._properties["Threshold"])
        if bands is None:
            raise ExpressionError(f"{self.name}: nothing says what is usual")
        lower, upper = bands(time)
        return ("Lower" in comparison and point < lower) or ("Upper" in comparison and point > upper)


def composite_state(rule: str, states: Mapping[str, AlarmState]) -> AlarmState:
    """Of an AlarmRule such as ``ALARM("canary") OR (ALARM("errors") AND NOT OK("latency"))``, names without quotes too.

    Raises: ExpressionError: the rule names an alarm that is not there, or cannot be read.
    """

    def answer(found: re.Match[str]) -> str:
        name = found["name"]
        if name not in states:
            raise ExpressionError(f"a composite names {name}, which is no alarm")
        return str(states[name] is AlarmState[found["state"]])

    named = re.compile(r"(?P<state>ALARM|OK|INSUFFICIENT_DATA)\(\s*\"?(?P<name>[^\s\")]+)\"?\s*\)")
    logic = named.sub(answer, rule)
    words = re.findall(r"[A-Za-z]+|[()]|\S", logic)
    if not set(words) <= {"True", "False", "AND", "OR", "NOT", "(", ")"}:
        raise ExpressionError(f"{rule}: cannot be read")
    python = " ".join(word.lower() if word in {"AND", "OR", "NOT"} else word for word in words)
    try:
        return AlarmState.ALARM if _truth(python) else AlarmState.OK
    except SyntaxError as error:
        raise ExpressionError(f"{rule}: cannot be read") from error


def _truth(logic: str) -> bool:
    def value(node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=bool() as known):
                return known
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not value(operand)
            case ast.BoolOp(op=op, values=values):
                return (all if isinstance(op, ast.And) else any)(value(one) for one in values)
            case _:
                raise SyntaxError(logic)

    return value(ast.parse(logic, mode="eval").body)


def _judged(breaching: Iterable[bool], needed: int) -> AlarmState:
    return AlarmState.ALARM if sum(breaching) >= needed else AlarmState.OK


def _entry(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The single metric of an alarm without metric math, as an entry of one with."""
    metric = {name: properties[name] for name in ("Namespace", "MetricName", "Dimensions") if name in properties}
    statistic = properties.get("ExtendedStatistic", properties.get("Statistic"))
    return {"Id": "m", "MetricStat": {"Metric": metric, "Period": properties["Period"], "Stat": statistic}}


def _key(entry: Mapping[str, Any]) -> MetricKey:
    measured = entry["MetricStat"]
    metric = measured["Metric"]
    dimensions = sorted((one["Name"], str(one["Value"])) for one in metric.get("Dimensions", ()))
    return MetricKey(
        namespace=metric["Namespace"],
        name=metric["MetricName"],
        dimensions=tuple(dimensions),
        statistic=measured["Stat"],
        period=measured["Period"],
    )
