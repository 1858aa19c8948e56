"""A whole local cloud for a test, the demo or a benchmark: on ports of its own, with state of its own."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess  # nosec B404
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from local.layout import HOST, PROJECT, Layout, Ports
from local.processes import running_processes

_START_SECONDS: Final = 90.0
_STOP_SECONDS: Final = 40.0
_FIRST_PORT: Final = 20_000  # below the ports the system gives to clients
_LAST_PORT: Final = 31_000
_ATTEMPTS: Final = 5


class LocalCloud:
    """A started local cloud."""

    def __init__(self, layout: Layout, *, sample: bool) -> None:
        self.layout = layout
        self._sample = sample
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        return self.layout.api_url

    @property
    def control_url(self) -> str:
        return self.layout.control_url

    @property
    def state(self) -> Path:
        return self.layout.state

    @property
    def mail_directory(self) -> Path:
        return self.layout.mail

    @property
    def log_directory(self) -> Path:
        return self.layout.logs

    def start(self) -> None:
        """Returns once it is ready; a second start goes on with the same state. Raises: RuntimeError."""
        if self._process is not None:
            self._process.wait(_STOP_SECONDS)  # it was killed
        self.layout.make_directories()
        output = self.layout.logs / "supervisor.log"
        arguments = [
            *("start", "--port", str(self.layout.ports.base), "--state", str(self.state)),
            *("--project", str(self.layout.project)),
        ]
        with output.open("wb") as log:
            self._process = subprocess.Popen(  # nosec B603
                [sys.executable, "-m", "local", *arguments, *([] if self._sample else ["--no-sample"])],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the local cloud did not start: {output.read_text(encoding='utf-8').strip()}")
            time.sleep(0.02)

    def _is_ready(self, pid: int) -> bool:
        try:
            return bool(json.loads(self.layout.ready_file.read_text(encoding="utf-8"))["pid"] == pid)
        except (OSError, ValueError):  # not yet, or being written
            return False

    def stop(self) -> None:
        """Cleanly: state is saved."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def pids(self) -> dict[str, int]:
        """Of supervisor, gateway, dynamodb, ministack, workflows, events and mail."""
        return running_processes(self.layout.run)

    def kill(self, name: str) -> int:
        """SIGKILL to one process, by name; the supervisor starts it again. Its pid."""
        pid = self.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_workers(self, function: str | None = None, *, busy_only: bool = False) -> list[int]:
        """SIGKILL to workers, of one function or of all. Their pids."""
        query = f"?busy={str(busy_only).lower()}" + (f"&function={function}" if function else "")
        killed: list[int] = self._control("POST", f"/workers/kill{query}")["killed"]
        return killed

    def status(self) -> dict[str, Any]:
        status: dict[str, Any] = self._control("GET", "/status")
        return status

    def invoke(self, function: str, event: object) -> Any:
        """A function's answer, called by its name without the stack's. Raises: RuntimeError with its error."""
        return self._control("POST", f"/2015-03-31/functions/zenbilling-{function}/invocations", event)

    def run_schedule(self, name: str) -> Any:
        return self._control("POST", f"/schedules/{name}/run")

    def stripe(self, method: str, path: str, body: object = None) -> Any:
        """What happens at the local Stripe: ``stripe("POST", "checkout/cs_…/pay", {"method": "sepa_debit"})``."""
        return self._control(method, f"/_control/{path}", body, at=self.layout.stripe_url)

    def refuse_mail(self, answer: str) -> None:
        """From now on no mail is taken; ``550 5.7.1 …`` is for good, ``450 4.3.2 …`` for the moment."""
        self.layout.mail_refusal_file.write_text(answer, encoding="utf-8")

    def accept_mail(self) -> None:
        self.layout.mail_refusal_file.unlink(missing_ok=True)

    def disturb(self, function: str, *, crashes: bool = False, environment: Mapping[str, str] | None = None) -> None:
        """A function dies at each call, or has another environment; named without the stack's name."""
        asked = {"crashes": crashes, "environment": dict(environment or {})}
        self._control("PUT", f"/functions/zenbilling-{function}/disturbance", asked)

    def leave_in_peace(self, function: str) -> None:
        self._control("DELETE", f"/functions/zenbilling-{function}/disturbance")

    def now(self) -> datetime:
        """What functions and schedules take for now."""
        return datetime.fromisoformat(self._control("GET", "/clock")["now"])

    def set_clock(self, instant: datetime) -> datetime:
        """From here on it is this instant, for functions and schedules; only forward."""
        return datetime.fromisoformat(self._control("PUT", "/clock", {"now": instant.isoformat()})["now"])

    def _control(self, method: str, path: str, body: object = None, *, at: str = "") -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        content = None if body is None else json.dumps(body).encode()
        call = urllib.request.Request(f"{at or self.control_url}{path}", content, method=method)  # noqa: S310 - of this machine
        with opener.open(call, timeout=120) as answer:
            content = json.load(answer)
            if answer.headers.get("x-amz-function-error"):
                raise RuntimeError(content)
            return content


@contextmanager
def local_cloud(
    *, state: Path | None = None, port: int | None = None, sample: bool = False, project: Path = PROJECT
) -> Iterator[LocalCloud]:
    """A local cloud, ready, stopped at the end. Without ``state`` it begins empty and leaves nothing behind."""
    directory = state or Path(tempfile.mkdtemp(prefix="zenbilling-"))
    try:
        cloud = _started(directory, port, sample=sample, project=project)
        try:
            yield cloud
        finally:
            cloud.stop()
    finally:
        if state is None:
            shutil.rmtree(directory, ignore_errors=True)


def _started(directory: Path, port: int | None, *, sample: bool, project: Path) -> LocalCloud:
    for attempt in range(_ATTEMPTS):
        ports = Ports(base=port or free_port_base())
        cloud = LocalCloud(Layout(project=project.resolve(), state=directory.resolve(), ports=ports), sample=sample)
        try:
            cloud.start()
        except RuntimeError as error:
            # Another instance may have taken the ports meanwhile.
            if port is not None or "is busy" not in str(error) or attempt == _ATTEMPTS - 1:
                raise
            continue
        return cloud
    raise AssertionError("unreachable")


def free_port_base() -> int:
    """The first of seven free ports in a row."""
    while True:
        base = _FIRST_PORT + 10 * secrets.randbelow((_LAST_PORT - _FIRST_PORT) // 10)
        if all(_is_free(port) for port in Ports(base=base).all()):
            return base


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
