"""A view of a page on its sample event: counted once, or not at all, and never told to anybody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from billing.adapters.dynamodb.table import Table
from billing.adapters.dynamodb.usage import UsageBook
from billing.api.problems import MAX_BEACON_LENGTH
from billing.domain.errors import Busy, DependencyUnavailable
from billing.domain.usage import MAX_PERIOD_DAYS, Counts, Dimension
from billing.runtime import usage
from billing.runtime.clock import clock, ids
from tests.handlers.conftest import Answered, Json, Person, answered, invoke, sample

NOBODY = Person("", "")
OPERATION = "usage/record"


@pytest.fixture(autouse=True)
def book(dynamodb: Any, usage_table: str, monkeypatch: pytest.MonkeyPatch) -> UsageBook:
    book = UsageBook(Table(dynamodb, usage_table, clock=clock, ids=ids))
    monkeypatch.setattr(usage, "usage_book", lambda: book)
    return book


def look(body: object = None, **headers: str | None) -> Answered:
    """The sample with changes; ``address`` is what API Gateway sees, header None: left out."""
    event = sample(OPERATION)
    event["requestContext"]["http"]["sourceIp"] = headers.pop("address", "203.0.113.24")
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    for name, value in headers.items():
        event["headers"].pop(name.replace("_", "-"), None)
        if value is not None:
            event["headers"][name.replace("_", "-")] = value
    return answered(invoke(OPERATION, event))


def read(**query: str) -> Answered:
    return NOBODY.call("operations/read_usage", query=query)


def of_today(book: UsageBook) -> Counts:
    today = clock.today()
    return book.days(today, today).get(today, Counts())


def test_a_beacon_is_counted_and_answered_with_nothing(book: UsageBook) -> None:
    first = look()
    again = look({"page": "invoices"}, content_type="application/json")

    for answer in (first, again):
        assert (answer.status, answer.text) == (204, "")
        assert not {"set-cookie", "etag"} & {name.lower() for name in answer.headers}
    counts = of_today(book)
    assert (counts.views, counts.visitors, counts.sessions, counts.engaged_sessions) == (2, 1, 1, 1)
    assert counts.by == {
        Dimension.PAGE: {"dashboard": 1, "invoices": 1},
        Dimension.REFERRER: {"google.com": 1},
        Dimension.DEVICE: {"desktop": 1},
        Dimension.BROWSER: {"firefox": 1},
        Dimension.SYSTEM: {"linux": 1},
        Dimension.VIEWPORT: {"wide": 1},
        Dimension.COUNTRY: {"unknown": 1},
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"dnt": "1"}, {"sec_gpc": "1"}, {"user_agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"},
        {"user_agent": None}, {"user_agent": "curl/8.16.0"}, {"origin": None}, {"origin": "https://other.example"},
        {"origin": "null"}, {"origin": "https://app.zenbilling.example.other.example"},
    ],
)  # fmt: skip
def test_who_objects_who_is_a_bot_and_another_site_leave_nothing(
    headers: dict[str, str | None], dynamodb: Any, usage_table: str
) -> None:
    answer = look(**headers)

    assert (answer.status, answer.text) == (204, "")
    assert dynamodb.scan(TableName=usage_table)["Items"] == []


def test_who_does_not_object_is_counted(book: UsageBook) -> None:
    look(dnt="0", sec_gpc="0", origin="http://localhost:5173")

    assert of_today(book).views == 1


@pytest.mark.parametrize(
    ("host", "named"),
    [("", "direct"), ("[2001:db8::1]", "other"), ("my_site.example", "other")],
)
def test_a_host_that_is_no_public_site_loses_no_view(book: UsageBook, host: str, named: str) -> None:
    assert look({"page": "dashboard", "referrer_host": host}).status == 204

    assert of_today(book).by[Dimension.REFERRER] == {named: 1}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/page"),
        ({"page": "/invoices/inv_01JDABCDEFGHJKMNPQRSTVWXYZ"}, "/page"),
        ({"page": "inv_01JDABCDEFGHJKMNPQRSTVWXYZ"}, "/page"),
        ({"page": "dashboard", "user_id": "u1"}, "/user_id"),
        ({"page": "dashboard", "title": "Facture F2026-00001"}, "/title"),
        ({"page": "dashboard", "referrer_host": "https://exemple.test/?name=Jean"}, "/referrer_host"),
        ({"page": "dashboard", "viewport": 1280}, "/viewport"),
    ],
)
def test_what_could_say_more_than_a_page_is_refused(body: Json, pointer: str, dynamodb: Any, usage_table: str) -> None:
    answer = look(body)

    assert (answer.status, answer.body["type"]) == (422, "/problems/invalid-fields")
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]
    assert dynamodb.scan(TableName=usage_table)["Items"] == []


def test_a_body_is_small_and_json() -> None:
    padded = json.dumps({"page": "dashboard"})
    assert look(padded.ljust(MAX_BEACON_LENGTH)).status == 204
    large = look(padded.ljust(MAX_BEACON_LENGTH + 1))
    form = look("page=dashboard", content_type="application/x-www-form-urlencoded")
    words = look("dashboard")

    assert (large.status, large.body["type"]) == (413, "/problems/body-too-large")
    assert (form.status, form.body["type"]) == (415, "/problems/unsupported-media-type")
    assert (words.status, words.body["type"]) == (422, "/problems/invalid-input")


def test_plain_text_is_for_beacons_alone(owner: Person) -> None:
    refused = owner.call("customers/create", headers={"content-type": "text/plain"})

    assert (refused.status, refused.body["type"]) == (415, "/problems/unsupported-media-type")


def test_addresses_and_countries_in_headers_count_only_where_cloudfront_sets_them(
    book: UsageBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without it, whoever asks writes what they like into them."""
    told = {"cloudfront_viewer_country": "BE", "cloudfront_viewer_address": "198.51.100.7:46532"}
    look(**told)
    look(**told | {"cloudfront_viewer_address": "198.51.100.8:46532"})
    assert (of_today(book).visitors, of_today(book).by[Dimension.COUNTRY]) == (1, {"unknown": 1})

    monkeypatch.setenv("VIEWER_HEADERS_KIND", "cloudfront")
    for address in ("198.51.100.7:1", "198.51.100.7:2", "198.51.100.8:1", "2001:db8::7:443", "2001:db8::7:444"):
        look(**told | {"cloudfront_viewer_address": address})
    look(cloudfront_viewer_country=None, cloudfront_viewer_address=None, address="192.0.2.9")

    assert of_today(book).by[Dimension.COUNTRY] == {"unknown": 2, "BE": 3}


