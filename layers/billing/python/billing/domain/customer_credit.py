"""What a customer has with the company beyond what it owes: a balance that is the sum of its entries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.checkout import ComingBack
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
        """Something, but for the credit of a duplicate, which is closed, and hands on its promises, even when empty."""
        return amount_minor > 0 or (amount_minor == 0 and self in _OF_MERGES)


_OF_MERGES = frozenset({CreditEntryKind.MERGED_OUT, CreditEntryKind.MERGED_IN})
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

    Only the credit of a duplicate may end with nothing going out, which closes it, and lead nothing but its promises to
    the other. ``source_id`` names the payment, the credit note or the other customer behind it;
    ``balance_minor`` is what the credit was afterwards.
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
class CreditPromise:
    """What a refund of a payment at Stripe that is on its way will take of a customer's credit, in cents."""

    payment_intent_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerCredit:
    """The balance of one customer, in cents, and what of it is promised already.

    ``entry_count`` and ``promise_count`` are its version: each write raises one of them. The second counts the changes
    of promises by themselves; one that comes with an entry is of its version.
    """

    tenant_id: str
    customer_id: str
    balance_minor: int = 0
    entry_count: int = 0
    promised: tuple[CreditPromise, ...] = field(default=(), metadata=LATER)
    promise_count: int = field(default=0, metadata=LATER)

    def promised_to(self, payment_intent_id: str) -> int:
        return sum(one.amount_minor for one in self.promised if one.payment_intent_id == payment_intent_id)

    @property
    def promised_minor(self) -> int:
        """Of what there is, that which refunds will take. One at Stripe that asked no promise may have left less."""
        return min(sum(one.amount_minor for one in self.promised), self.balance_minor)

    def free_minor(self, *, besides: str = "") -> int:
        """What is promised to no refund. ``besides``: that of the payment which asks."""
        promised = sum(one.amount_minor for one in self.promised if one.payment_intent_id != besides)
        return max(self.balance_minor - promised, 0)

    def hold_free(self, amount_minor: int, pointer: str = "") -> None:
        """Raises: CustomerCreditExceeded, for more than is promised to no refund."""
        if amount_minor > self.free_minor():
            raise self.exceeded(pointer)

    def unpromised(self, coming: tuple[ComingBack, ...]) -> int:
        """Of what comes back of payments, that which is not promised here: invoices keep it."""
        return sum(max(one.moving_minor - self.promised_to(one.payment_intent_id), 0) for one in coming)

    def held_for(self, coming: tuple[ComingBack, ...]) -> int:
        """What is promised here to what comes back of payments, and there."""
        promised = sum(self.promised_to(one.payment_intent_id) for one in coming)
        others = sum(one.amount_minor for one in self.promised) - promised
        return min(promised, max(self.balance_minor - others, 0))

    def promising(self, payment_intent_id: str, amount_minor: int) -> CustomerCredit:
        """With what is promised to the refunds of one payment now; the same when that is known."""
        if self.promised_to(payment_intent_id) == amount_minor:
            return self
        others = tuple(one for one in self.promised if one.payment_intent_id != payment_intent_id)
        promise = CreditPromise(payment_intent_id=payment_intent_id, amount_minor=amount_minor)
        return replace(self, promised=(*others, *((promise,) if amount_minor else ())))

    def bearing(self, coming: tuple[ComingBack, ...], short_minor: int) -> CustomerCredit:
        """With so much more promised of what comes back of an invoice's payments: it keeps it no longer."""
        credit = self
        for one in coming:
            more = min(short_minor, credit.unpromised((one,)))
            if more > 0:
                promised = credit.promised_to(one.payment_intent_id)
                credit = credit.promising(one.payment_intent_id, promised + more)
                short_minor -= more
        return credit

    def next_after(self, stored: CustomerCredit) -> CustomerCredit | None:
        """In the version that follows, where promises changed and nothing else did."""
        if self.promised == stored.promised:
            return None
        return replace(self, promise_count=stored.promise_count + 1)

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
        """The refusal of more than there is, or of what is promised."""
        held, free = self.promised_minor, self.balance_minor - self.promised_minor
        if held:
            return CustomerCreditExceeded(
                f"Le client a {format_euros(self.balance_minor)} de crédit, dont {format_euros(held)} pour ce que "
                "Stripe ou une banque lui rend et qui n'est pas encore dans vos comptes ; il en reste "
                f"{format_euros(free)}.",
                f"The customer has €{to_major(self.balance_minor):,} of credit; €{to_major(held):,} of it is kept for "
                f"what Stripe or a bank gives back and is not in your books yet, €{to_major(free):,} is available.",
                pointer=pointer,
            )
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
