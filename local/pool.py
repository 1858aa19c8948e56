"""The pool of warm workers: every invocation of every function goes through it, whoever calls.

A worker is bound to one function and runs one invocation at a time. Workers are started as calls wait, not per call:
on two cores the next worker to be free is often sooner than a new one.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, cast

from local import zygote
from local.layout import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.stack import Function
from local.worker import HEADER, frame

MAXIMUM_WORKERS: Final = 32
INVOCATIONS_LOG: Final = "invocations.log"
_MEMORY_OF_A_PROCESSOR: Final = 1769  # MB, as Lambda documents it
# More of one function at once only take processor time from each other: where they write one thing, each writes late.
_WORKERS_PER_PROCESSOR: Final = 2
# A sign-in waits for the token trigger: were every worker signing in, none would be left to run the trigger.
_KEPT_FOR_NESTED_CALLS: Final = 4
_IDLE_SECONDS: Final = 300.0
_INIT_SECONDS: Final = 30.0
_INIT_ATTEMPTS: Final = 2
_CLOSE_SECONDS: Final = 10.0  # on a busy machine; otherwise at once
_PLATFORM: Final = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
    # A person's own AWS settings are not the function's.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_FORMAT": "JSON",
    "AWS_REGION": REGION,
    "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
    "LANG": "en_US.UTF-8",
    "PATH": os.defpath,
    "TZ": ":UTC",
}  # of the environment of every function


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Lambda's Invoke returns."""

    payload: bytes
    function_error: bool = False
    request_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What a game day does to a function, from outside: it dies at each call, or finds others where they are not."""

    crashes: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)  # over its own


class State(Enum):
    STARTING = auto()
    IDLE = auto()
    BUSY = auto()
    GONE = auto()


@dataclass(slots=True, kw_only=True, eq=False)
class _Call:
    function: Function
    body: bytes
    request_id: str
    trace_id: str
    nested: bool
    answer: asyncio.Future[Answer]
    waiting_since: float = field(default_factory=time.monotonic)
    began: float | None = None
    init_attempts: int = 0

    def finish(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error_type: str, message: str) -> None:
        body = json.dumps({"errorType": error_type, "errorMessage": f"RequestId: {self.request_id} Error: {message}"})
        self.finish(Answer(payload=body.encode(), function_error=True, request_id=self.request_id))


class Worker(asyncio.Protocol):
    """The pool's end of the connection to one worker process."""

    def __init__(self, pool: WorkerPool, function: Function) -> None:
        self.pool = pool
        self.function = function
        self.token = uuid.uuid4().hex
        self.pid: int | None = None
        self.exit_status: int | None = None
        self.state = State.STARTING
        self.stale = False
        self.call: _Call | None = None
        self.served = 0
        self.last_used = time.monotonic()
        self.transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._timed_out = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        if self.state is State.GONE:  # given up while it was being connected
            self.transport.abort()
            return
        self._set_timer(_INIT_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while len(self._received) >= HEADER.size:
            head_size, body_size = HEADER.unpack_from(self._received)
            end = HEADER.size + head_size + body_size
            if len(self._received) < end:
                return
            head = json.loads(self._received[HEADER.size : HEADER.size + head_size])
            body = bytes(self._received[HEADER.size + head_size : end])
            del self._received[:end]
            self._handle(head["kind"], body)

    def _handle(self, kind: str, body: bytes) -> None:
        self._set_timer(None)
        if kind == "init_error":
            self.state = State.GONE
            self.pool.init_failed(self, body)
            return
        call, self.call = self.call, None
        if self.state is not State.GONE:
            self.state = State.IDLE
            self.last_used = time.monotonic()
        if call is not None:
            self.served += 1
            call.finish(Answer(payload=body, function_error=kind == "error", request_id=call.request_id))
        self.pool.became_idle(self)

    def begin(self, call: _Call) -> None:
        self.state, self.call = State.BUSY, call
        call.began = time.monotonic()
        head = {
            "request_id": call.request_id,
            "trace_id": call.trace_id,
            "arn": self.function.arn,
            "seconds": self.function.timeout_seconds,
        }
        if self.transport is not None:
            self.transport.write(frame(head, call.body))
        self._set_timer(self.function.timeout_seconds)

    def _set_timer(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = None if seconds is None else loop.call_later(seconds, self._time_out)

    def _time_out(self) -> None:
        self._timed_out = True
        if self.call is not None:
            self.call.fail("Sandbox.Timedout", f"Task timed out after {self.function.timeout_seconds:.2f} seconds")
            self.call = None
        self.kill()

    def close(self) -> None:
        """An idle worker reads the end of its connection and leaves."""
        self.state = State.GONE
        self._set_timer(None)
        if self.transport is not None:
            self.transport.close()

    def kill(self) -> None:
        if self.pid is not None and self.exit_status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.close()

    def connection_lost(self, _error: Exception | None) -> None:
        self._set_timer(None)
        started = self.state is not State.STARTING
        self.state = State.GONE
        if self.call is not None:
            reason = "exit status" if (self.exit_status or 0) > 0 else "signal"
            status = abs(self.exit_status) if self.exit_status is not None else "killed"
            self.call.fail("Runtime.ExitError", f"Runtime exited with error: {reason}: {status}")
            self.call = None
        self.pool.ended(self, died_starting=not started)

    def describe(self) -> dict[str, Any]:
        return {
            "pid": self.pid,
            "state": self.state.name.lower(),
            "served": self.served,
            "idle_seconds": round(time.monotonic() - self.last_used, 1) if self.state is State.IDLE else 0,
        }


_UNDISTURBED: Final = Disturbance()


class WorkerPool:
    """Runs functions. Give it functions by value: what they say at the time of the call is what runs."""

    def __init__(
        self,
        logs: Path,
        *,
        clock_file: Path | None = None,
        maximum: int = MAXIMUM_WORKERS,
        idle_seconds: float = _IDLE_SECONDS,
        packages: Sequence[str] = zygote.PACKAGES,
        shared: Sequence[Path] = (),
        common: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """``shared``: the directories of the layer; ``common``: what every function has in its environment by now."""
        self._logs = logs
        self._clock_file = clock_file
        self._maximum = maximum
        self._kept = min(_KEPT_FOR_NESTED_CALLS, maximum - 1)
        self._idle_seconds = idle_seconds
        self._packages = packages
        self._shared = shared
        self._common = common
        self._renewals = 0
        self._starting_at_once = max(2, os.cpu_count() or 2)
        self._workers: dict[str, list[Worker]] = {}
        self._waiting: dict[str, deque[_Call]] = {}
        self._disturbed: dict[str, Disturbance] = {}
        self._by_token: dict[str, Worker] = {}
        self._zygote: _Zygote | None = None
        self._replacing: asyncio.Task[None] | None = None  # starts the next zygote after one that was lost
        self._stopped = asyncio.Event()
        self._reaper: asyncio.Task[None] | None = None
        self._ended = asyncio.Event()  # a worker's connection is closed

    async def start(self) -> None:
        self._zygote = await self._start_zygote()
        self._reaper = asyncio.create_task(self._reap_idle())

    async def stop(self) -> None:
        if self._reaper is not None:
            self._reaper.cancel()
        self._stopped.set()
        stopping, self._zygote = self._zygote, None  # nothing is started from here on
        for worker in list(self._all()):
            worker.kill()
        if self._replacing is not None:
            await self._replacing
        if stopping is not None:
            await stopping.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                while any(self._all()):
                    self._ended.clear()
                    await self._ended.wait()

    async def invoke(
        self, function: Function, body: bytes, *, request_id: str = "", trace_id: str = "", nested: bool = False
    ) -> Answer:
        """The function's answer, or its error. The function goes on when the caller stops waiting.

        ``nested``: a call that another call may be waiting for, which may use the workers kept for it.
        """
        call = _Call(
            function=function,
            body=body,
            request_id=request_id or str(uuid.uuid4()),
            trace_id=trace_id,
            nested=nested,
            answer=asyncio.get_running_loop().create_future(),
        )
        call.answer.add_done_callback(lambda answered: self._report(call, answered.result()))
        self._waiting.setdefault(function.name, deque()).append(call)
        self._serve(function.name)
        return await asyncio.shield(call.answer)

    def disturb(self, function: str, disturbance: Disturbance | None) -> None:
        """From its next call on; None ends it."""
        self._disturbed.pop(function, None)
        if disturbance is not None:
            self._disturbed[function] = disturbance
        for worker in list(self._workers.get(function, [])):
            worker.stale = True
            if worker.state is State.IDLE:
                worker.close()
        self._serve(function)

    def renew(self) -> None:
        """Every worker is replaced before its next call: code or configuration changed."""
        self._renewals += 1
        for worker in list(self._all()):
            worker.stale = True
            if worker.state is State.IDLE:
                worker.close()
        if self._zygote is not None and self._shared:  # it has imported what changed
            self._zygote.kill()
            self.zygote_lost(self._zygote)
        self._serve_all()

    def kill(self, function: str | None = None, *, busy_only: bool = False) -> list[int]:
        """SIGKILL, as a machine that goes away. Their ids."""
        killed = [
            worker.pid
            for worker in self._all()
            if worker.pid and function in {None, worker.function.name} and (worker.call or not busy_only)
        ]
        for pid in killed:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return killed

    def describe(self) -> dict[str, Any]:
        return {
            "zygote": self._zygote.pid if self._zygote else None,
            "total": sum(1 for _ in self._all()),
            "maximum": self._maximum,
            "waiting": {name: len(calls) for name, calls in self._waiting.items() if calls},
            "functions": {name: [worker.describe() for worker in found] for name, found in self._workers.items()},
        }

    def _report(self, call: _Call, answer: Answer) -> None:
        """A line per invocation, as Lambda's platform.report: what its metrics are made of."""
        took = time.monotonic() - (call.began or call.waiting_since)
        told = {
            "at": datetime.now(UTC).isoformat(),
            "function": call.function.name,
            "request_id": call.request_id,
            "ms": round(took * 1000, 1),
            "error": answer.function_error,
        }
        with (self._logs / INVOCATIONS_LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(told) + "\n")

    # What workers and the zygote report

    def became_idle(self, worker: Worker) -> None:
        if worker.stale:
            worker.close()
        self._serve_all()

    def init_failed(self, worker: Worker, body: bytes) -> None:
        worker.close()
        calls = self._waiting.get(worker.function.name)
        if calls:
            call = calls.popleft()
            call.finish(Answer(payload=body, function_error=True, request_id=call.request_id))

    def ended(self, worker: Worker, *, died_starting: bool) -> None:
        self._ended.set()
        self._by_token.pop(worker.token, None)
        workers = self._workers.get(worker.function.name, [])
        if worker in workers:
            workers.remove(worker)
        if not workers:
            self._workers.pop(worker.function.name, None)
        calls = self._waiting.get(worker.function.name)
        # Without a pid it was never forked: that is the zygote's end, not the function's.
        if died_starting and calls and worker.pid is not None and not worker.stale:
            calls[0].init_attempts += 1
            if calls[0].init_attempts >= _INIT_ATTEMPTS:
                calls.popleft().fail("Runtime.ExitError", "Runtime exited during initialisation")
        self._serve_all()

    def forked(self, token: str, pid: int) -> None:
        if token in self._by_token:
            self._by_token[token].pid = pid

    def exited(self, pid: int, status: int) -> None:
        for worker in self._all():
            if worker.pid == pid:
                worker.exit_status = status

    def zygote_lost(self, lost: _Zygote) -> None:
        """Nothing is started until the next one is there."""
        if self._zygote is lost:
            self._zygote = None
        self._replacing = lost.listener

    async def zygote_ended(self) -> None:
        """Its workers live on; those it was asked for and did not fork are asked for again."""
        if self._stopped.is_set():
            return
        started = await self._start_zygote()
        if self._stopped.is_set():
            await started.stop()
            return
        self._zygote = started
        for worker in [worker for worker in self._all() if worker.pid is None]:
            worker.kill()
        self._serve_all()

    async def _start_zygote(self) -> _Zygote:
        while True:
            renewals = self._renewals
            started = await _Zygote.start(self, self._shared, {**self._common(), **_PLATFORM}, self._packages)
            if renewals == self._renewals:
                return started
            await started.stop()  # what it imported changed meanwhile

    # Who runs what

    def _all(self) -> Iterator[Worker]:
        for workers in list(self._workers.values()):
            yield from list(workers)

    def _serve_all(self) -> None:
        # A function that has no worker yet is not kept waiting behind the crowd of another.
        waiting = [
            (name in self._workers, calls[0].waiting_since, name) for name, calls in self._waiting.items() if calls
        ]
        for *_, name in sorted(waiting):
            self._serve(name)

    def _serve(self, name: str) -> None:
        calls = self._waiting.get(name)
        workers = self._workers.get(name, [])
        while calls:
            idle = [worker for worker in workers if worker.state is State.IDLE and not worker.stale]
            if not idle:
                break
            # The most recently used first: the others may then be reaped.
            worker = max(idle, key=lambda worker: worker.last_used)
            worker.begin(calls.popleft())
            if self._disturbance(name).crashes:
                worker.kill()
        if not calls:
            self._waiting.pop(name, None)
            return
        starting = sum(worker.state is State.STARTING and not worker.stale for worker in workers)
        zygote_process = self._zygote
        nested = any(call.nested for call in calls)
        function = calls[-1].function
        while (
            zygote_process
            and starting < len(calls)
            and not self._has_its_share(function)
            and self._may_start(name, nested=nested)
        ):
            self._start_worker(function, zygote_process)
            starting += 1

    def _has_its_share(self, function: Function) -> bool:
        """Lambda gives what has so much memory a whole processor: more at once than there are here gain nothing."""
        alive = sum(worker.state is not State.GONE for worker in self._workers.get(function.name, []))
        each = 1 if function.memory_mb >= _MEMORY_OF_A_PROCESSOR else _WORKERS_PER_PROCESSOR
        return alive >= each * (os.cpu_count() or 1)

    def _may_start(self, name: str, *, nested: bool) -> bool:
        workers = [worker for worker in self._all() if worker.state is not State.GONE]
        starting = sum(worker.state is State.STARTING for worker in workers)
        if starting >= self._starting_at_once:
            return False
        if len(workers) < self._maximum - (0 if nested else self._kept):
            return True
        # A function without any worker takes one that others still want; else only an unwanted one goes.
        first = not self._workers.get(name)
        idle = [worker for worker in workers if worker.state is State.IDLE]
        unwanted = [worker for worker in idle if first or not self._waiting.get(worker.function.name)]
        if not unwanted:
            return False
        min(unwanted, key=lambda worker: worker.last_used).close()
        return True

    def _start_worker(self, function: Function, zygote_process: _Zygote) -> None:
        worker = Worker(self, function)
        self._workers.setdefault(function.name, []).append(worker)
        self._by_token[worker.token] = worker
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        loop = asyncio.get_running_loop()
        connecting = loop.create_task(loop.create_connection(lambda: worker, sock=ours))
        connecting.add_done_callback(lambda task: task.exception())
        zygote_process.fork(self._specification(function, worker.token), theirs)

    def _disturbance(self, function: str) -> Disturbance:
        return self._disturbed.get(function, _UNDISTURBED)

    def _specification(self, function: Function, token: str) -> dict[str, object]:
        log = f"/aws/lambda/{function.name}"
        return {
            "token": token,
            "handler": function.handler,
            "cwd": str(function.code),
            "paths": [str(function.code), *map(str, function.paths)],
            "log": str(self._logs / f"{function.name}.log"),
            "clock": str(self._clock_file or ""),
            "environment": {
                **function.environment,
                **_PLATFORM,
                "_HANDLER": function.handler,
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
                "AWS_LAMBDA_FUNCTION_NAME": function.name,
                "AWS_LAMBDA_LOG_GROUP_NAME": log,
                "AWS_LAMBDA_LOG_STREAM_NAME": f"local/[$LATEST]{token}",
                "LAMBDA_TASK_ROOT": str(function.code),
                **self._disturbance(function.name).environment,
            },
        }

    async def _reap_idle(self) -> None:
        while True:
            await asyncio.sleep(min(15.0, self._idle_seconds / 2))
            since = time.monotonic() - self._idle_seconds
            for worker in list(self._all()):
                if worker.state is State.IDLE and worker.last_used < since:
                    worker.close()


class _Zygote:
    """The process that forks workers, started again when it ends."""

    def __init__(
        self,
        pool: WorkerPool,
        process: asyncio.subprocess.Process,
        control: socket.socket,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._pool = pool
        self._process = process
        self._control = control
        self._writer = writer
        self.listener: asyncio.Task[None] | None = None
        self.pid = process.pid

    @classmethod
    async def start(
        cls, pool: WorkerPool, shared: Sequence[Path], environment: Mapping[str, str], packages: Sequence[str]
    ) -> _Zygote:
        ours, theirs = socket.socketpair()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            zygote.__name__,
            str(theirs.fileno()),
            json.dumps([str(directory) for directory in shared]),
            json.dumps(environment),
            *packages,
            pass_fds=[theirs.fileno()],
            stdin=asyncio.subprocess.DEVNULL,
        )
        theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours.dup())
        started = cls(pool, process, ours, writer)
        await reader.readline()  # it is ready
        started.listener = asyncio.create_task(started._listen(reader))
        return started

    def fork(self, specification: dict[str, object], connection: socket.socket) -> None:
        request = zygote.encode_request(specification)
        try:
            socket.send_fds(self._control, [request], [connection.fileno()])
        except OSError:
            self._pool.zygote_lost(self)
        finally:
            connection.close()

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):  # killed before it read what it was sent
            while line := await reader.readline():
                said = json.loads(line)
                if "token" in said:
                    self._pool.forked(said["token"], said["pid"])
                else:
                    self._pool.exited(said["pid"], said["status"])
        self._pool.zygote_lost(self)
        self._writer.close()
        self._control.close()
        await self._process.wait()
        await self._pool.zygote_ended()

    async def stop(self) -> None:
        if self.listener is not None:
            self.listener.cancel()
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        self._control.close()
        self.kill()
        await self._process.wait()
