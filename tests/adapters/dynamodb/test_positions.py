"""A position that no page gave is refused, whatever DynamoDB thinks of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.table import Table
from billing.domain.errors import PageTokenInvalid
from billing.ports.paging import PageRequest
from tests.fakes.clock import FakeClock, FakeIds


class RefusingClient:
    """Answers as DynamoDB does when a starting key lies outside the query."""

    def query(self, **_: Any) -> Any:
        error: Any = {"Code": "ValidationException", "Message": "The provided starting key is outside query boundaries"}
        raise ClientError({"Error": error}, "Query")


def read(position: str | None) -> object:
    client: Any = RefusingClient()
    table = Table(client, "table", clock=FakeClock(), ids=FakeIds())
    return table.page(
        "Listing",
        keys.invoice_listing("ten_a"),
        PageRequest(position=position),
        base_key=lambda invoice_id: keys.invoice("ten_a", invoice_id),
    )


def test_a_position_outside_the_query_is_an_invalid_page_token() -> None:
    with pytest.raises(PageTokenInvalid):
        read("forged|inv_x")


def test_a_refused_query_without_position_is_our_own_mistake_and_propagates() -> None:
    with pytest.raises(ClientError):
        read(None)
