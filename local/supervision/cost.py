"""What supervision costs a month, from the resources of both templates: written to docs/cost.md.

Prices are AWS's list for Europe (Paris) in US dollars, without its free tiers and without tax; they are typed in here,
for nothing can be asked for without a network. Sources: the pricing pages of CloudWatch, X-Ray, SNS, Lambda and
EventBridge Scheduler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from billing.domain.indicators import CRITICAL_FUNCTIONS

Json = Mapping[str, Any]

ALARM_METRIC = Decimal("0.10")
COMPOSITE_ALARM = Decimal("0.50")
CUSTOM_METRIC = Decimal("0.30")
DASHBOARD = Decimal("3.00")
LOG_GIGABYTE = Decimal("0.60")
SECRET = Decimal("0.40")
SCHEDULED_MILLION = Decimal("1.00")
INVOCATION_MILLION = Decimal("0.20")
GIGABYTE_SECOND = Decimal("0.0000133334")  # arm64
TRACES_MILLION = Decimal("5.00")
SMS_FRANCE = Decimal("0.07")

# Lambda Insights: metrics that it keeps of a function, and what one invocation logs, in bytes.
INSIGHTS_METRICS, INSIGHTS_BYTES = 8, 1_100
# Our own lines of an invocation: one of metrics, one of Lambda's report, and those of its work, in bytes.
LOGGED_BYTES = 1_500
# How many requests a month a company makes, and which share of requests X-Ray follows beyond the first each second.
REQUESTS, CRITICAL_RUNS, SAMPLED = 2_000, 250, Decimal("0.05")
COMPANIES = (0, 100, 1_000, 10_000)
SUPERVISION_RUNS = {"ScheduledRunAlertsFunction": 43_800, "OperationsRouteAlertFunction": 8_760}
SUPERVISION_SECONDS = Decimal("0.05")
# Not metrics: a field of a secret, a class.
_OTHER_WORDS = frozenset({"BaseClient", "LambdaContext", "SecretString"})


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    count: str
    month: Decimal


def at_rest(resources: Json, metrics: frozenset[str]) -> Iterator[Line]:
    """What is paid whether somebody works or not. ``metrics``: names of the metrics that our functions write."""
    kinds = [one["Type"] for one in resources.values()]
    alarms = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    watched = sum(sum("MetricStat" in entry for entry in one.get("Metrics", ())) or 1 for one in alarms)
    watched += 2 * sum("ThresholdMetricId" in one for one in alarms)  # both edges of a band are billed
    composites, dashboards = kinds.count("AWS::CloudWatch::CompositeAlarm"), kinds.count("AWS::CloudWatch::Dashboard")
    insights = len(CRITICAL_FUNCTIONS) * INSIGHTS_METRICS
    yield Line("Metric alarms", f"{len(alarms)} alarms of {watched} metrics", watched * ALARM_METRIC)
    if composites:
        yield Line("Composite alarms", str(composites), composites * COMPOSITE_ALARM)
    yield Line("Dashboards", str(dashboards), dashboards * DASHBOARD)
    yield Line("Metrics of ours, when each is written every hour", str(len(metrics)), len(metrics) * CUSTOM_METRIC)
    yield Line("Lambda Insights", f"{len(CRITICAL_FUNCTIONS)} functions, {insights} metrics", insights * CUSTOM_METRIC)
    yield Line("Secret of the alert channels", "1", SECRET)
    runs = sum(SUPERVISION_RUNS[name] for name in SUPERVISION_RUNS if name in resources)
    ran = runs * (SCHEDULED_MILLION + INVOCATION_MILLION) / 1_000_000 + runs * SUPERVISION_SECONDS * GIGABYTE_SECOND
    yield Line("Runs of the alert router", f"{runs} runs", ran + runs * LOGGED_BYTES * LOG_GIGABYTE / 10**9)


def with_companies(number: int) -> Iterator[Line]:
    """What grows with what people do."""
    requests, critical = number * REQUESTS, number * CRITICAL_RUNS
    yield Line("Logs", f"{requests} requests", requests * LOGGED_BYTES * LOG_GIGABYTE / Decimal(10**9))
    logged = critical * INSIGHTS_BYTES * LOG_GIGABYTE / Decimal(10**9)
    yield Line("Logs of Lambda Insights", f"{critical} runs", logged)
    yield Line("Traces", f"{requests * SAMPLED:.0f} traces", requests * SAMPLED * TRACES_MILLION / 1_000_000)
    yield Line("SMS of critical alarms and their ends", "10 SMS", 10 * SMS_FRANCE)


def page(resources: Json, metrics: frozenset[str]) -> str:
    fixed = list(at_rest(resources, metrics))
    total = sum((line.month for line in fixed), Decimal())
    lines = [
        "# What supervision costs",
        "",
        "Written by `make supervision` from the resources of `template.yaml` and `supervision.yaml`. Prices and what a",
        "company does are in `local/supervision/cost.py`: AWS's list for Europe (Paris), in US dollars a month, before",
        "free tiers and tax.",
        "",
        "## At rest, an environment",
        "",
        "| what | how much | USD a month |",
        "|---|---|---:|",
        *(f"| {line.what} | {line.count} | {line.month:.2f} |" for line in fixed),
        f"| **together** | | **{total:.2f}** |",
        "",
        "AWS gives ten alarm metrics, ten metrics, three dashboards of fifty metrics and 5 GB of logs a month free.",
        "",
        "## With companies",
        "",
        f"A company makes {REQUESTS:,} requests a month, {CRITICAL_RUNS} of them to functions with Lambda Insights.",
        "",
        "| companies | logs | Lambda Insights | traces | SMS | with what is paid at rest | a company |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for number in COMPANIES:
        grown = [line.month for line in with_companies(number)]
        whole = total + sum(grown, Decimal())
        each = f"{whole / number:.4f}" if number else "–"
        lines.append(f"| {number:,} | {' | '.join(f'{one:.2f}' for one in grown)} | {whole:.2f} | {each} |")
    return "\n".join(lines) + "\n"


def metrics_written(root: Path) -> frozenset[str]:
    """Names of the metrics that our functions write: quoted words in capitals where something is counted or measured,
    which are no keys of an event."""
    code = root / "layers/billing/python/billing"
    texts = [
        text
        for folder in (root / "functions", code / "api", code / "runtime", code / "usecases", code / "domain")
        for path in folder.rglob("*.py")
        for text in [path.read_text(encoding="utf-8")]
        if re.search(r"observability import|measured\(|\bcounts\b|\bcount\(|\badd_metric\(", text)
    ]
    return frozenset(re.findall(r'(?<!\[)"((?:[A-Z][a-z]+){2,})"', "\n".join(texts))) - _OTHER_WORDS
