"""``python -m local.supervision.picture FOLDER`` draws the dashboards of supervision.yaml from sample series, as pages.

What is drawn is the body that CloudWatch is given: its widgets, places, expressions and limits. The series are made up
and the same at each run: a working day with a bad quarter of an hour at noon.
"""

from __future__ import annotations

import argparse
import html
import math
import random
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.cloudwatch.alarms import AlarmState, MetricKey, composite_state
from local.cloudwatch.expressions import Series, value_at
from local.supervision.application import alarms, composites, dashboards

NOW = 1_800_033_300  # a Friday, 18:15 in Paris
NOON = NOW - 6 * 3600
HOURS = 12
COLOURS = ("#1f77b4", "#9467bd", "#17becf", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")
# By metric, at a quiet moment: value and by how many times it grows in the bad quarter of an hour.
_SAMPLES: dict[str, tuple[float, float]] = {
    "Count": (140, 1), "4xx": (4, 1), "5xx": (0.05, 160), "Latency": (200, 6), "IntegrationLatency": (150, 5),
    "CanaryPassed": (2, 1), "CanaryIssued": (2, 1),
    "TableLatency": (6, 3), "StripeLatency": (420, 2), "MailLatency": (180, 2),
    "Duration": (95, 4), "Invocations": (6, 1), "Errors": (0, 1), "Throttles": (0, 1), "ConcurrentExecutions": (38, 3),
    "IteratorAge": (420, 20), "cpu_total_time": (18, 1.3), "memory_utilization": (46, 1.2), "tmp_used": (90, 1),
    "tmp_free": (420, 1), "ConsumedReadCapacityUnits": (2_400, 2), "ConsumedWriteCapacityUnits": (3_100, 2),
    "SuccessfulRequestLatency": (4.2, 3), "ReadThrottleEvents": (0, 1), "WriteThrottleEvents": (0, 1),
    "ExecutionsSucceeded": (42, 1), "ExecutionsFailed": (0.2, 20), "ExecutionsTimedOut": (0, 1),
    "ExecutionsAborted": (0, 1), "ExecutionThrottled": (0, 1), "ApproximateNumberOfMessagesVisible": (0, 1),
    "ApproximateAgeOfOldestMessage": (2, 30), "Reputation.BounceRate": (0.011, 1), "AlertHeartbeat": (5, 1),
    "Reputation.ComplaintRate": (0.0002, 1), "EstimatedCharges": (38, 1), "PaymentAttempted": (26, 1),
    "PaymentSucceeded": (24, 1), "PaymentFailed": (0.6, 5), "InvoiceIssued": (320, 1), "CreditNoteIssued": (9, 1),
    "PdfRendered": (330, 1), "MailSent": (310, 1), "MailBounced": (4, 1), "PaymentRecorded": (85, 1),
    "InvoicePaymentRecorded": (70, 1), "CheckoutOpened": (31, 1), "CheckoutClosed": (12, 1),
    "ReminderRequested": (24, 1), "RecurringInvoiceMade": (18, 1), "WebhookDelivered": (410, 1),
    "WebhookFailed": (6, 3),
}  # fmt: skip
_LOOKED_AT = 10  # periods: more than any alarm evaluates
_RUNS_RARELY = {"-scheduled-reconcile-stripe-days": 86_400}


def sample(name: str, of: str, time: int, period: int) -> float:
    """The value of a metric in the period from ``time``. ``of``: which one it is, for each has its own curve."""
    base, worse = _SAMPLES.get(name, (0, 1))
    day = 0.55 + 0.45 * math.sin((time % 86_400 - 25_000) / 86_400 * 2 * math.pi)
    noise = random.Random(f"{name}{of}{time // period}").random()  # noqa: S311 - a picture  # nosec B311
    grows = name in {"Count", "4xx", "5xx", "Invocations"} or (name[0].isupper() and "ed" in name[-3:])
    value = base * (day if grows else 1) * (0.85 + 0.3 * noise)
    if NOON <= time < NOON + 900:
        value *= worse
    return value


class Sampled:
    """The series of one widget, by the ids of its rows."""

    def __init__(self, properties: Mapping[str, Any]) -> None:
        self._period = int(properties.get("period", 300))
        days = re.fullmatch(r"-P(\d+)D", properties.get("start", ""))
        seconds = int(days[1]) * 86_400 if days else HOURS * 3600
        self.times = range(
            (NOW - seconds) // self._period * self._period, NOW // self._period * self._period, self._period
        )
        self._statistic = properties.get("stat", "Sum")
        self._kept: dict[str, Series] = {}
        self.rows: list[tuple[str, bool, dict[str, Any], list[str]]] = []
        before: list[str] = []
        for rank, row in enumerate(properties["metrics"]):
            options = row[-1] if isinstance(row[-1], dict) else {}
            named = [part for part in row if isinstance(part, str)]
            if named and named[0] == "...":
                named = [*before[: len(before) - len(named) + 1], *named[1:]]
            before = named or before
            ident = options.get("id", f"row{rank}")
            self.rows.append((ident, options.get("visible", True), options, named))

    def put(self, ident: str, series: Series) -> None:
        """Instead of the sample."""
        self._kept[ident] = series

    def shown(self) -> Iterator[tuple[str, Series]]:
        for ident, visible, options, _ in self.rows:
            if visible and not str(options.get("expression", "")).startswith("ANOMALY_DETECTION_BAND"):
                yield options.get("label", ident), self.series(ident)

    def series(self, ident: str) -> Series:
        if ident not in self._kept:
            _, _, options, named = next(row for row in self.rows if row[0] == ident)
            if "expression" in options:
                values = {
                    time: value_at(options["expression"], time, self.series, period=self._period) for time in self.times
                }
                self._kept[ident] = {time: value for time, value in values.items() if value is not None}
            else:
                of = " ".join(named[2:])
                self._kept[ident] = {time: sample(named[1], of, time, self._period) for time in self.times}
        return self._kept[ident]


def _chart(properties: Mapping[str, Any], width: int, height: int) -> str:
    sampled = Sampled(properties)
    lines = list(sampled.shown())
    limits = properties.get("annotations", {}).get("horizontal", [])
    highest = max(
        [value for _, series in lines for value in series.values()] + [one["value"] for one in limits] + [1e-9]
    )
    top = highest * 1.12
    first, last = sampled.times[0], sampled.times[-1]

    def place(time: int, value: float) -> str:
        x = 42 + (width - 52) * (time - first) / max(last - first, 1)
        return f"{x:.1f},{height - 18 - (height - 26) * value / top:.1f}"

    drawn = []
    for one in limits:
        y = place(first, one["value"]).split(",")[1]
        drawn.append(
            f'<line x1="42" x2="{width - 10}" y1="{y}" y2="{y}" stroke="{one["color"]}" stroke-dasharray="5 3"/>'
            f'<text x="{width - 12}" y="{float(y) - 3}" text-anchor="end" fill="{one["color"]}">'
            f"{html.escape(one['label'])} : {_french(one['value'])}</text>"
        )
    for rank, (_, series) in enumerate(lines):
        points = " ".join(place(time, value) for time, value in series.items())
        drawn.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[rank % len(COLOURS)]}" stroke-width="1.4"/>'
        )
    for share, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        level = height - 18 - (height - 26) * share / 1.12
        drawn.append(f'<text x="38" y="{level + 3:.1f}" text-anchor="end">{_french(highest * share)}</text>')
        at = 42 + (width - 52) * share
        said = _time(first + share * (last - first), last, last - first)
        drawn.append(f'<text x="{at:.0f}" y="{height - 4}" text-anchor="{anchor}">{said}</text>')
    legend = "".join(
        f'<span><i style="background:{COLOURS[rank % len(COLOURS)]}"></i>{html.escape(label)}</span>'
        for rank, (label, _) in enumerate(lines[:8])
    ) + (f"<span>… {len(lines) - 8} autres</span>" if len(lines) > 8 else "")
    return f'<svg viewBox="0 0 {width} {height}">{"".join(drawn)}</svg><p class="legend">{legend}</p>'


