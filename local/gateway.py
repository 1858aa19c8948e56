"""The HTTP API: finds the route, checks the caller, runs the function, answers as API Gateway would."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from local.http_events import (
    MalformedAnswerError,
    Request,
    Response,
    build_event,
    new_request_id,
    new_trace_id,
    own_answer,
    read_answer,
    utc_now,
)
from local.pool import WorkerPool
from local.routing import Router
from local.stack import Cors, Route, Stack
from local.tokens import Forbidden, TokenVerifier, Unauthorized

LARGEST_BODY: Final = 10 * 1024 * 1024
_LARGEST_EVENT: Final = 6 * 1024 * 1024
_log = logging.getLogger(__name__)


class _Refused(Exception):
    """The request does not reach its function."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status)
        self.response = response


class Gateway:
    """Serves one stack at a time; ``serve`` replaces it."""

    def __init__(self, stack: Stack, pool: WorkerPool, verifier: TokenVerifier) -> None:
        self._pool = pool
        self._verifier = verifier
        self.serve(stack)

    def serve(self, stack: Stack) -> None:
        self._stack = stack
        self._router = Router(stack.routes)
        self._verifier.forget()

    async def handle(self, request: Request) -> Response:
        request_id = new_request_id()
        cors = self._stack.cors
        origin = next((value for name, value in request.headers if name == "origin"), None)
        if cors is not None and request.method == "OPTIONS":
            response = Response(status=204, headers=tuple(_preflight_headers(cors, origin, request)))
        else:
            response = await self._route(request, request_id)
            if cors is not None:
                # API Gateway's own headers replace what the function said of cross-origin sharing.
                kept = tuple(pair for pair in response.headers if not pair[0].startswith("access-control-"))
                response = _with_headers(response, (*kept, *_cors_headers(cors, origin)))
        return _with_headers(response, (*response.headers, ("apigw-requestid", request_id)))

    async def _route(self, request: Request, request_id: str) -> Response:
        found = self._router.find(request.method, request.raw_path)
        if found is None:
            return own_answer(404, "Not Found")
        if len(request.body) > LARGEST_BODY:
            return own_answer(413, "Request Entity Too Large")
        route, parameters = found
        try:
            authorizer = await self._authorize(request, route)
        except _Refused as refusal:
            return refusal.response
        now = utc_now()
        event = build_event(
            request,
            route,
            parameters,
            api_id=self._stack.api_id,
            request_id=request_id,
            authorizer=authorizer,
            now=now,
        )
        encoded = json.dumps(event).encode()
        if len(encoded) > _LARGEST_EVENT:
            return own_answer(413, "Request Entity Too Large")
        began = time.monotonic()
        answered = await self._run(route, encoded, event["headers"].get("x-amzn-trace-id") or new_trace_id(now))
        return replace(answered, integration_seconds=time.monotonic() - began)

    async def _authorize(self, request: Request, route: Route) -> Mapping[str, Any] | None:
        """What the event says of the caller. Raises: _Refused."""
        if route.authorizer is None:
            return None
        token = next((value for name, value in request.headers if name == "authorization"), None)
        try:
            return await self._verifier.verify(token, route.authorizer, route.scopes)
        except Unauthorized as refusal:
            raise _Refused(_unauthorized(token, str(refusal))) from refusal
        except Forbidden as refusal:
            raise _Refused(own_answer(403, "Forbidden")) from refusal
        except OSError as error:
            _log.exception("the keys of the token's issuer could not be read")
            raise _Refused(own_answer(500, "Internal Server Error")) from error

    async def _run(self, route: Route, event: bytes, trace_id: str) -> Response:
        function = self._stack.functions[route.function]
        try:
            async with asyncio.timeout(route.timeout_seconds):
                answer = await self._pool.invoke(function, event, trace_id=trace_id)
        except TimeoutError:
            return own_answer(503, "Service Unavailable")
        if answer.function_error:
            _log.error("%s failed: %s", function.name, answer.payload.decode(errors="replace")[:2000])
            return own_answer(500, "Internal Server Error")
        try:
            return read_answer(answer.payload)
        except MalformedAnswerError as error:
            _log.error("%s gave an answer without a valid %s", function.name, error)
            return own_answer(500, "Internal Server Error")


def _with_headers(response: Response, headers: tuple[tuple[str, str], ...]) -> Response:
    return replace(response, headers=headers)


def _unauthorized(token: str | None, reason: str) -> Response:
    refusal = own_answer(401, "Unauthorized")
    challenge = "Bearer"
    if token:
        words = "".join(
            letter for letter in reason if letter.isascii() and letter.isprintable() and letter not in '"\\'
        )
        challenge = f'Bearer scope="" error="invalid_token" error_description="{words}"'
    return _with_headers(refusal, (*refusal.headers, ("www-authenticate", challenge)))


def _allowed_origin(cors: Cors, origin: str | None) -> str | None:
    if origin is None:
        return None
    if "*" in cors.origins and not cors.credentials:
        return "*"
    return origin if origin in cors.origins else None


def _cors_headers(cors: Cors, origin: str | None) -> Iterable[tuple[str, str]]:
    allowed = _allowed_origin(cors, origin)
    if allowed is None:
        return
    yield "access-control-allow-origin", allowed
    if allowed != "*":
        yield "vary", "Origin"
    if cors.credentials:
        yield "access-control-allow-credentials", "true"
    if cors.exposed:
        yield "access-control-expose-headers", ",".join(cors.exposed)


def _preflight_headers(cors: Cors, origin: str | None, request: Request) -> Iterable[tuple[str, str]]:
    asked = {name for name, _ in request.headers}
    if _allowed_origin(cors, origin) is None or "access-control-request-method" not in asked:
        return
    yield from _cors_headers(cors, origin)
    if cors.methods:
        yield "access-control-allow-methods", ",".join(cors.methods)
    if cors.headers:
        yield "access-control-allow-headers", ",".join(cors.headers)
    if cors.max_age is not None:
        yield "access-control-max-age", str(cors.max_age)
