"""A payment as it stands at Stripe: what is pending there, contested, or asked for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.domain.ledger import PaymentMethod
from billing.domain.stripe import DisputeStatus, StripeRefundStatus
from billing.domain.stripe_payment import (
    MirroredDispute,
    MirroredRefund,
    RefundElsewhere,
    RefundRequest,
    RequestState,
    StripePayment,
    StripePaymentState,
)
from billing.domain.stripe_words import (
    explain_dispute,
    explain_dispute_reason,
    explain_payment,
    explain_refund,
    explain_refund_request,
    method_words,
)
from billing.ports.idempotency import Answer


class StripeRefundResponse(Reply):
    refund_id: Annotated[str, Field(description="At Stripe")]
    status: Annotated[StripeRefundStatus, Field(description="A pending one is in no ledger yet")]
    amount_minor: int
    created_at: datetime
    failure_reason: Annotated[str, Field(description="Stripe's code; empty unless it failed")]
    detail_fr: Annotated[str, Field(description="How it stands and, where it failed, why")]
    detail_en: str

    @classmethod
    def of(cls, refund: MirroredRefund) -> StripeRefundResponse:
        said = explain_refund(refund)
        return cls(
            refund_id=refund.refund_id,
            status=refund.status,
            amount_minor=refund.amount_minor,
            created_at=refund.created,
            failure_reason=refund.failure_reason,
            detail_fr=said.french,
            detail_en=said.english,
        )


class StripeRefundRequestResponse(Reply):
    """A refund that was asked for here; `refusal` is Stripe's code, or `given_back_meanwhile`: never asked."""

    amount_minor: int
    reason: str
    credit_note_id: str | None
    state: RequestState
    refusal: str
    requested_at: datetime
    requested_by: str
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, request: RefundRequest) -> StripeRefundRequestResponse:
        said = explain_refund_request(request)
        return cls(
            amount_minor=request.amount_minor,
            reason=request.reason,
            credit_note_id=request.credit_note_id or None,
            state=request.state,
            refusal=request.refusal,
            requested_at=request.requested_at,
            requested_by=request.requested_by,
            detail_fr=said.french,
            detail_en=said.english,
        )


class RefundElsewhereResponse(Reply):
    """What you gave back of the payment by means of your own, as you recorded it; Stripe made none."""

    refund_id: str
    amount_minor: int
    method: PaymentMethod
    refunded_on: date
    reference: str
    reason: str
    credit_note_id: str | None
    by_notes_minor: Annotated[int, Field(description="Of it, what credit notes had recorded as given back already")]
    recorded_at: datetime
    recorded_by: str

    @classmethod
    def of(cls, refund: RefundElsewhere) -> RefundElsewhereResponse:
        return cls(
            refund_id=refund.refund_id,
            amount_minor=refund.amount_minor,
            method=refund.method,
            refunded_on=refund.refunded_on,
            reference=refund.reference,
            reason=refund.reason,
            credit_note_id=refund.credit_note_id or None,
            by_notes_minor=refund.by_notes_minor,
            recorded_at=refund.recorded_at,
            recorded_by=refund.recorded_by,
        )


class StripeDisputeResponse(Reply):
    dispute_id: Annotated[str, Field(description="At Stripe, where evidence is handed in")]
    status: DisputeStatus
    amount_minor: int
    fee_minor: int
    reason: Annotated[str, Field(description="Stripe's code of what the customer says")]
    reason_fr: str
    reason_en: str
    detail_fr: Annotated[str, Field(description="How it stands, and what you can do")]
    detail_en: str
    evidence_due_by: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, dispute: MirroredDispute) -> StripeDisputeResponse:
        said, why = explain_dispute(dispute.status), explain_dispute_reason(dispute.reason)
        return cls(
            dispute_id=dispute.dispute_id,
            status=dispute.status,
            amount_minor=dispute.amount_minor,
            fee_minor=dispute.fee_minor,
            reason=dispute.reason,
            reason_fr=why.french,
            reason_en=why.english,
            detail_fr=said.french,
            detail_en=said.english,
            evidence_due_by=dispute.evidence_due_by,
            created_at=dispute.created,
        )


class StripePaymentResponse(Reply):
    """Amounts in cents; fee and net in the currency of the account at Stripe."""

    payment_intent_id: str
    account_id: str
    charge_id: str
    state: StripePaymentState
    detail_fr: Annotated[str, Field(description="How it stands and, where it was refused, why")]
    detail_en: str
    method: Annotated[str, Field(description="Stripe's type of the means of payment")]
    method_fr: str
    method_en: str
    amount_minor: int
    currency: str
    fee_minor: int | None
    net_minor: Annotated[
        int | None,
        Field(
            description="Of the charge, as Stripe settled it in the currency of the account: the amount less "
            "`fee_minor`. What refunds and disputes took since is not taken off"
        ),
    ]
    application_fee_minor: int
    refunded_by_notes_minor: Annotated[
        int,
        Field(
            description="Of what was given back of it, at Stripe or by other means, that which credit notes had "
            "recorded already: the payment's own `refunded_minor` does not count it, its receipt does not say it"
        ),
    ]
    refunds: list[StripeRefundResponse]
    refund_requests: list[StripeRefundRequestResponse]
    refunds_elsewhere: list[RefundElsewhereResponse]
    disputes: list[StripeDisputeResponse]


def stripe_payment_answer(record: StripePayment) -> Answer:
    said, means = explain_payment(record), method_words(record.method)
    return answer(
        200,
        StripePaymentResponse(
            payment_intent_id=record.payment_intent_id,
            account_id=record.account_id,
            charge_id=record.charge_id,
            state=record.state,
            detail_fr=said.french,
            detail_en=said.english,
            method=record.method,
            method_fr=means.french,
            method_en=means.english,
            amount_minor=record.amount_minor,
            currency=record.currency,
            fee_minor=record.fee_minor,
            net_minor=record.net_minor,
            application_fee_minor=record.application_fee_minor,
            refunded_by_notes_minor=record.refunded_by_notes_minor,
            refunds=[StripeRefundResponse.of(one) for one in record.refunds],
            refund_requests=[StripeRefundRequestResponse.of(one) for one in record.requests],
            refunds_elsewhere=[RefundElsewhereResponse.of(one) for one in record.elsewhere],
            disputes=[StripeDisputeResponse.of(one) for one in record.disputes],
        ),
    )
