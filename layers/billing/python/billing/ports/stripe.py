"""Stripe, as billing needs it. Every call names the connected account that it acts for.

Each method raises DependencyUnavailable when Stripe does not answer in time, answers 5xx or limits the rate: whether a
write happened is then unknown, and the same idempotency key asks again without doing it twice. And StripeRefused of
``NO_ACCESS`` once the company took its account away: what is there, nobody here can say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from billing.domain.stripe import (
    BalanceTransaction,
    CheckoutSession,
    PaymentIntent,
    StripeAccount,
    StripeDispute,
    StripeLink,
    StripePayout,
    StripePrice,
    StripeRefund,
    StripeSubscription,
)
from billing.ports.paging import Page

NO_ACCESS = "account_invalid"  # Stripe's code once a company withdrew our access to its account


class StripeRefused(Exception):
    """Stripe said no for good: asking again the same way gives the same answer. ``code`` is Stripe's."""

    def __init__(self, code: str, *, status: int) -> None:
        self.code = code
        self.status = status
        super().__init__(f"refused by Stripe: {code} ({status})")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountWanted:
    """A company that becomes a connected account; the rest is asked by Stripe itself."""

    email: str
    country: str
    business_name: str
    url: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutWanted:
    """One amount of one invoice. ``expires_at`` is 30 minutes to 24 hours away (Stripe's rule)."""

    amount_minor: int
    currency: str
    title: str  # of the page, and of the payment in the dashboard of the company
    language: str  # ``fr`` or ``en``
    success_url: str
    cancel_url: str
    expires_at: datetime
    application_fee_minor: int = 0
    customer_email: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)  # on the session and on its payment intent


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundWanted:
    payment_intent_id: str
    amount_minor: int
    reason: str = ""  # one of Stripe's: ``duplicate``, ``fraudulent``, ``requested_by_customer``
    refund_application_fee: bool = False  # only of a charge that a fee was taken of: Stripe refuses otherwise
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriberWanted:
    """A company as a customer of the platform itself."""

    email: str
    name: str
    language: str  # ``fr`` or ``en``
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionWanted:
    """One of a price for each period, after a trial where there is one."""

    customer_id: str
    price_id: str
    trial_days: int
    language: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: Mapping[str, str] = field(default_factory=dict)  # on the session and on its subscription


class StripeGateway(Protocol):
    def create_account(self, wanted: AccountWanted, *, idempotency_key: str) -> StripeAccount:
        """Of a company that keeps its own dashboard, pays Stripe's fees, and bears its losses (a standard account)."""
        ...

    def read_account(self, account_id: str) -> StripeAccount | None:
        """None when it is not connected to the platform any more."""
        ...

    def create_account_link(self, account_id: str, *, return_url: str, refresh_url: str) -> StripeLink: ...

    def create_checkout_session(
        self, account_id: str, wanted: CheckoutWanted, *, idempotency_key: str
    ) -> CheckoutSession:
        """Raises: StripeRefused."""
        ...

    def read_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession | None: ...

    def session_of_payment_intent(self, account_id: str, payment_intent_id: str) -> CheckoutSession | None:
        """The session whose page made a payment intent: Stripe's own word, that nobody at the company can write.

        None when no session did.
        """
        ...

    def expire_checkout_session(self, account_id: str, session_id: str) -> CheckoutSession:
        """As it is afterwards: expired, or complete when the customer was faster. Never raises for being too late."""
        ...

    def read_payment_intent(self, account_id: str, payment_intent_id: str) -> PaymentIntent | None:
        """With its latest charge, and fee and net once it is settled: one request."""
        ...

    def payment_intent_of_charge(self, account_id: str, charge_id: str) -> str | None:
        """None when there is no such charge, or it was made without a payment intent."""
        ...

    def create_refund(self, account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        """Raises: StripeRefused (``charge_already_refunded``, ``charge_disputed``, ``insufficient_funds``, …)."""
        ...

    def read_refund(self, account_id: str, refund_id: str) -> StripeRefund | None: ...

    def list_refunds(self, account_id: str, payment_intent_id: str) -> tuple[StripeRefund, ...]:
        """All of them, oldest first."""
        ...

    def read_dispute(self, account_id: str, dispute_id: str) -> StripeDispute | None: ...

    def list_disputes(self, account_id: str, payment_intent_id: str) -> tuple[StripeDispute, ...]: ...

    def read_payout(self, account_id: str, payout_id: str) -> StripePayout | None: ...

    def list_balance_transactions(
        self, account_id: str, *, since: datetime, before: datetime, after: str | None = None
    ) -> Page[BalanceTransaction]:
        """Those created within, a page of one hundred, latest first as Stripe lists; ``after`` is a page's position."""
        ...

    def balance_transactions_of(self, account_id: str, source_id: str) -> tuple[BalanceTransaction, ...]:
        """The movement that a charge, a refund or a dispute made when it was; none when there is none."""
        ...

    # The platform's own account: companies as its customers

    def find_price(self, lookup_key: str) -> StripePrice | None:
        """The active price of that name."""
        ...

    def create_subscriber(self, wanted: SubscriberWanted, *, idempotency_key: str) -> str:
        """The customer's id. Raises: StripeRefused."""
        ...

    def create_subscription_page(self, wanted: SubscriptionWanted, *, idempotency_key: str) -> CheckoutSession:
        """Raises: StripeRefused."""
        ...

    def read_subscription_page(self, session_id: str) -> CheckoutSession | None: ...

    def create_portal_link(self, customer_id: str, *, return_url: str, language: str) -> StripeLink:
        """Where a customer changes the card, sees invoices, ends the subscription. Raises: StripeRefused."""
        ...

    def list_subscriptions(self, customer_id: str) -> tuple[StripeSubscription, ...]:
        """Those that are over included, a hundred at most; each with its latest invoice: one request."""
        ...
