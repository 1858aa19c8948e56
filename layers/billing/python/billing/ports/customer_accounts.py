"""Customers' accounts: their movements are written by the effects themselves, in the same transactions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.customer_account import AccountMovement, OpenInvoice, Statement, StatementPeriod
from billing.domain.parties import Company, Customer

MAX_MOVEMENTS = 2_000
MAX_OPEN_INVOICES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountExtract:
    """What a statement is made of. ``opening`` is what was owed before the period, in cents by currency;
    ``movements`` are those of the period by day and, within it, as they were recorded; ``credit_minor`` is what the
    customer has today."""

    customer: Customer
    company: Company | None
    opening: Mapping[str, int]
    movements: tuple[AccountMovement, ...]
    still_open: tuple[OpenInvoice, ...]
    credit_minor: int


class CustomerAccounts(Protocol):
    def extract(self, caller: Caller, customer_id: str, period: StatementPeriod) -> AccountExtract:
        """Its cost follows the period and what is open, never the history. Raises: NotFound, StatementTooLong."""
        ...


class StatementRenderer(Protocol):
    def render(self, statement: Statement, *, logo: bytes | None) -> bytes:
        """A PDF/A-3b; the same statement gives the same bytes. Raises: InvalidInput for a missing glyph."""
        ...
