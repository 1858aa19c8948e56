"""Requests and answers against what AWS documents of payload format 2.0."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from local.http_events import MalformedAnswerError, Request, build_event, read_answer
from local.stack import Route

NOW = datetime(2020, 3, 12, 19, 3, 58, 390_000, tzinfo=UTC)


def event_of(request: Request, route: Route, parameters: dict[str, str] | None = None) -> dict[str, object]:
    return build_event(request, route, parameters or {}, api_id="api-id", request_id="id", authorizer=None, now=NOW)


def request(body: bytes = b"", query: str = "", *headers: tuple[str, str]) -> Request:
    return Request(
        method="POST",
        raw_path="/v1/things/a%20b",
        raw_query=query,
        headers=(("host", "id.execute-api.eu-west-3.amazonaws.com"), ("user-agent", "agent"), *headers),
        body=body,
        source_ip="192.0.2.1",
    )


ROUTE = Route(method="POST", path="/v1/things/{thing_id}", function="f", timeout_seconds=30)


def test_event_is_the_documented_one() -> None:
    authorizer = {"claims": {"sub": "u"}, "scopes": None}

    event = build_event(
        request(
            b"Hello from client!",
            "parameter1=value1&parameter1=value2&parameter2=value",
            ("header1", "value1"),
            ("header2", "value1"),
            ("header2", "value2"),
            ("cookie", "cookie1=v; cookie2=w"),
            ("x-amzn-trace-id", "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e"),
        ),
        ROUTE,
        {"thing_id": "a b"},
        api_id="api-id",
        request_id="id",
        authorizer=authorizer,
        now=NOW,
    )

    assert event == {
        "version": "2.0",
        "routeKey": "POST /v1/things/{thing_id}",
        "rawPath": "/v1/things/a b",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1=v", "cookie2=w"],
        "headers": {
            "host": "id.execute-api.eu-west-3.amazonaws.com",
            "user-agent": "agent",
            "header1": "value1",
            "header2": "value1,value2",
            "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "api-id",
            "authorizer": {"jwt": {"claims": {"sub": "u"}, "scopes": None}},
            "domainName": "id.execute-api.eu-west-3.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/v1/things/a b",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "id",
            "routeKey": "POST /v1/things/{thing_id}",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1584039838390,
        },
        "body": "Hello from client!",
        "pathParameters": {"thing_id": "a b"},
        "isBase64Encoded": False,
    }


def test_what_is_empty_is_left_out() -> None:
    event = event_of(request(), ROUTE)

    absent = {"body", "cookies", "pathParameters", "queryStringParameters"}
    assert absent.isdisjoint(event)
    assert "authorizer" not in event["requestContext"]  # type: ignore[operator]


def test_trace_id_is_made_when_the_caller_has_none() -> None:
    headers = event_of(request(), ROUTE)["headers"]

    assert headers["x-amzn-trace-id"].startswith("Root=1-5e6a879e-")  # type: ignore[index]


@pytest.mark.parametrize(
    ("content_type", "body", "is_text"),
    [
        ("application/json", b'{"a":1}', True),
        ("application/json; charset=utf-8", "é".encode(), True),
        ("text/csv", b"a;b", True),
        ("application/vnd.api+json", b"{}", True),
        ("application/json", b"\xff\xfe", False),
        ("image/png", b"\x89PNG", False),
        ("application/x-www-form-urlencoded", b"a=b", False),
    ],
)
def test_binary_bodies_travel_in_base64(content_type: str, body: bytes, is_text: bool) -> None:
    event = event_of(request(body, "", ("content-type", content_type)), ROUTE)

    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == (body.decode() if is_text else base64.b64encode(body).decode())


def test_answer_keeps_status_headers_cookies_and_binary_body() -> None:
    answer = {
        "statusCode": 201,
        "headers": {"ETag": '"3"', "x-number": 5},
        "cookies": ["a=1"],
        "body": base64.b64encode(b"\x00\x01").decode(),
        "isBase64Encoded": True,
    }

    response = read_answer(json.dumps(answer).encode())

    assert response.status == 201
    assert dict(response.headers) == {"etag": '"3"', "x-number": "5", "content-type": "text/plain;charset=UTF-8"}
    assert response.cookies == ("a=1",)
    assert response.body == b"\x00\x01"


@pytest.mark.parametrize(
    ("answer", "body"), [({"a": 1}, b'{"a": 1}'), ("text", b"text"), ([1], b"[1]"), (None, b"null")]
)
def test_answer_without_a_status_is_a_200_of_json(answer: object, body: bytes) -> None:
    response = read_answer(json.dumps(answer).encode())

    assert (response.status, response.body) == (200, body)
    assert dict(response.headers)["content-type"] == "application/json"


@pytest.mark.parametrize(
    "answer",
    [
        {"statusCode": "soon"},
        {"statusCode": 42},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "headers": ["a"]},
        {"statusCode": 200, "body": "!", "isBase64Encoded": True},
    ],
)
def test_malformed_answer_is_refused(answer: object) -> None:
    with pytest.raises(MalformedAnswerError):
        read_answer(json.dumps(answer).encode())
