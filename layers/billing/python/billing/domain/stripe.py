"""What Stripe says of its objects, as far as billing rests on it. Amounts in cents; names as in Stripe's API.

No name, address or card detail of a person is held: identifiers, states and sums only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

# Of every request, and of the events that the webhook endpoint at Stripe is set to: what comes in another is parked.
STRIPE_API_VERSION: Final = "2026-10-28.endive"
DASHBOARD: Final = "https://dashboard.stripe.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeAccount:
    """A connected account. ``requirements_due`` are the names of what Stripe still wants to know."""

    account_id: str
    charges_enabled: bool
    payouts_enabled: bool
    details_submitted: bool
    requirements_due: tuple[str, ...] = ()
    disabled_reason: str = ""
    capabilities: tuple[str, ...] = ()  # those that are active: ``card_payments``, ``sepa_debit_payments``, …
    default_currency: str = "EUR"


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeLink:
    """A page of Stripe that a person is led to, once, within its life."""

    url: str
    expires_at: datetime | None = None


# What Stripe says one day and does not say yet: nothing follows from it, and what it is said of is not done with.
UNKNOWN: Final = "unknown"


class CheckoutStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"
    UNKNOWN = UNKNOWN


class CheckoutPaymentStatus(StrEnum):
    PAID = "paid"
    UNPAID = "unpaid"
    NO_PAYMENT_REQUIRED = "no_payment_required"
    UNKNOWN = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutSession:
    """``url`` only while it is open; ``payment_intent_id`` once the customer confirmed."""

    session_id: str
    status: CheckoutStatus
    payment_status: CheckoutPaymentStatus
    amount_minor: int
    currency: str
    expires_at: datetime
    url: str | None = None
    payment_intent_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class PaymentIntentStatus(StrEnum):
    REQUIRES_PAYMENT_METHOD = "requires_payment_method"
    REQUIRES_CONFIRMATION = "requires_confirmation"
    REQUIRES_ACTION = "requires_action"
    REQUIRES_CAPTURE = "requires_capture"
    PROCESSING = "processing"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"
    UNKNOWN = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeCharge:
    """The charge of a payment intent that succeeded or is being settled. Fee and net once Stripe settled it.

    ``method`` is Stripe's type of payment method: ``card``, ``sepa_debit``, ….
    """

    charge_id: str
    amount_minor: int
    refunded_minor: int
    method: str
    paid: bool
    disputed: bool
    created: datetime
    balance_transaction_id: str | None = None
    fee_minor: int | None = None
    net_minor: int | None = None
    application_fee_minor: int = 0
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentIntent:
    """``application_id``: the platform that made it, in Stripe's own word; empty of what the company made itself."""

    payment_intent_id: str
    status: PaymentIntentStatus
    amount_minor: int
    received_minor: int
    currency: str
    created: datetime
    charge: StripeCharge | None = None  # the latest
    last_error_code: str = ""
    application_id: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class StripeRefundStatus(StrEnum):
    PENDING = "pending"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeRefund:
    refund_id: str
    status: StripeRefundStatus
    amount_minor: int
    currency: str
    created: datetime
    charge_id: str | None = None
    payment_intent_id: str | None = None
    reason: str = ""
    failure_reason: str = ""
    balance_transaction_id: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class DisputeStatus(StrEnum):
    WARNING_NEEDS_RESPONSE = "warning_needs_response"
    WARNING_UNDER_REVIEW = "warning_under_review"
    WARNING_CLOSED = "warning_closed"
    NEEDS_RESPONSE = "needs_response"
    UNDER_REVIEW = "under_review"
    WON = "won"
    LOST = "lost"
    PREVENTED = "prevented"
    UNKNOWN = UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeDispute:
    dispute_id: str
    status: DisputeStatus
    amount_minor: int
    currency: str
    created: datetime
    charge_id: str
    payment_intent_id: str | None = None
    reason: str = ""
    evidence_due_by: datetime | None = None
    fee_minor: int = 0  # what Stripe keeps for the dispute itself


@dataclass(frozen=True, slots=True, kw_only=True)
class StripePayout:
    payout_id: str
    status: str
    amount_minor: int
    currency: str
    arrival_date: date
    created: datetime
    failure_code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceTransaction:
    """A movement of an account's balance at Stripe: ``amount`` = ``net`` + ``fee``, negative when money left.

    ``transaction_type`` is Stripe's: ``charge``, ``payment``, ``refund``, ``payment_refund``, ``adjustment``,
    ``payout``, ``application_fee``, …; ``source_id`` names the charge, refund, dispute or payout behind it.
    """

    balance_transaction_id: str
    transaction_type: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    source_id: str
    created: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StripePrice:
    """What is asked for again and again. ``interval`` is Stripe's: ``month``, ``year``, …, for one of it."""

    price_id: str
    lookup_key: str
    amount_minor: int
    currency: str
    interval: str


class SubscriptionStatus(StrEnum):
    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"
    UNPAID = "unpaid"
    PAUSED = "paused"
    UNKNOWN = UNKNOWN

    @property
    def is_over(self) -> bool:
        """Nothing becomes of it any more: Stripe never takes one of these up again."""
        return self in {SubscriptionStatus.CANCELED, SubscriptionStatus.INCOMPLETE_EXPIRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeSubscription:
    """A subscription to the platform itself. ``plan`` and ``tenant_id`` as we named them when it was begun.

    ``ends_at``: when it was told to end. ``failures`` and ``unpaid_since`` are of its latest invoice while it is owed.
    """

    subscription_id: str
    customer_id: str
    status: SubscriptionStatus
    created: datetime
    current_period_end: datetime
    lookup_key: str = ""  # of its price: one that was replaced since has none
    plan: str = ""
    tenant_id: str = ""
    trial_end: datetime | None = None
    ends_at: datetime | None = None
    ended_at: datetime | None = None
    failures: int = 0
    unpaid_since: datetime | None = None
    next_attempt_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeEvent:
    """What is kept of a webhook event: what it is about, never its content. The object is read again at Stripe.

    ``account_id`` is empty for an event of the platform's own account.
    """

    event_id: str
    event_type: str
    account_id: str
    object_id: str
    object_type: str
    created: datetime
    api_version: str
    livemode: bool
    parent_id: str = ""  # what the object belongs to: a payment intent or charge, the platform's customer
