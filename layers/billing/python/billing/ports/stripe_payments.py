"""Payments at Stripe as they are kept here, and what is written together with their effect on the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.customer_credit import CustomerCredit
from billing.domain.disputes import ListedDispute
from billing.domain.events import Event
from billing.domain.notices import CompanyNotice
from billing.domain.payments import Payment
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.stripe_payment import DayBooking, PaperRefund, StripePayment
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeNews:
    """An event for the company, beside the invoice that it is about, where it is read; else beside its account."""

    event: Event
    invoice_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StripeFacts:
    """What Stripe told, as it becomes with an effect or without one: each part in its next version, or left out.

    ``payment`` where only what is known of it grew, and nothing moved. ``credit``: the customer's, where its promises
    changed and nothing moves it. ``booked``, ``on_paper``: what the night looks for at Stripe. ``counts``: metrics
    of what this tells, written into this version of the record: the reader of the table's stream counts them, so that
    nobody can die in between. ``notices``: mails to the company, new.
    """

    record: StripePayment | None = None
    book: CheckoutBook | None = None
    entry: InboxEntry | None = None
    payment: Payment | None = None
    credit: CustomerCredit | None = None
    news: tuple[StripeNews, ...] = ()
    booked: DayBooking | None = None
    on_paper: tuple[PaperRefund, ...] = ()
    counts: tuple[str, ...] = ()
    notices: tuple[CompanyNotice, ...] = ()


class StripePayments(Protocol):
    def stored(self, tenant_id: str, payment_intent_id: str) -> StripePayment | None:
        """For what has no caller. One request."""
        ...

    def read(
        self, caller: Caller, payment_intent_id: str, *, once: IdempotentRequest | None = None
    ) -> StripePayment | None:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def disputes(self, caller: Caller, page: PageRequest) -> Page[ListedDispute]:
        """One request, by ``ListedDispute.order``. Raises: PageTokenInvalid, MembershipChanged."""
        ...

    def disputes_due(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str, str]]:
        """Tenant, payment intent and dispute of those that were to be written of again before an instant.

        Those first whose time came first. Two requests, one where there are none.
        """
        ...

    def asked(self, shard: int, before: datetime, limit: int) -> list[tuple[str, str]]:
        """Tenant and payment intent of those with a refund that was asked for before an instant, and not answered.

        And of those with something that the books could not bear, to be looked at again before it.
        """
        ...

    def write(
        self,
        caller: Caller,
        facts: StripeFacts,
        *,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        """All of it in one transaction. Raises: StaleVersion."""
        ...
