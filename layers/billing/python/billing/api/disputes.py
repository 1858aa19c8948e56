"""Disputes of payments at Stripe, as they are listed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply
from billing.api.paging import PageReply
from billing.domain.disputes import ListedDispute, reason_words, status_words
from billing.domain.stripe import DisputeStatus


class PaymentDisputeResponse(Reply):
    """Cents of `currency`. Number and customer are those of the invoice as it was issued."""

    dispute_id: Annotated[str, Field(description="At Stripe")]
    payment_id: str
    invoice_id: str
    invoice_number: str
    customer_name: str
    amount_minor: int
    currency: str
    fee_minor: Annotated[int, Field(description="What Stripe keeps for the dispute itself")]
    reason: Annotated[str, Field(description="Stripe's code of it", examples=["fraudulent"])]
    reason_fr: str
    reason_en: str
    status: DisputeStatus
    status_fr: str
    status_en: str
    opened_at: datetime
    evidence_due_at: Annotated[datetime | None, Field(description="Until when evidence is taken")]
    awaits_answer: Annotated[bool, Field(description="It is the company's turn")]
    answer_url: Annotated[str, Field(description="Where evidence is handed in: the company's own dashboard at Stripe")]

    @classmethod
    def of(cls, dispute: ListedDispute) -> PaymentDisputeResponse:
        reason_fr, reason_en = reason_words(dispute.reason)
        status_fr, status_en = status_words(dispute.status)
        return cls(
            dispute_id=dispute.dispute_id,
            payment_id=dispute.payment_id,
            invoice_id=dispute.invoice_id,
            invoice_number=dispute.invoice_number,
            customer_name=dispute.customer_name,
            amount_minor=dispute.amount_minor,
            currency=dispute.currency,
            fee_minor=dispute.fee_minor,
            reason=dispute.reason,
            reason_fr=reason_fr,
            reason_en=reason_en,
            status=dispute.status,
            status_fr=status_fr,
            status_en=status_en,
            opened_at=dispute.opened_at,
            evidence_due_at=dispute.evidence_due_by,
            awaits_answer=dispute.awaits_answer,
            answer_url=dispute.answer_url,
        )


class PaymentDisputePageResponse(PageReply):
    items: list[PaymentDisputeResponse]
