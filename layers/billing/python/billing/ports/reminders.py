"""Stored reminder plans, reminders, holds and pauses, and the companies whose day has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.checkout import CheckoutAttempt, CheckoutBook
from billing.domain.delivery import DeliveryRequest
from billing.domain.events import Event
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import LedgerEntry
from billing.domain.parties import Customer
from billing.domain.reminders import (
    Reminder,
    ReminderHold,
    ReminderLevel,
    ReminderPause,
    ReminderPlan,
    ReminderRun,
    ReminderStep,
)
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderContext:
    """What judging one invoice needs; ``made`` in the order of the levels."""

    plan: ReminderPlan
    invoice: IssuedInvoice
    entries: tuple[LedgerEntry, ...]
    customer: Customer | None
    made: tuple[Reminder, ...]
    hold: ReminderHold
    pause: ReminderPause
    checkouts: CheckoutBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderInput:
    """What a person asks for; ``level`` left out is the one that is due, words left out are the plan's."""

    level: ReminderLevel | None = None
    recipient: str | None = None
    french: str = ""
    english: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemindersOfInvoice:
    """What was sent of one invoice, what stands in the way, and which level comes next by itself.

    ``online``: the payment that its customer confirmed and whose bank has not answered yet.
    """

    made: tuple[Reminder, ...]
    hold: ReminderHold
    pause: ReminderPause
    next_step: ReminderStep | None
    next_day: date | None
    today: date
    online: CheckoutAttempt | None


class ReminderRunMoved(Exception):
    """The run of a tenant went on while its plan was being saved: read it again."""


class Reminders(Protocol):
    shards: int

    def read_plan(self, caller: Caller) -> tuple[ReminderPlan, ReminderRun]:
        """One request; the usual plan, switched off, where none was saved."""
        ...

    def save_plan(self, caller: Caller, plan: ReminderPlan, run: ReminderRun, *, event: Event) -> None:
        """Raises: StaleVersion for the plan, ReminderRunMoved for the run."""
        ...

    def due(self, day: date, *, shard: int, limit: int, after: str | None = None) -> tuple[tuple[str, ...], str | None]:
        """Tenants whose next day has come, the longest waiting first."""
        ...

    def advance(self, caller: Caller, run: ReminderRun) -> None:
        """Raises: StaleVersion."""
        ...

    def load(self, caller: Caller, invoice_id: str, *, once: IdempotentRequest | None = None) -> ReminderContext:
        """Two requests. Raises: NotFound, InvoiceNotIssued; with ``once`` AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def request(
        self,
        caller: Caller,
        reminder: Reminder,
        *,
        invoice: IssuedInvoice,
        delivery: DeliveryRequest | None,
        event: Event,
        once: IdempotentRequest | None = None,
    ) -> None:
        """The reminder and its delivery, while the invoice stands as it was read. Raises: StaleVersion."""
        ...

    def save_hold(
        self,
        caller: Caller,
        hold: ReminderHold,
        *,
        event: Event | None,
        once: IdempotentRequest | None = None,
        answered: object = None,
    ) -> None:
        """``event``: none where what stood goes on. Raises: StaleVersion."""
        ...

    def ended_holds(self, caller: Caller, from_date: date, to_date: date, page: PageRequest) -> Page[str]:
        """Invoices whose hold ended on these days."""
        ...

    def read_pause(self, caller: Caller, customer_id: str, *, once: IdempotentRequest | None = None) -> ReminderPause:
        """Raises: NotFound, when there is no such customer."""
        ...

    def save_pause(self, caller: Caller, pause: ReminderPause, *, event: Event, once: IdempotentRequest) -> None: ...
