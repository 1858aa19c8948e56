"""Disputes of payments at Stripe as a company sees them: which come first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from billing.domain.stripe import DASHBOARD, DisputeStatus
from billing.domain.stripe_payment import StripePayment

LAST: Final = 9_999_999_999  # seconds: after every instant
_ENDED: Final = frozenset(
    {DisputeStatus.WON, DisputeStatus.LOST, DisputeStatus.WARNING_CLOSED, DisputeStatus.PREVENTED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDispute:
    """A dispute in the company's list. Amounts in cents of ``currency``; number and customer are the invoice's."""

    dispute_id: str
    account_id: str
    payment_id: str
    invoice_id: str
    invoice_number: str
    customer_name: str
    amount_minor: int
    currency: str
    fee_minor: int
    reason: str
    status: DisputeStatus
    opened_at: datetime
    evidence_due_by: datetime | None
    awaits_answer: bool

    @property
    def order(self) -> tuple[int, int]:
        """What waits for the company, by its deadline; then what a bank decides; then what ended, latest first."""
        if self.awaits_answer:
            return 0, int(self.evidence_due_by.timestamp()) if self.evidence_due_by else LAST
        return 2 if self.status in _ENDED else 1, LAST - int(self.opened_at.timestamp())

    @property
    def answer_url(self) -> str:
        """Where evidence is handed in, and the dispute is accepted."""
        return f"{DASHBOARD}/{self.account_id}/disputes/{self.dispute_id}"


def listed_dispute(record: StripePayment, dispute_id: str) -> ListedDispute:
    dispute = record.dispute(dispute_id)
    return ListedDispute(
        dispute_id=dispute_id,
        account_id=record.account_id,
        payment_id=record.derived_payment_id,
        invoice_id=record.invoice_id,
        invoice_number=record.invoice_number,
        customer_name=record.customer_name,
        amount_minor=dispute.amount_minor,
        currency=dispute.currency or record.currency,
        fee_minor=dispute.fee_minor,
        reason=dispute.reason,
        status=dispute.status,
        opened_at=dispute.created,
        evidence_due_by=dispute.evidence_due_by,
        awaits_answer=dispute.awaits_answer,
    )
