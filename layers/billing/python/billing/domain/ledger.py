"""What was paid and credited on an issued document. Status and balance follow from it, never set by hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from billing.domain.canonical import LATER
from billing.domain.crediting import CreditedGroup, CreditedLine, sum_groups, sum_lines
from billing.domain.currency import EURO
from billing.domain.errors import PaymentExceedsBalance
from billing.domain.typography import amount_words


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
    RELEASE = "release"  # what was paid becomes credit of the customer
    REVERSAL = "reversal"  # a payment that was recorded turns out not to be one
    REFUND_RETURNED = "refund_returned"  # the bank sent a refund back: the company has the money again


class PaymentMethod(StrEnum):
    TRANSFER = "transfer"
    CHEQUE = "cheque"
    CASH = "cash"
    CARD = "card"
    DIRECT_DEBIT = "direct_debit"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One movement, in cents, always positive; the kind says its direction. ``rank`` counts from 1.

    ``source_id`` names the payment or the credit note behind it; ``groups`` and ``lines`` say what a credit took back.
    """

    entry_id: str
    rank: int
    kind: EntryKind
    amount_minor: int
    entry_date: date
    method: PaymentMethod | None = None
    reference: str = ""
    recorded_at: datetime
    recorded_by: str
    source_id: str = field(default="", metadata=LATER)
    groups: tuple[CreditedGroup, ...] = field(default=(), metadata=LATER)
    lines: tuple[CreditedLine, ...] = field(default=(), metadata=LATER)
    contested: bool = field(default=False, metadata=LATER)  # a refund that the customer's bank took, after a dispute

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a ledger entry has a positive amount")
        if self.groups and sum(group.total_minor for group in self.groups) != self.amount_minor:
            raise ValueError("the groups of a credit add up to its amount")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The sums of the entries of one document, in cents; ``entry_count`` is its version."""

    total_minor: int
    paid_minor: int = 0
    credited_minor: int = 0
    refunded_minor: int = 0
    entry_count: int = 0
    released_minor: int = field(default=0, metadata=LATER)
    reversed_minor: int = field(default=0, metadata=LATER)
    credited_groups: tuple[CreditedGroup, ...] = field(default=(), metadata=LATER)
    credited_lines: tuple[CreditedLine, ...] = field(default=(), metadata=LATER)

    @property
    def kept_minor(self) -> int:
        """What was paid and is still kept for this document."""
        return self.paid_minor - self.refunded_minor - self.released_minor - self.reversed_minor

    @property
    def balance_minor(self) -> int:
        return self.total_minor - self.kept_minor - self.credited_minor

    @property
    def status(self) -> InvoiceStatus:
        """A pure function of the sums: fully credited is cancelled, nothing left to pay is paid.

        A cancelled invoice whose payment bounces after it became credit of the customer is owed again.
        """
        if self.balance_minor <= 0:
            return InvoiceStatus.CANCELLED if self.credited_minor >= self.total_minor > 0 else InvoiceStatus.PAID
        if self.kept_minor > 0 or self.credited_minor > 0:
            return InvoiceStatus.PARTIALLY_PAID
        return InvoiceStatus.ISSUED

    def with_entry(self, entry: LedgerEntry, *, currency: str = EURO) -> Ledger:
        """The ledger after one more movement; ``currency`` of what it is refused with.

        Raises:
            PaymentExceedsBalance: a payment, a credit or a returned refund beyond the balance due.
            ValueError: the entry is not the next one, or gives back more than was paid.
        """
        if entry.rank != self.entry_count + 1:
            raise ValueError("ledger entries follow each other")
        if entry.kind in {EntryKind.PAYMENT, EntryKind.CREDIT, EntryKind.REFUND_RETURNED}:
            self._hold_within_balance(entry.amount_minor, currency)
        return replace(self, entry_count=entry.rank, **self._moved(entry))

    def with_entries(self, entries: tuple[LedgerEntry, ...], *, currency: str = EURO) -> Ledger:
        ledger = self
        for entry in entries:
            ledger = ledger.with_entry(entry, currency=currency)
        return ledger

    def _hold_within_balance(self, amount_minor: int, currency: str) -> None:
        if amount_minor <= self.balance_minor:
            return
        if self.balance_minor <= 0:
            raise PaymentExceedsBalance("La facture est déjà réglée.", "The invoice is already settled.")
        amount, english = amount_words(self.balance_minor, currency)
        raise PaymentExceedsBalance(f"Il reste {amount} à payer.", f"{english} is left to pay.")

    def _moved(self, entry: LedgerEntry) -> dict[str, Any]:
        """The sums that an entry moves."""
        amount = entry.amount_minor
        match entry.kind:
            case EntryKind.PAYMENT:
                return {"paid_minor": self.paid_minor + amount}
            case EntryKind.CREDIT:
                return {
                    "credited_minor": self.credited_minor + amount,
                    "credited_groups": sum_groups(self.credited_groups, entry.groups),
                    "credited_lines": sum_lines(self.credited_lines, entry.lines),
                }
            case EntryKind.REVERSAL:
                if amount > self.paid_minor - self.reversed_minor:
                    raise ValueError("a reversal takes back what was recorded as paid")
                return {"reversed_minor": self.reversed_minor + amount}
            case EntryKind.REFUND | EntryKind.RELEASE:
                return self._given_back(entry)
            case EntryKind.REFUND_RETURNED:
                if amount > self.refunded_minor:
                    raise ValueError("only a refund comes back")
                return {"refunded_minor": self.refunded_minor - amount}

    def _given_back(self, entry: LedgerEntry) -> dict[str, Any]:
        amount = entry.amount_minor
        if amount > self.kept_minor:
            raise ValueError("a refund gives back what was paid")
        if entry.kind is EntryKind.RELEASE:
            return {"released_minor": self.released_minor + amount}
        return {"refunded_minor": self.refunded_minor + amount}

    @classmethod
    def replay(cls, total_minor: int, entries: tuple[LedgerEntry, ...]) -> Ledger:
        """The ledger that a list of entries makes; the proof that a stored head is right."""
        return cls(total_minor=total_minor).with_entries(entries)


def given_back_on_paper(entries: tuple[LedgerEntry, ...]) -> int:
    """What credit notes say was given back, by whatever means and whether it was yet; in cents."""
    notes = {one.source_id for one in entries if one.kind is EntryKind.CREDIT}
    return sum(one.amount_minor for one in entries if one.kind is EntryKind.REFUND and one.source_id in notes)


def is_overdue(ledger: Ledger, due: date, today: date) -> bool:
    """Derived, never stored: something is left to pay and the due date has passed."""
    return ledger.balance_minor > 0 and due < today and ledger.status is not InvoiceStatus.CANCELLED
