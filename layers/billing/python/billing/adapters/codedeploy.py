"""What a deployment waits for, told to AWS CodeDeploy."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError


class CodeDeployReports:
    """Port DeploymentReports."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def report(self, deployment_id: str, execution_id: str, *, passed: bool) -> None:
        try:
            self._client.put_lifecycle_event_hook_execution_status(
                deploymentId=deployment_id,
                lifecycleEventHookExecutionId=execution_id,
                status="Succeeded" if passed else "Failed",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "LifecycleEventAlreadyCompletedException":
                raise
