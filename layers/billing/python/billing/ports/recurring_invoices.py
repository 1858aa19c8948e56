"""Stored templates of recurring invoices, and those that are due across tenants."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.events import Event
from billing.domain.invoice import DraftInvoice
from billing.domain.recurring_invoice import RecurringInvoice, RecurringMode, RecurringState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringInvoiceSummary:
    """A row of a list; amounts in cents."""

    recurring_invoice_id: str
    name: str
    state: RecurringState
    mode: RecurringMode
    customer_id: str
    customer_name: str
    total_minor: int
    next_date: date | None
    made_count: int
    error: str

    @classmethod
    def of(cls, recurring: RecurringInvoice) -> RecurringInvoiceSummary:
        return cls(
            recurring_invoice_id=recurring.recurring_invoice_id,
            name=recurring.name,
            state=recurring.state,
            mode=recurring.mode,
            customer_id=recurring.content.customer_id,
            customer_name=recurring.customer_name,
            total_minor=recurring.totals.total_minor,
            next_date=recurring.next_date,
            made_count=recurring.made_count,
            error=recurring.error,
        )


@dataclass(frozen=True, slots=True)
class DueRecurringInvoice:
    tenant_id: str
    recurring_invoice_id: str


class PeriodMade(Exception):
    """The document of this period is there already: another run made it."""


class RecurringInvoices(Protocol):
    shards: int

    def read(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        """One request. Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def current(
        self, caller: Caller, recurring_invoice_id: str, *, once: IdempotentRequest | None = None
    ) -> RecurringInvoice:
        """As ``read``, of the customer that its own became where that one was merged; one request more, or two."""
        ...

    def create(self, caller: Caller, recurring: RecurringInvoice, *, event: Event, once: IdempotentRequest) -> None: ...

    def save(
        self, caller: Caller, recurring: RecurringInvoice, *, event: Event | None, once: IdempotentRequest | None = None
    ) -> None:
        """The next version. Raises: StaleVersion."""
        ...

    def list(self, caller: Caller, page: PageRequest) -> Page[RecurringInvoiceSummary]:
        """By folded name, of customers as ``current`` says; one request more than a list, or two."""
        ...

    def timeline(self, caller: Caller, recurring_invoice_id: str, page: PageRequest) -> Page[Event]:
        """Oldest first. Raises: NotFound."""
        ...

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[DueRecurringInvoice, ...], str | None]:
        """Templates to look at on a day, longest due first, across tenants; and where the next page starts."""
        ...

    def make(
        self, caller: Caller, recurring: RecurringInvoice, *, draft: DraftInvoice, events: tuple[Event, Event]
    ) -> None:
        """The draft of a period and the template after it, in one transaction; events: the template's, the draft's.

        Raises: PeriodMade, StaleVersion.
        """
        ...
