"""The change feed and the audit of a tenant: every event in one dense sequence, with who acted from where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from billing.domain.access import Caller, Origin
from billing.domain.events import Event, EventType

SYSTEM_ROLE = "system"
_KINDS = {
    "blk": "bulk_job",
    "cus": "customer",
    "crn": "credit_note",
    "inv": "invoice",
    "pay": "payment",
    "prd": "product",
    "quo": "quote",
    "rec": "recurring_invoice",
    "ver": "verification",
    "whe": "webhook_endpoint",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrail:
    """As whom and from where an event was caused: a role, or `system`, or `customer`; written with the event."""

    role: str
    ip_address: str
    correlation_id: str

    @classmethod
    def of(cls, caller: Caller | None, event: Event, origin: Origin) -> AuditTrail:
        """Without a caller the event's own actor says what acted; a founder acts as what they become."""
        if caller is None:
            founder = event.event_type is EventType.MEMBERSHIP_CREATED
            role = str(event.data["role"]) if founder else event.actor
            return cls(role=role, ip_address=origin.ip_address, correlation_id=origin.correlation_id)
        return cls(
            role=SYSTEM_ROLE if caller.is_system else caller.role.value,
            ip_address=caller.origin.ip_address,
            correlation_id=caller.origin.correlation_id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnplacedEvent:
    """An event as its effect wrote it: durable, but without its place in the feed yet."""

    tenant_id: str
    subject_id: str
    event: Event
    audit: AuditTrail


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedEvent:
    """An event at its place: 1, 2, 3… without a gap, for ever."""

    sequence: int
    subject_id: str
    event: Event
    audit: AuditTrail

    @property
    def subject_kind(self) -> str:
        """What the event happened to; a credit note is delivered as an invoice is, and is told apart here."""
        return _KINDS.get(self.subject_id.partition("_")[0], self.event.event_type.value.partition(".")[0])

    @property
    def subject_number(self) -> str | None:
        number = self.event.data.get("number")
        return str(number) if number else None


def placed(events: Sequence[UnplacedEvent], *, after: int) -> tuple[PlacedEvent, ...]:
    """The events at the places that follow."""
    return tuple(
        PlacedEvent(sequence=sequence, subject_id=one.subject_id, event=one.event, audit=one.audit)
        for sequence, one in enumerate(events, start=after + 1)
    )


def unbroken(events: Sequence[PlacedEvent], *, after: int) -> tuple[PlacedEvent, ...]:
    """What follows a place without a gap: a query may see one half of a transaction before the other."""
    seen = []
    for expected, one in enumerate(events, start=after + 1):
        if one.sequence != expected:
            break
        seen.append(one)
    return tuple(seen)
