"""Executions of AWS Step Functions, started once by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable

if TYPE_CHECKING:
    from mypy_boto3_stepfunctions import SFNClient

_RETRYABLE = frozenset({"ExecutionLimitExceeded", "ThrottlingException", "StateMachineDeleting"})
_SERVER_ERROR = 500


class StepFunctionsWorkflows:
    """Port Workflows."""

    def __init__(self, client: SFNClient, *, delivery_arn: str, verification_arn: str, bulk_arn: str) -> None:
        self._client = client
        self._delivery_arn = delivery_arn
        self._verification_arn = verification_arn
        self._bulk_arn = bulk_arn

    def start_delivery(self, *, name: str, tenant_id: str, invoice_id: str, attempt: int, correlation_id: str) -> None:
        self._start(
            self._delivery_arn,
            name,
            {
                "tenant_id": tenant_id,
                "invoice_id": invoice_id,
                "attempt": attempt,
                "correlation_id": correlation_id,
            },
        )

    def start_verification(self, *, name: str, tenant_id: str, verification_id: str, correlation_id: str) -> None:
        self._start(
            self._verification_arn,
            name,
            {"tenant_id": tenant_id, "verification_id": verification_id, "correlation_id": correlation_id},
        )

    def start_bulk_job(self, *, name: str, tenant_id: str, bulk_job_id: str, run: int, correlation_id: str) -> None:
        self._start(
            self._bulk_arn,
            name,
            {"tenant_id": tenant_id, "bulk_job_id": bulk_job_id, "run": run, "correlation_id": correlation_id},
        )

    def _start(self, arn: str, name: str, content: dict[str, str | int]) -> None:
        try:
            self._client.start_execution(stateMachineArn=arn, name=name, input=json.dumps(content))
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ExecutionAlreadyExists":
                return
            if code in _RETRYABLE or error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR:
                raise DependencyUnavailable from error
            raise
