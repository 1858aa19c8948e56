"""A deployment is told once how it went."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from billing.adapters.codedeploy import CodeDeployReports

OPERATION = "put_lifecycle_event_hook_execution_status"


@pytest.fixture
def stub() -> Stubber:
    client = boto3.client("codedeploy", "eu-west-3", aws_access_key_id="x", aws_secret_access_key="x")
    return Stubber(client)


@pytest.mark.parametrize(("passed", "status"), [(True, "Succeeded"), (False, "Failed")])
def test_it_is_told_how_it_went(stub: Stubber, passed: bool, status: str) -> None:
    told = {"deploymentId": "d-1", "lifecycleEventHookExecutionId": "e-1", "status": status}
    stub.add_response(OPERATION, {"lifecycleEventHookExecutionId": "e-1"}, told)

    with stub:
        CodeDeployReports(stub.client).report("d-1", "e-1", passed=passed)

    stub.assert_no_pending_responses()


def test_a_deployment_that_knows_already_is_left_alone(stub: Stubber) -> None:
    stub.add_client_error(OPERATION, "LifecycleEventAlreadyCompletedException")

    with stub:
        CodeDeployReports(stub.client).report("d-1", "e-1", passed=True)


def test_one_that_does_not_exist_is_a_fault(stub: Stubber) -> None:
    stub.add_client_error(OPERATION, "DeploymentDoesNotExistException")

    with stub, pytest.raises(ClientError):
        CodeDeployReports(stub.client).report("d-1", "e-1", passed=True)
