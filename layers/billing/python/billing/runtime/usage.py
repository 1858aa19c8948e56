"""Usage of the web app, over its own table."""

from __future__ import annotations

from functools import cache

import boto3

from billing.adapters.dynamodb.table import Table
from billing.adapters.dynamodb.usage import UsageBook
from billing.runtime.clients import measured, sdk_config
from billing.runtime.clock import clock, ids
from billing.runtime.settings import usage_table_name


@cache
def usage_book() -> UsageBook:
    client = measured(boto3.client("dynamodb", config=sdk_config()), "TableLatency")
    return UsageBook(Table(client, usage_table_name(), clock=clock, ids=ids))
