"""Probes of what the API works with."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.health import AwsProbes
from billing.runtime.clients import sdk_config
from billing.runtime.settings import (
    billing_table_name,
    documents_bucket_name,
    invoice_delivery_state_machine_arn,
    user_pool_id,
)

_PROBE = {"connect_timeout": 0.5, "read_timeout": 1.5, "retries": {"total_max_attempts": 1}}


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
    )
