"""The health probes over simulated services, over what is missing, and over addresses where nothing listens."""

from __future__ import annotations

import json
import socketserver
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from billing.adapters.health import AwsProbes, reach_api, reach_relay, reach_ses

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


class Account:
    """SES's answer about our account."""

    def __init__(self, *, sending: bool) -> None:
        self._sending = sending

    def get_account(self) -> dict[str, bool]:
        return {"SendingEnabled": self._sending}


@contextmanager
def listening(answer: bytes) -> Iterator[int]:
    """A server that says this to whoever connects, and its port."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if answer.startswith(b"HTTP"):
                self.request.recv(4096)
            self.request.sendall(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.parametrize(
    ("answer", "healthy"), [(b"220 relay.exemple.test ESMTP\r\n", True), (b"554 no service\r\n", False), (b"", False)]
)
def test_a_relay_is_well_that_greets(named: dict[str, str], answer: bytes, *, healthy: bool) -> None:
    with listening(answer) as port:
        assert third_party(named, lambda: reach_relay("127.0.0.1", port, seconds=5)) is healthy
    assert third_party(named, lambda: reach_relay("127.0.0.1", port, seconds=5)) is False


@pytest.mark.parametrize("sending", [True, False])
def test_ses_is_well_while_it_sends_for_us(named: dict[str, str], *, sending: bool) -> None:
    account: Any = Account(sending=sending)
    assert third_party(named, lambda: reach_ses(account)) is sending


@pytest.mark.parametrize(
    ("status", "healthy"), [("200 OK", True), ("401 Unauthorized", True), ("503 Service Unavailable", False)]
)
def test_an_api_is_well_that_answers_be_it_that_it_does_not_know_us(
    named: dict[str, str], status: str, *, healthy: bool
) -> None:
    with listening(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()) as port:
        assert third_party(named, lambda: reach_api(f"http://127.0.0.1:{port}/v1", seconds=5)) is healthy
    assert third_party(named, lambda: reach_api(f"http://127.0.0.1:{port}/v1", seconds=5)) is False


def test_a_third_party_is_asked_once_in_half_a_minute_whoever_asks_us(named: dict[str, Any]) -> None:
    asked, now = [], [0.0]
    looking = AwsProbes(
        *(clients()[service] for service in SERVICES),
        **named,
        third_parties={"mail": lambda: asked.append(now[0])},
        monotonic=lambda: now[0],
    )

    for now[0] in (0.0, 10.0, 29.0, 30.0, 59.0):
        assert [probe.name for probe in looking.run()] == [*PROBES, "mail"]

    assert asked == [0.0, 30.0]


def third_party(named: dict[str, Any], look: Callable[[], object]) -> bool:
    """Whether it is found well."""
    looking = AwsProbes(*(clients()[service] for service in SERVICES), **named, third_parties={"other": look})
    return seen(looking)["other"]
