"""A process that dies at a chosen call of its ports: before the call's effect, or just after it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

P = TypeVar("P")


class Crashed(BaseException):
    """The process is gone: no handler of the code under test may catch it."""


@dataclass
class CrashPoint:
    """Counts the calls of every port it watches; dies at call ``at`` (from 1), ``after`` its effect or before it."""

    at: int
    after: bool
    calls: int = 0

    def watch(self, port: P) -> P:
        return cast("P", _Watched(port, self))

    def pass_through(self, call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.calls += 1
        if self.calls != self.at:
            return call(*args, **kwargs)
        if self.after:
            with contextlib.suppress(Exception):  # dead before it saw a refusal, too
                call(*args, **kwargs)
        raise Crashed


class _Watched:
    def __init__(self, port: object, crash: CrashPoint) -> None:
        self._port = port
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member):
            return member
        return lambda *args, **kwargs: self._crash.pass_through(member, *args, **kwargs)