def test_nothing_personal_is_kept_or_logged(dynamodb: Any, usage_table: str, logged: Callable[[], list[Json]]) -> None:
    """Of a request as a signed-in browser sends it, with a token it need not send."""
    event = sample(OPERATION)
    personal = [event["requestContext"]["http"]["sourceIp"], "203.0.113", "Gecko", "145.0", "fr-FR"]
    event["headers"]["authorization"] = "Bearer eyJhbGciOiJSUzI1NiJ9.sub-of-somebody.signature"
    event["cookies"] = ["session=secret-of-somebody"]
    assert answered(invoke(OPERATION, event)).status == 204
    event["body"] = json.dumps({"page": "inv_01JDABCDEFGHJKMNPQRSTVWXYZ"})
    assert answered(invoke(OPERATION, event)).status == 422

    kept = dynamodb.scan(TableName=usage_table)["Items"]
    written = logged()
    assert len(kept) == 4
    assert [line["message"] for line in written] == ["refused"]
    personal += ["somebody", "ten_", event["headers"]["host"], "inv_"]
    assert [one for one in personal if one in json.dumps(kept) or one in json.dumps(written)] == []
    secrets = [item["secret"]["S"] for item in kept if "secret" in item]
    assert len(secrets) == 1
    assert secrets[0] not in json.dumps(written)


@pytest.mark.parametrize("error", [Busy(), DependencyUnavailable()])
def test_a_view_that_cannot_be_counted_is_lost_and_wakes_nobody(
    error: Exception, book: UsageBook, monkeypatch: pytest.MonkeyPatch, logged: Callable[[], list[Json]]
) -> None:
    def fail(_view: object) -> None:
        raise error

    monkeypatch.setattr(book, "count", fail)

    assert look().status == 204
    [line] = logged()
    assert (line["message"], line["level"]) == ("page view lost", "WARNING")


def test_what_is_unknown_is_told(book: UsageBook, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_view: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(book, "count", fail)

    with pytest.raises(RuntimeError, match="a fault of ours"):
        look()


def test_operators_read_the_sums() -> None:
    look()
    look({"page": "invoices"})
    look({"page": "home"}, address="203.0.113.25", user_agent="Mozilla/5.0 (iPhone; CPU iPhone OS 18_6) Safari")

    found = read()

    assert (found.status, found.headers["Cache-Control"]) == (200, "no-store")
    told = found.body
    today = clock.today().isoformat()
    assert (told["to_date"], len(told["days"])) == (today, 30)
    assert told["days"][-1] == {
        "day": today, "views": 3, "visitors": 2, "sessions": 2, "views_per_session": "1.5", "bounce_rate": "50",
    }  # fmt: skip
    assert told["days"][0] == {
        "day": told["from_date"], "views": 0, "visitors": 0, "sessions": 0, "views_per_session": None,
        "bounce_rate": None,
    }  # fmt: skip
    assert told["total"] == {
        "views": 3, "daily_visitors": 2, "sessions": 2, "views_per_session": "1.5", "bounce_rate": "50",
    }  # fmt: skip
    assert told["pages"] == [
        {"page": "dashboard", "views": 1}, {"page": "home", "views": 1}, {"page": "invoices", "views": 1},
    ]  # fmt: skip
    assert told["referrers"] == [{"referrer": "direct", "sessions": 1}, {"referrer": "google.com", "sessions": 1}]
    assert told["devices"] == [{"name": "desktop", "daily_visitors": 1}, {"name": "mobile", "daily_visitors": 1}]
    assert told["browsers"] == [{"name": "firefox", "daily_visitors": 1}, {"name": "other", "daily_visitors": 1}]
    assert told["systems"] == [{"name": "ios", "daily_visitors": 1}, {"name": "linux", "daily_visitors": 1}]
    assert told["viewports"] == [{"name": "unknown", "daily_visitors": 1}, {"name": "wide", "daily_visitors": 1}]
    assert told["countries"] == [{"name": "unknown", "daily_visitors": 2}]


def test_a_period_is_asked_for_in_days() -> None:
    today = clock.today().isoformat()
    asked = read(**{"from": today, "to": today})
    refused = [
        read(**{"from": "2020-01-01", "to": today}), read(to="2199-01-01"), read(**{"from": "2199-01-01"}),
        read(**{"from": "hier"}),
    ]  # fmt: skip

    assert [day["day"] for day in asked.body["days"]] == [today]
    assert str(MAX_PERIOD_DAYS) in refused[0].body["detail"]
    assert [(one.status, one.body["errors"][0]["pointer"]) for one in refused] == [
        (422, "/query/from"), (422, "/query/to"), (422, "/query/to"), (422, "/query/from"),
    ]  # fmt: skip
