"""The loop of a process that prints: a request a line in, a JSON of figures a line out. Standard library only."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Request = dict[str, Any]


def serve(prepared: Callable[[Request], Callable[[], bytes]]) -> None:
    """Print what each line asks for; only the call that ``prepared`` returns is timed."""
    for line in sys.stdin:
        request: Request = json.loads(line)
        run = prepared(request)
        started, cpu = time.perf_counter(), time.process_time()
        content = run()
        figures = {
            "ms": (time.perf_counter() - started) * 1000,
            "cpu_ms": (time.process_time() - cpu) * 1000,
            "bytes": len(content),
            "memory_mb": peak_memory_mb(),
        }
        if request.get("keep"):
            Path(request["keep"]).write_bytes(content)
        sys.stdout.write(json.dumps(figures) + "\n")
        sys.stdout.flush()


def peak_memory_mb() -> float:
    """The most memory this process ever had.

    Linux counts the parent's into ``ru_maxrss`` when it starts a program; its own peak stands in /proc.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (peak,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2  # macOS: in bytes
