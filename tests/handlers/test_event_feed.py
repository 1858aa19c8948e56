"""From the table's stream to the reader: places, cursor, audit; an address stands in the audit and nowhere else."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from billing.domain.access import Role
from billing.domain.errors import DependencyUnavailable
from billing.runtime import table
from streams import place_events
from tests.handlers.conftest import Json, Person, invoke

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

IP = "203.0.113.24"  # of every sample event


@pytest.fixture
def records(dynamodb: DynamoDBClient, billing_table: str) -> Callable[[Person], list[Json]]:
    """The stream's records of all events of a company, as Lambda would get them."""

    def of(person: Person) -> list[Json]:
        pages = dynamodb.get_paginator("scan").paginate(TableName=billing_table)
        images = [
            item
            for page in pages
            for item in page["Items"]
            if item["entity"]["S"] == "event" and item["tenant_id"]["S"] == person.tenant_id
        ]
        return [
            {"eventName": "INSERT", "dynamodb": {"NewImage": image, "SequenceNumber": str(100 + rank)}}
            for rank, image in enumerate(images)
        ]

    return of


def consume(records: Sequence[Json]) -> Any:
    return invoke("streams/place_events", {"Records": list(records)})


def feed_of(person: Person, operation: str = "events/list", *, limit: int = 3) -> list[Json]:
    shown: list[Json] = []
    last = 0
    while True:
        page = person.call(operation, query={"after": str(last), "limit": str(limit)}).body
        shown += page["items"]
        if not page["items"]:
            assert page["last_sequence"] == last
            return shown
        last = page["last_sequence"]


def test_the_feed_tells_everything_once_in_order_without_a_gap(
    owner: Person, records: Callable[[Person], list[Json]]
) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    issued = owner.call("invoices/issue", body={"version": 1}, **path).body
    events = records(owner)
    random.Random(7).shuffle(events)  # noqa: S311 - an order that repeats

    assert consume(events[:4]) == consume(events[2:]) == consume(events) == {"batchItemFailures": []}

    shown = feed_of(owner)
    assert [one["sequence"] for one in shown] == list(range(1, len(events) + 1))
    assert {one["type"] for one in shown} == {
        "membership.created", "company.described", "customer.created", "product.created", "invoice.created",
        "invoice.issued",
    }  # fmt: skip
    [told] = [one for one in shown if one["type"] == "invoice.issued"]
    assert told["subject"] == {"type": "invoice", "id": issued["invoice_id"], "number": issued["number"]}
    assert told["actor"] == owner.user_id
    assert told["data"]["total_minor"] == issued["total_minor"]


def test_the_address_stands_in_the_audit_and_nowhere_else(
    owner: Person, records: Callable[[Person], list[Json]], logged: Callable[[], list[Json]]
) -> None:
    consume(records(owner))

    audit = feed_of(owner, "audit/list")

    assert [one["previous_hash"] for one in audit[1:]] == [one["hash"] for one in audit[:-1]]
    by_request = [one for one in audit if one["type"] != "membership.created"]  # the fixture founds without a request
    assert {(one["ip_address"], one["role"]) for one in by_request} == {(IP, "owner")}
    assert all(one["correlation_id"] for one in by_request)
    assert IP not in json.dumps(feed_of(owner))
    timeline = owner.call("invoices/read_timeline", invoice_id=owner.ids["invoice_id"])
    assert IP not in timeline.text
    assert IP not in json.dumps(logged())


def test_no_name_and_no_address_is_in_the_feed(owner: Person, records: Callable[[Person], list[Json]]) -> None:
    customer = owner.call("customers/read", customer_id=owner.ids["customer_id"]).body
    consume(records(owner))

    text = json.dumps(feed_of(owner), ensure_ascii=False)

    assert customer["name"] not in text
    assert customer["email"] not in text
    assert "@" not in text


@pytest.mark.parametrize(
    ("role", "events", "audit"),
    [
        (Role.ADMIN, 200, 200),
        (Role.ACCOUNTANT, 200, 403),
        (Role.MEMBER, 200, 403),
        (Role.VIEWER, 403, 403),
    ],
)
def test_who_may_follow(owner: Person, member: Callable[..., Person], role: Role, events: int, audit: int) -> None:
    someone = member(owner.tenant_id, role)

    assert someone.call("events/list").status == events
    assert someone.call("audit/list").status == audit


