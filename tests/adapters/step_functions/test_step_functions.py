"""Executions are started once by name, on moto's Step Functions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber
from moto import mock_aws

from billing.adapters.step_functions import StepFunctionsWorkflows
from billing.domain.errors import DependencyUnavailable

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

DEFINITION = json.dumps({"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 60, "End": True}}})


@dataclass
class Machines:
    client: SFNClient
    delivery_arn: str
    verification_arn: str
    bulk_arn: str
    workflows: StepFunctionsWorkflows

    def inputs(self, arn: str) -> list[object]:
        executions = self.client.list_executions(stateMachineArn=arn)["executions"]
        return [
            json.loads(self.client.describe_execution(executionArn=each["executionArn"])["input"])
            for each in executions
        ]


@pytest.fixture
def machines() -> Iterator[Machines]:
    with mock_aws():
        client = boto3.client("stepfunctions", region_name="eu-west-3")
        role = "arn:aws:iam::123456789012:role/workflows"
        delivery, verification, bulk = (
            client.create_state_machine(name=name, definition=DEFINITION, roleArn=role)["stateMachineArn"]
            for name in ("invoice-delivery", "ledger-verification", "bulk-job")
        )
        workflows = StepFunctionsWorkflows(client, delivery_arn=delivery, verification_arn=verification, bulk_arn=bulk)
        yield Machines(client, delivery, verification, bulk, workflows)


def start(machines: Machines) -> None:
    machines.workflows.start_delivery(
        name="inv_1-1-1", tenant_id="ten_a", invoice_id="inv_1", attempt=1, correlation_id="corr-1"
    )


def test_a_delivery_started_twice_runs_once(machines: Machines) -> None:
    start(machines)
    start(machines)

    assert machines.inputs(machines.delivery_arn) == [
        {"tenant_id": "ten_a", "invoice_id": "inv_1", "attempt": 1, "correlation_id": "corr-1"}
    ]


def test_a_verification_goes_to_its_own_machine(machines: Machines) -> None:
    machines.workflows.start_verification(
        name="ver_1-1", tenant_id="ten_a", verification_id="ver_1", correlation_id="corr-1"
    )

    assert machines.inputs(machines.delivery_arn) == []
    assert machines.inputs(machines.verification_arn) == [
        {"tenant_id": "ten_a", "verification_id": "ver_1", "correlation_id": "corr-1"}
    ]


def test_a_bulk_job_goes_to_its_own_machine(machines: Machines) -> None:
    machines.workflows.start_bulk_job(
        name="blk_1-1-1", tenant_id="ten_a", bulk_job_id="blk_1", run=1, correlation_id="corr-1"
    )

    assert machines.inputs(machines.verification_arn) == []
    assert machines.inputs(machines.bulk_arn) == [
        {"tenant_id": "ten_a", "bulk_job_id": "blk_1", "run": 1, "correlation_id": "corr-1"}
    ]


def test_a_name_that_is_taken_is_success(machines: Machines) -> None:
    with Stubber(machines.client) as stub:
        stub.add_client_error("start_execution", "ExecutionAlreadyExists")
        start(machines)


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("ExecutionLimitExceeded", 400), ("InternalFailure", 500)]
)
def test_what_may_pass_is_worth_a_retry(machines: Machines, code: str, status: int) -> None:
    with Stubber(machines.client) as stub:
        stub.add_client_error("start_execution", code, http_status_code=status)
        with pytest.raises(DependencyUnavailable):
            start(machines)


def test_what_will_not_pass_propagates(machines: Machines) -> None:
    with Stubber(machines.client) as stub:
        stub.add_client_error("start_execution", "StateMachineDoesNotExist")
        with pytest.raises(machines.client.exceptions.ClientError):
            start(machines)


def test_a_service_out_of_reach_is_worth_a_retry(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://states")

    monkeypatch.setattr(machines.client, "start_execution", unreachable)

    with pytest.raises(DependencyUnavailable):
        start(machines)
