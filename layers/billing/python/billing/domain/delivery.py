"""How an issued document reaches its customer: attempts, mails, outcomes. Separate from payment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from billing.domain.canonical import LATER


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
    """Where the latest attempt stands. ``attempt`` counts from 1; 0 before the first."""

    state: DeliveryState = DeliveryState.NOT_SENT
    attempt: int = 0
    in_progress: bool = False
    error: str = ""
    pdf: StoredPdf | None = None

    def requested(self, *, send: bool) -> Delivery:
        state = DeliveryState.SENDING if send else self.state
        return replace(self, attempt=self.attempt + 1, in_progress=True, state=state, error="")

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
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryOutcome:
    """How an attempt ended; ``state`` is None when it only rendered the PDF."""

    state: DeliveryState | None
    error: str = ""
    pdf: StoredPdf | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRequest:
    """What must follow the commit that wrote it. One per document and attempt; settled once."""

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
