"""What a company is written to of its money: disputes, payments, refunds, its account at Stripe and its own plan.

Once per fact.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER
from billing.domain.currency import EURO
from billing.domain.delivery import Delivery, DeliveryRequest

NOTICE_PREFIX: Final = "ntc_"


class NoticeKind(StrEnum):
    INQUIRY_OPENED = "inquiry_opened"  # a bank asks, and takes nothing yet
    DISPUTE_OPENED = "dispute_opened"
    INQUIRY_DUE = "inquiry_due"  # its deadline is near
    DISPUTE_DUE = "dispute_due"
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYMENT_FAILED = "payment_failed"  # a bank refused what the customer had confirmed
    PAYMENT_UNREADABLE = "payment_unreadable"  # nobody could read what became of it: the invoice waits no longer
    REFUND_FAILED = "refund_failed"  # the customer's bank sent it back
    REFUND_NOT_BORNE = "refund_not_borne"  # Stripe made it, and the books cannot bear it
    PAID_BEYOND = "paid_beyond"  # online, what the invoice did not owe any more
    CHARGES_CLOSED = "charges_closed"  # Stripe takes no payments for the account any more
    TRIAL_ENDING = "trial_ending"
    SUBSCRIPTION_PAYMENT_FAILED = "subscription_payment_failed"
    PLAN_NEAR = "plan_near"  # the month used most of it
    PLAN_FULL = "plan_full"  # no new invoice is issued this month

    @property
    def is_of_subscription(self) -> bool:
        return self in _OF_SUBSCRIPTION


_OF_SUBSCRIPTION: Final = frozenset(
    {
        NoticeKind.TRIAL_ENDING,
        NoticeKind.SUBSCRIPTION_PAYMENT_FAILED,
        NoticeKind.PLAN_NEAR,
        NoticeKind.PLAN_FULL,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFact:
    """What there is to write of. Cents of ``currency``. ``subject``: Stripe's id of what it happened to; the invoice,
    of what a plan has used.

    ``due_at``: until when evidence is taken; when a trial ends; when a plan ends that is not paid for.
    ``next_attempt_at``: of a card. ``ends``: a subscription was told to end, and nothing is charged after its trial.
    ``reason``: Stripe's code of a dispute, of a refusal or of an account that is limited. ``method``: Stripe's type of
    the means of payment. ``fee_minor``: what Stripe keeps for a dispute, in the account's currency.
    ``received_minor``: all that came in, where ``amount_minor`` is what of it became credit. ``awaited``: what Stripe
    waits for, in its names. ``issued``: invoices of ``month``, its first day, this one included.
    ``confirmed_at``: when the customer confirmed what could not be read.

    Of a refund or a lost dispute, of its ``amount_minor``: ``unbooked_minor`` is not in the books, for want of
    ``missing_minor`` of credit (``cause``: an UnborneCause), or for ``twice_minor`` that the customer has twice of it;
    ``noted_minor`` credit notes had given back in them.
    ``credited_minor``: what credit notes took off the invoice; ``invoiced_minor``: what it was.
    """

    kind: NoticeKind
    subject: str
    amount_minor: int = 0
    currency: str = EURO
    invoice_id: str = ""
    invoice_number: str = ""
    customer_name: str = ""
    answer_url: str = ""
    reason: str = ""
    method: str = ""
    plan: str = ""
    due_at: datetime | None = None
    next_attempt_at: datetime | None = None
    ends: bool = False
    confirmed_at: datetime | None = field(default=None, metadata=LATER)
    fee_minor: int = field(default=0, metadata=LATER)
    received_minor: int = field(default=0, metadata=LATER)
    awaited: tuple[str, ...] = field(default=(), metadata=LATER)
    issued: int = field(default=0, metadata=LATER)
    month: date | None = field(default=None, metadata=LATER)
    unbooked_minor: int = field(default=0, metadata=LATER)
    missing_minor: int = field(default=0, metadata=LATER)
    noted_minor: int = field(default=0, metadata=LATER)
    credited_minor: int = field(default=0, metadata=LATER)
    invoiced_minor: int = field(default=0, metadata=LATER)
    cause: str = field(default="", metadata=LATER)
    twice_minor: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyNotice:
    """A mail to the company itself, frozen with its fact and delivered as documents are, without a file."""

    tenant_id: str
    notice_id: str
    recipient: str
    fact: MoneyFact
    created_at: datetime
    updated_at: datetime
    version: int = 1
    delivery: Delivery = field(default_factory=Delivery)

    @classmethod
    def of(cls, tenant_id: str, fact: MoneyFact, *facts: str, recipient: str, at: datetime) -> CompanyNotice:
        """Asked for at once. ``facts``: what makes it another notice, or the same one told again."""
        return cls(
            tenant_id=tenant_id,
            notice_id=notice_id_of(tenant_id, fact.kind, fact.subject, *facts),
            recipient=recipient,
            fact=fact,
            created_at=at,
            updated_at=at,
            delivery=Delivery().requested(send=True),
        )

    @property
    def document_id(self) -> str:
        return self.notice_id

    @property
    def request(self) -> DeliveryRequest:
        """What is written with it, so that it is mailed."""
        return DeliveryRequest(
            tenant_id=self.tenant_id,
            invoice_id=self.notice_id,
            attempt=1,
            send=True,
            recipient=self.recipient,
            requested_at=self.created_at,
            correlation_id=self.notice_id,
        )

    def with_delivery(self, delivery: Delivery, at: datetime) -> CompanyNotice:
        return replace(self, delivery=delivery, version=self.version + 1, updated_at=at)


def notice_id_of(*facts: str) -> str:
    """Made of the facts behind it: whoever tells them again names the same notice."""
    digest = hashlib.sha256("\n".join(facts).encode()).digest()
    return f"{NOTICE_PREFIX}{base64.b32hexencode(digest[:16]).decode().rstrip('=')}"


def is_notice_id(document_id: str) -> bool:
    return document_id.startswith(NOTICE_PREFIX)
