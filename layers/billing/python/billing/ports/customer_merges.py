"""Duplicates of customers become one, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.customer_credit import CreditMovement, CustomerCredit
from billing.domain.events import Event
from billing.domain.parties import Customer
from billing.domain.reminders import ReminderPause
from billing.ports.idempotency import IdempotentRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class MergingCustomer:
    """A customer that is to be merged, with what goes by its id."""

    customer: Customer
    credit: CustomerCredit
    pause: ReminderPause


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeContext:
    """``earlier``: what had been merged into the duplicate before."""

    survivor: MergingCustomer
    duplicate: MergingCustomer
    earlier: tuple[Customer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMerge:
    """What a merge changes beside the customer that goes on; ``previous`` is what that one was.

    ``earlier`` pairs what had been merged into the duplicate before, as it becomes, with what it was.
    ``pause`` is what its reminders' pause becomes, None when it stays; it rests on ``duplicate_pause`` as it was read.
    """

    previous: Customer
    duplicate: Customer
    duplicate_before: Customer
    earlier: tuple[tuple[Customer, Customer], ...]
    movements: tuple[CreditMovement, ...]
    pause: ReminderPause | None
    duplicate_pause: ReminderPause


class CustomerMerges(Protocol):
    def load(self, caller: Caller, customer_id: str, duplicate_id: str, *, once: IdempotentRequest) -> MergeContext:
        """Raises: NotFound, UnknownReference (the duplicate)."""
        ...

    def write(
        self,
        caller: Caller,
        customer: Customer,
        merge: CustomerMerge,
        *,
        events: tuple[Event, Event],
        once: IdempotentRequest,
    ) -> None:
        """All that becomes of both customers, or nothing; ``events`` of the one that goes on and of its duplicate.

        Raises: StaleVersion.
        """
        ...
