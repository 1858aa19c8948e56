"""Attempts to pay invoices online, and the company's Stripe account behind them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutBook
from billing.domain.events import Event
from billing.domain.invoice import Invoice
from billing.domain.notices import CompanyNotice
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_inbox import InboxEntry
from billing.ports.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckoutContext:
    """What a payment online rests on, read together. ``invoice`` None when there is none."""

    invoice: Invoice | None
    book: CheckoutBook
    connection: StripeConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class DueCheckout:
    """What has to be looked at: one invoice, or every open page of a company that let its account go (None)."""

    tenant_id: str
    invoice_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedLedger:
    """An invoice and the rank of an entry that its ledger has now."""

    tenant_id: str
    invoice_id: str
    rank: int


class Checkouts(Protocol):
    shards: int

    def load(self, tenant_id: str, invoice_id: str) -> CheckoutContext:
        """One request. For the public side and for what runs by itself: whoever asks judges the right."""
        ...

    def book(self, tenant_id: str, invoice_id: str) -> CheckoutBook:
        """The book alone; an unwritten one when there is none. One request."""
        ...

    def due(self, at: datetime, *, shard: int, limit: int) -> tuple[DueCheckout, ...]:
        """Oldest first. What was dealt with a moment ago may be among them."""
        ...

    def unsettled(self, at: datetime, *, shard: int, limit: int) -> tuple[tuple[str, str], ...]:
        """Tenants and invoices whose payment was confirmed, has not ended, and is asked for again by ``at``."""
        ...

    def closable(self, tenant_id: str, *, limit: int) -> tuple[str, ...]:
        """Invoices of a company whose page may still be open, those that end first; a moment late."""
        ...

    def save(
        self, book: CheckoutBook, *, while_ledger_at: int | None = None, while_links_at: int | None = None
    ) -> None:
        """The next version of a book.

        ``while_ledger_at``: only while the invoice has exactly so many ledger entries; ``while_links_at``: while its
        links are in that version (0: never written). In the same transaction.

        Raises: StaleVersion.
        """
        ...


class LinkSecrets(Protocol):
    def secret(self, *, context: Mapping[str, str]) -> str:
        """256 bits as 43 URL-safe characters: the same for the same context, and nobody else can make them."""
        ...


class StripeConnections(Protocol):
    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> StripeConnection:
        """One request. Raises: with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def stored(self, tenant_id: str) -> StripeConnection:
        """For what has no caller."""
        ...

    def save(
        self,
        caller: Caller,
        connection: StripeConnection,
        *,
        event: Event | None = None,
        entry: InboxEntry | None = None,
        notices: tuple[CompanyNotice, ...] = (),
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        """The next version, the end of what Stripe told and what the company is written of it, in one transaction.

        An account that it names leads to this tenant from then on. Raises: StaleVersion.
        """
        ...

    def tenant_of(self, account_id: str) -> str | None:
        """The tenant that an account was connected by, even when it was let go since."""
        ...