@pytest.mark.parametrize("query", [{"after": "-1"}, {"after": "x"}, {"after": "1000000000000"}, {"limit": "0"}])
def test_a_cursor_that_cannot_be_is_refused(owner: Person, query: dict[str, str]) -> None:
    assert owner.call("events/list", query=query).status == 422


def test_a_cursor_beyond_the_end_waits_there(owner: Person) -> None:
    assert owner.call("events/list", query={"after": "999999999999"}).body == {
        "items": [],
        "last_sequence": 999_999_999_999,
    }


def test_another_company_sees_nothing_of_it(
    owner: Person, member: Callable[..., Person], records: Callable[[Person], list[Json]]
) -> None:
    consume(records(owner))

    assert feed_of(member()) == []


def test_what_cannot_be_placed_comes_again_from_its_first_record(
    owner: Person,
    member: Callable[..., Person],
    records: Callable[[Person], list[Json]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = member()
    mine, theirs = records(owner), records(other)
    batch = [*mine[:1], *theirs, *mine[1:]]
    for rank, record in enumerate(batch):
        record["dynamodb"]["SequenceNumber"] = str(rank)
    feed = table.event_feed()

    class Away:
        limit, room = feed.limit, feed.room

        def state(self, tenant_id: str, events: Any) -> Any:
            if tenant_id == other.tenant_id:
                raise DependencyUnavailable
            return feed.state(tenant_id, events)

        place = staticmethod(feed.place)

    with monkeypatch.context() as patch:
        patch.setattr(place_events, "event_feed", Away)
        assert consume(batch) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert consume(batch[1:]) == {"batchItemFailures": []}

    assert [one["sequence"] for one in feed_of(owner)] == list(range(1, len(mine) + 1))
    assert [one["sequence"] for one in feed_of(other)] == [1]


def test_a_batch_of_one_company_costs_two_requests_and_a_page_one(
    owner: Person, records: Callable[[Person], list[Json]], monkeypatch: pytest.MonkeyPatch
) -> None:
    events, made = records(owner), []
    owner.call("events/list")
    original = table.table()._call

    def counted(operation: str, **request: Any) -> Any:
        made.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(table.table(), "_call", counted)
    consume(events)
    assert made == ["batch_get_item", "transact_write_items"]
    consume(events)  # a replay looks, and writes nothing
    assert made[2:] == ["batch_get_item"]
    owner.call("events/list")
    assert made[3:] == ["query"]


def test_nothing_is_asked_of_an_event_but_to_be_put_once(
    owner: Person, records: Callable[[Person], list[Json]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No adapter updates, deletes or puts again what is in the audit: seen at the client, over a company's day."""
    made: list[tuple[str, Json]] = []
    client = table.table()._client

    class Seen:
        def __getattr__(self, name: str) -> Any:
            def call(**request: Any) -> Any:
                made.append((name, request))
                return getattr(client, name)(**request)

            return call

    monkeypatch.setattr(table.table(), "_client", Seen())
    path = {"invoice_id": owner.ids["invoice_id"]}
    doomed = owner.call("invoices/duplicate", **path).body["invoice_id"]
    owner.call("invoices/delete", headers={"if-match": '"1"'}, invoice_id=doomed)
    owner.call("customers/edit", customer_id=owner.ids["customer_id"])
    issued = owner.call("invoices/issue", body={"version": 1}, **path).body
    owner.call("invoices/record_payment", body={"amount_minor": issued["total_minor"], "method": "transfer"}, **path)
    consume(records(owner))
    invoke("scheduled/place_missed_events", {})
    feed_of(owner, "audit/list")

    touched = [
        (action, given)
        for name, request in made
        for part in request.get("TransactItems", [{name: request}])
        for action, given in part.items()
        if _is_event(given)
    ]
    assert {action for action, _ in touched} == {"Put"}
    assert len(touched) > 20
    for _, given in touched:
        counting = given["Item"]["entity"]["S"] == "feed_head" and "last_sequence = " in given["ConditionExpression"]
        assert counting or given["ConditionExpression"] == "attribute_not_exists(pk)"


def _is_event(request: Json) -> bool:
    key: Json = request.get("Item") or request.get("Key") or {}
    return bool(key) and (key["sk"]["S"].startswith("EVENT#") or key["pk"]["S"].endswith("#FEED"))
