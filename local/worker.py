"""One execution environment of a function: what Lambda's runtime is to a handler. Forked by the zygote, stdlib only."""

from __future__ import annotations

import builtins
import contextlib
import importlib
import io
import json
import os
import signal
import socket
import struct
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NoReturn, cast

from local import clock

HEADER: Final = struct.Struct(">II")  # lengths of a frame's head (JSON) and body (bytes)
_RUNTIME_FRAMES: Final = 1  # of a traceback, ours
_LARGEST_ANSWER: Final = 6 * 1024 * 1024 + 1024


def frame(head: dict[str, Any], body: bytes = b"") -> bytes:
    encoded = json.dumps(head).encode()
    return HEADER.pack(len(encoded), len(body)) + encoded + body


class LambdaContext:
    """The context object a handler gets."""

    identity = None
    client_context = None

    def __init__(self, call: dict[str, Any]) -> None:
        self.aws_request_id: str = call["request_id"]
        self.function_name: str = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version: str = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb: str = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name: str = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name: str = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.invoked_function_arn: str = call["arn"]
        self._deadline = time.monotonic() + call["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def run(connection: socket.socket, specification: dict[str, Any]) -> NoReturn:
    """Serves invocations one by one until the pool closes the connection. Never returns to the zygote's code."""
    _become(specification)
    try:
        if specification["clock"]:
            clock.install(Path(specification["clock"]))
        handler = _load(specification["handler"])
    except BaseException as error:  # noqa: BLE001 - whatever the import raised is the answer, as in Lambda
        connection.sendall(frame({"kind": "init_error"}, _error_body(error)))
        _leave(1)
    connection.sendall(frame({"kind": "ready"}))
    incoming = connection.makefile("rb")
    while (header := incoming.read(HEADER.size)) and len(header) == HEADER.size:
        head_size, body_size = HEADER.unpack(header)
        call, body = json.loads(incoming.read(head_size)), incoming.read(body_size)
        kind, answer = _invoke(handler, call, body)
        sys.stdout.flush()
        sys.stderr.flush()
        try:
            connection.sendall(frame({"kind": kind}, answer))
        except OSError:  # the pool is gone: what the handler did stays done
            _leave(0)
    _leave(0)


def _become(specification: dict[str, Any]) -> None:
    log = os.open(specification["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    for stream in (sys.stdout, sys.stderr):  # a line is one write: workers of a function share its log
        cast("io.TextIOWrapper", stream).reconfigure(line_buffering=True, write_through=False)
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(signal_number, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(specification["environment"])
    time.tzset()
    os.chdir(specification["cwd"])
    # The function sees its own code, its layers and installed packages, never the project around it.
    sys.path[:] = specification["paths"] + [path for path in sys.path if path not in specification["hidden_paths"]]
    sys.argv = ["bootstrap"]


def _load(handler: str) -> Callable[[Any, LambdaContext], Any]:
    module_name, _, attribute = handler.rpartition(".")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise _RuntimeRefusal(
            "Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}"
        ) from error
    try:
        function: Callable[[Any, LambdaContext], Any] = getattr(module, attribute)
    except AttributeError:
        raise _RuntimeRefusal(
            "Runtime.HandlerNotFound", f"Handler '{attribute}' missing on module '{module_name}'"
        ) from None
    return function


class _RuntimeRefusal(Exception):
    """An error the runtime itself names."""

    def __init__(self, error_type: str, message: str) -> None:
        super().__init__(message)
        self.error_type = error_type


def _invoke(handler: Callable[[Any, LambdaContext], Any], call: dict[str, Any], body: bytes) -> tuple[str, bytes]:
    os.environ["_X_AMZN_TRACE_ID"] = call.get("trace_id") or ""
    try:
        answer = handler(json.loads(body), LambdaContext(call))
    except Exception as error:  # noqa: BLE001 - Lambda reports whatever a handler raises
        return "error", _error_body(error)
    try:
        encoded = json.dumps(answer, default=_plain).encode()
    except (TypeError, ValueError) as error:
        refusal = _RuntimeRefusal("Runtime.MarshalError", f"Unable to marshal response: {error}")
        return "error", _error_body(refusal)
    if len(encoded) > _LARGEST_ANSWER:
        message = f"Response payload size ({len(encoded)} bytes) exceeded maximum allowed payload size (6291556 bytes)."
        return "error", _error_body(_RuntimeRefusal("Function.ResponseSizeTooLarge", message))
    return "result", encoded


def _plain(value: object) -> float:
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _error_body(error: BaseException) -> bytes:
    error_type = error.error_type if isinstance(error, _RuntimeRefusal) else type(error).__name__
    trace = _without_runtime(error.__traceback__)
    described = {
        "errorMessage": str(error),
        "errorType": error_type,
        "requestId": "",
        "stackTrace": traceback.format_list(traceback.extract_tb(trace)),
    }
    builtins.print(json.dumps({"level": "ERROR", **described}), file=sys.stderr, flush=True)
    return json.dumps(described).encode()


def _without_runtime(trace: TracebackType | None) -> TracebackType | None:
    for _ in range(_RUNTIME_FRAMES):
        trace = trace.tb_next if trace else None
    return trace


def _leave(code: int) -> NoReturn:
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)  # the zygote's own exit handlers are not ours to run
