"""What a company is written to of its money: a dispute, a payment that failed, its own subscription. Once per fact."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER
from billing.domain.currency import EURO
from billing.domain.delivery import Delivery, DeliveryRequest

NOTICE_PREFIX: Final = "ntc_"


class NoticeKind(StrEnum):
    INQUIRY_OPENED = "inquiry_opened"  # a bank asks, and takes nothing yet
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_DUE = "dispute_due"  # its deadline, or that of an inquiry, is near
    DISPUTE_WON = "dispute_won"
    DISPUTE_LOST = "dispute_lost"
    PAYMENT_FAILED = "payment_failed"  # a bank refused what the customer had confirmed
    PAYMENT_UNREADABLE = "payment_unreadable"  # nobody could read what became of it: the invoice waits no longer
    TRIAL_ENDING = "trial_ending"
    SUBSCRIPTION_PAYMENT_FAILED = "subscription_payment_failed"

    @property
    def is_of_subscription(self) -> bool:
        return self in {NoticeKind.TRIAL_ENDING, NoticeKind.SUBSCRIPTION_PAYMENT_FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyFact:
    """What there is to write of. Cents of ``currency``. ``subject``: Stripe's id of what it happened to.

    ``due_at``: until when evidence is taken; when a trial ends; when a plan ends that is not paid for.
    ``next_attempt_at``: of a card. ``ends``: a subscription was told to end, and nothing is charged after its trial.
    ``reason``: Stripe's code of a dispute or of a refusal. ``method``: Stripe's type of the means of payment.
    ``confirmed_at``: when the customer confirmed what could not be read.
    """

    kind: NoticeKind
    subject: str
    amount_minor: int
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
