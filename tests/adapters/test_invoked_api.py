"""Versions are given what API Gateway would give them, and a fault of theirs is the 500 it would answer."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from billing.adapters.invoked_api import ROUTES, InvokedApi, host_of
from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Answered
from local.http_events import Request, build_event
from local.stack import Route
from local.tokens import claim_text
from tests.fakes.clock import FakeClock, FakeIds

ARNS = [f"arn:aws:lambda:eu-west-3:123456789012:function:zenbilling-prod-{name}:7" for name in ROUTES]
CLAIMS = {"sub": "u1", "role": "owner", "exp": 1795427940, "cognito:groups": ["a", "b"], "email_verified": True}
TOKEN = f"e30.{base64.urlsafe_b64encode(json.dumps(CLAIMS).encode()).decode().rstrip('=')}.signature"
HEADERS = {"Authorization": f"Bearer {TOKEN}", "Accept-Language": "fr", "Idempotency-Key": "k1"}


class FakeLambda:
    """Client of AWS Lambda. ``answer`` is a payload, or what is raised."""

    def __init__(self, answer: object, *, failed: bool = False) -> None:
        self.called: list[tuple[str, dict[str, Any]]] = []
        self._answer = answer
        self._failed = failed

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - the SDK's names
        self.called.append((FunctionName, json.loads(Payload)))
        if isinstance(self._answer, Exception):
            raise self._answer
        payload = {"Payload": io.BytesIO(json.dumps(self._answer).encode())}
        return {**payload, "FunctionError": "Unhandled"} if self._failed else payload


def api_of(client: FakeLambda) -> InvokedApi:
    return InvokedApi(client, ARNS, host="api.exemple.test", clock=FakeClock(), ids=FakeIds())


def test_a_version_is_given_the_event_of_api_gateway() -> None:
    client = FakeLambda({"statusCode": 201, "body": '{"number":"F-1"}'})

    answered = api_of(client).ask("POST", "/v1/invoices/inv_1/issue", {"version": 1}, headers=HEADERS)

    assert answered == Answered(status=201, body={"number": "F-1"})
    [(arn, event)] = client.called
    assert arn.endswith(":zenbilling-prod-invoices-issue:7")
    route = Route(method="POST", path="/v1/invoices/{invoice_id}/issue", function="", timeout_seconds=29)
    sent = tuple(
        {**{name.lower(): value for name, value in HEADERS.items()}, "content-type": "application/json"}.items()
    )
    expected = build_event(
        Request(
            method="POST",
            raw_path="/v1/invoices/inv_1/issue",
            raw_query="",
            headers=(*sent, ("host", "api.exemple.test")),
            body=json.dumps({"version": 1}).encode(),
            source_ip="127.0.0.1",
        ),
        route,
        {"invoice_id": "inv_1"},
        api_id="api",
        request_id="r",
        authorizer={"claims": {name: claim_text(value) for name, value in CLAIMS.items()}, "scopes": None},
        now=FakeClock().now(),
    )
    assert set(event) == set(expected)
    assert set(event["requestContext"]) == set(expected["requestContext"])
    for name in ("version", "routeKey", "rawPath", "pathParameters", "body", "isBase64Encoded"):
        assert event[name] == expected[name], name
    for name in ("authorizer", "routeKey", "stage", "domainName", "time"):
        assert event["requestContext"][name] == expected["requestContext"][name], name
    assert set(event["headers"]) >= set(dict(sent))


@pytest.mark.parametrize(
    ("method", "path", "function"),
    [
        ("POST", "/v1/invoices", "invoices-create"),
        ("GET", "/v1/invoices/inv_1", "invoices-read"),
        ("POST", "/v1/invoices/inv_1/credit-notes", "credit-notes-issue"),
        ("POST", "/v1/payments", "payments-record"),
    ],
)
def test_a_request_goes_to_the_version_of_its_function(method: str, path: str, function: str) -> None:
    client = FakeLambda({"statusCode": 200, "body": "{}"})

    api_of(client).ask(method, path, headers=HEADERS)

    assert client.called[0][0].endswith(f":zenbilling-prod-{function}:7")


def test_a_route_without_a_version_is_a_fault_of_ours() -> None:
    with pytest.raises(LookupError, match="DELETE /v1/invoices/inv_1"):
        api_of(FakeLambda({})).ask("DELETE", "/v1/invoices/inv_1", headers=HEADERS)


def test_a_version_that_raises_is_a_500() -> None:
    client = FakeLambda({"errorType": "KeyError", "errorMessage": "x"}, failed=True)

    assert api_of(client).ask("GET", "/v1/invoices/inv_1", headers=HEADERS).status == 500


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "Invoke")


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (ReadTimeoutError(endpoint_url="x"), DependencyUnavailable),
        (refused("TooManyRequestsException"), DependencyUnavailable),
        (refused("AccessDeniedException"), ClientError),
        (refused("ResourceNotFoundException"), ClientError),
    ],
)
def test_who_does_not_answer_is_told_from_who_is_not_there(raised: Exception, seen: type[Exception]) -> None:
    with pytest.raises(seen):
        api_of(FakeLambda(raised)).ask("GET", "/v1/invoices/inv_1", headers=HEADERS)


def test_the_host_is_that_of_the_api() -> None:
    assert host_of("https://api.exemple.test:8443/x") == "api.exemple.test"
