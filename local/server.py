"""The process that serves the API and the internal entry, and owns the pool of workers.

Usage: ``python -m local.server <layout> <descriptor of the API's socket> <descriptor of the control's socket>``: the
sockets listen in the process that starts this one, so that a call made while this one restarts waits and is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Final, TextIO

import uvicorn
import yaml

from local.control import Control
from local.gateway import LARGEST_BODY, Gateway
from local.http_events import Request, Response, own_answer, utc_now
from local.layout import Layout
from local.pool import WorkerPool
from local.stack import Stack, common_environment, read_stack, wait_for_resources
from local.template import TemplateError
from local.tokens import TokenVerifier

ACCESS_LOG: Final = "access.log"  # time, status, milliseconds, those of the function, method, path
_WATCH_SECONDS: Final = 0.4
_log = logging.getLogger(__name__)
_Handler = Callable[[Request], Awaitable[Response]]


class LocalServer:
    """One ASGI application on two ports."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.stack = read_stack(layout)
        shared = sorted({path for function in self.stack.functions.values() for path in function.paths})
        self.pool = WorkerPool(
            layout.logs, clock_file=layout.clock_file, shared=shared, common=lambda: common_environment(self.stack)
        )
        verifier = TokenVerifier(
            lambda issuer: f"{layout.ministack_url}/{issuer.rsplit('/', 1)[-1]}/.well-known/jwks.json"
        )
        self.gateway = Gateway(self.stack, self.pool, verifier)
        self.control = Control(layout, lambda: self.stack, self.pool, self._running_executions)
        self._access_log: TextIO = (layout.logs / ACCESS_LOG).open("a", encoding="utf-8", buffering=1)

    def replace_stack(self, stack: Stack) -> None:
        self.stack = stack
        self.gateway.serve(stack)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        began = time.monotonic()
        is_public = scope["server"][1] == self._layout.ports.api
        handler = self.gateway.handle if is_public else self.control.handle
        request = await _read_request(scope, receive)
        if request is None:
            response = own_answer(413, "Request Entity Too Large")
        else:
            try:
                response = await handler(request)
            except Exception:  # noqa: BLE001 - a fault of ours is a 500, and the server lives
                _log.exception("%s %s", scope["method"], scope["path"])
                response = own_answer(500, "Internal Server Error")
        await _send_response(response, scope["method"], send)
        if is_public:
            milliseconds = (1000 * (time.monotonic() - began), 1000 * response.integration_seconds)
            took = " ".join(f"{one:.1f}" for one in milliseconds)
            self._access_log.write(
                f"{utc_now():%Y-%m-%dT%H:%M:%S.%fZ} {response.status} {took} {scope['method']} {scope['path']}\n"
            )

    async def _running_executions(self) -> int:
        return await asyncio.to_thread(self._count_executions)

    def _count_executions(self) -> int:
        address = f"{self._layout.step_functions_url}/executions/running"
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # nosec B310
            return int(answer.read())
        return 0  # it is starting again


async def _read_request(scope: Any, receive: Any) -> Request | None:
    """The whole request; none when its body is too large (what is left of it is not read)."""
    headers = tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"])
    announced = next((value for name, value in headers if name == "content-length"), "0")
    if int(announced) > LARGEST_BODY:
        return None
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            break
    client = scope.get("client") or ("127.0.0.1", 0)
    forwarded = (
        ("x-forwarded-for", client[0]),
        ("x-forwarded-port", str(scope["server"][1])),
        ("x-forwarded-proto", "http"),
    )
    return Request(
        method=scope["method"],
        raw_path=scope["raw_path"].decode("latin-1"),
        raw_query=scope["query_string"].decode("latin-1"),
        headers=(*headers, *forwarded),
        body=body,
        source_ip=client[0],
        protocol=f"HTTP/{scope['http_version']}",
    )


async def _send_response(response: Response, method: str, send: Any) -> None:
    content = b"" if response.status in {204, 304} or method == "HEAD" else response.body
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in response.headers
    ]
    headers += [(b"set-cookie", cookie.encode("latin-1", "replace")) for cookie in response.cookies]
    headers = [(name, value) for name, value in headers if name != b"content-length"]
    if response.status not in {204, 304}:
        headers.append((b"content-length", str(len(content)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


class _Server(uvicorn.Server):
    """Signals are handled by whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def watched_files(layout: Layout) -> dict[str, int]:
    """Modification times of what a running stack is made of."""
    files = [layout.template_file, layout.project / "api.yaml", layout.resources_file]
    times = {}
    for path in files:
        with contextlib.suppress(OSError):
            times[str(path)] = path.stat().st_mtime_ns
    for folder in ("functions", "layers"):
        _collect_times(str(layout.project / folder), times)
    return times


def _collect_times(folder: str, times: dict[str, int]) -> None:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:  # twice a second, so without a Path for each file
        for entry in entries:
            if entry.name.startswith(".") or entry.name == "__pycache__":
                continue
            if entry.is_dir():
                _collect_times(entry.path, times)
            else:
                times[entry.path] = entry.stat().st_mtime_ns


async def _reload_on_change(server: LocalServer, layout: Layout) -> None:
    known = await asyncio.to_thread(watched_files, layout)
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        current = await asyncio.to_thread(watched_files, layout)
        if current == known:
            continue
        changed = sorted(path for path in current.keys() | known.keys() if current.get(path) != known.get(path))
        known = current
        try:
            server.replace_stack(await asyncio.to_thread(read_stack, layout))
        except (TemplateError, yaml.YAMLError, OSError, KeyError, ValueError) as error:
            _log.error("the change is not served, template.yaml or api.yaml cannot be read: %s", error)
            continue
        server.pool.renew()
        _log.warning("reloaded after a change of %s", ", ".join(Path(path).name for path in changed[:5]))


async def serve(layout: Layout, sockets: list[socket.socket]) -> None:
    server = LocalServer(layout)
    await server.pool.start()
    config = uvicorn.Config(
        server,
        http="httptools",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        backlog=2048,
    )
    http = _Server(config)
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, setattr, http, "should_exit", True)
    watcher = asyncio.create_task(_reload_on_change(server, layout))
    try:
        await http.serve(sockets=sockets)
    finally:
        watcher.cancel()
        await server.pool.stop()


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout.from_json(arguments[0])
    wait_for_resources(layout)
    sockets = [socket.socket(fileno=int(descriptor)) for descriptor in arguments[1:]]
    asyncio.run(serve(layout, sockets))


if __name__ == "__main__":
    main(sys.argv[1:])
