"""Probes of the table, the document store, the workflows and the identity provider: cheap requests, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from billing.ports.delivery import Probe

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_stepfunctions import SFNClient


class AwsProbes:
    """Port HealthProbes. The clients must have short timeouts: a probe that hangs is unhealthy."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        s3: S3Client,
        step_functions: SFNClient,
        cognito: CognitoIdentityProviderClient,
        *,
        table_name: str,
        bucket: str,
        state_machine_arn: str,
        user_pool_id: str,
    ) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._step_functions = step_functions
        self._cognito = cognito
        self._table_name = table_name
        self._bucket = bucket
        self._state_machine_arn = state_machine_arn
        self._user_pool_id = user_pool_id

    def run(self) -> tuple[Probe, ...]:
        looks: dict[str, Callable[[], object]] = {
            "table": self._read_table,
            "documents": self._reach_bucket,
            "workflows": self._reach_state_machine,
            "identity": self._reach_user_pool,
        }
        with ThreadPoolExecutor(max_workers=len(looks)) as pool:
            return tuple(pool.map(_probe, looks, looks.values()))

    def _read_table(self) -> object:
        key = {"pk": {"S": "health"}, "sk": {"S": "probe"}}
        return self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)

    def _reach_bucket(self) -> object:
        return self._s3.head_bucket(Bucket=self._bucket)

    def _reach_state_machine(self) -> object:
        return self._step_functions.describe_state_machine(stateMachineArn=self._state_machine_arn)

    def _reach_user_pool(self) -> object:
        return self._cognito.describe_user_pool(UserPoolId=self._user_pool_id)


def _probe(name: str, look: Callable[[], object]) -> Probe:
    started = time.perf_counter()
    try:
        look()
        healthy = True
    except (ClientError, BotoCoreError):
        healthy = False
    return Probe(name=name, healthy=healthy, latency_ms=round((time.perf_counter() - started) * 1000))
