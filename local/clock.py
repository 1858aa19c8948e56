"""The date that functions and schedules of a local cloud see. It goes on from where it was set, and never back.

Nothing of it is deployed: a worker of the local pool sets the clock of the code it loads. Whatever others judge by the
time of day keeps the real one: tokens, TLS, presigned addresses, mails, the identity provider, waits.
"""

from __future__ import annotations

import importlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

_MODULE: Final = "billing.runtime.clock"


class ClockRefusedError(ValueError):
    """The clock cannot be set to this."""


class LocalClock:
    """Reads a file that says how far ahead of the real time it is; without the file it is the real time."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead()

    def ahead(self) -> timedelta:
        try:
            text = self._file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return timedelta()
        return timedelta(seconds=json.loads(text)["ahead_seconds"])

    def set(self, instant: datetime) -> datetime:
        """Kept over a restart. What is stored already is of the past, so the clock goes forward only.

        Raises: ClockRefusedError.
        """
        if instant.tzinfo is None:
            raise ClockRefusedError("the time of the clock has an offset, as in 2028-02-29T09:00:00+01:00")
        if instant < self.now():
            raise ClockRefusedError("the clock goes forward only; `make clean-data` begins again at the real time")
        ahead = instant - datetime.now(UTC)
        temporary = self._file.with_suffix(".part")
        temporary.write_text(json.dumps({"ahead_seconds": ahead.total_seconds()}), encoding="utf-8")
        temporary.replace(self._file)
        return self.now()


def install(file: Path) -> None:
    """In a worker, before it loads a handler: the product's clock tells this time."""
    try:
        module: Any = importlib.import_module(_MODULE)
    except ModuleNotFoundError as error:
        if error.name not in {"billing", "billing.runtime", _MODULE}:
            raise
        return  # a function without the product's layer
    module.clock.now = LocalClock(file).now
