"""Disputes of payments at Stripe, as they are listed."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply
from billing.api.paging import PageReply
from billing.domain.disputes import ListedDispute
from billing.domain.stripe import DisputeStatus
from billing.domain.stripe_words import explain_dispute, explain_dispute_reason


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
    detail_fr: Annotated[str, Field(description="How it stands, and what you can do")]
    detail_en: str
    created_at: datetime
    evidence_due_by: Annotated[datetime | None, Field(description="Until when evidence is taken")]
    awaits_answer: Annotated[bool, Field(description="It is the company's turn")]
    answer_url: Annotated[str, Field(description="Where evidence is handed in: the company's own dashboard at Stripe")]

    @classmethod
    def of(cls, dispute: ListedDispute) -> PaymentDisputeResponse:
        said, why = explain_dispute(dispute.status), explain_dispute_reason(dispute.reason)
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
            reason_fr=why.french,
            reason_en=why.english,
            status=dispute.status,
            detail_fr=said.french,
            detail_en=said.english,
            created_at=dispute.opened_at,
            evidence_due_by=dispute.evidence_due_by,
            awaits_answer=dispute.awaits_answer,
            answer_url=dispute.answer_url,
        )


class PaymentDisputePageResponse(PageReply):
    items: list[PaymentDisputeResponse]
