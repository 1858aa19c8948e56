"""Mails to the company itself: addressed here, written with the fact that they tell of, sent as documents are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.access import Caller
from billing.domain.disputes import listed_dispute
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.stripe_payment import StripePayment
from billing.ports.repositories import Companies


def addressed(
    caller: Caller, facts: Sequence[MoneyFact], *named: str, companies: Companies, at: datetime
) -> tuple[CompanyNotice, ...]:
    """To the company's own address; none while it has not described itself. A request where there are facts.

    ``named``: what tells these facts from others of their kinds.
    """
    company = companies.read(caller) if facts else None
    if company is None:
        return ()
    recipient = company.description.email
    return tuple(CompanyNotice.of(caller.tenant_id, fact, *named, recipient=recipient, at=at) for fact in facts)


def dispute_fact(kind: NoticeKind, record: StripePayment, dispute_id: str) -> MoneyFact:
    listed = listed_dispute(record, dispute_id)
    return MoneyFact(
        kind=kind,
        subject=dispute_id,
        amount_minor=listed.amount_minor,
        currency=listed.currency,
        invoice_id=listed.invoice_id,
        invoice_number=listed.invoice_number,
        customer_name=listed.customer_name,
        answer_url=listed.answer_url,
        reason=listed.reason,
        due_at=listed.evidence_due_by,
        fee_minor=listed.fee_minor,
    )
