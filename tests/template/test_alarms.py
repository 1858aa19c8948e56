"""An alarm on a metric that does not exist stays green for ever: every metric is held against what AWS emits.

Every resource that is watched is held, by the name that it would have once deployed, against those of template.yaml.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from billing.domain.indicators import CRITICAL_FUNCTIONS, TABLE_READ_UNITS, TABLE_WRITE_UNITS
from billing.domain.watch import Severity
from local.cloudwatch.alarms import AlarmState, composite_state
from local.layout import STACK_NAME
from local.supervision.__main__ import supervision_text
from local.supervision.application import alarms, composites, main_stack, resolved
from local.supervision.names import Names
from tests.template.stack import ROOT, SUPERVISION, TEMPLATE, functions, resources, target, template

# (namespace, metric) → the sets of dimensions AWS emits it with, and the kind of resource each dimension names.
HTTP_API = [frozenset({"ApiId"}), frozenset({"ApiId", "Stage"})]
TABLE = [frozenset({"TableName"})]
TABLE_OR_INDEX = [*TABLE, frozenset({"TableName", "GlobalSecondaryIndexName"})]
FUNCTION_OR_ACCOUNT = [frozenset({"FunctionName"}), frozenset()]
VALID: dict[tuple[str, str], list[frozenset[str]]] = {
    **{("AWS/ApiGateway", metric): HTTP_API for metric in ("4xx", "5xx", "Count", "Latency", "IntegrationLatency")},
    **{("AWS/DynamoDB", metric): TABLE_OR_INDEX for metric in ("ReadThrottleEvents", "WriteThrottleEvents")},
    **{("AWS/DynamoDB", f"Consumed{kind}CapacityUnits"): TABLE_OR_INDEX for kind in ("Read", "Write")},
    **{
        ("LambdaInsights", metric): [frozenset({"function_name"})]
        for metric in ("cpu_total_time", "memory_utilization", "tmp_used", "tmp_free")
    },
    **{
        ("AWS/SES", f"Reputation.{kind}Rate"): [frozenset(), frozenset({"ses:configuration-set"})]
        for kind in ("Bounce", "Complaint")
    },
    **{("ZenBilling", f"Alert{told}"): [frozenset({"service"})] for told in ("Heartbeat", "ChannelGivenUp")},
    **{("ZenBilling", f"{name}Latency"): [frozenset({"service"})] for name in ("Table", "Stripe", "Mail")},
    **{("ZenBilling", f"Canary{end}"): [frozenset({"service"})] for end in ("Passed", "Issued", "Failed")},
    ("ZenBilling", "InvoiceIssued"): [frozenset({"service"})],
    ("ZenBilling", "PaymentAttempted"): [frozenset({"service"})],
    ("ZenBilling", "PaymentSucceeded"): [frozenset({"service"})],
    ("ZenBilling", "PaymentFailed"): [frozenset({"service"})],
    ("ZenBilling", "LedgerVerificationFailed"): [frozenset({"service"})],
    ("AWS/Lambda", "Errors"): [*FUNCTION_OR_ACCOUNT, frozenset({"FunctionName", "Resource"})],
    **{
        ("AWS/Lambda", metric): FUNCTION_OR_ACCOUNT
        for metric in ("Duration", "Invocations", "Throttles", "ConcurrentExecutions")
    },
    ("ZenBilling", "CheckoutNotClosed"): [frozenset({"service"})],
    ("ZenBilling", "EnvironmentRecycled"): [frozenset({"service"})],
    ("ZenBilling", "EventPlacedLate"): [frozenset({"service"})],
    ("ZenBilling", "RecurringInvoiceParked"): [frozenset({"service"})],
    ("ZenBilling", "BulkJobUnfinished"): [frozenset({"service"})],
    ("ZenBilling", "ChainHeadDiffers"): [frozenset({"service"})],
    ("ZenBilling", "WebhookDead"): [frozenset({"service"})],
    **{
        ("ZenBilling", f"StripeEvent{fate}"): [frozenset({"service"})]
        for fate in ("Parked", "Refused", "QueuedAgain", "Failed")
    },
    ("ZenBilling", "StripeRefundUnfinished"): [frozenset({"service"})],
    ("ZenBilling", "StripeReconciliationDiffers"): [frozenset({"service"})],
    ("ZenBilling", "StripeFactMissed"): [frozenset({"service"})],
    ("AWS/Lambda", "IteratorAge"): [frozenset({"FunctionName"})],
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): [frozenset({"QueueName"})],
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): [frozenset({"QueueName"})],
    **{
        ("AWS/States", f"Executions{end}"): [frozenset({"StateMachineArn"})]
        for end in ("Started", "Succeeded", "Failed", "TimedOut", "Aborted")
    },
    ("AWS/States", "ExecutionThrottled"): [frozenset({"StateMachineArn"})],
}
# What AWS puts into each dimension: an attribute of which kind of resource.
DIMENSION_TYPES = {
    "ApiId": ("AWS::Serverless::HttpApi", "Ref"),
    "FunctionName": ("AWS::Serverless::Function", "Ref"),
    "function_name": ("AWS::Serverless::Function", "Ref"),
    "QueueName": ("AWS::SQS::Queue", "QueueName"),
    "StateMachineArn": ("AWS::Serverless::StateMachine", "Ref"),
    "TableName": ("AWS::DynamoDB::Table", "Ref"),
}
# What is promised: indicator → warning and critical limit.
PROMISED = {
    **{f"{name}Cpu": (70, 85) for name in CRITICAL_FUNCTIONS},
    **{f"{name}Saturation": (80, None) for name in CRITICAL_FUNCTIONS},
    "FunctionMemory": (75, 90),
    "FunctionDisk": (80, 95),
    "NetworkLatency": (100, 500),
    "ApiLatency": (1000, 2000),
    "ApiErrors": (2, 5),
    "DatabaseCapacity": (80, 95),
    "FunctionConcurrency": (80, 95),
    "FailedPayments": (5, 10),
    "InvoiceGenerationErrors": (2, 5),
}
ALARMS = resolved("AWS::CloudWatch::Alarm")
COMPOSITES = resolved("AWS::CloudWatch::CompositeAlarm")
# Told by a composite; told by the end of the deployment that it ends.
TOLD_OTHERWISE = {"CanaryPassesMissingCriticalAlarm", "LiveErrorsWarningAlarm"}
# What rings when the path of alerts is broken cannot take it.
AROUND = {
    "AlertHeartbeatMissingCriticalAlarm",
    "AlertRouterErrorsCriticalAlarm",
    "AlertRunsMissingCriticalAlarm",
    "AlertChannelsGivenUpWarningAlarm",
}


def watched_names(dimension: str) -> dict[str, str]:
    """Logical ids by what this dimension is for each resource of its kind of the main stack."""
    kind, attribute = DIMENSION_TYPES[dimension]
    return {main_stack().attribute(name, attribute): name for name in resources(kind)}


def _metrics(properties: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "MetricName" in properties:
        yield properties
    for entry in properties.get("Metrics", []):
        if "MetricStat" in entry:
            yield entry["MetricStat"]["Metric"]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_metrics_that_aws_emits(name: str) -> None:
    for metric in _metrics(ALARMS[name]):
        dimensions = frozenset(dimension["Name"] for dimension in metric.get("Dimensions", []))

        assert dimensions in VALID[metric["Namespace"], metric["MetricName"]]


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_watches_resources_of_the_stack(name: str) -> None:
    indexes = {index["IndexName"] for index in resources()["BillingTable"]["Properties"]["GlobalSecondaryIndexes"]}
    for metric in _metrics(ALARMS[name]):
        for dimension in metric.get("Dimensions", []):
            if dimension["Name"] == "Stage":
                assert dimension["Value"] == "$default"
            elif dimension["Name"] == "service":  # what Powertools puts on each of our own metrics
                common = template()["Globals"]["Function"]["Environment"]["Variables"]
                assert dimension["Value"] == common["POWERTOOLS_SERVICE_NAME"]
            elif dimension["Name"] == "Resource":  # a function by its alias
                named, _, qualifier = dimension["Value"].partition(":")
                assert {"Name": "FunctionName", "Value": named} in metric["Dimensions"]
                assert functions()[watched_names("FunctionName")[named]]["AutoPublishAlias"] == qualifier
            elif dimension["Name"] == "GlobalSecondaryIndexName":
                assert dimension["Value"] in indexes
            else:
                assert dimension["Value"] in watched_names(dimension["Name"])


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_tells_somebody_both_ways(name: str) -> None:
    properties = ALARMS[name]

    topic = main_stack().ref("LastResortTopic" if name in AROUND else "AlertsTopic")
    expected = None if name in TOLD_OTHERWISE else [topic]
    assert properties.get("AlarmActions") == properties.get("OKActions") == expected
    assert re.fullmatch(r"\w+(Warning|Critical)Alarm", name)
    assert properties["TreatMissingData"] == ("breaching" if "Missing" in name else "notBreaching")
    assert properties["DatapointsToAlarm"] <= properties["EvaluationPeriods"]


@pytest.mark.parametrize("name", [name for name, alarm in ALARMS.items() if "Metrics" in alarm])
def test_metric_math_is_complete(name: str) -> None:
    entries = ALARMS[name]["Metrics"]
    ids = {entry["Id"] for entry in entries}
    used = set(re.findall(r"\b[a-z]\w*\b", " ".join(entry.get("Expression", "") for entry in entries)))
    returned = [entry["Id"] for entry in entries if entry.get("ReturnData", True)]

    assert len(entries) <= 10
    band = {ALARMS[name].get("ThresholdMetricId")} - {None}
    assert used | set(returned) == ids
    assert len(returned) == 1 + len(band)
    assert band <= set(returned)


def test_the_promised_thresholds_are_watched() -> None:
    for name, limits in PROMISED.items():
        for severity, limit in zip(Severity, limits, strict=True):
            alarm = ALARMS.get(f"{name}{severity.value.title()}Alarm")
            assert (alarm["Threshold"] if alarm else None) == limit, name


def test_the_alarms_are_those_of_the_thresholds() -> None:
    assert SUPERVISION.read_text(encoding="utf-8") == supervision_text(), "run `make supervision`"


def test_an_alarm_is_called_by_the_main_stack_and_its_logical_id() -> None:
    """The router, the forecasts, `make ring` and gradual deployments name it so."""
    for name, properties in (ALARMS | COMPOSITES).items():
        assert properties["AlarmName"] == f"{STACK_NAME}-{name}"


def test_alarms_that_the_main_template_names_are_there() -> None:
    """It can only name them: CloudFormation does not see that one is missing, and CodeDeploy would stop."""
    named = re.findall(r"\$\{AWS::StackName\}-(\w+Alarm)\b", TEMPLATE.read_text(encoding="utf-8"))

    assert set(named) <= set(ALARMS | COMPOSITES)


def test_another_stack_is_watched_by_its_own_names() -> None:
    here, there = alarms()["StripeEventsCpuWarningAlarm"], alarms("zenbilling-prod")["StripeEventsCpuWarningAlarm"]

    assert {dict(key.dimensions).get("FunctionName") for key in here.metrics.values()} - {None} == {
        "zenbilling-webhooks-process-stripe-event"
    }
    assert {dict(key.dimensions).get("FunctionName") for key in there.metrics.values()} - {None} == {
        "zenbilling-prod-webhooks-process-stripe-event"
    }


def test_what_is_exported_is_imported_and_the_other_way_round() -> None:
    """A name of an export cannot change while it is imported: nothing is exported in vain."""
    exports = {name: output for name, output in template()["Outputs"].items() if "Export" in output}
    exported = {name: output["Export"]["Name"]["Fn::Sub"] for name, output in exports.items()}
    imported = set(re.findall(r'Fn::ImportValue: !Sub "([^"]+)"', SUPERVISION.read_text(encoding="utf-8")))

    assert exported == {name: f"${{AWS::StackName}}-{name}" for name in exported}
    assert all(name.startswith(target(output["Value"])) for name, output in exports.items())
    assert imported == {f"${{BillingStack}}-{name}" for name in exported}


@pytest.mark.parametrize("watched", ["DocumentsBucket", "EventsDeadLetterQueue", "NobodysFunction"])
def test_what_has_neither_a_name_nor_an_export_is_not_written(watched: str) -> None:
    with pytest.raises(ValueError, match=rf"template\.yaml .*\b{watched}\b"):
        Names(template()).value(watched)


def test_nothing_is_named_after_the_stack_of_the_supervision_itself() -> None:
    assert not re.findall(r"AWS::Stack\w+", SUPERVISION.read_text(encoding="utf-8"))


def test_thresholds_rest_on_what_the_template_gives() -> None:
    for function, memory, _ in CRITICAL_FUNCTIONS.values():
        assert functions()[function]["MemorySize"] == memory, function
    admitted = resources()["BillingTable"]["Properties"]["OnDemandThroughput"]
    assert admitted == {"MaxReadRequestUnits": TABLE_READ_UNITS, "MaxWriteRequestUnits": TABLE_WRITE_UNITS}


def test_what_functions_must_report_themselves_is_reported() -> None:
    """A metric of ours that no code counts is green for ever."""
    code = "".join(
        path.read_text(encoding="utf-8")
        for where in ("functions", "layers/billing")
        for path in (ROOT / where).rglob("*.py")
        if path.name != "indicators.py"
    )
    for alarm in ALARMS.values():
        for metric in _metrics(alarm):
            if metric["Namespace"] == "ZenBilling":
                assert f'"{metric["MetricName"]}"' in code, metric["MetricName"]


def test_table_alarms_fill_what_is_missing() -> None:
    """On AWS/DynamoDB missing data is ignored whatever the alarm says: without FILL it would never come back."""
    for alarm in ALARMS.values():
        entries = alarm.get("Metrics", [])
        namespaces = {metric["Namespace"] for metric in _metrics(alarm)}
        if "AWS/DynamoDB" in namespaces:
            filled = set(re.findall(r"FILL\((\w+), 0\)", " ".join(entry.get("Expression", "") for entry in entries)))

            assert filled == {entry["Id"] for entry in entries if "MetricStat" in entry}


def test_every_index_of_the_table_is_watched_for_throttles() -> None:
    indexes = {index["IndexName"] for index in resources()["BillingTable"]["Properties"]["GlobalSecondaryIndexes"]}
    watched = {
        dimension["Value"]
        for metric in _metrics(ALARMS["TableThrottlesCriticalAlarm"])
        for dimension in metric["Dimensions"]
        if dimension["Name"] == "GlobalSecondaryIndexName"
    }

    assert watched == indexes


@pytest.mark.parametrize("name", COMPOSITES)
def test_a_composite_names_alarms_that_are_there_and_tells_somebody(name: str) -> None:
    properties = COMPOSITES[name]
    named = re.findall(r'"([\w-]+)"', properties["AlarmRule"])
    waits = resources(of=SUPERVISION)[name]["DependsOn"]

    assert set(named) == {ALARMS[one]["AlarmName"] for one in waits}
    assert properties["AlarmActions"] == properties["OKActions"] == [main_stack().ref("AlertsTopic")]


def test_the_service_is_down_when_its_canary_is_or_when_it_is_slow_and_wrong() -> None:
    rule = composites()["ServiceDownCriticalAlarm"]
    well = dict.fromkeys(
        ("CanaryPassesMissingCriticalAlarm", "ApiErrorsCriticalAlarm", "ApiLatencyCriticalAlarm"), AlarmState.OK
    )
    wrong, slow, silent = ({name: AlarmState.ALARM} for name in list(well)[1:] + list(well)[:1])

    assert composite_state(rule, well) is AlarmState.OK
    assert composite_state(rule, well | wrong) is composite_state(rule, well | slow) is AlarmState.OK
    assert composite_state(rule, well | wrong | slow) is AlarmState.ALARM
    assert composite_state(rule, well | silent) is AlarmState.ALARM
