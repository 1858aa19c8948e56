"""Which processes an instance runs: a record per process, enough to know years later whether a pid is still ours."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess  # nosec B404
import time
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 10.0


def record_process(run: Path, name: str, pid: int) -> None:
    temporary = run / f".{name}.pid"
    temporary.write_text(json.dumps({"pid": pid, "started": started_at(pid)}), encoding="utf-8")
    temporary.replace(run / f"{name}.pid")


def forget_process(run: Path, name: str) -> None:
    (run / f"{name}.pid").unlink(missing_ok=True)


def running_processes(run: Path) -> dict[str, int]:
    """Pids by name, of those recorded and alive."""
    found = {}
    for path in sorted(run.glob("*.pid")):
        with contextlib.suppress(OSError, ValueError, KeyError):
            record = json.loads(path.read_text(encoding="utf-8"))
            # A pid is used again after a while; the moment its process started tells them apart.
            if record["started"] and record["started"] == started_at(record["pid"]):
                found[path.stem] = int(record["pid"])
    return found


def started_at(pid: int) -> str:
    """When a process started, in the system's own words; empty when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
    except OSError:
        return ""
    else:
        state, *fields = stat.rpartition(")")[2].split()  # the name before it may hold spaces
        return "" if state == "Z" else fields[18]
    told = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607  # nosec
    return told.stdout.strip()


def stop_processes(run: Path) -> list[str]:
    """Ends what is recorded and still alive, the ones that save their state politely. Their names."""
    left = running_processes(run)
    for pid in left.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while time.monotonic() < deadline and running_processes(run):
        time.sleep(0.05)
    for pid in running_processes(run).values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for path in run.glob("*.pid"):
        path.unlink()
    return sorted(left)
