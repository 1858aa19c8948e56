"""Probes of the table, the document store, the workflows, the identity provider and third parties: cheap, at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import TYPE_CHECKING, Final
from urllib.error import HTTPError
from urllib.request import urlopen

from botocore.exceptions import BotoCoreError, ClientError

from billing.ports.delivery import Probe

if TYPE_CHECKING:
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_stepfunctions import SFNClient

Look = Callable[[], object]
_SECONDS: Final = 1.5
_KEPT_SECONDS: Final = 30.0
_SERVER_ERROR: Final = 500


class _Unwell(Exception):
    """It answers, and says that it does not work."""


class AwsProbes:
    """Port HealthProbes. The clients must have short timeouts: a probe that hangs is unhealthy.

    ``third_parties``: others' services, by name. Everybody may ask how we are; they are looked at every half minute at
    most.
    """

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
        third_parties: Mapping[str, Look] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._step_functions = step_functions
        self._cognito = cognito
        self._table_name = table_name
        self._bucket = bucket
        self._state_machine_arn = state_machine_arn
        self._user_pool_id = user_pool_id
        self._third_parties = dict(third_parties or {})
        self._monotonic = monotonic
        self._kept: tuple[Probe, ...] = ()
        self._kept_until = float("-inf")

    def run(self) -> tuple[Probe, ...]:
        looks: dict[str, Look] = {
            "table": self._read_table,
            "documents": self._reach_bucket,
            "workflows": self._reach_state_machine,
            "identity": self._reach_user_pool,
        }
        now = self._monotonic()
        stale = now >= self._kept_until
        asked = looks | self._third_parties if stale else looks
        with ThreadPoolExecutor(max_workers=len(asked)) as pool:
            seen = tuple(pool.map(_probe, asked, asked.values()))
        if stale:
            self._kept, self._kept_until = seen[len(looks) :], now + _KEPT_SECONDS
        return *seen[: len(looks)], *self._kept

    def _read_table(self) -> object:
        key = {"pk": {"S": "health"}, "sk": {"S": "probe"}}
        return self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)

    def _reach_bucket(self) -> object:
        return self._s3.head_bucket(Bucket=self._bucket)

    def _reach_state_machine(self) -> object:
        return self._step_functions.describe_state_machine(stateMachineArn=self._state_machine_arn)

    def _reach_user_pool(self) -> object:
        return self._cognito.describe_user_pool(UserPoolId=self._user_pool_id)


def reach_relay(host: str, port: int, *, seconds: float = _SECONDS) -> None:
    """An SMTP relay that greets. Raises: OSError, _Unwell."""
    with socket.create_connection((host, port), seconds) as connection:
        if not connection.recv(3).startswith(b"220"):
            raise _Unwell


def reach_ses(client: SESV2Client) -> None:
    """Raises: ClientError, BotoCoreError, _Unwell: SES paused our sending."""
    if not client.get_account().get("SendingEnabled"):
        raise _Unwell


def reach_api(url: str, *, seconds: float = _SECONDS) -> None:
    """An API that answers, be it that it does not know us: no key is sent. Raises: OSError, HTTPException."""
    try:
        with urlopen(url, timeout=seconds):  # noqa: S310  # nosec B310 - the address is a setting
            return
    except HTTPError as answer:
        with answer:
            if answer.code >= _SERVER_ERROR:
                raise


def _probe(name: str, look: Look) -> Probe:
    started = time.perf_counter()
    try:
        look()
        healthy = True
    except (ClientError, BotoCoreError, OSError, HTTPException, _Unwell):
        healthy = False
    return Probe(name=name, healthy=healthy, latency_ms=round((time.perf_counter() - started) * 1000))
