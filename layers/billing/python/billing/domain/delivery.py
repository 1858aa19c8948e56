"""How an issued document reaches its customer: attempts, mails, outcomes. Separate from payment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER

# After the first, second and third attempt that failed; then it is for a person.
ATTEMPTED_AGAIN_AFTER: Final = (timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4))
# Classes of errors that an hour may heal: a third party or a machine was away. Whatever refuses the document or its
# recipient would refuse them again, and a mail whose transmission was cut is only sent again by a person.
_HEALING: Final = frozenset(
    {
        "DependencyUnavailable",
        "MailTemporarilyRefused",
        "NotSent",
        "ExecutionsExhausted",
        "Busy",
        "Sandbox.Timedout",
        "States.Timeout",
    }
)
_OF_LAMBDA: Final = "Lambda."


def heals(error: str) -> bool:
    """Whether the same attempt may go well later, by the class of the error that ended it."""
    return error in _HEALING or error.startswith(_OF_LAMBDA)


class DeliveryState(StrEnum):
    NOT_SENT = "not_sent"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNCONFIRMED = "unconfirmed"  # the transmission was cut; only a person sends it again


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPdf:
    """The stored bytes of a document: what is served again, never re-made."""

    key: str
    sha256: str
    size_bytes: int
    rendered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where the latest attempt stands. ``attempt`` counts from 1; 0 before the first.

    ``again_at``: when the next one is made by itself, unless a person makes it before.
    """

    state: DeliveryState = DeliveryState.NOT_SENT
    attempt: int = 0
    in_progress: bool = False
    error: str = ""
    pdf: StoredPdf | None = None
    again_at: datetime | None = field(default=None, metadata=LATER)

    def requested(self, *, send: bool) -> Delivery:
        state = DeliveryState.SENDING if send else self.state
        return replace(self, attempt=self.attempt + 1, in_progress=True, state=state, error="", again_at=None)

    @property
    def is_mailing(self) -> bool:
        """A mail may be on its way; merely drawing the PDF does not stand in the way of one."""
        return self.in_progress and self.state is DeliveryState.SENDING

    def settled(self, outcome: DeliveryOutcome, *, attempt: int) -> Delivery:
        """After an attempt ended; a later attempt that was opened meanwhile goes on."""
        if attempt != self.attempt:
            return replace(self, pdf=outcome.pdf or self.pdf)
        return replace(
            self,
            in_progress=False,
            state=outcome.state or self.state,
            error=outcome.error,
            pdf=outcome.pdf or self.pdf,
            again_at=outcome.again_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """How an attempt ended; ``state`` is None when it only rendered the PDF."""

    state: DeliveryState | None
    error: str = ""
    pdf: StoredPdf | None = None
    again_at: datetime | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRequest:
    """What must follow the commit that wrote it. One per document and attempt; settled once.

    ``repeats``: how many attempts in a row were made by themselves, this one included.
    """

    tenant_id: str
    invoice_id: str
    attempt: int
    send: bool
    recipient: str | None
    requested_at: datetime
    correlation_id: str
    executions: int = 0
    outcome: DeliveryOutcome | None = None
    recipient_name: str = field(default="", metadata=LATER)  # who is greeted, when it is known
    repeats: int = field(default=0, metadata=LATER)

    @property
    def again_at(self) -> datetime | None:
        return self.outcome.again_at if self.outcome else None

    def ended(self, outcome: DeliveryOutcome, at: datetime, *, may_repeat: bool) -> DeliveryRequest:
        """With how it ended, and when the next attempt is made by itself, if time may heal what failed."""
        failed = may_repeat and outcome.state in {None, DeliveryState.FAILED} and heals(outcome.error)
        if failed and self.repeats < len(ATTEMPTED_AGAIN_AFTER):
            outcome = replace(outcome, again_at=at + ATTEMPTED_AGAIN_AFTER[self.repeats])
        return replace(self, outcome=outcome)

    def left(self) -> DeliveryRequest:
        """No attempt follows it any more."""
        return replace(self, outcome=replace(self.outcome, again_at=None)) if self.outcome else self

    def put_off(self, until: datetime | None) -> DeliveryRequest:
        return replace(self, outcome=replace(self.outcome, again_at=until)) if self.outcome else self

    def repeated(self, attempt: int, at: datetime) -> DeliveryRequest:
        """The next attempt, to the same recipient."""
        return replace(self, attempt=attempt, requested_at=at, executions=0, outcome=None, repeats=self.repeats + 1)


class ClaimState(StrEnum):
    CLAIMED = "claimed"  # nothing transmitted yet: a retry may go on
    TRANSMITTING = "transmitting"  # cut here, only the provider's events can tell
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    REFUSED = "refused"  # by the relay at once, or by the provider after it had accepted
    ABANDONED = "abandoned"  # the attempt ended before anything was transmitted: nothing ever will be

    @property
    def progress(self) -> int:
        """Rank of a state: a provider event that comes late or twice never takes one back."""
        return _PROGRESS[self]


_PROGRESS = {
    ClaimState.CLAIMED: 0,
    ClaimState.TRANSMITTING: 1,
    ClaimState.ACCEPTED: 2,
    ClaimState.REFUSED: 3,
    ClaimState.ABANDONED: 3,
    ClaimState.DELIVERED: 3,
    ClaimState.BOUNCED: 4,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MailClaim:
    """The right to send one mail once: (document, attempt, recipient). ``dropped_for``: why a reminder never left."""

    tenant_id: str
    invoice_id: str
    attempt: int
    recipient: str
    state: ClaimState
    provider_message_id: str = ""
    updated_at: datetime
    dropped_for: str = field(default="", metadata=LATER)