def _time(time: float, last: int, span: int) -> str:
    if span > 86_400:
        return f"il y a {round((last - time) / 86_400)} j"
    return f"{int(time % 86_400 // 3600 + 1) % 24:02d} h"


def _figures(properties: Mapping[str, Any]) -> str:
    whole = properties.get("setPeriodToTimeRange")
    figures = (
        (label, sum(series.values()) if whole else list(series.values())[-1])
        for label, series in Sampled(properties).shown()
        if series
    )
    return "".join(
        f'<div class="figure"><b>{_french(value)}</b> {html.escape(label)}</div>' for label, value in figures
    )


def _states(arns: list[str], now: int) -> str:
    by_name, rules = alarms(), composites()

    def state(name: str) -> AlarmState:
        def statistics(key: MetricKey) -> Series:
            of = " ".join(part for pair in key.dimensions for part in pair)
            last = now // key.period * key.period
            times = range(last - _LOOKED_AT * key.period, last, key.period)
            rare = next((gap for function, gap in _RUNS_RARELY.items() if function in of), 0)
            return {time: max(sample(key.name, of, time, key.period), float(rare > 0)) for time in times}

        if name in rules:
            return composite_state(rules[name], {one: state(one) for one in re.findall(r"\w+Alarm\b", rules[name])})
        return by_name[name].state(now, statistics, bands=lambda _: (0, math.inf))

    names = [arn.rpartition("-")[2] for arn in arns]
    return '<div class="alarms">' + "".join(f'<span class="{state(name)}">{name}</span>' for name in names) + "</div>"


