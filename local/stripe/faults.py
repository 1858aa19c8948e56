"""Calls that fail on demand: refused, unanswered, cut off; before or after their effect."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Final

from local.stripe.errors import ApiError

KINDS: Final = ("error", "timeout", "reset")


@dataclass(slots=True, kw_only=True)
class Fault:
    """The next ``times`` calls of this method and path (with ``*``) fail.

    ``error`` answers ``status`` and ``code``; ``timeout`` says nothing for ``seconds``; ``reset`` cuts the connection.
    """

    path: str = "*"
    method: str = "*"
    times: int = 1
    kind: str = "error"
    status: int = 500
    code: str | None = None
    seconds: float = 15.0
    after_effect: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}")

    def error(self) -> ApiError:
        kind = "api_error" if self.status >= 500 else "invalid_request_error"
        return ApiError("It was asked to fail.", status=self.status, code=self.code, kind=kind)


class Faults:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self.delay_seconds = 0.0

    def plan(self, asked: dict[str, Any]) -> None:
        """Raises: TypeError, ValueError for what is not known."""
        with self._lock:
            self._planned.append(Fault(**asked))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()
            self.delay_seconds = 0.0

    def next(self, method: str, path: str) -> Fault | None:
        """The fault of this call, which is one call less from then on."""
        with self._lock:
            for fault in self._matching(method, path):
                fault.times -= 1
                return fault
            return None

    def _matching(self, method: str, path: str) -> Iterable[Fault]:
        return (
            fault
            for fault in self._planned
            if fault.times > 0 and fault.method in {"*", method} and fnmatchcase(path, fault.path)
        )
