"""A payment as it stands at Stripe: what is pending there, contested, or asked for."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.domain.stripe import DisputeStatus, StripeRefundStatus
from billing.domain.stripe_payment import RequestState, StripePayment, StripePaymentState
from billing.ports.idempotency import Answer


class StripeRefundResponse(Reply):
    refund_id: Annotated[str, Field(description="At Stripe")]
    status: Annotated[StripeRefundStatus, Field(description="A pending one is in no ledger yet")]
    amount_minor: int
    created_at: datetime
    failure_reason: str


class StripeRefundRequestResponse(Reply):
    """A refund that was asked for here; `refusal` is Stripe's code."""

    amount_minor: int
    reason: str
    credit_note_id: str | None
    state: RequestState
    refusal: str
    requested_at: datetime
    requested_by: str


class StripeDisputeResponse(Reply):
    dispute_id: Annotated[str, Field(description="At Stripe, where evidence is handed in")]
    status: DisputeStatus
    amount_minor: int
    fee_minor: int
    reason: str
    evidence_due_by: datetime | None
    created_at: datetime


class StripePaymentResponse(Reply):
    """Amounts in cents; fee and net in the currency of the account at Stripe."""

    payment_intent_id: str
    account_id: str
    charge_id: str
    state: StripePaymentState
    method: Annotated[str, Field(description="Stripe's type of the means of payment")]
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
    refunds: list[StripeRefundResponse]
    refund_requests: list[StripeRefundRequestResponse]
    disputes: list[StripeDisputeResponse]


def stripe_payment_answer(record: StripePayment) -> Answer:
    return answer(
        200,
        StripePaymentResponse(
            payment_intent_id=record.payment_intent_id,
            account_id=record.account_id,
            charge_id=record.charge_id,
            state=record.state,
            method=record.method,
            amount_minor=record.amount_minor,
            currency=record.currency,
            fee_minor=record.fee_minor,
            net_minor=record.net_minor,
            application_fee_minor=record.application_fee_minor,
            refunds=[
                StripeRefundResponse(
                    refund_id=one.refund_id,
                    status=one.status,
                    amount_minor=one.amount_minor,
                    created_at=one.created,
                    failure_reason=one.failure_reason,
                )
                for one in record.refunds
            ],
            refund_requests=[
                StripeRefundRequestResponse(
                    amount_minor=one.amount_minor,
                    reason=one.reason,
                    credit_note_id=one.credit_note_id or None,
                    state=one.state,
                    refusal=one.refusal,
                    requested_at=one.requested_at,
                    requested_by=one.requested_by,
                )
                for one in record.requests
            ],
            disputes=[
                StripeDisputeResponse(
                    dispute_id=one.dispute_id,
                    status=one.status,
                    amount_minor=one.amount_minor,
                    fee_minor=one.fee_minor,
                    reason=one.reason,
                    evidence_due_by=one.evidence_due_by,
                    created_at=one.created,
                )
                for one in record.disputes
            ],
        ),
    )
