"""A company that is paid online over the real adapters, on one table and one Stripe."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.engines import billing_table_definition, dynamodb_client, started_dynoxide
from tests.faults.house import House

_MEMORY = Path("/dev/shm")  # noqa: S108 - an engine that forgets is what thousands of requests need
_TABLE = "billing-faults"


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with (
        tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as directory,
        started_dynoxide(Path(directory)) as endpoint,
        closing(dynamodb_client(endpoint)) as client,
    ):
        client.create_table(TableName=_TABLE, **billing_table_definition())
        made = House(client, _TABLE)
        yield made
        made.stripe.store.close()
