"""An execution environment that fails again and again ends itself, and Lambda makes a new one.

What poisoned it – a library's state, a connection that nobody closed – is gone with it. Where it is not to blame the
next one fails as well, so it ends once in ten minutes at most: its mark is a file, for Lambda keeps the disk of an
environment whose process ended.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

FAILURES_IN_A_ROW = 5
COOL_DOWN_SECONDS = 600
_EXIT_STATUS = 1


def leave() -> None:
    """At once, with what was written: the invocation has failed already."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(_EXIT_STATUS)


class Environment:
    """The process that invocations run in, one at a time."""

    def __init__(
        self, mark: Path | None = None, *, leave: Callable[[], None] = leave, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._mark = mark or Path(tempfile.gettempdir()) / "environment-recycled"
        self._leave = leave
        self._now = now
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def failed(self) -> bool:
        """One more fault of ours; whether it is to be recycled for it."""
        self._failures += 1
        return self._failures >= FAILURES_IN_A_ROW and self._cooled()

    def recycle(self) -> None:
        """Raises: nothing, and returns where it could not leave its mark: it would end again and again."""
        with suppress(OSError):
            self._mark.write_text(str(self._now()), encoding="ascii")
            self._leave()

    def _cooled(self) -> bool:
        try:
            age = self._now() - float(self._mark.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return True
        return not 0 <= age < COOL_DOWN_SECONDS  # a time before the machine began counts for nothing
