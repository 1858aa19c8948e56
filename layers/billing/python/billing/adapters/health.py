"""Probes of the table and the document store: two cheap requests, at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from billing.ports.delivery import Probe

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


class AwsProbes:
    """Port HealthProbes. The clients must have short timeouts: a probe that hangs is unhealthy."""

    def __init__(self, dynamodb: DynamoDBClient, s3: S3Client, *, table_name: str, bucket: str) -> None:
        self._dynamodb = dynamodb
        self._s3 = s3
        self._table_name = table_name
        self._bucket = bucket

    def run(self) -> tuple[Probe, ...]:
        looks: dict[str, Callable[[], object]] = {"table": self._read_table, "documents": self._reach_bucket}
        with ThreadPoolExecutor(max_workers=len(looks)) as pool:
            return tuple(pool.map(_probe, looks, looks.values()))

    def _read_table(self) -> object:
        key = {"pk": {"S": "health"}, "sk": {"S": "probe"}}
        return self._dynamodb.get_item(TableName=self._table_name, Key=key, ConsistentRead=True)

    def _reach_bucket(self) -> object:
        return self._s3.head_bucket(Bucket=self._bucket)


def _probe(name: str, look: Callable[[], object]) -> Probe:
    started = time.perf_counter()
    try:
        look()
        healthy = True
    except (ClientError, BotoCoreError):
        healthy = False
    return Probe(name=name, healthy=healthy, latency_ms=round((time.perf_counter() - started) * 1000))
