"""The state machines, run by an interpreter: what is tried again, what is given up, what is recorded."""

import json
import re
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_task import lambda_eval_utils

from billing.domain import errors
from billing.domain.bulk import BulkOperation
from tests.template.stack import ROOT, functions, references, resources, target, template

MACHINES = resources("AWS::Serverless::StateMachine")
PLATFORM_ERRORS = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Sandbox.Timedout",
    "States.Timeout",
}
Task = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Run:
    """How an execution ended, the tasks it called with their input, the seconds it would have paused."""

    status: str
    calls: list[tuple[str, dict[str, Any]]]
    pauses: list[float]

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


RunMachine = Callable[..., Run]


def _definition(machine: str) -> str:
    path: str = MACHINES[machine]["Properties"]["DefinitionUri"]
    return (ROOT / path).read_text(encoding="utf-8")


def _states(machine: str) -> dict[str, dict[str, Any]]:
    """Every state by name, those inside of a map too."""
    states: dict[str, dict[str, Any]] = dict(json.loads(_definition(machine))["States"])
    for state in list(states.values()):
        states |= state.get("ItemProcessor", {}).get("States", {})
    return states


TASKS = [(machine, name) for machine in MACHINES for name, state in _states(machine).items() if state["Type"] == "Task"]


class TaskFailedError(Exception):
    """Raised by a scripted task: the class name of the error its function ends with."""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[RunMachine]:
    """Runs a machine over scripted tasks, without its pauses."""
    tasks: dict[str, Task] = {}
    calls: list[tuple[str, dict[str, Any]]] = []
    pauses: list[float] = []

    def invoke(parameters: dict[str, Any], **_: Any) -> dict[str, Any]:
        name = parameters["FunctionName"].rpartition(":")[2]
        payload = parameters["Payload"]
        payload = json.loads(payload) if isinstance(payload, str | bytes) else payload
        calls.append((name, payload))
        try:
            return {"StatusCode": 200, "Payload": tasks[name](payload)}
        except TaskFailedError as error:
            failure = {"errorType": str(error), "errorMessage": "scripted"}
            return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": failure}

    monkeypatch.setattr(lambda_eval_utils, "_invoke_lambda_function", invoke)
    monkeypatch.setattr(retrier_decl, "time", SimpleNamespace(sleep=pauses.append))
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        client = boto3.client("stepfunctions")

        def run(machine: str, given: dict[str, Any], **scripted: Task) -> Run:
            tasks.clear()
            tasks.update(scripted)
            calls.clear()
            pauses.clear()
            definition = _definition(machine)
            for name in MACHINES[machine]["Properties"]["DefinitionSubstitutions"]:
                arn = f"arn:aws:lambda:eu-west-3:123456789012:function:{name.removesuffix('FunctionArn')}"
                definition = definition.replace(f"${{{name}}}", arn)
            made = client.create_state_machine(
                name=uuid.uuid4().hex, definition=definition, roleArn="arn:aws:iam::123456789012:role/machine"
            )
            started = client.start_execution(stateMachineArn=made["stateMachineArn"], input=json.dumps(given))
            while True:
                described = client.describe_execution(executionArn=started["executionArn"])
                if described["status"] != "RUNNING":
                    return Run(described["status"], list(calls), list(pauses))
                time.sleep(0.005)

        yield run


def _failing(error: str, times: int = 10**6, answer: dict[str, Any] | None = None) -> Task:
    left = iter(range(times))

    def task(_: dict[str, Any]) -> dict[str, Any]:
        if next(left, None) is not None:
            raise TaskFailedError(error)
        return answer or {}

    return task


def _answering(**answer: Any) -> Task:
    return lambda _: answer


REQUEST = {"tenant_id": "ten_1", "invoice_id": "inv_1", "attempt": 2, "correlation_id": "cor_1"}
RENDERED = {"pdf_key": "ten_1/invoices/2026/inv_1/abc.pdf", "sha256": "abc", "send": True, "judged": True}


def _deliver(run: RunMachine, **scripted: Task) -> Run:
    tasks = {"RenderInvoice": _answering(**RENDERED), "JudgeInvoice": _answering(), "SendInvoice": _answering()}
    return run("InvoiceDeliveryStateMachine", REQUEST, **(tasks | {"RecordDelivery": _answering()} | scripted))


def test_a_delivery_renders_judges_sends_and_records(run: RunMachine) -> None:
    delivered = _deliver(run)

    assert delivered.status == "SUCCEEDED"
    assert delivered.calls == [
        (task, REQUEST) for task in ("RenderInvoice", "JudgeInvoice", "SendInvoice", "RecordDelivery")
    ]


def test_what_carries_no_xml_is_not_judged(run: RunMachine) -> None:
    delivered = _deliver(run, RenderInvoice=_answering(**{**RENDERED, "judged": False}))

    assert delivered.names == ["RenderInvoice", "SendInvoice", "RecordDelivery"]


