"""Queues of dead letters, what replays one, and the book of what was done."""

from __future__ import annotations

from typing import Protocol

from billing.domain.dead_letters import DeadLetter, LetterRecord
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


class ReplayFailed(Exception):
    """``error``: the class of what the replay met."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


class DeadLetters(Protocol):
    """One queue."""

    def receive(self, limit: int) -> tuple[DeadLetter, ...]:
        """Some of them, no two alike, hidden from others for a while. Raises: DependencyUnavailable."""
        ...

    def show(self, letter: DeadLetter) -> None:
        """Visible again, for alarms and the next run. Raises: DependencyUnavailable."""
        ...

    def discard(self, letter: DeadLetter) -> None:
        """Raises: DependencyUnavailable."""
        ...


class Replays(Protocol):
    def replay(self, letter: DeadLetter) -> None:
        """Hand it to its function once more, and wait for its end. Raises: ReplayFailed."""
        ...


class LetterBook(Protocol):
    def letter(self, letter_id: str, once: IdempotentRequest | None = None) -> LetterRecord | None:
        """One request. Raises: AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def save(self, record: LetterRecord, *, once: IdempotentRequest | None = None) -> None:
        """The next version, or the first. Raises: StaleVersion, AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def list_open(self, page: PageRequest) -> Page[LetterRecord]:
        """Those that wait or are left, the oldest first."""
        ...

    def list_all(self, year: int, page: PageRequest) -> Page[LetterRecord]:
        """Sent in a year, latest first."""
        ...
