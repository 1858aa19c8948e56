"""HTTP requests as API Gateway's payload format 2.0, and a function's answer as an HTTP response."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from local.layout import ACCOUNT_ID
from local.stack import Route

_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class MalformedAnswerError(Exception):
    """The function's answer is not one API Gateway can send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    method: str
    raw_path: str  # as sent, percent-encoded
    raw_query: str
    headers: tuple[tuple[str, str], ...]  # lower-case names, in order
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    cookies: tuple[str, ...] = field(default=())
    integration_seconds: float = 0.0  # of which the function had the request


def new_request_id() -> str:
    return base64.b64encode(secrets.token_bytes(11)).decode()


def new_trace_id(now: datetime) -> str:
    return f"Root=1-{int(now.timestamp()):08x}-{secrets.token_hex(12)}"


def build_event(
    request: Request,
    route: Route,
    parameters: Mapping[str, str],
    *,
    api_id: str,
    request_id: str,
    authorizer: Mapping[str, Any] | None,
    now: datetime,
) -> dict[str, Any]:
    """The event of payload format 2.0. Members API Gateway leaves out when empty are left out."""
    headers, cookies = _joined_headers(request.headers)
    headers.setdefault("x-amzn-trace-id", new_trace_id(now))
    host = headers.get("host", "")
    path = unquote(request.raw_path)
    context: dict[str, Any] = {
        "accountId": ACCOUNT_ID,
        "apiId": api_id,
        "domainName": host.rpartition(":")[0] or host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": route.key,
        "stage": "$default",
        "time": _access_log_time(now),
        "timeEpoch": int(now.timestamp() * 1000),
    }
    if authorizer is not None:
        context["authorizer"] = {"jwt": authorizer}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": path,
        "rawQueryString": request.raw_query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if request.raw_query:
        event["queryStringParameters"] = _joined_query(request.raw_query)
    if parameters:
        event["pathParameters"] = dict(parameters)
    if request.body:
        event["body"], event["isBase64Encoded"] = _encoded_body(request.body, headers)
    return event


def _joined_headers(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    headers: dict[str, str] = {}
    cookies: list[str] = []
    for name, value in pairs:
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        else:
            headers[name] = f"{headers[name]},{value}" if name in headers else value
    return headers, cookies


def _joined_query(raw_query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(raw_query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _encoded_body(body: bytes, headers: Mapping[str, str]) -> tuple[str, bool]:
    kind = headers.get("content-type", "text/plain").partition(";")[0].strip().lower()
    if "content-encoding" not in headers and (kind.startswith(_TEXT_TYPES) or kind.endswith(("+json", "+xml"))):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _access_log_time(now: datetime) -> str:
    # Not strftime: %b follows the locale.
    return f"{now:%d}/{_MONTHS[now.month - 1]}/{now:%Y:%H:%M:%S} +0000"


def read_answer(payload: bytes) -> Response:
    """What API Gateway makes of a function's answer. Raises: MalformedAnswerError."""
    answer = json.loads(payload)
    if not isinstance(answer, dict) or "statusCode" not in answer:
        body = answer if isinstance(answer, str) else json.dumps(answer)
        return Response(status=200, headers=(("content-type", "application/json"),), body=body.encode())
    headers = answer.get("headers") or {}
    if not isinstance(headers, dict) or isinstance(answer["statusCode"], bool):
        raise MalformedAnswerError("headers or status")
    try:
        status = int(answer["statusCode"])
    except (TypeError, ValueError) as error:
        raise MalformedAnswerError("status") from error
    text = answer.get("body") or ""
    if not 100 <= status <= 599 or not isinstance(text, str):
        raise MalformedAnswerError("status or body")
    try:
        content = base64.b64decode(text, validate=True) if answer.get("isBase64Encoded") else text.encode()
    except (binascii.Error, ValueError) as error:
        raise MalformedAnswerError("body") from error
    named = {str(name).lower(): _header_value(value) for name, value in headers.items()}
    named.setdefault("content-type", "text/plain;charset=UTF-8")
    return Response(
        status=status,
        headers=tuple(named.items()),
        body=content,
        cookies=tuple(str(cookie) for cookie in answer.get("cookies") or ()),
    )


def _header_value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def own_answer(status: int, message: str) -> Response:
    """An answer of API Gateway itself, which knows no problem+json."""
    body = json.dumps({"message": message}, separators=(",", ":")).encode()
    return Response(status=status, headers=(("content-type", "application/json"),), body=body)


def utc_now() -> datetime:
    return datetime.now(UTC)
