"""What a function failed at too often waits in a queue of dead letters: replayed a few times, then left to a person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from billing.domain.errors import DeadLetterEnded

# Since a letter was sent, since its first replay failed, since its second did.
REPLAYED_AFTER: Final = (timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2))
UNREADABLE: Final = "Unreadable"


class LetterQueue(StrEnum):
    STREAMS = "streams"  # where in the table's stream the records stand that a reader gave up
    EVENTS = "events"  # what a schedule or a topic could not hand to its function
    STRIPE_EVENTS = "stripe_events"  # the id of an event in the inbox


class LetterState(StrEnum):
    WAITING = "waiting"  # for its next replay
    LEFT = "left"  # to a person: every replay failed
    REPLAYED = "replayed"
    DROPPED = "dropped"  # an operator said that nothing must follow


class LetterDecision(StrEnum):
    REPLAY = "replay"
    DROP = "drop"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """As it was received. Its text may hold personal data, and is kept nowhere else."""

    letter_id: str
    queue: LetterQueue
    receipt: str
    sent_at: datetime
    text: str
    attributes: Mapping[str, str]

    @property
    def content(self) -> dict[str, Any]:
        try:
            content = json.loads(self.text)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}

    @property
    def topic_arn(self) -> str:
        """Of a message of SNS: as its subscription could not hand it over, or as its function could not handle it."""
        records = self.content.get("Records")
        if isinstance(records, list) and records and isinstance(records[0], dict):
            return str((records[0].get("Sns") or {}).get("TopicArn", ""))
        return str(self.content.get("TopicArn", ""))

    @property
    def about(self) -> str:
        """The function, topic or event that it is for; empty when nobody can say."""
        if self.queue is LetterQueue.STRIPE_EVENTS:
            return str(self.content.get("event_id", ""))
        if self.queue is LetterQueue.STREAMS:
            arn = str((self.content.get("requestContext") or {}).get("functionArn", ""))
        else:
            arn = self.attributes.get("TARGET_ARN", "") or self.topic_arn
        return arn.partition(":function:")[2].partition(":")[0] or arn.rpartition(":")[2]

    @property
    def reason(self) -> str:
        """Why it is here: a code, never a message."""
        context = self.content.get("requestContext")
        condition = str(context.get("condition", "")) if isinstance(context, dict) else ""
        return condition or self.attributes.get("ERROR_CODE", "") or self.attributes.get("ErrorCode", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterRecord:
    """What was done about a letter, for those who look later. ``error``: the class of what the last replay met."""

    letter_id: str
    version: int
    queue: LetterQueue
    about: str
    reason: str
    sent_at: datetime
    state: LetterState
    attempts: int = 0
    next_at: datetime | None = None
    error: str = ""
    ended_at: datetime | None = None
    decision: LetterDecision | None = None
    decided_by: str = ""
    note: str = ""

    @classmethod
    def of(cls, letter: DeadLetter) -> LetterRecord:
        known = bool(letter.about)
        return cls(
            letter_id=letter.letter_id,
            version=1,
            queue=letter.queue,
            about=letter.about,
            reason=letter.reason,
            sent_at=letter.sent_at,
            state=LetterState.WAITING if known else LetterState.LEFT,
            next_at=letter.sent_at + REPLAYED_AFTER[0] if known else None,
            error="" if known else UNREADABLE,
        )

    @property
    def has_ended(self) -> bool:
        return self.state in {LetterState.REPLAYED, LetterState.DROPPED}

    def is_due(self, at: datetime) -> bool:
        return self.state is LetterState.WAITING and self.next_at is not None and self.next_at <= at

    def is_used_up(self, at: datetime) -> bool:
        return self.is_due(at) and self.attempts >= len(REPLAYED_AFTER)

    def begun(self, at: datetime) -> LetterRecord:
        """One more replay, counted before it is made: a run that dies in it has used it up."""
        attempts = self.attempts + 1
        later = at + REPLAYED_AFTER[min(attempts, len(REPLAYED_AFTER) - 1)]
        return replace(self, version=self.version + 1, attempts=attempts, next_at=later)

    def failed(self, error: str) -> LetterRecord:
        if self.attempts < len(REPLAYED_AFTER):
            return replace(self, version=self.version + 1, error=error)
        return replace(self, version=self.version + 1, error=error, state=LetterState.LEFT, next_at=None)

    def ended(self, state: LetterState, at: datetime) -> LetterRecord:
        return replace(self, version=self.version + 1, state=state, next_at=None, ended_at=at)

    def decided(self, decision: LetterDecision, by: str, note: str, at: datetime) -> LetterRecord:
        """Replayed anew from now on, or dropped. Raises: DeadLetterEnded."""
        if self.has_ended:
            raise DeadLetterEnded
        decided = replace(self, decision=decision, decided_by=by, note=note)
        if decision is LetterDecision.DROP:
            return decided.ended(LetterState.DROPPED, at)
        return replace(decided, version=self.version + 1, state=LetterState.WAITING, attempts=0, next_at=at)
