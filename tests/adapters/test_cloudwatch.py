"""Figures by the definitions of alarms, over a client that answers as CloudWatch does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from billing.adapters.cloudwatch import CloudWatchFigures, SnsTopic
from billing.domain.errors import DependencyUnavailable

UNTIL = datetime(2026, 11, 27, 8, tzinfo=UTC)
EXPRESSION = {
    "AlarmName": "zenbilling-prod-DatabaseCapacityWarningAlarm",
    "Threshold": 80.0,
    "Metrics": [
        {"Id": "share", "Expression": "100 * written", "Label": "%"},
        {
            "Id": "written",
            "ReturnData": False,
            "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"},
        },
    ],
}


class Client:
    """CloudWatch, with an answer of two pages."""

    def __init__(self, *alarms: dict[str, Any]) -> None:
        self.alarms = alarms
        self.asked: list[dict[str, Any]] = []

    def describe_alarms(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        return {"MetricAlarms": list(self.alarms)}

    def get_metric_data(self, **request: Any) -> dict[str, Any]:
        self.asked.append(request)
        hour = 1 if "NextToken" in request else 3
        series = {"Id": "share", "Timestamps": [UNTIL - timedelta(hours=hour)], "Values": [float(hour)]}
        return {"MetricDataResults": [series]} | ({} if "NextToken" in request else {"NextToken": "more"})


def test_an_alarm_is_asked_for_as_it_is_defined_by_the_hour() -> None:
    client = Client(EXPRESSION)
    [figure] = CloudWatchFigures(client, "zenbilling-prod").watched(["DatabaseCapacityWarningAlarm"], UNTIL, 4)

    assert (figure.alarm, figure.limit) == (EXPRESSION["AlarmName"], 80)
    assert list(figure.hourly) == [None, 3.0, None, 1.0]
    assert client.asked[0]["AlarmNames"] == ["zenbilling-prod-DatabaseCapacityWarningAlarm"]
    queries = client.asked[1]["MetricDataQueries"]
    assert queries[0] == {"Id": "share", "Expression": "100 * written"}
    assert queries[1]["MetricStat"]["Period"] == 3600
    assert queries[1]["ReturnData"] is False
    assert (client.asked[1]["StartTime"], client.asked[1]["EndTime"]) == (UNTIL - timedelta(hours=4), UNTIL)


def test_an_alarm_without_expressions_is_one_query() -> None:
    alarm = {"AlarmName": "z-A", "Threshold": 1.0, "Namespace": "N", "MetricName": "M", "ExtendedStatistic": "p95"}
    client = Client(alarm, {"AlarmName": "z-Band", "ThresholdMetricId": "band"})
    [figure] = CloudWatchFigures(client, "z").watched(["A"], UNTIL, 4)

    assert figure.alarm == "z-A"
    [query] = client.asked[1]["MetricDataQueries"]
    assert query["MetricStat"] == {"Metric": {"Namespace": "N", "MetricName": "M"}, "Stat": "p95", "Period": 3600}


def test_a_real_client_takes_what_is_asked() -> None:
    with mock_aws():
        client = boto3.client("cloudwatch", region_name="eu-west-3")
        client.put_metric_alarm(
            AlarmName="z-A",
            Namespace="N",
            MetricName="M",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=5,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        client.put_metric_data(
            Namespace="N", MetricData=[{"MetricName": "M", "Value": 4, "Timestamp": UNTIL - timedelta(minutes=90)}]
        )
        [figure] = CloudWatchFigures(client, "z").watched(["A", "B"], UNTIL, 3)

    assert (figure.limit, list(figure.hourly)) == (5, [None, 4.0, None])


def refuse(**_: Any) -> Any:
    raise ClientError({"Error": {"Code": "Throttling"}}, "DescribeAlarms")


def vanish(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="https://monitoring")


@pytest.mark.parametrize("broken", [refuse, vanish])
def test_what_does_not_answer_is_said_as_such(broken: Callable[..., Any]) -> None:
    client = Client()
    client.describe_alarms = broken  # type: ignore[method-assign]
    with pytest.raises(DependencyUnavailable):
        CloudWatchFigures(client, "z").watched(["A"], UNTIL, 3)


def test_the_topic_takes_a_message() -> None:
    with mock_aws():
        sns = boto3.client("sns", region_name="eu-west-3")
        arn = sns.create_topic(Name="alerts")["TopicArn"]
        SnsTopic(sns, arn).publish("{}")
        with pytest.raises(DependencyUnavailable):
            SnsTopic(sns, f"{arn}-gone").publish("{}")