def test_what_breaks_a_rule_is_never_sent(run: RunMachine) -> None:
    failed = _deliver(run, JudgeInvoice=_failing("DocumentNotConformant"))

    assert failed.status == "FAILED"
    assert failed.names == ["RenderInvoice", "JudgeInvoice", "RecordDelivery"]
    assert failed.calls[-1][1]["error"] == "DocumentNotConformant"


def test_a_delivery_without_mail_records_after_rendering(run: RunMachine) -> None:
    delivered = _deliver(run, RenderInvoice=_answering(**{**RENDERED, "send": False}))

    assert delivered.status == "SUCCEEDED"
    assert delivered.names == ["RenderInvoice", "JudgeInvoice", "RecordDelivery"]


@pytest.mark.parametrize("error", ["Lambda.TooManyRequestsException", "DependencyUnavailable"])
@pytest.mark.parametrize("task", ["RenderInvoice", "JudgeInvoice", "SendInvoice", "RecordDelivery"])
def test_what_may_pass_is_tried_again(run: RunMachine, task: str, error: str) -> None:
    answer = RENDERED if task == "RenderInvoice" else {}

    delivered = _deliver(run, **{task: _failing(error, 3, answer)})

    assert delivered.status == "SUCCEEDED"
    assert delivered.names.count(task) == 4


@pytest.mark.parametrize("error", ["MailTemporarilyRefused", "MailUnconfirmed"])
def test_a_mail_that_did_not_pass_is_tried_again_later(run: RunMachine, error: str) -> None:
    delivered = _deliver(run, SendInvoice=_failing(error, 2))

    assert delivered.status == "SUCCEEDED"
    assert delivered.names == ["RenderInvoice", "JudgeInvoice", *["SendInvoice"] * 3, "RecordDelivery"]


@pytest.mark.parametrize(
    ("task", "error"),
    [
        ("RenderInvoice", "InvalidInput"),
        ("RenderInvoice", "DependencyUnavailable"),
        ("SendInvoice", "MailRefused"),
        ("SendInvoice", "MailUnconfirmed"),
    ],
)
def test_a_failed_delivery_is_recorded_with_its_error_and_counted(run: RunMachine, task: str, error: str) -> None:
    failed = _deliver(run, **{task: _failing(error)})

    assert failed.status == "FAILED"
    assert failed.calls[-1] == ("RecordDelivery", {**REQUEST, "error": error})
    assert failed.names.count("RecordDelivery") == 1


def test_a_permanent_refusal_is_not_tried_again(run: RunMachine) -> None:
    assert _deliver(run, SendInvoice=_failing("MailRefused")).names.count("SendInvoice") == 1


def test_an_outcome_that_cannot_be_recorded_fails_and_stays_open(run: RunMachine) -> None:
    failed = _deliver(run, RecordDelivery=_failing("DependencyUnavailable"))

    assert failed.status == "FAILED"
    assert all("error" not in payload for _, payload in failed.calls)


VERIFICATION = {"tenant_id": "ten_1", "verification_id": "ver_1", "correlation_id": "cor_1"}


def test_a_verification_goes_on_until_it_is_done(run: RunMachine) -> None:
    answers = iter([{"done": False}, {"done": False}, {"done": True}])

    verified = run("LedgerVerificationStateMachine", VERIFICATION, VerifyLedgerPage=lambda _: next(answers))

    assert verified.status == "SUCCEEDED"
    assert verified.calls == [("VerifyLedgerPage", VERIFICATION)] * 3


def test_a_verification_that_cannot_go_on_says_so_on_the_job(run: RunMachine) -> None:
    def page(payload: dict[str, Any]) -> dict[str, Any]:
        if "error" in payload:
            return {"done": True}
        raise TaskFailedError("NotFound")

    failed = run("LedgerVerificationStateMachine", VERIFICATION, VerifyLedgerPage=page)

    assert failed.status == "FAILED"
    assert failed.calls[-1] == ("VerifyLedgerPage", {**VERIFICATION, "error": "NotFound"})


BULK = {"tenant_id": "ten_1", "bulk_job_id": "blk_1", "run": 1, "correlation_id": "cor_1"}


def _bulk(run: RunMachine, **scripted: Task) -> Run:
    tasks = {"RunBulkLane": _answering(done=True, waiting=False), "FinishBulkJob": _answering(done=True)}
    return run("BulkJobStateMachine", BULK, **(tasks | scripted))