def _french(value: float) -> str:
    digits = 0 if value > 100 else 1 if 10 <= value < 99 else 2
    text = f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")
    return text.rstrip("0").rstrip(",") if "," in text else text


def _markdown(text: str) -> str:
    lines = []
    for line in html.escape(text, quote=False).splitlines():
        linked = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', line)
        marks, _, rest = linked.partition(" ")
        lines.append(f"<h{len(marks)}>{rest}</h{len(marks)}>" if marks and set(marks) == {"#"} else f"<p>{linked}</p>")
    return "".join(lines)


def page(body: Mapping[str, Any], *, now: int = NOW) -> str:
    """``now`` is when the states of the alarms are looked at."""
    cells = []
    for widget in body["widgets"]:
        properties = widget["properties"]
        if widget["type"] == "text":
            inner = _markdown(properties["markdown"])
        elif widget["type"] == "alarm":
            inner = f"<h3>{properties['title']}</h3>{_states(properties['alarms'], now)}"
        elif properties["view"] == "singleValue":
            inner = f'<h3>{html.escape(properties["title"])}</h3><div class="figures">{_figures(properties)}</div>'
        else:
            inner = f"<h3>{html.escape(properties['title'])}</h3>" + _chart(properties, widget["width"] * 52, 210)
        place = (
            f"grid-column:{widget['x'] + 1}/span {widget['width']};grid-row:{widget['y'] + 1}/span {widget['height']}"
        )
        cells.append(f'<section class="{widget["type"]}" style="{place}">{inner}</section>')
    head = f'<!doctype html><html lang="fr"><meta charset="utf-8"><style>{_STYLE}</style>'
    return f"{head}<main>{''.join(cells)}</main></html>"


_STYLE = """
body{margin:0;background:#f2f3f3;font:13px/1.35 "DejaVu Sans",sans-serif;color:#16191f}
main{display:grid;grid-template-columns:repeat(24,1fr);grid-auto-rows:46px;gap:8px;padding:16px;width:1330px}
section{background:#fff;border:1px solid #d5dbdb;border-radius:6px;padding:8px 10px;overflow:hidden}
section.text{background:none;border:0;padding:0 4px}
h1,h2,p{margin:0 0 4px}
h3{font-size:12.5px;margin:0 0 4px}
svg{width:100%;height:auto;font-size:10px}
svg text{fill:#545b64}
.legend{font-size:10.5px;display:flex;flex-wrap:wrap;gap:2px 10px}
.legend i{display:inline-block;width:9px;height:9px;margin-right:4px}
.figures{display:flex;flex-wrap:wrap;gap:10px 28px}
.figure b{font-size:26px;font-weight:600;display:block}
.alarms{display:flex;flex-wrap:wrap;gap:4px}
.alarms span{font-size:10.5px;padding:3px 6px;border-radius:3px;background:#e9ebed}
.alarms .OK{background:#d5ecd8}
.alarms .ALARM{background:#d62728;color:#fff}
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m local.supervision.picture", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in dashboards().items():
        target = folder / f"{name.removesuffix('Dashboard').lower()}.html"
        target.write_text(page(body), encoding="utf-8")
        print(target)


if __name__ == "__main__":
    main()
