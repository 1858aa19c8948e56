"""The health probes over simulated services, over what is missing, and over addresses where nothing listens."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from billing.adapters.health import AwsProbes

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-west-3"
SERVICES = ("dynamodb", "s3", "stepfunctions", "cognito-idp")
PROBES = ("table", "documents", "workflows", "identity")


def clients(**options: Any) -> dict[str, Any]:
    return {service: boto3.client(service, region_name=REGION, **options) for service in SERVICES}


@pytest.fixture
def named() -> Iterator[dict[str, str]]:
    """What the environment names, there."""
    with mock_aws():
        made = clients()
        made["s3"].create_bucket(Bucket="documents", CreateBucketConfiguration={"LocationConstraint": REGION})
        table_name = f"billing-{uuid.uuid4().hex}"  # the table's endpoint is the real engine, which keeps its tables
        made["dynamodb"].create_table(
            TableName=table_name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        )
        machine = made["stepfunctions"].create_state_machine(
            name="delivery",
            roleArn="arn:aws:iam::123456789012:role/delivery",
            definition=json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}),
        )
        pool = made["cognito-idp"].create_user_pool(PoolName="users")
        yield {
            "table_name": table_name,
            "bucket": "documents",
            "state_machine_arn": machine["stateMachineArn"],
            "user_pool_id": pool["UserPool"]["Id"],
        }


def probes(reached: dict[str, Any], named: dict[str, Any]) -> AwsProbes:
    return AwsProbes(*(reached[service] for service in SERVICES), **named)


def seen(looking: AwsProbes) -> dict[str, bool]:
    return {probe.name: probe.healthy for probe in looking.run()}


def test_what_answers_is_healthy_and_timed(named: dict[str, str]) -> None:
    looked = probes(clients(), named).run()

    assert [(probe.name, probe.healthy) for probe in looked] == [(name, True) for name in PROBES]
    assert all(probe.latency_ms >= 0 for probe in looked)


def test_what_is_missing_is_unhealthy(named: dict[str, str]) -> None:
    elsewhere = {
        "table_name": "none",
        "bucket": "none",
        "state_machine_arn": f"{named['state_machine_arn']}x",
        "user_pool_id": f"{REGION}_none",
    }

    assert seen(probes(clients(), elsewhere)) == dict.fromkeys(PROBES, False)


@pytest.mark.parametrize(("service", "probe"), list(zip(SERVICES, PROBES, strict=True)))
def test_what_does_not_listen_is_unhealthy_and_hides_nothing_else(
    named: dict[str, str], service: str, probe: str
) -> None:
    reached = clients()
    config = Config(connect_timeout=0.5, retries={"total_max_attempts": 1})
    reached[service] = boto3.client(service, region_name=REGION, endpoint_url="http://127.0.0.1:9", config=config)

    assert seen(probes(reached, named)) == {name: name != probe for name in PROBES}
