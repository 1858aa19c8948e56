"""What supervision costs is computed from what stands in both templates."""

from decimal import Decimal
from typing import Any

from local.supervision.__main__ import COST, cost_text
from local.supervision.cost import at_rest, metrics_written, with_companies
from local.supervision.dashboards import BUSINESS
from tests.template.stack import ROOT, SUPERVISION, resources
from tests.template.test_alarms import ALARMS, _metrics


def alarm(*metrics: str) -> dict[str, Any]:
    entries = [{"Id": name, "MetricStat": {}} for name in metrics]
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {"Metrics": [{"Id": "share"}, *entries]} if entries else {}}


def test_the_page_is_what_the_template_costs() -> None:
    assert COST.read_text(encoding="utf-8") == cost_text(), "run `make supervision`"


def test_every_metric_that_is_watched_or_drawn_is_paid_for() -> None:
    written = metrics_written(ROOT)
    watched = {
        metric["MetricName"]
        for one in ALARMS.values()
        for metric in _metrics(one)
        if metric["Namespace"] == "ZenBilling"
    }

    assert watched <= written
    assert {name for counted in BUSINESS.values() for name in counted} <= written


def test_an_alarm_is_paid_by_its_metrics_and_the_rest_by_piece() -> None:
    stack = {
        "One": alarm(),
        "Ratio": alarm("errors", "requests"),
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {}},
        "Down": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {}},
    }
    paid = {line.what: line.month for line in at_rest(stack, frozenset({"InvoiceIssued"}))}

    assert paid["Metric alarms"] == Decimal("0.30")
    assert paid["Composite alarms"] == Decimal("0.50")
    assert paid["Dashboards"] == Decimal(3)
    assert paid["Metrics of ours, when each is written every hour"] == Decimal("0.30")
    assert paid["Runs of the alert router"] == 0


def test_what_people_do_costs_in_proportion() -> None:
    hundred, thousand = (sum(line.month for line in with_companies(number)) for number in (100, 1_000))
    nobody = sum(line.month for line in with_companies(0))

    assert thousand - nobody == 10 * (hundred - nobody) > 0


def test_the_whole_is_the_sum_of_its_lines() -> None:
    total = sum(line.month for line in at_rest(resources() | resources(of=SUPERVISION), metrics_written(ROOT)))

    assert f"| **together** | | **{total:.2f}** |" in COST.read_text(encoding="utf-8")
