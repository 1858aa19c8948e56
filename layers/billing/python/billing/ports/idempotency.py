"""The same request twice has its effect once, and gets the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer as it was first given: status, JSON text, headers."""

    status: int
    body: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentRequest:
    """Written in the transaction of the effect: operation, key, hash of the request, and its answer."""

    operation: str
    key: str
    fingerprint: str
    answer_of: Callable[[Any], Answer]


class AlreadyAnswered(Exception):
    """The effect already happened; ``answer`` is what was said then."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        super().__init__("already answered")
