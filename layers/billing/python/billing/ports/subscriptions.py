"""The subscription of a company to ZenBilling itself."""

from __future__ import annotations

from typing import Protocol

from billing.domain.access import Caller
from billing.domain.events import Event
from billing.domain.notices import CompanyNotice
from billing.domain.numbering import SeriesState
from billing.domain.stripe_inbox import InboxEntry
from billing.domain.subscription import Subscription
from billing.ports.idempotency import IdempotentRequest


class Subscriptions(Protocol):
    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> Subscription:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def read_with_use(self, caller: Caller) -> tuple[Subscription, SeriesState]:
        """With where the series of invoices stands. One request."""
        ...

    def stored(self, tenant_id: str) -> Subscription:
        """For what has no caller. One request."""
        ...

    def save(
        self,
        caller: Caller,
        subscription: Subscription,
        *,
        event: Event | None = None,
        entry: InboxEntry | None = None,
        notices: tuple[CompanyNotice, ...] = (),
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        """The next version, the end of what Stripe told, and what the company is written, in one transaction.

        The customer at Stripe that it names leads to this tenant from then on. Raises: StaleVersion.
        """
        ...

    def tenant_of(self, customer_id: str) -> str | None:
        """The tenant that a customer of the platform was made for."""
        ...
