"""Starts the processes of a local cloud in order, keeps them running, and stops them cleanly."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess  # nosec B404
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from botocore.exceptions import BotoCoreError, ClientError

from local import operators
from local.layout import ACCESS_KEY_ID, ACCOUNT_ID, HOST, PROJECT, REGION, SECRET_ACCESS_KEY, Layout
from local.processes import forget_process, record_process, running_processes, started_at, stop_processes
from local.provision import ChangedTableError, provision
from local.sample_account import EMAIL, PASSWORD, ensure_sample_account
from local.template import TemplateError

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 12.0
_STEADY_SECONDS: Final = 5.0
_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG


class CannotStartError(Exception):
    """One line for the person who started it."""


@dataclass(slots=True, kw_only=True)
class _Child:
    name: str
    said: str  # what a person calls it
    command: list[str]
    is_ready: Callable[[], bool]
    environment: Mapping[str, str] = field(default_factory=dict)
    inherited: tuple[socket.socket, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    restart_at: float = 0.0

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Supervisor:
    """One instance of the local cloud."""

    def __init__(self, layout: Layout, *, quiet: bool = False, sample: bool = True) -> None:
        self._layout = layout
        self._quiet = quiet
        self._sample = sample
        self._stopping = threading.Event()
        self._lock: TextIO | None = None
        self._sockets: tuple[socket.socket, ...] = ()
        self._children: list[_Child] = []
        self._provisioned_again = threading.Thread()

    def run(self) -> int:
        """Until a signal; the exit code."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self._stopping.set())
        began = time.monotonic()
        try:
            self._take_place()
            self._start_all()
            sample, operator = self._make_accounts()
        except (CannotStartError, ChangedTableError, TemplateError) as error:
            if not self._stopping.is_set():
                print(f"ZenBilling: {error}", file=sys.stderr, flush=True)
            self._stop_all()
            return 0 if self._stopping.is_set() else 1
        except BaseException:
            self._stop_all()
            raise
        ready = {"api": self._layout.api_url, "control": self._layout.control_url, "pid": os.getpid()}
        self._layout.ready_file.write_text(json.dumps(ready), encoding="utf-8")
        self._say(f"Ready in {time.monotonic() - began:.1f} s.")
        if not self._quiet:
            print(welcome(self._layout, sample=sample, operator=operator), flush=True)
        while not self._stopping.wait(0.1):
            self._restart_the_dead()
        self._say("Stopping, state is saved…")
        self._stop_all()
        self._say("Stopped.")
        return 0

    # Taking and leaving the place

    def _take_place(self) -> None:
        layout = self._layout
        layout.make_directories()
        lock = (layout.run / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise CannotStartError(
                f"a local cloud already runs on {layout.state}; stop it there with Ctrl-C, or: {_stop_hint(layout)}"
            ) from None
        self._lock = lock
        layout.ready_file.unlink(missing_ok=True)
        layout.resources_file.unlink(missing_ok=True)
        forget_process(layout.run, "supervisor")
        left = stop_processes(layout.run)
        if left:
            self._say(f"The last run was killed: stopped what it left ({', '.join(left)}).")
        self._sockets = self._listen()
        record_process(layout.run, "supervisor", os.getpid())

    def _listen(self) -> tuple[socket.socket, ...]:
        """The sockets of the gateway are ours, so that a call waits while the gateway starts again."""
        ports = self._layout.ports
        opened: list[socket.socket] = []
        for port in ports.all():
            listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((HOST, port))
            except OSError:
                listener.close()
                for other in opened:
                    other.close()
                raise CannotStartError(
                    f"port {port} is busy; free it, or choose others: make start ARGS='--port {ports.base + 1000}'"
                ) from None
            opened.append(listener)
        for listener in opened[2:]:
            listener.close()
        for listener in opened[:2]:
            listener.listen(2048)
        return tuple(opened[:2])

    def _stop_all(self) -> None:
        self._layout.ready_file.unlink(missing_ok=True)
        # Whoever calls stops before whoever is called.
        for child in reversed(self._children):
            self._stop(child)
        for listener in self._sockets:
            listener.close()
        if self._lock is not None:
            forget_process(self._layout.run, "supervisor")
            self._lock.close()

    def _stop(self, child: _Child) -> None:
        if child.process is None:
            return
        if child.is_alive:
            child.process.terminate()
            try:
                child.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
        forget_process(self._layout.run, child.name)

    # Starting

    def _start_all(self) -> None:
        layout = self._layout
        if not layout.ministack_python.exists():
            raise CannotStartError("Cognito and S3 (ministack) are not installed; install them: make setup")
        stores = [self._mail_sink(), self._ministack(), self._stripe()]
        if layout.engine.is_file():
            stores.append(self._dynamodb())
            self._say("Starting the table (dynoxide), users and documents (ministack), the mailbox and Stripe…")
        else:
            self._say(
                "The DynamoDB engine is not installed: ministack stands in, and data does not survive a crash. "
                "Install it: make setup (it needs npm)"
            )
        callers = [self._server(), self._state_machines(), self._events()]
        for child in (*stores, *callers):
            self._children.append(child)
            self._start(child)
        self._wait_for(*stores)
        self._say("Creating what template.yaml asks for, where it is not there yet…")
        provision(layout)
        self._say("Starting the API, its workers, the workflows and the events…")
        self._wait_for(*callers)

    def _wait_for(self, *children: _Child) -> None:
        deadline = time.monotonic() + _START_SECONDS
        for child in children:
            while not child.is_ready():
                if self._stopping.is_set():
                    raise CannotStartError("interrupted")
                if not child.is_alive:
                    raise CannotStartError(f"{child.said} does not start; see {self._layout.logs / child.name}.log")
                if time.monotonic() > deadline:
                    raise CannotStartError(f"{child.said} is not ready after {_START_SECONDS:.0f} s")
                time.sleep(0.02)

    def _start(self, child: _Child) -> None:
        with (self._layout.logs / f"{child.name}.log").open("ab") as log:
            child.process = subprocess.Popen(  # nosec B603
                child.command,
                env=_environment(child.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[listener.fileno() for listener in child.inherited],
                start_new_session=True,  # Ctrl-C is for the supervisor, which stops the rest in order
                # The child only tells the kernel something, whatever another thread holds.
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
                cwd=PROJECT,
            )
        child.started = time.monotonic()
        record_process(self._layout.run, child.name, child.process.pid)

    def _restart_the_dead(self) -> None:
        for child in self._children:
            if child.is_alive or child.process is None:
                continue
            now = time.monotonic()
            if child.restart_at == 0.0:
                steady = now - child.started > _STEADY_SECONDS
                child.failures = 0 if steady else child.failures + 1
                child.restart_at = now + min(0.5 * child.failures, 5.0)
                self._say(f"{child.said} ended ({_ending(child.process.returncode)}), starting it again")
            if now >= child.restart_at:
                child.restart_at = 0.0
                self._start(child)
                if child.name == "ministack":
                    self._provision_again(child)

    def _provision_again(self, child: _Child) -> None:
        """What was not saved before the crash is created again, and the gateway follows by itself."""

        def run() -> None:
            deadline = time.monotonic() + _START_SECONDS
            while time.monotonic() < deadline and not self._stopping.is_set():
                if child.is_ready():
                    with contextlib.suppress(BotoCoreError, ClientError):
                        provision(self._layout)
                        return
                time.sleep(0.1)

        self._provisioned_again = threading.Thread(target=run, daemon=True)
        self._provisioned_again.start()

    def _make_accounts(self) -> tuple[bool, bool]:
        """Whether there is a sample account, and operators."""
        if not self._sample:
            return False, False
        self._say("Checking the sample account and the operators…")
        signing_in = [operators.ensure_operator(self._layout, name) for name in operators.NAMES]
        return ensure_sample_account(self._layout.api_url), all(signing_in)

    def _say(self, text: str) -> None:
        if not self._quiet:
            print(text, flush=True)

    # The processes

    def _python(self, module: str, *arguments: str) -> list[str]:
        return [sys.executable, "-m", module, self._layout.to_json(), *arguments]

    def _dynamodb(self) -> _Child:
        port = self._layout.ports.dynamodb
        return _Child(
            name="dynamodb",
            said="The DynamoDB engine",
            command=[
                str(self._layout.engine),
                *("--host", HOST, "--port", str(port), "--db-path", str(self._layout.database)),
            ],
            is_ready=lambda: _answers(port, "/"),
        )

    def _ministack(self) -> _Child:
        layout = self._layout
        port = layout.ports.ministack
        data = layout.state / "data" / "ministack"
        (data / "tmp").mkdir(parents=True, exist_ok=True)
        return _Child(
            name="ministack",
            said="ministack (users and documents)",
            command=[str(layout.ministack_python), str(Path(__file__).with_name("ministack_server.py"))],
            is_ready=lambda: _answers(port, "/_ministack/health"),
            environment={
                "AUTH": "true",
                "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
                "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
                "BIND_HOST": HOST,
                "GATEWAY_PORT": str(port),
                "IOT_MTLS_ENABLED": "0",
                "LOG_LEVEL": "WARNING",
                "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
                "MINISTACK_COGNITO_PRETOKEN_STRICT": "1",
                "MINISTACK_REGION": REGION,
                "PERSIST_STATE": "1",
                "S3_DATA_DIR": str(data / "s3"),
                "S3_PERSIST": "1",
                "SFTP_ENABLED": "0",
                "SMTP_HOST": f"{HOST}:{layout.ports.smtp}",
                "STATE_DIR": str(data / "state"),
                "TMPDIR": str(data / "tmp"),
            },
        )

    def _mail_sink(self) -> _Child:
        port = self._layout.ports.smtp
        return _Child(
            name="mail",
            said="The mailbox",
            command=self._python("local.mail_sink"),
            is_ready=lambda: _accepts(port),
        )

    def _stripe(self) -> _Child:
        port = self._layout.ports.stripe
        return _Child(
            name="stripe",
            said="The local Stripe",
            command=self._python("local.stripe"),
            is_ready=lambda: _answers(port, "/_control/webhooks"),
        )

    def _server(self) -> _Child:
        layout = self._layout
        descriptors = [str(listener.fileno()) for listener in self._sockets]
        return _Child(
            name="gateway",
            said="The API",
            command=self._python("local.server", *descriptors),
            inherited=self._sockets,
            is_ready=lambda: _answers(layout.ports.control, "/status"),
        )

    def _state_machines(self) -> _Child:
        port = self._layout.ports.step_functions
        return _Child(
            name="workflows",
            said="The workflow engine",
            command=self._python("local.state_machines"),
            is_ready=lambda: _accepts(port),
        )

    def _events(self) -> _Child:
        return _Child(
            name="events",
            said="The process of streams and schedules",
            command=self._python("local.events"),
            is_ready=lambda: True,
        )


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    """A child talks to this machine only: neither a proxy nor a person's AWS account may reach it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("AWS_") and not name.lower().endswith("_proxy")
    }
    return {**kept, "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*", "PYTHONUNBUFFERED": "1", **extra}


def _end_with_parent() -> None:
    """The kernel tells the child when its parent is gone, even killed: engines then save and leave."""
    _LIBC.prctl(_DEATH_SIGNAL, signal.SIGTERM)


_LIBC = ctypes.CDLL(None)


def _accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
        return True
    return False


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _stop_hint(layout: Layout) -> str:
    """The command that stops the instance of a state directory."""
    if layout.state == PROJECT / ".local":
        return "make stop"
    return f"make stop ARGS='--state {layout.state}'"


def stop_running(layout: Layout) -> bool:
    """Ends the instance of a state directory, if one runs. Whether one did."""
    running = running_processes(layout.run)
    if "supervisor" not in running:
        return bool(stop_processes(layout.run))
    pid = running["supervisor"]
    born = started_at(pid)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + 3 * _STOP_SECONDS
    while time.monotonic() < deadline and started_at(pid) == born:
        time.sleep(0.05)
    return True


def welcome(layout: Layout, *, sample: bool, operator: bool) -> str:
    api = layout.api_url
    mail = os.path.relpath(layout.mail)
    lines = [
        "",
        f"  ZenBilling answers on {api}",
        f"  Mails arrive in {mail}/ as .eml files; logs of each function are in {os.path.relpath(layout.logs)}/",
        "  Public links of quotes and invoices show JSON here, the ways back from Stripe 401: those pages are yours",
        "  to make (see README).",
        f"  Stripe is played by {layout.stripe_url} (docs/local-stripe.md)",
    ]
    if sample:
        lines += [
            f"  Sample account: {EMAIL}, password {PASSWORD}",
            "",
            "  Try:",
            f"    curl {api}/v1/health",
            f"    TOKEN=$(curl -s {api}/v1/auth/sign-in -H 'content-type: application/json' \\",
            f"      -d '{json.dumps({'email': EMAIL, 'password': PASSWORD})}' \\",
            """      | python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')""",
            f'    curl {api}/v1/auth/me -H "authorization: Bearer $TOKEN"',
            f'    curl {api}/v1/invoices -H "authorization: Bearer $TOKEN"',
        ]
    if operator:
        lines += [
            "",
            f"  Operator of the platform: {operators.NAME}, password {operators.PASSWORD}. In another terminal, with",
            "  the second factor done for you:",
            "    OPERATOR=$(make operator)",
            f'    curl {api}/v1/operations/incidents -H "authorization: Bearer $OPERATOR"',
            f'  and their colleague, who approves: $(make operator ARGS="--name {operators.COLLEAGUE}")',
        ]
    return "\n".join([*lines, "", "  Code is reloaded when it changes. Ctrl-C stops everything; data stays.", ""])
