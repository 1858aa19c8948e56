"""Mails to the company itself: addressed here, written with the fact that they tell of, sent as documents are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from billing.domain.access import Caller
from billing.domain.disputes import listed_dispute
from billing.domain.invoice import IssuedInvoice
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.stripe import DASHBOARD
from billing.domain.stripe_payment import StripePayment
from billing.domain.unborne import UnborneCause, UnborneFact
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


def dispute_lost(
    record: StripePayment, dispute_id: str, unborne: UnborneFact | None, invoice: IssuedInvoice
) -> MoneyFact:
    """A dispute that is lost, and what of it is in the books once this is written.

    ``unborne``: what the books cannot bear of it, and why.
    """
    dispute, unbooked = record.dispute(dispute_id), record.unbooked_of(dispute_id)
    fact = replace(
        dispute_fact(NoticeKind.DISPUTE_LOST, record, dispute_id),
        unbooked_minor=unbooked,
        noted_minor=dispute.by_note_minor if dispute.booked else 0,
        credited_minor=invoice.ledger.credited_minor,
        invoiced_minor=invoice.ledger.total_minor,
    )
    if unborne is None:
        return replace(fact, cause=UnborneCause.OTHER.value if unbooked else "")
    return replace(
        fact, missing_minor=unborne.missing_minor, cause=unborne.cause.value, twice_minor=unborne.twice_minor
    )


def refund_not_borne(record: StripePayment, unborne: UnborneFact, invoice: IssuedInvoice) -> MoneyFact:
    return MoneyFact(
        kind=NoticeKind.REFUND_NOT_BORNE,
        subject=unborne.subject,
        amount_minor=unborne.given_minor,
        currency=record.currency,
        invoice_id=record.invoice_id,
        invoice_number=invoice.document.number,
        customer_name=invoice.document.buyer.name,
        answer_url=f"{DASHBOARD}/{record.account_id}/payments/{record.payment_intent_id}",
        unbooked_minor=unborne.unbooked_minor,
        missing_minor=unborne.missing_minor,
        cause=unborne.cause.value,
        twice_minor=unborne.twice_minor,
    )
