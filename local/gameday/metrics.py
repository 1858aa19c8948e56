"""CloudWatch's series, made of what really ran: requests, invocations, what functions write, queues, workflows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from local.cloudwatch.alarms import MetricKey
from local.cloudwatch.expressions import Series
from local.pool import INVOCATIONS_LOG
from local.server import ACCESS_LOG

Dimensions = tuple[tuple[str, str], ...]
_SERVER_ERROR: Final = 500


class Measured:
    """Samples by metric and by the start of the minute in which they were taken; statistics over any period."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, str, Dimensions], dict[int, list[float]]] = defaultdict(dict)
        self._known: dict[MetricKey, Series] = {}

    def add(
        self, namespace: str, name: str, dimensions: Mapping[str, str], minute: int, values: Iterable[float]
    ) -> None:
        found = [float(value) for value in values]
        if not found:
            return
        series = self._samples[namespace, name, tuple(sorted(dimensions.items()))]
        series.setdefault(minute, []).extend(found)
        self._known.clear()

    def series(self, key: MetricKey) -> Series:
        """A point for each period with a sample, as an alarm asks for it."""
        if key not in self._known:
            periods: dict[int, list[float]] = defaultdict(list)
            for minute, values in self._samples.get((key.namespace, key.name, key.dimensions), {}).items():
                periods[minute // key.period * key.period] += values
            self._known[key] = {start: statistic(key.statistic, values) for start, values in periods.items()}
        return self._known[key]


def statistic(name: str, values: list[float]) -> float:
    """Raises: KeyError, for one that CloudWatch or this does not know."""
    if name.startswith("p"):
        ordered, place = sorted(values), float(name[1:]) / 100 * (len(values) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
    known: dict[str, Callable[[list[float]], float]] = {
        "Sum": sum,
        "Average": fmean,
        "Maximum": max,
        "SampleCount": len,
    }
    return float(known[name](values))


class Tail:
    """The lines that files got since they were read last, whole ones only."""

    def __init__(self) -> None:
        self._read: dict[Path, int] = {}

    def lines(self, path: Path) -> Iterator[str]:
        if not path.exists():
            return
        with path.open("rb") as file:
            file.seek(self._read.get(path, 0))
            content = file.read()
        whole = content.rfind(b"\n") + 1
        self._read[path] = self._read.get(path, 0) + whole
        yield from content[:whole].decode("utf-8", "replace").splitlines()


class Collector:
    """Reads what happened since the last time, and puts it down to one minute.

    ``api_id``, ``queues`` (URL by name) and ``machines`` (ARNs) are those of the stack; ``sqs`` and ``workflows`` are
    clients of the SDK.
    """

    def __init__(
        self,
        measured: Measured,
        logs: Path,
        *,
        api_id: str,
        queues: Mapping[str, str],
        machines: Iterable[str],
        sqs: Any,
        workflows: Any,
    ) -> None:
        self._measured = measured
        self._logs = logs
        self._api = {"ApiId": api_id, "Stage": "$default"}
        self._queues = queues
        self._machines = tuple(machines)
        self._sqs = sqs
        self._workflows = workflows
        self._tail = Tail()
        self._ended: set[str] = set()

    def collect(self, minute: int) -> None:
        self._requests(minute)
        self._invocations(minute)
        self._own_metrics(minute)
        self._messages(minute)
        self._executions(minute)

    def _requests(self, minute: int) -> None:
        """AWS/ApiGateway: HTTP APIs count a nought for each request that is not an error."""
        rows = [line.split(" ", 4) for line in self._tail.lines(self._logs / ACCESS_LOG)]
        for name, values in (
            ("Count", [1.0 for _ in rows]),
            ("4xx", [float(400 <= int(row[1]) < _SERVER_ERROR) for row in rows]),
            ("5xx", [float(int(row[1]) >= _SERVER_ERROR) for row in rows]),
            ("Latency", [float(row[2]) for row in rows]),
            ("IntegrationLatency", [float(row[3]) for row in rows]),
        ):
            self._measured.add("AWS/ApiGateway", name, self._api, minute, values)

    def _invocations(self, minute: int) -> None:
        """AWS/Lambda, of each function."""
        for line in self._tail.lines(self._logs / INVOCATIONS_LOG):
            told = json.loads(line)
            of = {"FunctionName": told["function"]}
            for name, value in (("Invocations", 1), ("Errors", told["error"]), ("Duration", told["ms"])):
                self._measured.add("AWS/Lambda", name, of, minute, [value])

    def _own_metrics(self, minute: int) -> None:
        """What functions write in CloudWatch's embedded metric format."""
        for path in self._logs.glob("*.log"):
            for line in self._tail.lines(path) if path.name not in {ACCESS_LOG, INVOCATIONS_LOG} else ():
                if '"_aws"' in line:
                    self._embedded(line, minute)

    def _embedded(self, line: str, minute: int) -> None:
        try:
            told = json.loads(line)
            directives = told["_aws"]["CloudWatchMetrics"]
        except (ValueError, KeyError, TypeError):  # a line that quotes one
            return
        for directive in directives:
            for names in directive["Dimensions"]:
                dimensions = {name: str(told[name]) for name in names}
                for metric in directive["Metrics"]:
                    value = told[metric["Name"]]
                    values = value if isinstance(value, list) else [value]
                    self._measured.add(directive["Namespace"], metric["Name"], dimensions, minute, values)

    def _messages(self, minute: int) -> None:
        """AWS/SQS: how many wait, at the end of the minute."""
        for name, url in self._queues.items():
            told = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            waiting = float(told["Attributes"]["ApproximateNumberOfMessages"])
            self._measured.add("AWS/SQS", "ApproximateNumberOfMessagesVisible", {"QueueName": name}, minute, [waiting])

    def _executions(self, minute: int) -> None:
        """AWS/States, of executions that ended."""
        for machine in self._machines:
            for arn, status in executions(self._workflows, machine):
                if status == "RUNNING" or arn in self._ended:
                    continue
                self._ended.add(arn)
                name = {"TIMED_OUT": "TimedOut"}.get(status, status.title())
                self._measured.add("AWS/States", f"Executions{name}", {"StateMachineArn": machine}, minute, [1])


def executions(workflows: Any, machine: str) -> Iterator[tuple[str, str]]:
    """ARN and status of each."""
    more: dict[str, str] = {}
    while True:
        page = workflows.list_executions(stateMachineArn=machine, maxResults=1000, **more)
        for one in page["executions"]:
            yield one["executionArn"], one["status"]
        if "nextToken" not in page:
            return
        more = {"nextToken": page["nextToken"]}
