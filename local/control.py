"""The internal entry: Lambda's Invoke for whoever calls functions here, and what tests and people ask of the cloud.

It listens on a port of its own, never behind a public route.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import parse_qs, unquote

from local import vies
from local.clock import LocalClock
from local.http_events import Request, Response
from local.layout import Layout
from local.pool import Answer, Disturbance, WorkerPool
from local.processes import running_processes
from local.schedules import scheduled_event
from local.stack import Function, Stack

_ASYNC_RETRY_SECONDS: Final = (1.0, 2.0)  # Lambda waits one and two minutes
_LARGEST_EVENT: Final = 6 * 1024 * 1024


class Control:
    """``running_executions`` counts what the workflow engine runs at the moment."""

    def __init__(
        self,
        layout: Layout,
        stack: Callable[[], Stack],
        pool: WorkerPool,
        running_executions: Callable[[], Awaitable[int]],
    ) -> None:
        self._layout = layout
        self._clock = LocalClock(layout.clock_file)
        self._stack = stack
        self._pool = pool
        self._running_executions = running_executions
        self._background: set[asyncio.Task[None]] = set()

    async def handle(self, request: Request) -> Response:
        match [request.method, *unquote(request.raw_path).strip("/").split("/")]:
            case ["POST", "2015-03-31", "functions", name, "invocations"]:
                answer = await self._invoke(name, request)
            case ["POST", "schedules", name, "run"]:
                answer = await self._run_schedule(name)
            case ["GET", "status"]:
                answer = _json(200, await self._status())
            case ["GET", "clock"]:
                answer = self._tell_time()
            case ["PUT", "clock"]:
                answer = self._set_clock(request)
            case ["POST", "vies", "check-vat-number"]:
                answer = _json(*vies.answer(request.body))
            case ["POST", "workers", "kill"]:
                answer = self._kill_workers(request)
            case ["PUT" | "DELETE", "functions", name, "disturbance"]:
                answer = self._disturb(name, request)
            case _:
                answer = _json(404, {"Message": "not an operation of the local cloud"})
        return answer

    async def _invoke(self, name: str, request: Request) -> Response:
        function = self._stack().function_by_arn(name)
        if function is None:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        if len(request.body) > _LARGEST_EVENT:
            return _error(413, "RequestTooLargeException", "Request must be smaller than 6291456 bytes")
        headers = dict(request.headers)
        body = request.body or b"{}"
        try:
            json.loads(body)
        except ValueError:
            return _error(400, "InvalidRequestContentException", "Could not parse request body into json")
        match headers.get("x-amz-invocation-type", "RequestResponse"):
            case "DryRun":
                return Response(status=204)
            case "Event":
                task = asyncio.create_task(self._invoke_later(function, body))
                self._background.add(task)
                task.add_done_callback(self._background.discard)
                return Response(status=202, headers=(("x-amzn-requestid", str(uuid.uuid4())),))
            case _:
                trace_id = headers.get("x-amzn-trace-id", "")
                return _invocation(await self._pool.invoke(function, body, trace_id=trace_id, nested=True))

    async def _invoke_later(self, function: Function, body: bytes) -> None:
        """An asynchronous invocation: Lambda tries three times."""
        answer = await self._pool.invoke(function, body, nested=True)
        for seconds in _ASYNC_RETRY_SECONDS:
            if not answer.function_error:
                return
            await asyncio.sleep(seconds)
            answer = await self._pool.invoke(function, body, nested=True)

    async def _run_schedule(self, name: str) -> Response:
        stack = self._stack()
        schedule = next((found for found in stack.schedules if found.name in {name, f"zenbilling-{name}"}), None)
        if schedule is None:
            return _error(404, "ResourceNotFoundException", f"Schedule {name} does not exist.")
        answer = await self._pool.invoke(
            stack.functions[schedule.function], scheduled_event(schedule, self._clock.now()).encode(), nested=True
        )
        return _invocation(answer)

    def _tell_time(self) -> Response:
        ahead = self._clock.ahead()
        return _json(200, {"now": self._clock.now().isoformat(), "ahead_seconds": round(ahead.total_seconds())})

    def _set_clock(self, request: Request) -> Response:
        """``{"now": …}`` or ``{"ahead_by_seconds": …}``, from what it shows. Schedules due meanwhile run once, now."""
        try:
            match json.loads(request.body):
                case {"now": str(instant)}:
                    self._clock.set(datetime.fromisoformat(instant))
                case {"ahead_by_seconds": int(seconds)}:
                    self._clock.set(self._clock.now() + timedelta(seconds=seconds))
                case _:
                    return _error(400, "InvalidClockException", "now or ahead_by_seconds")
        except (ValueError, OverflowError) as refusal:  # ClockRefusedError is one
            return _error(400, "InvalidClockException", str(refusal))
        return self._tell_time()

    def _kill_workers(self, request: Request) -> Response:
        query = {name: values[-1] for name, values in parse_qs(request.raw_query).items()}
        killed = self._pool.kill(query.get("function"), busy_only=query.get("busy") == "true")
        return _json(200, {"killed": killed})

    def _disturb(self, name: str, request: Request) -> Response:
        """``{"crashes": true}`` or ``{"environment": {…}}`` for a game day; DELETE ends it."""
        function = self._stack().function_by_arn(name)
        if function is None:
            return _error(404, "ResourceNotFoundException", f"Function not found: {name}")
        try:
            asked = Disturbance(**json.loads(request.body)) if request.method == "PUT" else None
        except (TypeError, ValueError) as refusal:
            return _error(400, "InvalidDisturbanceException", str(refusal))
        self._pool.disturb(function.name, asked)
        return _json(200, {})

    async def _status(self) -> dict[str, Any]:
        stack = self._stack()
        return {
            "processes": running_processes(self._layout.run),
            "pool": self._pool.describe(),
            "now": self._clock.now().isoformat(),
            "routes": len(stack.routes),
            "schedules": [schedule.name for schedule in stack.schedules],
            "streams": [self._stream_status(consumer.name) for consumer in stack.consumers],
            "executions_running": await self._running_executions(),
        }

    def _stream_status(self, consumer: str) -> dict[str, Any]:
        try:
            text = (self._layout.run / f"stream-{consumer}.json").read_text(encoding="utf-8")
        except OSError:
            return {"consumer": consumer}
        status: dict[str, Any] = json.loads(text)
        return status


def _invocation(answer: Answer) -> Response:
    headers = [
        ("content-type", "application/json"),
        ("x-amz-executed-version", "$LATEST"),
        ("x-amzn-requestid", answer.request_id),
    ]
    if answer.function_error:
        headers.append(("x-amz-function-error", "Unhandled"))
    return Response(status=200, headers=tuple(headers), body=answer.payload)


def _json(status: int, content: object) -> Response:
    return Response(status=status, headers=(("content-type", "application/json"),), body=json.dumps(content).encode())


def _error(status: int, code: str, message: str) -> Response:
    body = json.dumps({"Type": "User", "Message": message}).encode()
    return Response(
        status=status, headers=(("content-type", "application/json"), ("x-amzn-errortype", code)), body=body
    )
