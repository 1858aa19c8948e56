"""Days at Stripe held against the ledger, as they are shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply
from billing.api.paging import PageReply
from billing.domain.reconciliation import Difference, DifferenceKind, Reconciliation, ReconciliationState


class PaymentDifferenceResponse(Reply):
    kind: DifferenceKind
    source_id: Annotated[str, Field(description="The charge, refund or dispute at Stripe; a credit note without one")]
    stripe_minor: int
    ours_minor: int
    payment_id: str | None

    @classmethod
    def of(cls, difference: Difference) -> PaymentDifferenceResponse:
        return cls(
            kind=difference.kind,
            source_id=difference.source_id,
            stripe_minor=difference.stripe_minor,
            ours_minor=difference.ours_minor,
            payment_id=difference.payment_id or None,
        )


class PaymentReconciliationResponse(Reply):
    """A day in Paris; cents, as Stripe moved them.

    A difference ``missing`` is at Stripe and not in the ledger, ``not_at_stripe`` the reverse. ``on_paper``: a credit
    note says that the money was given back, and Stripe did not give it back: refund the payment naming the note, unless
    you gave it back by other means. A day ``unread`` could not be read: the account is not linked any more; it is read
    once the account is back.
    """

    day: date
    account_id: str
    state: ReconciliationState
    movements: int
    foreign: Annotated[int, Field(description="Movements of payments that ZenBilling did not ask for")]
    booked: Annotated[int, Field(description="Payments, refunds and lost disputes that the ledger has of that day")]
    repaired: Annotated[int, Field(description="Facts that had not been told, and are in the ledger now")]
    paid_minor: int
    given_back_minor: int
    fee_minor: int
    payout_minor: int
    differences: list[PaymentDifferenceResponse]
    ended_at: datetime | None

    @classmethod
    def of(cls, report: Reconciliation) -> PaymentReconciliationResponse:
        return cls(
            day=report.day,
            account_id=report.account_id,
            state=report.state,
            movements=report.movements,
            foreign=report.foreign,
            booked=report.booked,
            repaired=report.repaired,
            paid_minor=report.paid_minor,
            given_back_minor=report.given_back_minor,
            fee_minor=report.fee_minor,
            payout_minor=report.payout_minor,
            differences=[PaymentDifferenceResponse.of(one) for one in report.differences],
            ended_at=report.ended_at,
        )


class PaymentReconciliationPageResponse(PageReply):
    items: list[PaymentReconciliationResponse]
