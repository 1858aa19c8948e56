"""An environment that fails again and again is replaced: after what, not before, once in a while, and it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from billing.api.recycling import COOL_DOWN_SECONDS, FAILURES_IN_A_ROW, Environment

NOW = 1_795_424_400.0
SCRIPT = """
import sys
from functools import partial
from billing.api.entry import task_point
from billing.domain.errors import DependencyUnavailable

def poisoned(event):
    if event["fault"]:
        raise KeyError("x") if event["fault"] == "ours" else DependencyUnavailable
    return "well"

handler = task_point(poisoned)
for number, fault in enumerate(sys.argv[1].split(",")):
    try:
        print(handler({"fault": fault}, object()), flush=True)
    except Exception as error:
        print("raised", type(error).__name__, flush=True)
print("still here")
"""


class _Left(Exception):
    pass


def _leave() -> None:
    raise _Left


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path / "mark", leave=_leave, now=lambda: NOW)


def _fail(environment: Environment, times: int) -> list[bool]:
    return [environment.failed() for _ in range(times)]


def test_only_faults_in_a_row_end_it(environment: Environment) -> None:
    assert not any(_fail(environment, FAILURES_IN_A_ROW - 1))
    environment.succeeded()
    assert _fail(environment, FAILURES_IN_A_ROW) == [False] * (FAILURES_IN_A_ROW - 1) + [True]


def test_it_cools_down_over_the_end_of_its_process(environment: Environment, tmp_path: Path) -> None:
    with pytest.raises(_Left):
        environment.recycle()
    later = [Environment(tmp_path / "mark", now=partial(float, NOW + age)) for age in (1, COOL_DOWN_SECONDS)]

    assert [_fail(one, FAILURES_IN_A_ROW)[-1] for one in later] == [False, True]


def test_without_a_place_for_its_mark_it_stays(tmp_path: Path) -> None:
    Environment(tmp_path / "missing" / "mark", leave=_leave).recycle()  # raises nothing, and leaves nothing


def _run(faults: list[str], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, ",".join(faults)], env=environment, capture_output=True, text=True, check=False
    )


def test_the_process_ends_after_it_said_so(tmp_path: Path) -> None:
    ran = _run(["ours"] * (FAILURES_IN_A_ROW + 1), tmp_path)

    assert ran.returncode == 1
    assert "still here" not in ran.stdout
    assert ran.stdout.count("raised KeyError") == FAILURES_IN_A_ROW - 1
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    assert [one["EnvironmentRecycled"] for one in told if "_aws" in one] == [[1.0]]
    assert [one["message"] for one in told if one.get("level") == "WARNING"] == ["environment recycled"]

    again = _run(["ours"] * (FAILURES_IN_A_ROW + 3), tmp_path)  # on the same disk, at once
    assert (again.returncode, "still here" in again.stdout) == (0, True)


def test_what_a_third_party_does_wrong_ends_nothing(tmp_path: Path) -> None:
    ran = _run(["theirs"] * (FAILURES_IN_A_ROW * 2), tmp_path)

    assert (ran.returncode, "still here" in ran.stdout) == (0, True)


def test_what_is_said_on_purpose_shows_that_it_works(tmp_path: Path) -> None:
    ran = _run([*["ours"] * (FAILURES_IN_A_ROW - 1), "theirs", "ours"], tmp_path)

    assert (ran.returncode, "still here" in ran.stdout) == (0, True)
