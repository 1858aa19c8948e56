"""Probes of what the API works with."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import TYPE_CHECKING

import boto3

from billing.adapters.health import AwsProbes, reach_api, reach_relay, reach_ses
from billing.runtime.clients import sdk_config
from billing.runtime.settings import (
    billing_table_name,
    documents_bucket_name,
    invoice_delivery_state_machine_arn,
    mail_transport_kind,
    smtp_secret_arn,
    stripe_api_url,
    user_pool_id,
)

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_PROBE = {"connect_timeout": 0.5, "read_timeout": 1.5, "retries": {"total_max_attempts": 1}}
_STARTED = time.monotonic()


def uptime_seconds() -> int:
    """Of this execution environment."""
    return int(time.monotonic() - _STARTED)


@cache
def probes() -> AwsProbes:
    return AwsProbes(
        boto3.client("dynamodb", config=sdk_config(**_PROBE)),
        boto3.client("s3", config=sdk_config(**_PROBE, s3={"addressing_style": "path"})),
        boto3.client("stepfunctions", config=sdk_config(**_PROBE)),
        boto3.client("cognito-idp", config=sdk_config(**_PROBE)),
        table_name=billing_table_name(),
        bucket=documents_bucket_name(),
        state_machine_arn=invoice_delivery_state_machine_arn(),
        user_pool_id=user_pool_id(),
        third_parties={"mail": _reach_mail, "stripe": lambda: reach_api(f"{stripe_api_url()}/v1")},
    )


def _reach_mail() -> None:
    if mail_transport_kind() == "smtp":
        reach_relay(*_relay())
    else:
        reach_ses(_ses())


@cache
def _relay() -> tuple[str, int]:
    client = boto3.client("secretsmanager", config=sdk_config(**_PROBE))
    secret = json.loads(client.get_secret_value(SecretId=smtp_secret_arn())["SecretString"])
    return secret["host"], int(secret["port"])


@cache
def _ses() -> SESV2Client:
    client: SESV2Client = boto3.client("sesv2", config=sdk_config(**_PROBE))
    return client
