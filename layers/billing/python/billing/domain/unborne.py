"""What Stripe gave back, or a bank took, and the books could not bear: how much of it, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from billing.domain.checkout import CheckoutBook
from billing.domain.currency import EURO
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.stripe_payment import StripePayment


class UnborneCause(StrEnum):
    CREDIT_SPENT = "credit_spent"  # what the payment left as credit of the customer is not there any more
    GIVEN_BACK_TWICE = "given_back_twice"  # the customer has more of the payment than it was
    OTHER = "other"  # what it rests on is not in the books either, or cannot be compared


@dataclass(frozen=True, slots=True, kw_only=True)
class UnborneFact:
    """In cents of the payment. ``given_minor``: all that it gave back; ``unbooked_minor``: what is in no books of it.

    ``missing_minor``: what the customer's credit lacks for it. ``twice_minor``: what the customer has twice of it.
    """

    subject: str  # Stripe's id of the refund or the dispute
    is_dispute: bool
    given_minor: int
    unbooked_minor: int
    missing_minor: int
    cause: UnborneCause
    twice_minor: int = 0


def unborne_fact(record: StripePayment, subject: str, missing_minor: int, book: CheckoutBook) -> UnborneFact:
    """``missing_minor``: as it was found when it was judged; 0 of what is in the books in part."""
    is_dispute = any(one.dispute_id == subject for one in record.disputes)
    given = record.dispute(subject).amount_minor if is_dispute else record.refund(subject).amount_minor
    unbooked = record.unbooked_of(subject) if is_dispute else given
    elsewhere = sum(one.amount_minor for one in book.elsewhere_of(record.payment_intent_id))
    beyond = record.with_customer_minor + elsewhere - record.amount_minor
    twice = min(max(beyond, 0), unbooked)
    cause = UnborneCause.CREDIT_SPENT if record.currency == EURO else UnborneCause.OTHER  # there is no other credit
    return UnborneFact(
        subject=subject,
        is_dispute=is_dispute,
        given_minor=given,
        unbooked_minor=unbooked,
        missing_minor=min(missing_minor or unbooked, unbooked if twice == unbooked else unbooked - twice),
        cause=UnborneCause.GIVEN_BACK_TWICE if twice == unbooked else cause,
        twice_minor=twice,
    )


def unborne_event(record: StripePayment, fact: UnborneFact, at: datetime) -> Event:
    """For the invoice's timeline. By the version that it is told with: a dispute may be lost again."""
    about = "dispute_id" if fact.is_dispute else "refund_id"
    return Event(
        event_id=derived_event_id("stripe", EventType.PAYMENT_NOT_BORNE, fact.subject, str(record.version)),
        event_type=EventType.PAYMENT_NOT_BORNE,
        occurred_at=at,
        actor="system:stripe",
        data={
            "payment_id": record.payment_id,
            "invoice_id": record.invoice_id,
            about: fact.subject,
            "amount_minor": fact.given_minor,
            "unbooked_minor": fact.unbooked_minor,
            "missing_minor": fact.missing_minor,
            "twice_minor": fact.twice_minor,
            "cause": fact.cause.value,
        },
    )
