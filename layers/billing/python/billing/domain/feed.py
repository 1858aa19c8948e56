"""The change feed and the audit of a tenant: every event in one dense sequence, with who acted from where.

The sequence is a hash chain: each place holds the hash of the one before it. What an event says of a document (the
hashes of its text, its PDF, its XML) is thereby chained with it, and so is every payment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from billing.domain.access import Caller, Origin
from billing.domain.canonical import canonical_json
from billing.domain.events import Event, EventType

SYSTEM_ROLE = "system"
_KINDS = {
    "blk": "bulk_job",
    "cus": "customer",
    "crn": "credit_note",
    "inv": "invoice",
    "ntc": "notice",
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
    """An event at its place: 1, 2, 3… without a gap, for ever. ``previous_hash``: of the place before it."""

    sequence: int
    subject_id: str
    event: Event
    audit: AuditTrail
    previous_hash: str

    def canonical(self) -> str:
        """What is hashed: all but the address of the network, which may be forgotten one day."""
        event = self.event
        return canonical_json(
            {
                "sequence": self.sequence,
                "previous_hash": self.previous_hash,
                "subject_id": self.subject_id,
                "event_id": event.event_id,
                "event_type": event.event_type,
                "occurred_at": event.occurred_at,
                "actor": event.actor,
                "role": self.audit.role,
                "correlation_id": self.audit.correlation_id,
                "data": event.data,
            }
        )

    @property
    def chain_hash(self) -> str:
        """SHA-256 (hex) of the canonical text; the hash of the place before is part of that text."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @property
    def subject_kind(self) -> str:
        """What the event happened to; a credit note is delivered as an invoice is, and is told apart here."""
        return _KINDS.get(self.subject_id.partition("_")[0], self.event.event_type.value.partition(".")[0])

    @property
    def subject_number(self) -> str | None:
        number = self.event.data.get("number")
        return str(number) if number else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedHead:
    """Where a feed stands: its last place, the hash of it, and the day (Europe/Paris) on which it was taken.

    The day never goes back. ``chain_hash`` is empty before the first place, and where none was chained yet.
    """

    sequence: int = 0
    chain_hash: str = ""
    day: date | None = None

    def moved(self, last: PlacedEvent, on: date) -> FeedHead:
        return FeedHead(sequence=last.sequence, chain_hash=last.chain_hash, day=max(self.day or on, on))

    def opens(self, day: date) -> bool:
        """Whether a placement on a day is the first of it."""
        return self.day is None or self.day < day


def genesis_hash(tenant_id: str) -> str:
    """What the first place of a chain holds for the one before it: it binds the chain to its tenant."""
    return hashlib.sha256(f"zenbilling:{tenant_id}".encode()).hexdigest()


def placed(events: Sequence[UnplacedEvent], *, after: FeedHead) -> tuple[PlacedEvent, ...]:
    """The events of one tenant at the places that follow."""
    given: list[PlacedEvent] = []
    for sequence, one in enumerate(events, start=after.sequence + 1):
        previous = given[-1].chain_hash if given else after.chain_hash or genesis_hash(one.tenant_id)
        given.append(
            PlacedEvent(
                sequence=sequence,
                subject_id=one.subject_id,
                event=one.event,
                audit=one.audit,
                previous_hash=previous,
            )
        )
    return tuple(given)


def unbroken(events: Sequence[PlacedEvent], *, after: int) -> tuple[PlacedEvent, ...]:
    """What follows a place without a gap: a query may see one half of a transaction before the other."""
    seen = []
    for expected, one in enumerate(events, start=after + 1):
        if one.sequence != expected:
            break
        seen.append(one)
    return tuple(seen)
