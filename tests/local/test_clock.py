"""The date of a local cloud: set forward, kept, seen by what a worker loads, and by nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.domain.dates import PARIS
from local import events
from local.__main__ import main
from local.clock import ClockRefusedError, LocalClock
from local.layout import HOST, PROJECT, Layout, Ports
from local.pool import WorkerPool
from local.processes import record_process
from local.stack import Function, Schedule
from local.testing import local_cloud

CODE = """
from billing.runtime.clock import clock
from datetime import UTC, datetime

def handler(event, context):
    return {"now": clock.now().isoformat(), "today": clock.today().isoformat(), "real": datetime.now(UTC).isoformat()}
"""
NEAR = timedelta(seconds=20)


def soon(days: float) -> datetime:
    return datetime.now(UTC) + timedelta(days=days)


def test_it_is_the_real_time_until_set_then_goes_on_from_there(tmp_path: Path) -> None:
    clock = LocalClock(tmp_path / "clock.json")
    assert abs(clock.now() - datetime.now(UTC)) < NEAR

    wanted = soon(400)
    clock.set(wanted)

    assert wanted <= clock.now() < wanted + NEAR
    assert clock.now() < clock.now()
    assert LocalClock(tmp_path / "clock.json").now() >= wanted  # another process, or after a restart


def test_it_never_goes_back(tmp_path: Path) -> None:
    clock = LocalClock(tmp_path / "clock.json")
    clock.set(soon(10))

    with pytest.raises(ClockRefusedError, match="forward only"):
        clock.set(soon(9))
    with pytest.raises(ClockRefusedError, match="offset"):
        clock.set(datetime(2099, 1, 1))  # noqa: DTZ001 - that is the point
    assert clock.ahead() > timedelta(days=9)


def test_a_warm_worker_sees_the_new_date_at_its_next_call(tmp_path: Path) -> None:
    (tmp_path / "work.py").write_text(CODE)
    clock = LocalClock(tmp_path / "clock.json")
    function = Function(
        logical_id="dated",
        name="dated",
        arn="arn:aws:lambda:eu-west-3:000000000000:function:dated",
        handler="work.handler",
        code=tmp_path,
        paths=(PROJECT / "layers/billing/python",),
        environment={},
        timeout_seconds=10,
        memory_mb=128,
    )
    told: list[dict[str, Any]] = []

    async def run() -> None:
        pool = WorkerPool(tmp_path, clock_file=tmp_path / "clock.json", packages=())
        await pool.start()
        try:
            told.append(json.loads((await pool.invoke(function, b"{}")).payload))
            # An hour before midnight in UTC is the next day in Paris.
            clock.set(datetime(2096, 2, 28, 23, 30, tzinfo=UTC))
            told.append(json.loads((await pool.invoke(function, b"{}")).payload))
        finally:
            await pool.stop()

    asyncio.run(run())

    before, after = told
    assert abs(datetime.fromisoformat(before["now"]) - datetime.now(UTC)) < NEAR
    assert after["today"] == date(2096, 2, 29).isoformat()
    assert abs(datetime.fromisoformat(after["real"]) - datetime.now(UTC)) < NEAR


def test_a_schedule_that_the_clock_was_set_past_runs_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    layout = Layout(project=PROJECT, state=tmp_path, ports=Ports(base=20_000))
    layout.make_directories()
    fired: list[str] = []
    came = threading.Event()

    class Pool:
        def __init__(self, _layout: Layout) -> None:
            pass

        def invoke(self, _function: str, body: bytes) -> tuple[str, bool]:
            fired.append(json.loads(body)["time"])
            came.set()
            return "", False

    monkeypatch.setattr(events, "PoolClient", Pool)
    daily = Schedule(name="daily", function="f", expression="cron(0 9 * * ? *)", timezone="Europe/Paris")
    stopped = threading.Event()
    scheduler = threading.Thread(target=events.Scheduler((daily,), layout).run, args=(stopped,))
    scheduler.start()
    try:
        assert not came.wait(0.2)
        wanted = soon(30).replace(hour=12)
        LocalClock(layout.clock_file).set(wanted)
        assert came.wait(5)
    finally:
        stopped.set()
        scheduler.join(5)

    assert [when[:10] for when in fired] == [f"{wanted:%Y-%m-%d}"]
    assert not scheduler.is_alive()


@pytest.mark.cloud
def test_the_command_line_shows_sets_and_refuses_without_being_told_the_port(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with local_cloud(state=tmp_path) as cloud:
        where = ["clock", "--state", str(tmp_path)]
        changes: list[list[str]] = [[], ["--set", "2096-02-29"], ["--days", "1"], ["--set", "2096-01-01"]]
        results = [main([*where, *change]) for change in changes]
        assert main(["status", "--state", str(tmp_path)]) == 0
        cloud.stop()
        cloud.start()
        assert cloud.now().astimezone(PARIS).isoformat()[:13] == "2096-03-01T09"  # kept over the restart

    shown = capsys.readouterr()
    assert results == [0, 0, 0, 1]
    assert [line[:10] for line in shown.out.splitlines()][1:3] == ["2096-02-29", "2096-03-01"]
    assert "forward only" in shown.err
    assert main(where) == 1
    assert "no local cloud is running" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["clock", "status"])
def test_an_instance_that_starts_or_hangs_is_named_without_a_traceback(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    layout = Layout(project=PROJECT, state=tmp_path, ports=Ports(base=20_000))
    layout.make_directories()
    record_process(layout.run, "supervisor", os.getpid())

    assert main([command, "--state", str(tmp_path)]) == 1
    assert "still starting" in capsys.readouterr().err

    with socket.create_server((HOST, 0)) as taken:  # free again once closed: nobody answers there
        address = f"http://{HOST}:{taken.getsockname()[1]}"
    layout.ready_file.write_text(json.dumps({"control": address, "pid": os.getpid()}))

    assert main([command, "--state", str(tmp_path)]) == 1
    assert f"does not answer on {address}" in capsys.readouterr().err
