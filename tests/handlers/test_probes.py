"""The health probes over a real table and an address where nothing listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from billing.adapters.health import AwsProbes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@pytest.fixture
def s3() -> Iterator[S3Client]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-west-3")
        client.create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"})
        yield client


def seen(probes: AwsProbes) -> dict[str, bool]:
    return {probe.name: probe.healthy for probe in probes.run()}


def test_a_table_and_a_bucket_that_answer_are_healthy(s3: S3Client) -> None:
    client = boto3.client("dynamodb", region_name="eu-west-3")
    client.create_table(
        TableName="billing",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )

    probes = AwsProbes(client, s3, table_name="billing", bucket="documents").run()

    assert [(probe.name, probe.healthy) for probe in probes] == [("table", True), ("documents", True)]
    assert all(probe.latency_ms >= 0 for probe in probes)


def test_what_is_missing_is_unhealthy(s3: S3Client) -> None:
    client: Any = boto3.client("dynamodb", region_name="eu-west-3")

    assert seen(AwsProbes(client, s3, table_name="none", bucket="none")) == {"table": False, "documents": False}


def test_what_does_not_listen_is_unhealthy(s3: S3Client) -> None:
    config = Config(connect_timeout=0.5, retries={"total_max_attempts": 1})
    client: DynamoDBClient = boto3.client(
        "dynamodb", region_name="eu-west-3", endpoint_url="http://127.0.0.1:9", config=config
    )

    probes = AwsProbes(client, s3, table_name="billing", bucket="documents")

    assert seen(probes) == {"table": False, "documents": True}
