"""What a customer has with the company beyond what it owes: a balance that is the sum of its entries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.errors import CustomerCreditExceeded
from billing.domain.ledger import PaymentMethod
from billing.domain.money import to_major
from billing.domain.typography import format_euros


class CreditEntryKind(StrEnum):
    OVER_PAYMENT = "over_payment"
    CREDIT_NOTE = "credit_note"
    APPLICATION = "application"  # paid an invoice
    REFUND = "refund"  # given back in money
    PAYMENT_REVERSED = "payment_reversed"  # the over-payment was none
    APPLICATION_REVERSED = "application_reversed"
    REFUND_RETURNED = "refund_returned"  # the bank sent a refund back that no invoice is owed any more
    MERGED_IN = "merged_in"  # what a duplicate had
    MERGED_OUT = "merged_out"  # went to the customer that this one was merged into: always the last entry

    @property
    def sign(self) -> int:
        return 1 if self in _GAINS else -1

    def may_move(self, amount_minor: int) -> bool:
        """Something, but for the credit of a duplicate, which is closed even when it is empty."""
        return amount_minor > 0 or (amount_minor == 0 and self is CreditEntryKind.MERGED_OUT)


_GAINS = frozenset(
    {
        CreditEntryKind.OVER_PAYMENT,
        CreditEntryKind.CREDIT_NOTE,
        CreditEntryKind.APPLICATION_REVERSED,
        CreditEntryKind.REFUND_RETURNED,
        CreditEntryKind.MERGED_IN,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCreditEntry:
    """One movement, in cents, always positive; the kind says its direction. ``rank`` counts from 1.

    Only the credit of a duplicate may end with nothing going out, which closes it. ``source_id`` names the payment,
    the credit note or the other customer behind it; ``balance_minor`` is what the credit was afterwards.
    """

    entry_id: str
    rank: int
    kind: CreditEntryKind
    amount_minor: int
    balance_minor: int
    source_id: str = ""
    entry_date: date
    method: PaymentMethod | None = None
    reference: str = ""
    recorded_at: datetime
    recorded_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCredit:
    """The balance of one customer, in cents; ``entry_count`` is its version, 0 before the first entry."""

    tenant_id: str
    customer_id: str
    balance_minor: int = 0
    entry_count: int = 0

    def moved(
        self,
        kind: CreditEntryKind,
        amount_minor: int,
        *,
        entry_id: str,
        source_id: str,
        on: date,
        at: datetime,
        by: str,
        method: PaymentMethod | None = None,
        reference: str = "",
    ) -> tuple[CustomerCredit, CustomerCreditEntry]:
        """The credit after one more movement, and the movement.

        Raises:
            CustomerCreditExceeded: more is taken than there is.
        """
        if not kind.may_move(amount_minor):
            raise ValueError("an entry has a positive amount")
        balance_minor = self.balance_minor + kind.sign * amount_minor
        if balance_minor < 0:
            raise self.exceeded("/amount_minor" if kind is CreditEntryKind.REFUND else "")
        moved = replace(self, balance_minor=balance_minor, entry_count=self.entry_count + 1)
        entry = CustomerCreditEntry(
            entry_id=entry_id,
            rank=moved.entry_count,
            kind=kind,
            amount_minor=amount_minor,
            balance_minor=balance_minor,
            source_id=source_id,
            entry_date=on,
            method=method,
            reference=reference,
            recorded_at=at,
            recorded_by=by,
        )
        return moved, entry

    def exceeded(self, pointer: str = "") -> CustomerCreditExceeded:
        """The refusal of more than there is."""
        return CustomerCreditExceeded(
            f"Le client a {format_euros(self.balance_minor)} de crédit.",
            f"The customer has €{to_major(self.balance_minor):,} of credit.",
            pointer=pointer,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditMovement:
    """A customer's credit as it becomes and the entry that makes it so: written together, or not at all."""

    credit: CustomerCredit
    entry: CustomerCreditEntry
