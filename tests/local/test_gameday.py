"""A game day's own parts: what it measures, whom it hears, and that nothing but the expected passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from billing.domain.alerts import known_alarm
from local.cloudwatch.alarms import MetricKey
from local.gameday.__main__ import finish
from local.gameday.drill import Played, judged
from local.gameday.metrics import Collector, Measured
from local.gameday.receivers import Bucket, Received, bucket_handler, serving, slack_handler, sms_handler
from local.gameday.scenarios import SCENARIOS, UNSAID, Scenario
from local.gameday.watch import Change, Watch
from local.provision import client

API = {"ApiId": "local", "Stage": "$default"}
MACHINE = "arn:aws:states:eu-west-3:000000000000:stateMachine:zenbilling-invoice-delivery"
NOON = 1_800_014_400
NUMBER = "ZB-2026-001"


def key(name: str, statistic: str = "Sum", period: int = 60, namespace: str = "AWS/ApiGateway", **of: str) -> MetricKey:
    dimensions = tuple(sorted((of or API).items()))
    return MetricKey(namespace=namespace, name=name, dimensions=dimensions, statistic=statistic, period=period)


class Queues:
    def get_queue_attributes(self, **_: Any) -> Any:
        return {"Attributes": {"ApproximateNumberOfMessages": "2"}}


class Workflows:
    def __init__(self, **statuses: str) -> None:
        self.statuses = statuses

    def list_executions(self, **_: Any) -> Any:
        return {"executions": [{"executionArn": arn, "status": status} for arn, status in self.statuses.items()]}


def collector(measured: Measured, logs: Path, workflows: Workflows | None = None) -> Collector:
    return Collector(
        measured,
        logs,
        api_id="local",
        queues={"letters": "http://127.0.0.1/letters"},
        machines=[MACHINE],
        sqs=Queues(),
        workflows=workflows or Workflows(),
    )


def test_statistics_of_a_period_are_those_of_its_minutes() -> None:
    measured = Measured()
    for minute, values in ((NOON, [100, 200]), (NOON + 60, [300]), (NOON + 300, [400])):
        measured.add("AWS/ApiGateway", "Latency", API, minute, values)

    assert measured.series(key("Latency")) == {NOON: 300, NOON + 60: 300, NOON + 300: 400}
    for statistic, value in (("Sum", 600), ("Average", 200), ("Maximum", 300), ("SampleCount", 3), ("p50", 200)):
        assert measured.series(key("Latency", statistic, 300))[NOON] == value
    assert measured.series(key("Latency", "p95", 300))[NOON] == pytest.approx(290)
    assert measured.series(key("Count")) == {}


def test_what_is_measured_later_changes_the_figure() -> None:
    measured, seen = Measured(), []
    for value in (1, 2):
        measured.add("AWS/ApiGateway", "Count", API, NOON, [value])
        seen.append(measured.series(key("Count"))[NOON])
    assert seen == [1, 3]


def test_requests_are_counted_with_their_faults_and_times(tmp_path: Path) -> None:
    measured = Measured()
    collecting = collector(measured, tmp_path)
    log = tmp_path / "access.log"
    log.write_text(
        "2026-11-30T08:00:00.1Z 200 12.5 10.0 GET /v1/customers\n"
        "2026-11-30T08:00:00.2Z 404 3.5 2.0 GET /v1/customers/a b\n"
        "2026-11-30T08:00:00.3Z 503 2000.0 1990.0 GET /v1/inv"  # half a line: of the next time
    )
    collecting.collect(NOON)
    with log.open("a") as more:
        more.write("oices\n")
    collecting.collect(NOON + 60)

    assert measured.series(key("Count")) == {NOON: 2, NOON + 60: 1}
    assert measured.series(key("5xx")) == {NOON: 0, NOON + 60: 1}
    assert measured.series(key("4xx")) == {NOON: 1, NOON + 60: 0}
    assert measured.series(key("Latency", "Maximum")) == {NOON: 12.5, NOON + 60: 2000}
    assert measured.series(key("IntegrationLatency", "Average"))[NOON] == 6


def test_metrics_that_functions_write_are_read_once_with_their_dimensions(tmp_path: Path) -> None:
    measured = Measured()
    line = {
        "_aws": {
            "Timestamp": 1,
            "CloudWatchMetrics": [
                {
                    "Namespace": "ZenBilling",
                    "Dimensions": [["service"]],
                    "Metrics": [{"Name": "TableLatency", "Unit": "Milliseconds"}, {"Name": "PdfFailed"}],
                }
            ],
        },
        "service": "zenbilling",
        "TableLatency": [1.5, 2.5],
        "PdfFailed": 1.0,
    }
    quoted = json.dumps({"message": '"_aws" is not a metric here'})
    (tmp_path / "zenbilling-invoices-list.log").write_text(f"{json.dumps(line)}\n{quoted}\nnot JSON\n")
    collecting = collector(measured, tmp_path)
    collecting.collect(NOON)
    collecting.collect(NOON + 60)

    def own(name: str, statistic: str) -> object:
        return measured.series(key(name, statistic, namespace="ZenBilling", service="zenbilling"))

    assert own("TableLatency", "SampleCount") == {NOON: 2}
    assert own("PdfFailed", "Sum") == {NOON: 1}


def test_invocations_queues_and_ended_executions_are_measured(tmp_path: Path) -> None:
    measured = Measured()
    told = [{"function": "f", "ms": 5.0, "error": False}, {"function": "f", "ms": 7.0, "error": True}]
    (tmp_path / "invocations.log").write_text("".join(json.dumps(one) + "\n" for one in told))
    workflows = Workflows(one="SUCCEEDED", two="FAILED", three="TIMED_OUT", four="RUNNING")
    collecting = collector(measured, tmp_path, workflows)
    collecting.collect(NOON)
    workflows.statuses["four"] = "SUCCEEDED"
    collecting.collect(NOON + 60)

    def of(name: str, namespace: str, statistic: str = "Sum", **dimensions: str) -> object:
        return measured.series(key(name, statistic, 60, namespace, **dimensions))

    assert of("Invocations", "AWS/Lambda", FunctionName="f") == {NOON: 2}
    assert of("Errors", "AWS/Lambda", FunctionName="f") == {NOON: 1}
    assert of("Duration", "AWS/Lambda", FunctionName="f") == {NOON: 12}
    waiting = of("ApproximateNumberOfMessagesVisible", "AWS/SQS", "Maximum", QueueName="letters")
    assert waiting == {NOON: 2, NOON + 60: 2}
    assert of("ExecutionsSucceeded", "AWS/States", StateMachineArn=MACHINE) == {NOON: 1, NOON + 60: 1}
    assert of("ExecutionsFailed", "AWS/States", StateMachineArn=MACHINE) == {NOON: 1}
    assert of("ExecutionsTimedOut", "AWS/States", StateMachineArn=MACHINE) == {NOON: 1}


ALARM = {
    "Namespace": "AWS/ApiGateway",
    "MetricName": "5xx",
    "Dimensions": [{"Name": name, "Value": value} for name, value in API.items()],
    "Statistic": "Sum",
    "Period": 60,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    "Threshold": 1,
    "EvaluationPeriods": 2,
    "TreatMissingData": "notBreaching",
    "AlarmActions": ["topic"],
    "OKActions": ["topic"],
}
SILENT = {**ALARM, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching", "AlarmActions": []}


def test_an_alarm_rings_once_and_its_composite_with_it() -> None:
    measured = Measured()
    composite = {"AlarmRule": 'ALARM("zenbilling-Api")', "AlarmActions": ["topic"], "OKActions": []}
    watch = Watch({"Api": ALARM}, {"Down": composite}, measured.series, began=NOON)
    heard = []
    for rank, faults in enumerate((0, 1, 1, 1, 0)):
        measured.add("AWS/ApiGateway", "5xx", API, NOON + rank * 60, [faults])
        heard.append([(one.alarm, one.rings, one.value) for one in watch.turn(NOON + rank * 60 + 60)])

    assert heard == [[], [], [("Api", True, 1), ("Down", True, None)], [], [("Api", False, 0), ("Down", False, None)]]
    assert watch.ringing == frozenset()


def test_silence_is_judged_once_its_window_is_of_the_day() -> None:
    watch = Watch({"Silent": SILENT}, {}, Measured().series, began=NOON)

    assert watch.turn(NOON + 60) == []
    assert [one.alarm for one in watch.turn(NOON + 120)] == ["Silent"]


def test_what_is_unusual_is_not_judged() -> None:
    assert Watch({"Band": {**ALARM, "ThresholdMetricId": "band"}}, {}, Measured().series, began=NOON).unjudged == (
        "Band",
    )


@pytest.mark.parametrize("value", [None, 3.0303030303030303])
def test_a_change_is_told_as_cloudwatch_does(value: float | None) -> None:
    told = json.loads(Change(alarm="ApiErrorsCriticalAlarm", rings=True, at=NOON, value=value, topics=()).message())

    assert (told["AlarmName"], told["NewStateValue"]) == ("zenbilling-ApiErrorsCriticalAlarm", "ALARM")
    assert ("[3.0303" in told["NewStateReason"]) is (value is not None)


def test_slack_and_telephones_receive_what_is_sent_to_them() -> None:
    inbox: list[Received] = []
    with serving(slack_handler(inbox)) as slack, serving(sms_handler(inbox)) as sms:
        httpx.post(slack, json={"text": "Rétabli"}, trust_env=False).raise_for_status()
        assert client("sns", sms).publish(PhoneNumber="+33600000000", Message="Incident")["MessageId"]

    assert [(one.channel, one.text) for one in inbox] == [("slack", "Rétabli"), ("sms", "Incident")]


def test_the_bucket_refuses_the_same_pdfs_again_and_passes_on_the_rest() -> None:
    stored: list[Received] = []
    with serving(slack_handler(stored)) as behind:  # anything that answers
        bucket = Bucket(behind, refused=frozenset({1}), of=3)
        with serving(bucket_handler(bucket)) as url:
            statuses = [
                httpx.put(f"{url}/{name}", content=b"%PDF", trust_env=False).status_code
                for name in ("a.pdf", "b.pdf", "b.xml", "b.pdf", "c.pdf", "d.pdf", "e.pdf")
            ]
            passed = httpx.post(f"{url}/x", json={"text": "through"}, trust_env=False)

    assert [status == 403 for status in statuses] == [False, True, False, True, False, False, True]
    assert (passed.status_code, passed.text, [one.text for one in stored]) == (200, "ok", ["through"])


# What must follow, and whatever else happens


SCENARIO = next(one for one in SCENARIOS if one.name == "PDF failures at 6 %")
[LEADING] = SCENARIO.rings


def _said(alarm: str, *, over: bool = False) -> str:
    known = known_alarm(alarm)
    assert known is not None
    first = f"Rétabli depuis le 30/11/2026 à 09:20 : {known.says}." if over else f"{known.says}."
    return (
        f"[zenbilling] {'RÉTABLI' if over else 'CRITIQUE'} – Factures : {known.says.partition(' : ')[0]}\n{first}\n"
        f"Service : Factures. Gravité : critique.\nIncident {NUMBER}.\nQue faire : docs/runbook.md#{alarm.lower()}"
    )


def good() -> Played:
    """As the scenario has it: one alarm, three channels, its incident, its end."""
    rings, rests = (
        Change(alarm=LEADING, rings=one, at=NOON + at, value=6.0, topics=("t",))
        for one, at in ((True, 300), (False, 600))
    )
    received = [
        Received(channel=channel, text=_said(LEADING, over=over), payload="", at=at, minute=NOON + minute)
        for over, at, minute in ((False, 101.5, 300), (True, 201.5, 600))
        for channel in ("slack", "email", "sms")
    ]
    return Played(
        began=NOON,
        mended=NOON + 300,
        changes=[(rings, 100.0), (rests, 200.0)],
        received=received,
        incidents={"InvoiceGenerationErrors": NUMBER},
        closed={NUMBER},
    )


def test_what_goes_as_it_must_is_as_expected() -> None:
    outcome = judged(SCENARIO, good())

    assert outcome.problems == ()
    [row] = outcome.rows
    assert (row.minutes_to_alarm, row.minutes_to_rest, row.incident) == (5, 5, NUMBER)
    assert {channel: one.seconds for channel, one in row.reached.items()} == dict.fromkeys(
        ("slack", "email", "sms"), 1.5
    )


def _without(channel: str, *, from_: float) -> Callable[[Played], None]:
    def change(played: Played) -> None:
        played.received = [one for one in played.received if one.channel != channel or one.at < from_]

    return change


def _also(alarm: str) -> Callable[[Played], None]:
    def change(played: Played) -> None:
        played.changes.append((Change(alarm=alarm, rings=True, at=NOON + 300, value=1, topics=("t",)), 100.0))

    return change


def _mute(word: str) -> Callable[[Played], None]:
    def change(played: Played) -> None:
        played.received = [replace(one, text=one.text.replace(word, "")) for one in played.received]

    return change


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda played: played.changes.clear(), "did not ring"),
        (lambda played: played.changes.pop(), "still rings"),
        (_without("sms", from_=0), "sms was not told"),
        (_without("email", from_=200), "email was not told of its end"),
        (lambda played: played.incidents.clear(), "opened no incident"),
        (lambda played: played.closed.clear(), f"{NUMBER} is not closed"),
        (_also("ApiErrorsWarningAlarm"), "ApiErrorsWarningAlarm: rang, which was not expected"),
        (_mute("Que faire : "), "Slack: « Que faire :  » is not in"),
        (_mute("CRITIQUE"), "SMS: « CRITIQUE » is not in"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_anything_else_is_not(change: Callable[[Played], object], problem: str) -> None:
    played = good()
    change(played)

    assert any(problem in one for one in judged(SCENARIO, played).problems)


def test_what_a_busy_machine_rings_is_shown_only() -> None:
    played = good()
    _also("TableLatencyWarningAlarm")(played)

    outcome = judged(SCENARIO, played)
    assert outcome.problems == ()
    assert [row.alarm for row in outcome.rows] == [LEADING, "TableLatencyWarningAlarm"]
    assert judged(replace(SCENARIO, rings=(LEADING, "TableLatencyWarningAlarm")), played).problems


def test_an_alarm_of_a_wrong_name_fails() -> None:
    misnamed = replace(SCENARIO, rings=("InvoiceGenerationErrorCriticalAlarm",))
    problems = judged(misnamed, good()).problems

    assert "InvoiceGenerationErrorCriticalAlarm: did not ring" in problems
    assert f"{LEADING}: rang, which was not expected" in problems


def test_a_day_ends_with_one_when_anything_was_not_as_expected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected, other = judged(SCENARIO, good()), judged(replace(SCENARIO, rings=("ApiErrorsWarningAlarm",)), good())

    assert finish([expected], tmp_path / "summary.json", 1) == 0
    assert finish([expected, other], tmp_path / "summary.json", 1) == 1
    assert "1 of 2 as expected" in capsys.readouterr().out
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert [bool(one["problems"]) for one in told] == [False, True]
    assert len(told[0]["received"]) == 6


def test_an_alarm_that_a_composite_tells_of_tells_nobody_itself() -> None:
    canary = next(one for one in SCENARIOS if one.name == "a dead canary")
    [unsaid] = UNSAID
    number = {"CanaryPassesMissing": NUMBER}
    told = [Received(channel="slack", text=_said(unsaid), payload="", at=101.0)]
    change = (Change(alarm=unsaid, rings=True, at=NOON + 300, value=None, topics=()), 100.0)

    silent = judged(canary, Played(began=NOON, changes=[change]))
    heard = judged(canary, Played(began=NOON, changes=[change], received=told, incidents=number))

    said = f"{unsaid}: was told to somebody, and another alarm tells of it"
    assert (said in silent.problems, said in heard.problems) == (False, True)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.name)
def test_every_scenario_names_alarms_that_are(scenario: Scenario) -> None:
    assert scenario.rings
    assert scenario.rings[0] not in UNSAID
    assert all(known_alarm(name) for name in (*scenario.rings, *scenario.may_ring))
