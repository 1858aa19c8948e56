"""The command line of the local cloud: start, stop, wait, status."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from local.layout import DEFAULT_PORT, PROJECT, Layout, Ports
from local.operators import NAMES, NoOperatorError, operator_token
from local.processes import running_processes
from local.ring import UnknownAlarmError, ring
from local.supervisor import Supervisor, stop_running

_PARIS = ZoneInfo("Europe/Paris")


def main(arguments: list[str] | None = None) -> int:  # noqa: PLR0911 - a command each
    options = _parser().parse_args(arguments)
    layout = Layout(
        project=Path(options.project).resolve(), state=Path(options.state).resolve(), ports=Ports(base=options.port)
    )
    match options.command:
        case "start":
            return Supervisor(layout, quiet=options.quiet, sample=not options.no_sample).run()
        case "stop":
            print("Stopped." if stop_running(layout) else "No local cloud is running.")
            return 0
        case "clock":
            return _clock(layout, options.set, options.days)
        case "operator":
            return _operator(layout, options.name)
        case "ring":
            return _ring(layout, options.alarm, "OK" if options.ok else "ALARM")
        case "wait":
            return _wait(layout, options.timeout)
        case _:
            return _status(layout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description="ZenBilling's local cloud")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--port",
        type=int,
        default=int(os.environ.get("ZENBILLING_PORT", DEFAULT_PORT)),
        help="first of seven ports in a row: API, control, DynamoDB, Cognito and S3, workflows, SMTP, Stripe",
    )
    common.add_argument("--state", default=str(PROJECT / ".local"), help="directory that keeps data, mails and logs")
    common.add_argument("--project", default=str(PROJECT), help="directory of template.yaml")
    commands = parser.add_subparsers(dest="command", required=True)
    start = commands.add_parser("start", parents=[common], help="serve until Ctrl-C")
    start.add_argument("--quiet", action="store_true", help="print errors only")
    start.add_argument("--no-sample", action="store_true", help="do not create the sample account")
    commands.add_parser("stop", parents=[common], help="stop a running instance")
    clock = commands.add_parser("clock", parents=[common], help="the date of a running instance; sets it forward")
    change = clock.add_mutually_exclusive_group()
    change.add_argument("--set", type=_instant, help="2028-02-29 (at nine) or 2028-02-29T14:30, in Paris")
    change.add_argument("--days", type=int, help="so many days from what it shows")
    signing_in = commands.add_parser("operator", parents=[common], help="a token of an operator of a running instance")
    signing_in.add_argument("--name", choices=NAMES, default=NAMES[0])
    ringing = commands.add_parser("ring", parents=[common], help="an alarm of the template on a running instance")
    ringing.add_argument("alarm", help="as the runbook's headings have it: ApiErrorsCriticalAlarm")
    ringing.add_argument("--ok", action="store_true", help="it is over")
    wait = commands.add_parser("wait", parents=[common], help="return once the instance is ready")
    wait.add_argument("--timeout", type=float, default=60.0, help="seconds")
    commands.add_parser("status", parents=[common], help="processes, workers, streams and executions")
    return parser


def _instant(given: str) -> datetime:
    """A date alone means the morning: reminders, for one, leave in working hours."""
    instant = datetime.fromisoformat(given)
    return instant if "T" in given or " " in given else instant.replace(hour=9)


def _wait(layout: Layout, timeout: float) -> int:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if layout.ready_file.exists() and "supervisor" in running_processes(layout.run):
            return 0
        time.sleep(0.05)
    print(f"ZenBilling: not ready after {timeout:.0f} s", file=sys.stderr)
    return 1


def _running(layout: Layout) -> Layout:
    """On whichever ports the instance of the state directory was started. Raises: _NoAnswerError."""
    base = urlsplit(_address(layout)).port or 0
    return Layout(project=layout.project, state=layout.state, ports=Ports(base=base - 1))


def _ring(layout: Layout, alarm: str, state: str) -> int:
    try:
        now = datetime.fromisoformat(_control(layout, "/clock")["now"]).astimezone(UTC)
        ring(_running(layout), alarm, state=state, at=now)
    except (_NoAnswerError, UnknownAlarmError) as error:
        print(f"ZenBilling: {error}", file=sys.stderr)
        return 1
    return 0


def _operator(layout: Layout, name: str) -> int:
    try:
        print(operator_token(_running(layout), name))
    except (_NoAnswerError, NoOperatorError) as error:
        print(f"ZenBilling: {error}", file=sys.stderr)
        return 1
    return 0


def _clock(layout: Layout, instant: datetime | None, days: int | None) -> int:
    content: dict[str, str | int] | None = None
    if instant is not None:
        content = {"now": (instant if instant.tzinfo else instant.replace(tzinfo=_PARIS)).isoformat()}
    elif days is not None:
        content = {"ahead_by_seconds": int(timedelta(days=days).total_seconds())}
    try:
        shown = datetime.fromisoformat(_control(layout, "/clock", content)["now"])
    except _NoAnswerError as error:
        print(f"ZenBilling: {error}", file=sys.stderr)
        return 1
    print(f"{shown.astimezone(_PARIS):%Y-%m-%d %H:%M:%S} in Paris")
    return 0


def _status(layout: Layout) -> int:
    try:
        told = _control(layout, "/status")
    except _NoAnswerError as error:
        print(f"ZenBilling: {error}", file=sys.stderr)
        return 1
    print(json.dumps(told, indent=2))
    return 0


class _NoAnswerError(Exception):
    """No instance runs in the state directory, or it refused; the words say which."""


def _address(layout: Layout) -> str:
    """Where the instance of the state directory is asked, on whichever port it was started. Raises: _NoAnswerError."""
    where = os.path.relpath(layout.state)
    if "supervisor" not in running_processes(layout.run):
        raise _NoAnswerError(f"no local cloud is running in {where}; `make start` starts one")
    try:
        return str(json.loads(layout.ready_file.read_text(encoding="utf-8"))["control"])
    except (OSError, ValueError):  # not written yet, or being written
        raise _NoAnswerError(f"the local cloud in {where} is still starting; try again in a moment") from None


def _control(layout: Layout, path: str, content: dict[str, str | int] | None = None) -> Any:
    """What the instance of the state directory answers. Raises: _NoAnswerError."""
    where = os.path.relpath(layout.state)
    address = _address(layout)
    call = urllib.request.Request(  # noqa: S310 - of this machine
        f"{address}{path}", json.dumps(content).encode() if content else None, method="PUT" if content else "GET"
    )
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(call, timeout=10) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refusal:
        raise _NoAnswerError(json.load(refusal)["Message"]) from None
    except (OSError, http.client.HTTPException):
        raise _NoAnswerError(
            f"the local cloud in {where} does not answer on {address}; try again in a moment"
        ) from None


if __name__ == "__main__":
    sys.exit(main())
