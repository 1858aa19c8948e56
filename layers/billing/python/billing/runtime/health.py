"""Probes of what the API cannot work without."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.health import AwsProbes
from billing.runtime.clients import sdk_config
from billing.runtime.settings import billing_table_name, documents_bucket_name

_PROBE = {"connect_timeout": 0.5, "read_timeout": 1.5, "retries": {"total_max_attempts": 1}}


@cache
def probes() -> AwsProbes:
    return AwsProbes(
        boto3.client("dynamodb", config=sdk_config(**_PROBE)),
        boto3.client("s3", config=sdk_config(**_PROBE, s3={"addressing_style": "path"})),
        table_name=billing_table_name(),
        bucket=documents_bucket_name(),
    )
