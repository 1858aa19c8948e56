"""The change feed over HTTP: a reader follows while eight clients write, and the consumer is killed meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from local.client import ApiClient, Json, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.people import Person

pytestmark = pytest.mark.cloud

CLIENTS = 8
EACH = 6


def follow(api: ApiClient, last: int, *, path: str = "/v1/events") -> tuple[list[Json], int]:
    page = api.get(f"{path}?after={last}&limit=20")
    return page["items"], page["last_sequence"]


def test_a_reader_misses_nothing_and_sees_nothing_twice_while_others_write(
    cloud: LocalCloud, person: Callable[..., Person]
) -> None:
    someone = person()
    someone.subscribe()
    body = draft(someone.customer["customer_id"])

    def work(_: int) -> list[str]:
        api = someone.another_client()
        made = [api.post("/v1/invoices", body)["invoice_id"] for _ in range(EACH)]
        for invoice_id in made:
            api.post(f"/v1/invoices/{invoice_id}/issue", {"version": 1})
        return made

    seen: list[Json] = []
    last = 0
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(work, rank) for rank in range(CLIENTS)]
        killed = 0
        while not all(one.done() for one in running):
            items, last = follow(someone.api, last)
            seen += items
            killed += len(cloud.kill_workers("streams-place-events")) if killed < 3 else 0
            time.sleep(0.05)
        invoices = {invoice_id for one in running for invoice_id in one.result()}

    def complete() -> bool | None:
        nonlocal last
        items, last = follow(someone.api, last)
        seen.extend(items)
        return {one["subject"]["id"] for one in seen if one["type"] == "invoice.issued"} == invoices or None

    wait_for(complete, what="every event at its place")
    assert [one["sequence"] for one in seen] == list(range(1, len(seen) + 1))
    assert len({one["event_id"] for one in seen}) == len(seen)
    assert len(invoices) == CLIENTS * EACH
    for invoice_id in invoices:  # in the order of its life
        own = [one["type"] for one in seen if one["subject"]["id"] == invoice_id]
        assert own[:2] == ["invoice.created", "invoice.issued"]


def test_the_audit_says_from_where(person: Callable[..., Person]) -> None:
    someone = person()

    def told() -> list[Json] | None:
        items, _ = follow(someone.api, 0, path="/v1/audit")
        return items if len(items) >= 3 else None

    audit = wait_for(told, what="the audit")

    assert [(one["type"], one["role"], one["ip_address"]) for one in audit] == [
        ("membership.created", "owner", "127.0.0.1"),
        ("company.described", "owner", "127.0.0.1"),
        ("customer.created", "owner", "127.0.0.1"),
    ]
    assert all(one["correlation_id"] for one in audit)
