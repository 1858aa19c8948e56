"""What was paid and credited on an issued document. Status and balance follow from it, never set by hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.errors import PaymentExceedsBalance
from billing.domain.money import to_major
from billing.domain.typography import format_euros


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    ISSUED = "issued"
    PARTIALLY_PAID = "partially_paid"
    PAID = "paid"
    CANCELLED = "cancelled"


class EntryKind(StrEnum):
    PAYMENT = "payment"
    CREDIT = "credit"
    REFUND = "refund"


class PaymentMethod(StrEnum):
    TRANSFER = "transfer"
    CHEQUE = "cheque"
    CASH = "cash"
    CARD = "card"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement, in cents, always positive; the kind says its direction. ``rank`` counts from 1."""

    entry_id: str
    rank: int
    kind: EntryKind
    amount_minor: int
    entry_date: date
    method: PaymentMethod | None = None
    reference: str = ""
    recorded_at: datetime
    recorded_by: str

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a ledger entry has a positive amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The sums of the entries of one document, in cents; ``entry_count`` is its version."""

    total_minor: int
    paid_minor: int = 0
    credited_minor: int = 0
    refunded_minor: int = 0
    entry_count: int = 0

    @property
    def balance_minor(self) -> int:
        return self.total_minor - self.paid_minor - self.credited_minor + self.refunded_minor

    @property
    def status(self) -> InvoiceStatus:
        """A pure function of the sums: fully credited is cancelled, nothing left to pay is paid."""
        if self.credited_minor >= self.total_minor > 0:
            return InvoiceStatus.CANCELLED
        if self.balance_minor <= 0:
            return InvoiceStatus.PAID
        if self.paid_minor > self.refunded_minor or self.credited_minor > 0:
            return InvoiceStatus.PARTIALLY_PAID
        return InvoiceStatus.ISSUED

    def with_entry(self, entry: LedgerEntry) -> Ledger:
        """The ledger after one more movement.

        Raises:
            PaymentExceedsBalance: a payment or a credit beyond the balance due.
            ValueError: the entry is not the next one, or gives back more than was paid.
        """
        if entry.rank != self.entry_count + 1:
            raise ValueError("ledger entries follow each other")
        if entry.kind is EntryKind.REFUND:
            if entry.amount_minor > self.paid_minor - self.refunded_minor:
                raise ValueError("a refund gives back what was paid")
            return replace(self, refunded_minor=self.refunded_minor + entry.amount_minor, entry_count=entry.rank)
        if entry.amount_minor > self.balance_minor:
            if self.balance_minor <= 0:
                raise PaymentExceedsBalance("La facture est déjà réglée.", "The invoice is already settled.")
            raise PaymentExceedsBalance(
                f"Il reste {format_euros(self.balance_minor)} à payer.",
                f"€{to_major(self.balance_minor):,} is left to pay.",
            )
        if entry.kind is EntryKind.PAYMENT:
            return replace(self, paid_minor=self.paid_minor + entry.amount_minor, entry_count=entry.rank)
        return replace(self, credited_minor=self.credited_minor + entry.amount_minor, entry_count=entry.rank)

    @classmethod
    def replay(cls, total_minor: int, entries: tuple[LedgerEntry, ...]) -> Ledger:
        """The ledger that a list of entries makes; the proof that a stored head is right."""
        ledger = cls(total_minor=total_minor)
        for entry in entries:
            ledger = ledger.with_entry(entry)
        return ledger


def is_overdue(ledger: Ledger, due: date, today: date) -> bool:
    """Derived, never stored: something is left to pay and the due date has passed."""
    return ledger.balance_minor > 0 and due < today and ledger.status is not InvoiceStatus.CANCELLED
