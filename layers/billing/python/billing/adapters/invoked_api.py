"""The product's own operations, asked of versions of their functions that nobody calls yet, in AWS Lambda.

A function is given what API Gateway would give it: an event of payload format 2.0, with the claims of the access token
that the API gave, and that it will be asked with.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Answered
from billing.ports.clock import Clock, Ids

# Function, without the name of its stack → the route that the API calls it for.
ROUTES = {
    "invoices-create": "POST /v1/invoices",
    "invoices-read": "GET /v1/invoices/{invoice_id}",
    "invoices-issue": "POST /v1/invoices/{invoice_id}/issue",
    "credit-notes-issue": "POST /v1/invoices/{invoice_id}/credit-notes",
    "payments-record": "POST /v1/payments",
}
_RETRYABLE = frozenset({"TooManyRequestsException", "ServiceException", "ResourceNotReadyException"})
_FAULT = 500
_HERE = "127.0.0.1"


class InvokedApi:
    """Port Requests, of the routes above. ``version_arns`` are one of each of their functions."""

    def __init__(self, client: Any, version_arns: Sequence[str], *, host: str, clock: Clock, ids: Ids) -> None:
        self._client = client
        self._host = host
        self._clock = clock
        self._ids = ids
        self._routes = [
            (re.compile(_pattern(route)), route, arn)
            for name, route in ROUTES.items()
            for arn in version_arns
            if arn.rsplit(":", 2)[-2].endswith(f"-{name}")
        ]

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str]
    ) -> Answered:
        """Raises: LookupError: no version answers this route."""
        for pattern, route, arn in self._routes:
            found = pattern.fullmatch(f"{method} {path}")
            if found:
                event = self._event(route, method, path, found.groupdict(), body, headers)
                return self._invoked(arn, event)
        raise LookupError(f"{method} {path}")

    def _invoked(self, arn: str, event: Mapping[str, Any]) -> Answered:
        try:
            answer = self._client.invoke(FunctionName=arn, Payload=json.dumps(event).encode())
            content = json.loads(answer["Payload"].read())
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _RETRYABLE:
                raise DependencyUnavailable from error
            raise
        if "FunctionError" in answer:
            return Answered(status=_FAULT, body={})
        return Answered(status=int(content["statusCode"]), body=json.loads(content.get("body") or "{}"))

    def _event(
        self,
        route: str,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        body: Mapping[str, Any] | None,
        headers: Mapping[str, str],
    ) -> dict[str, Any]:
        now = self._clock.now()
        given = {name.lower(): value for name, value in headers.items()}
        event: dict[str, Any] = {
            "version": "2.0",
            "routeKey": route,
            "rawPath": path,
            "rawQueryString": "",
            "headers": {**given, "host": self._host, "x-forwarded-for": _HERE, "x-forwarded-proto": "https"},
            "requestContext": {
                "accountId": "anonymous",
                "apiId": self._host.partition(".")[0],
                "authorizer": {"jwt": {"claims": _claims(given["authorization"]), "scopes": None}},
                "domainName": self._host,
                "domainPrefix": self._host.partition(".")[0],
                "http": {
                    "method": method,
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": _HERE,
                    "userAgent": "release-check",
                },
                "requestId": self._ids.new("release"),
                "routeKey": route,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S +0000"),
                "timeEpoch": int(now.timestamp() * 1000),
            },
            "isBase64Encoded": False,
        }
        if parameters:
            event["pathParameters"] = dict(parameters)
        if body is not None:
            event["headers"]["content-type"] = "application/json"
            event["body"] = json.dumps(body)
        return event


def _pattern(route: str) -> str:
    return re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route)


def _claims(authorization: str) -> dict[str, str]:
    """As API Gateway hands them over. The API itself gave the token a moment ago: it is not verified again."""
    payload = authorization.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return {name: _text(value) for name, value in claims.items()}


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{' '.join(_text(one) for one in value)}]"
    return value if isinstance(value, str) else json.dumps(value)


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""
