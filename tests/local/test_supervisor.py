"""Starting, staying up and stopping: what a person meets on the command line."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local.layout import PROJECT
from local.processes import record_process, running_processes, started_at, stop_processes
from local.testing import LocalCloud, free_port_base, local_cloud
from tests.local.steps import until


def local(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "local", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def read_thing(cloud: LocalCloud, name: str) -> int:
    return httpx.put(f"{cloud.base_url}/v1/things/{name}", json={"kind": "x"}, trust_env=False, timeout=30).status_code


def test_busy_port_is_said_in_one_line(tmp_path: Path) -> None:
    base = free_port_base()
    with socket.socket() as other:
        other.bind(("127.0.0.1", base + 3))
        other.listen()
        answer = local("start", "--port", str(base), "--state", str(tmp_path))

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
    assert f"port {base + 3} is busy" in answer.stderr


def test_pid_used_again_by_another_program_is_not_ours(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (tmp_path / "gateway.pid").write_text(f'{{"pid": {stranger.pid}, "started": "1"}}')

        assert running_processes(tmp_path) == {}
        assert stop_processes(tmp_path) == []
        assert started_at(stranger.pid)
        stranger.kill()


def test_recorded_process_is_ours_until_it_ends(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        record_process(tmp_path, "child", child.pid)
        assert running_processes(tmp_path) == {"child": child.pid}

        assert stop_processes(tmp_path) == ["child"]
        assert child.wait(5) == -signal.SIGTERM


@pytest.mark.cloud
@pytest.mark.parametrize("name", ["gateway", "dynamodb", "stripe", "workflows"])
def test_killed_process_comes_back_by_itself(cloud: LocalCloud, name: str) -> None:
    old = cloud.kill(name)

    until(lambda: cloud.pids().get(name, old) != old)

    until(lambda: read_thing(cloud, "after-kill") == 201)


@pytest.mark.cloud
def test_second_start_on_the_same_state_says_so(cloud: LocalCloud) -> None:
    answer = local("start", "--port", str(free_port_base()), "--state", str(cloud.state))

    assert answer.returncode == 1
    assert "already runs" in answer.stderr
    assert f"make stop ARGS='--state {cloud.state}'" in answer.stderr
    assert cloud.status()["processes"]


@pytest.mark.cloud
def test_state_survives_a_stop_and_a_hard_kill(project: Path, tmp_path: Path) -> None:
    with local_cloud(project=project, state=tmp_path) as cloud:
        resources = cloud.layout.resources_file.read_text()
        cloud.stop()
        assert running_processes(cloud.layout.run) == {}

        cloud.start()
        pids = cloud.pids()
        cloud.kill("supervisor")
        cloud.start()

        assert cloud.layout.resources_file.read_text() == resources
        assert not set(pids.values()) & set(cloud.pids().values())
