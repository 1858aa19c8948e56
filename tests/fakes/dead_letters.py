"""Fakes of the ports of dead letters."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import cast

from billing.domain.dates import civil_date
from billing.domain.dead_letters import DeadLetter, LetterRecord
from billing.domain.errors import IdempotencyKeyReused, StaleVersion
from billing.ports.dead_letters import ReplayFailed
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import Page, PageRequest
from tests.fakes.store import paged


@dataclass
class FakeDeadLetters:
    """Port DeadLetters."""

    letters: dict[str, DeadLetter] = field(default_factory=dict)
    hidden: set[str] = field(default_factory=set)

    def put(self, letter: DeadLetter) -> None:
        self.letters[letter.letter_id] = letter

    def receive(self, limit: int) -> tuple[DeadLetter, ...]:
        found = [one for key, one in self.letters.items() if key not in self.hidden][:limit]
        self.hidden |= {one.letter_id for one in found}
        return tuple(found)

    def show(self, letter: DeadLetter) -> None:
        self.hidden.discard(letter.letter_id)

    def discard(self, letter: DeadLetter) -> None:
        self.letters.pop(letter.letter_id, None)


@dataclass
class FakeReplays:
    """Port Replays: fails for what ``broken`` names."""

    broken: dict[str, str] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    def replay(self, letter: DeadLetter) -> None:
        self.made.append(letter.letter_id)
        if letter.about in self.broken:
            raise ReplayFailed(self.broken[letter.about])


class FakeLetterBook:
    """Port LetterBook."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: dict[str, LetterRecord] = {}
        self._answers: dict[tuple[str, str], tuple[str, Answer]] = {}

    def letter(self, letter_id: str, once: IdempotentRequest | None = None) -> LetterRecord | None:
        if once:
            self._check(once)
        return self._records.get(letter_id)

    def save(self, record: LetterRecord, *, once: IdempotentRequest | None = None) -> None:
        with self._lock:
            if once:
                self._check(once)
            standing = self._records.get(record.letter_id)
            if (standing.version if standing else 0) != record.version - 1:
                raise StaleVersion
            self._records[record.letter_id] = record
            if once:
                self._answers[once.operation, once.key] = once.fingerprint, once.answer_of(record)

    def list_open(self, page: PageRequest) -> Page[LetterRecord]:
        return _listed([one for one in self._records.values() if not one.has_ended], page)

    def list_all(self, year: int, page: PageRequest) -> Page[LetterRecord]:
        sent = [one for one in self._records.values() if civil_date(one.sent_at).year == year]
        return _listed(sent, page, forward=False)

    def _check(self, once: IdempotentRequest) -> None:
        known = self._answers.get((once.operation, once.key))
        if known is not None:
            raise AlreadyAnswered(known[1]) if known[0] == once.fingerprint else IdempotencyKeyReused


def _listed(records: list[LetterRecord], page: PageRequest, *, forward: bool = True) -> Page[LetterRecord]:
    rows: list[tuple[str, object]] = [(f"{one.sent_at.isoformat()}#{one.letter_id}", one) for one in records]
    return cast("Page[LetterRecord]", paged(rows, page, forward=forward))
