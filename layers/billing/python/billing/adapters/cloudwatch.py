"""Figures of CloudWatch by the alarms that watch them: their own definitions say what to ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable
from billing.ports.figures import WatchedFigure

_HOUR = 3600


class CloudWatchFigures:
    """Port Figures. ``stack`` is how the names of its alarms begin."""

    def __init__(self, client: Any, stack: str) -> None:
        self._client = client
        self._stack = stack

    def watched(self, alarms: Sequence[str], until: datetime, hours: int) -> tuple[WatchedFigure, ...]:
        try:
            found = self._client.describe_alarms(
                AlarmNames=[f"{self._stack}-{name}" for name in alarms], AlarmTypes=["MetricAlarm"]
            )["MetricAlarms"]
            return tuple(self._figure(alarm, until, hours) for alarm in found if "Threshold" in alarm)
        except (ClientError, BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error

    def _figure(self, alarm: Mapping[str, Any], until: datetime, hours: int) -> WatchedFigure:
        start = until - timedelta(hours=hours)
        queries = [_hourly(entry) for entry in alarm.get("Metrics") or [_entry(alarm)]]
        values: dict[datetime, float] = {}
        request: dict[str, Any] = {"MetricDataQueries": queries, "StartTime": start, "EndTime": until}
        while True:
            answer = self._client.get_metric_data(**request)
            for series in answer["MetricDataResults"]:
                times = (at.astimezone(UTC) for at in series["Timestamps"])
                values.update(zip(times, series["Values"], strict=True))
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
        hourly = [values.get(start.astimezone(UTC) + timedelta(hours=hour)) for hour in range(hours)]
        return WatchedFigure(alarm=alarm["AlarmName"], limit=float(alarm["Threshold"]), hourly=hourly)


def _hourly(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A query of an alarm, over hours instead of its own periods."""
    asked = {name: entry[name] for name in ("Id", "Expression", "ReturnData") if name in entry}
    if "MetricStat" in entry:
        asked["MetricStat"] = {**entry["MetricStat"], "Period": _HOUR}
    return asked


def _entry(alarm: Mapping[str, Any]) -> dict[str, Any]:
    metric = {name: alarm[name] for name in ("Namespace", "MetricName", "Dimensions") if name in alarm}
    statistic = alarm.get("Statistic") or alarm.get("ExtendedStatistic")
    return {"Id": "m", "ReturnData": True, "MetricStat": {"Metric": metric, "Stat": statistic}}


class SnsTopic:
    """Port AlertTopic."""

    def __init__(self, client: Any, arn: str) -> None:
        self._client = client
        self._arn = arn

    def publish(self, message: str) -> None:
        try:
            self._client.publish(TopicArn=self._arn, Message=message)
        except (ClientError, BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
