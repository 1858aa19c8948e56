"""The dashboards draw metrics that exist, at the limits of the alarms, and every operation is on them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from billing.domain.indicators import INDICATORS, SLO_AVAILABILITY
from billing.domain.watch import Service
from local.cloudwatch.alarms import AlarmState
from local.cloudwatch.expressions import names_in
from local.layout import ACCOUNT_ID, REGION
from local.stack import function_name
from local.supervision.application import dashboards, main_stack
from local.supervision.dashboards import BUSINESS, SECTIONS
from local.supervision.picture import NOON, Sampled, page
from tests.template.stack import ROOT, SUPERVISION, api, resources
from tests.template.test_alarms import ALARMS, COMPOSITES, DIMENSION_TYPES, VALID, watched_names

Json = dict[str, Any]
BODIES: dict[str, Json] = dashboards()
EMITTED = {
    **VALID,
    ("AWS/Billing", "EstimatedCharges"): [frozenset({"Currency"})],
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): [frozenset({"TableName", "Operation"})],
    **{("ZenBilling", name): [frozenset({"service"})] for counted in BUSINESS.values() for name in counted},
}
WIDGETS = [(name, widget) for name, body in BODIES.items() for widget in body["widgets"]]
METRIC_WIDGETS = [widget for _, widget in WIDGETS if widget["type"] == "metric"]
each_chart = pytest.mark.parametrize(
    "widget",
    METRIC_WIDGETS,
    ids=[f"{widget['x']}-{widget['y']}-{widget['properties']['title']}" for widget in METRIC_WIDGETS],
)


def _named(widget: Json) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Namespace, metric and dimensions of each row that is a metric."""
    for _, _, options, row in Sampled(widget["properties"]).rows:
        if "expression" not in options:
            namespace, name, *rest = row
            yield namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))


def test_there_is_one_for_operators_and_one_for_the_business() -> None:
    assert set(BODIES) == {"OperationsDashboard", "BusinessDashboard"}


@pytest.mark.parametrize("name", BODIES)
def test_widgets_stand_side_by_side_within_what_cloudwatch_admits(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    widgets = BODIES[name]["widgets"]
    for widget in widgets:
        cells = {
            (x, y)
            for x in range(widget["x"], widget["x"] + widget["width"])
            for y in range(widget["y"], widget["y"] + widget["height"])
        }
        assert not cells & taken
        assert widget["x"] + widget["width"] <= 24
        taken |= cells

    rows = [len(widget["properties"].get("metrics", [])) for widget in widgets]
    assert len(widgets) <= 500
    assert max(rows) <= 500
    assert sum(rows) <= 2_500
    assert all(len(widget["properties"].get("alarms", [])) <= 100 for widget in widgets)


@each_chart
def test_a_chart_draws_metrics_that_are_emitted_of_resources_of_the_stack(widget: Json) -> None:
    for namespace, name, dimensions in _named(widget):
        assert frozenset(dimensions) in EMITTED[namespace, name], (namespace, name)
        for dimension, value in dimensions.items():
            if dimension in DIMENSION_TYPES:
                assert value in watched_names(dimension)


@each_chart
def test_expressions_name_rows_of_their_chart_and_no_row_is_idle(widget: Json) -> None:
    rows = Sampled(widget["properties"]).rows
    used = set().union(*(names_in(options["expression"]) for _, _, options, _ in rows if "expression" in options))

    assert used <= {ident for ident, _, _, _ in rows}
    assert {ident for ident, visible, _, _ in rows if not visible} <= used
    assert any(visible for _, visible, _, _ in rows)


def test_what_stands_for_a_value_has_one() -> None:
    """An intrinsic that nothing answers raises where the bodies are resolved."""
    for name, resource in resources("AWS::CloudWatch::Dashboard", of=SUPERVISION).items():
        text = json.dumps(resource["Properties"]["DashboardBody"])
        assert re.findall(r"\$\{[\w:]+\}", text)
        assert "${" not in json.dumps(BODIES[name])


def test_every_alarm_and_every_figure_is_there_with_its_limits() -> None:
    (states,) = (widget for _, widget in WIDGETS if widget["type"] == "alarm")
    charts = {widget["properties"]["title"]: widget["properties"] for widget in METRIC_WIDGETS}

    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:"
    assert set(states["properties"]["alarms"]) == {arn + one["AlarmName"] for one in (ALARMS | COMPOSITES).values()}
    assert set(SECTIONS) == set(Service)
    for indicator in INDICATORS:
        chart = charts[indicator.says]
        if indicator.unusual is not None:
            assert chart["metrics"][0][0]["expression"].startswith("ANOMALY_DETECTION_BAND(")
            continue
        drawn = {line["value"] for line in chart["annotations"]["horizontal"]}
        assert drawn == {level.limit for _, level in indicator.levels()}, indicator.name


def test_every_operation_shows_its_time_its_runs_and_its_errors() -> None:
    drawn: dict[str, set[str]] = {"Duration": set(), "Invocations": set(), "Errors": set()}
    for widget in METRIC_WIDGETS:
        if " : " in widget["properties"]["title"]:
            for namespace, name, dimensions in _named(widget):
                if namespace == "AWS/Lambda" and name in drawn and "FunctionName" in dimensions:
                    drawn[name].add(dimensions["FunctionName"])
    routed = {
        function_name(main_stack().resolve(operation["x-amazon-apigateway-integration"]["uri"]).split("/")[-2])
        for methods in api()["paths"].values()
        for operation in methods.values()
    }

    assert len(routed) > 100
    assert all(routed <= functions_of for functions_of in drawn.values())


def test_what_the_business_counts_is_counted_by_the_code() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for folder in ("functions", "layers/billing")
        for path in (ROOT / folder).rglob("*.py")
    )
    for counted in BUSINESS.values():
        for name in counted:
            assert f'"{name}"' in code, name


def test_the_budget_of_errors_is_what_the_promise_leaves() -> None:
    """Of a thousand requests a day, four in error on one of them: thirty days allow sixty at 99.8 %."""
    assert SLO_AVAILABILITY == 99.8
    left, available = (
        next(widget["properties"] for widget in METRIC_WIDGETS if widget["properties"]["title"].startswith(title))
        for title in ("Budget", "Disponibilité")
    )
    for properties, expected in ((left, 100 * (1 - 4 / 60)), (available, 100 * (1 - 4 / 30_000))):
        sampled = Sampled(properties)
        sampled.put("requests", dict.fromkeys(sampled.times, 1000.0))
        sampled.put("errors", {sampled.times[-1]: 4.0})
        [(_, series)] = sampled.shown()
        assert set(series) == set(sampled.times)
        assert list(series.values())[-1] == pytest.approx(expected)


def test_the_local_page_shows_every_widget_and_what_rings() -> None:
    pages = {name: page(body) for name, body in BODIES.items()}
    (states,) = (widget for _, widget in WIDGETS if widget["type"] == "alarm")

    assert {name: drawn.count("<section") for name, drawn in pages.items()} == {
        name: len(body["widgets"]) for name, body in BODIES.items()
    }
    assert f'class="{AlarmState.ALARM}"' not in pages["OperationsDashboard"]
    at_noon = page({"widgets": [states]}, now=NOON + 900)
    assert f'class="{AlarmState.ALARM}">ApiErrorsCriticalAlarm' in at_noon
    assert f'class="{AlarmState.OK}">ServiceDownCriticalAlarm' in at_noon
