"""The change feed and the audit, as their readers see them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import Field

from billing.api.answers import Reply
from billing.domain.feed import PlacedEvent

# A JSON number holds more exactly in every language, and the key of a place has twelve digits.
After = Annotated[int, Query(ge=0, lt=10**12, description="`last_sequence` of the previous page; 0 for the beginning")]
Sequenced = Annotated[int, Field(description="Place in the company's feed: 1, 2, 3… without a gap, for ever")]
LastSequence = Annotated[int, Field(description="Pass it as `after` to read what follows, now or later")]


class EventSubjectResponse(Reply):
    type: Annotated[str, Field(description="What it happened to, such as `invoice` or `customer`")]
    id: str
    number: Annotated[str | None, Field(description="Of a numbered document")] = None


class EventResponse(Reply):
    sequence: Sequenced
    event_id: str
    type: Annotated[str, Field(description="A past fact, such as `invoice.issued`. New ones will come: ignore them")]
    occurred_at: datetime
    actor: Annotated[str, Field(description="Id of the user, `system`, `system:` and the job, or `customer`")]
    subject: EventSubjectResponse
    data: Annotated[
        dict[str, str | int],
        Field(
            description="Identifiers and figures, never names or addresses. Of `payment.refunded` and "
            "`payment.refund_returned`, `refund_amount_minor` is what was given back, or came back, this time; "
            "`amount_minor` is the whole payment where that is the subject, with `refunded_minor` of it by now. Where "
            "the subject is an invoice, credit notes had recorded what was given back"
        ),
    ]

    @classmethod
    def of(cls, placed: PlacedEvent) -> EventResponse:
        event = placed.event
        return cls(
            sequence=placed.sequence,
            event_id=event.event_id,
            type=event.event_type.value,
            occurred_at=event.occurred_at,
            actor=event.actor,
            subject=EventSubjectResponse(type=placed.subject_kind, id=placed.subject_id, number=placed.subject_number),
            data=event.data,
        )


class AuditEntryResponse(EventResponse):
    role: Annotated[str, Field(description="Of the user at that moment; `system` or `customer` otherwise")]
    ip_address: Annotated[str, Field(description="Where the request came from; empty for what ran by itself")]
    correlation_id: Annotated[str, Field(description="The same in our logs and in the answer's header")]
    previous_hash: Annotated[str, Field(description="`hash` of the place before: what is written here never changes")]
    hash: Annotated[str, Field(description="SHA-256 (hex) of this entry as exports carry it, the one before included")]

    @classmethod
    def of(cls, placed: PlacedEvent) -> AuditEntryResponse:
        shown = EventResponse.of(placed)
        return cls(
            **{name: getattr(shown, name) for name in EventResponse.model_fields},
            role=placed.audit.role,
            ip_address=placed.audit.ip_address,
            correlation_id=placed.audit.correlation_id,
            previous_hash=placed.previous_hash,
            hash=placed.chain_hash,
        )


class EventPageResponse(Reply):
    items: list[EventResponse]
    last_sequence: LastSequence

    @classmethod
    def of_page(cls, events: Sequence[PlacedEvent], *, after: int) -> EventPageResponse:
        last = events[-1].sequence if events else after
        return cls(items=[EventResponse.of(one) for one in events], last_sequence=last)


class AuditPageResponse(Reply):
    items: list[AuditEntryResponse]
    last_sequence: LastSequence

    @classmethod
    def of_page(cls, events: Sequence[PlacedEvent], *, after: int) -> AuditPageResponse:
        last = events[-1].sequence if events else after
        return cls(items=[AuditEntryResponse.of(one) for one in events], last_sequence=last)