def test_a_bulk_job_runs_its_lanes_at_once_then_ends(run: RunMachine) -> None:
    worked = _bulk(run)

    assert worked.status == "SUCCEEDED"
    assert sorted(given["lane"] for name, given in worked.calls[:-1]) == [0, 1, 2, 3]
    assert all({**given, "lane": 0} == {**BULK, "lane": 0} for _, given in worked.calls[:-1])
    assert worked.calls[-1] == ("FinishBulkJob", BULK)


def test_a_lane_comes_back_until_it_is_done(run: RunMachine) -> None:
    left = {0: 3, 1: 1, 2: 0, 3: 2}

    def lane(given: dict[str, Any]) -> dict[str, Any]:
        left[given["lane"]] -= 1
        return {"done": left[given["lane"]] < 0, "waiting": False}

    worked = _bulk(run, RunBulkLane=lane)

    assert worked.status == "SUCCEEDED"
    assert worked.names.count("RunBulkLane") == 10


def test_a_lane_that_waits_for_pdfs_pauses(run: RunMachine) -> None:
    assert _states("BulkJobStateMachine")["WaitForPdfs"]["Seconds"] >= 10
    choices = {choice["Variable"]: choice["Next"] for choice in _states("BulkJobStateMachine")["IsLaneDone"]["Choices"]}
    assert choices == {"$.progress.done": "LaneDone", "$.progress.waiting": "WaitForPdfs"}


def test_a_lane_that_fails_stops_no_other_and_the_execution_says_so(run: RunMachine) -> None:
    def lane(given: dict[str, Any]) -> dict[str, Any]:
        if given["lane"] == 1:
            raise TaskFailedError("RuntimeError")
        return {"done": True, "waiting": False}

    failed = _bulk(run, RunBulkLane=lane, FinishBulkJob=_answering(done=False))

    assert failed.status == "FAILED"
    assert failed.names.count("RunBulkLane") == 4
    assert failed.names[-1] == "FinishBulkJob"


def test_lanes_run_at_once_and_no_more_than_that(run: RunMachine) -> None:
    machine = _states("BulkJobStateMachine")

    assert machine["RunLanes"]["MaxConcurrency"] == len(machine["ChooseLanes"]["Result"])
    assert max(operation.lanes for operation in BulkOperation) == len(machine["ChooseLanes"]["Result"])


@pytest.mark.parametrize(("machine", "state"), TASKS)
def test_a_task_tries_passing_failures_again_and_spreads_the_attempts(machine: str, state: str) -> None:
    retriers = _states(machine)[state]["Retry"]
    named = {error for retrier in retriers for error in retrier["ErrorEquals"]}

    assert named >= PLATFORM_ERRORS | {"DependencyUnavailable"}
    for retrier in retriers:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["BackoffRate"] > 1
        assert retrier["IntervalSeconds"] < retrier["MaxDelaySeconds"]


@pytest.mark.parametrize(("machine", "state"), TASKS)
def test_retried_errors_of_ours_exist(machine: str, state: str) -> None:
    named = {error for retrier in _states(machine)[state]["Retry"] for error in retrier["ErrorEquals"]}

    assert all(hasattr(errors, name) for name in named - PLATFORM_ERRORS)


@pytest.mark.parametrize("machine", MACHINES)
def test_retries_of_a_mail_end_before_the_sweeper_would_start_another(machine: str) -> None:
    patience: int = template()["Parameters"]["WorkflowRestartAfterSeconds"]["Default"]
    for state in _states(machine).values():
        for retrier in state.get("Retry", []):
            waits = [
                min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** attempt, retrier["MaxDelaySeconds"])
                for attempt in range(retrier["MaxAttempts"])
            ]

            assert sum(waits) < patience


@pytest.mark.parametrize("machine", MACHINES)
def test_a_machine_calls_the_functions_it_is_given(machine: str) -> None:
    properties = MACHINES[machine]["Properties"]
    substitutions = properties["DefinitionSubstitutions"]
    named = set(re.findall(r"\$\{(\w+)}", _definition(machine)))
    role = resources()[target(properties["Role"])]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]

    assert named == set(substitutions)
    assert {target(arn) for arn in substitutions.values()} == set(references(role["Resource"]))
    assert all(target(arn) == f"Workflows{name.removesuffix('Arn')}" for name, arn in substitutions.items())


@pytest.mark.parametrize("machine", MACHINES)
def test_executions_are_traced_and_logged_without_their_data(machine: str) -> None:
    properties = MACHINES[machine]["Properties"]

    assert properties["Type"] == "STANDARD"
    assert properties["Logging"]["IncludeExecutionData"] is False
    assert properties["Tracing"] == {"Enabled": True}


def test_functions_inside_a_machine_do_not_know_it() -> None:
    inside = {
        target(arn)
        for machine in MACHINES.values()
        for arn in machine["Properties"]["DefinitionSubstitutions"].values()
    }
    known = {name for name in inside for needed in references(functions()[name]) if needed in MACHINES}

    assert known == set()
