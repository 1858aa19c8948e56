"""A customer's account: what each effect adds to what is owed or takes off it, and the statement of a period.

What a customer owes on this account is the balance of its invoices less the credit it holds: a payment counts whole,
whatever it settled, and credit that pays an invoice changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from billing.domain.currency import EURO
from billing.domain.customer_credit import CreditMovement
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import LedgerEntry, PaymentMethod
from billing.domain.parties import Company, Customer
from billing.domain.payments import Payment

MAX_PERIOD_DAYS = 366


class MovementKind(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    CREDIT_APPLIED = "credit_applied"  # the customer's credit paid invoices: nothing is owed more or less
    CREDIT_RESTORED = "credit_restored"  # such a payment was reversed
    REVERSAL = "reversal"
    REFUND = "refund"
    REFUND_RETURNED = "refund_returned"  # the bank sent it back


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountMovement:
    """``owed_minor`` is what it adds to what the customer owes, in cents; ``amount_minor`` what moved, positive.

    ``source_id`` is the document or the payment behind it; ``reference`` its number, or what the payer wrote.
    """

    movement_id: str
    kind: MovementKind
    day: date
    recorded_at: datetime
    currency: str
    amount_minor: int
    owed_minor: int
    source_id: str
    reference: str = ""
    method: PaymentMethod | None = None
    due_date: date | None = None


def issued_movements(invoice: IssuedInvoice, paid: LedgerEntry | None) -> tuple[AccountMovement, ...]:
    """An invoice is owed from its issue; what was paid before is a payment of its own day."""
    document, total_minor = invoice.document, invoice.ledger.total_minor
    made = AccountMovement(
        movement_id=invoice.invoice_id,
        kind=MovementKind.INVOICE,
        day=document.issue_date,
        recorded_at=document.issued_at,
        currency=document.currency,
        amount_minor=total_minor,
        owed_minor=total_minor,
        source_id=invoice.invoice_id,
        reference=document.number,
        due_date=document.due_date,
    )
    if paid is None:
        return (made,)
    payment = AccountMovement(
        movement_id=f"{invoice.invoice_id}.paid",
        kind=MovementKind.PAYMENT,
        day=paid.entry_date,
        recorded_at=paid.recorded_at,
        currency=document.currency,
        amount_minor=paid.amount_minor,
        owed_minor=-paid.amount_minor,
        source_id=invoice.invoice_id,
        reference=paid.reference or document.number,
        method=paid.method,
    )
    return made, payment


def credited_movements(note: IssuedInvoice, entries: Iterable[LedgerEntry]) -> tuple[AccountMovement, ...]:
    """A credit note is taken off in full; what it refunds at once is owed no less than before."""
    document, settlement = note.document, note.document.settlement
    total_minor = document.totals.total_minor
    made = AccountMovement(
        movement_id=note.invoice_id,
        kind=MovementKind.CREDIT_NOTE,
        day=document.issue_date,
        recorded_at=document.issued_at,
        currency=document.currency,
        amount_minor=total_minor,
        owed_minor=-total_minor,
        source_id=note.invoice_id,
        reference=document.number,
    )
    if settlement is None or not settlement.refunded_minor:
        return (made,)
    refunded = AccountMovement(
        movement_id=f"{note.invoice_id}.refund",
        kind=MovementKind.REFUND,
        day=document.issue_date,
        recorded_at=document.issued_at,
        currency=document.currency,
        amount_minor=settlement.refunded_minor,
        owed_minor=settlement.refunded_minor,
        source_id=note.invoice_id,
        reference=document.number,
        method=next((entry.method for entry in entries if entry.method is not None), None),
    )
    return made, refunded


def payment_movement(payment: Payment) -> AccountMovement:
    """What the last thing that happened to a payment moved: its reversal, its latest refund or the return of one, or
    that it came in."""
    if payment.reversal is not None:
        reversal, amount_minor = payment.reversal, payment.amount_minor
        return AccountMovement(
            movement_id=f"{payment.payment_id}.reversal",
            kind=MovementKind.REVERSAL if payment.method else MovementKind.CREDIT_RESTORED,
            day=reversal.reversed_on,
            recorded_at=reversal.reversed_at,
            currency=payment.currency,
            amount_minor=amount_minor,
            owed_minor=amount_minor if payment.method else 0,
            source_id=payment.payment_id,
            reference=payment.reference,
            method=payment.method,
        )
    if payment.last_return is not None:
        returned = payment.last_return
        return AccountMovement(
            movement_id=payment.return_id(returned),
            kind=MovementKind.REFUND_RETURNED,
            day=returned.returned_on,
            recorded_at=returned.returned_at,
            currency=payment.currency,
            amount_minor=returned.amount_minor,
            owed_minor=-returned.amount_minor,
            source_id=payment.payment_id,
            reference=payment.reference,
            method=payment.method,
        )
    if payment.refunds:
        refund = payment.refunds[-1]
        return AccountMovement(
            movement_id=refund.refund_id,
            kind=MovementKind.REFUND,
            day=refund.refunded_on,
            recorded_at=refund.refunded_at,
            currency=payment.currency,
            amount_minor=refund.amount_minor,
            owed_minor=refund.amount_minor,
            source_id=payment.payment_id,
            reference=refund.reference or payment.reference,
            method=refund.method,
        )
    return AccountMovement(
        movement_id=payment.payment_id,
        kind=MovementKind.PAYMENT if payment.method else MovementKind.CREDIT_APPLIED,
        day=payment.paid_on,
        recorded_at=payment.recorded_at,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        owed_minor=-payment.amount_minor if payment.method else 0,
        source_id=payment.payment_id,
        reference=payment.reference or ", ".join(part.number for part in payment.allocations[:3]),
        method=payment.method,
    )


def credit_refund_movement(movement: CreditMovement) -> AccountMovement:
    """Credit that is given back in money: the customer has less with the company."""
    entry = movement.entry
    return AccountMovement(
        movement_id=entry.entry_id,
        kind=MovementKind.REFUND,
        day=entry.entry_date,
        recorded_at=entry.recorded_at,
        currency=EURO,
        amount_minor=entry.amount_minor,
        owed_minor=entry.amount_minor,
        source_id=movement.credit.customer_id,
        reference=entry.reference,
        method=entry.method,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPeriod:
    """Whole days, both included."""

    first: date
    last: date

    @classmethod
    def of(cls, first: date | None, last: date | None, *, today: date) -> StatementPeriod:
        """Until today unless said, from the first day of the month two months before unless said.

        Raises:
            FieldErrors: days in reverse, in the future, or more than a year of them.
        """
        last = last or today
        month = last.year * 12 + last.month - 1 - 2
        first = first or date(max(month // 12, 1), month % 12 + 1, 1)
        if last > today:
            raise _refused("/query/to", "Un relevé s'arrête au plus tard aujourd'hui.", "A statement ends by today.")
        if last < first:
            raise _refused(
                "/query/to", "La date de fin précède la date de début.", "The end date precedes the start date."
            )
        if (last - first).days >= MAX_PERIOD_DAYS:
            raise _refused(
                "/query/from", "Un relevé couvre au plus douze mois.", "A statement covers at most twelve months."
            )
        return cls(first=first, last=last)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenInvoice:
    """An issued invoice with something left to pay, in cents."""

    invoice_id: str
    number: str
    currency: str
    due_date: date
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A movement, and what is owed after it."""

    movement: AccountMovement
    balance_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """What invoices are owed today, in cents, by the days since they were due."""

    not_due_minor: int = 0
    until_30_minor: int = 0
    until_60_minor: int = 0
    until_90_minor: int = 0
    beyond_90_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.not_due_minor + self.overdue_minor

    @property
    def overdue_minor(self) -> int:
        return self.until_30_minor + self.until_60_minor + self.until_90_minor + self.beyond_90_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyStatement:
    """The account in one currency; a negative balance is what the customer has with the company.

    ``credit_minor``: of what it has today, which no invoice was paid from yet.
    """

    currency: str
    opening_minor: int
    lines: tuple[StatementLine, ...]
    ageing: Ageing
    credit_minor: int = 0

    @property
    def closing_minor(self) -> int:
        return self.lines[-1].balance_minor if self.lines else self.opening_minor

    @property
    def charged_minor(self) -> int:
        return sum(max(line.movement.owed_minor, 0) for line in self.lines)

    @property
    def settled_minor(self) -> int:
        return sum(max(-line.movement.owed_minor, 0) for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """``today`` is the day at which what is overdue was judged."""

    customer: Customer
    company: Company
    period: StatementPeriod
    today: date
    accounts: tuple[CurrencyStatement, ...]


def state_accounts(
    opening: Mapping[str, int],
    movements: tuple[AccountMovement, ...],
    still_open: tuple[OpenInvoice, ...],
    *,
    today: date,
    credit_minor: int = 0,
) -> tuple[CurrencyStatement, ...]:
    """A group per currency that has something to say, the euro first and always there; movements in their order."""
    named = {currency for currency, amount_minor in opening.items() if amount_minor}
    named |= {movement.currency for movement in movements} | {invoice.currency for invoice in still_open}
    return tuple(
        CurrencyStatement(
            currency=currency,
            opening_minor=opening.get(currency, 0),
            lines=_running(opening.get(currency, 0), currency, movements),
            ageing=aged((invoice for invoice in still_open if invoice.currency == currency), today=today),
            credit_minor=credit_minor if currency == EURO else 0,
        )
        for currency in (EURO, *sorted(named - {EURO}))
    )


def _running(balance_minor: int, currency: str, movements: tuple[AccountMovement, ...]) -> tuple[StatementLine, ...]:
    lines = []
    for movement in (one for one in movements if one.currency == currency):
        balance_minor += movement.owed_minor
        lines.append(StatementLine(movement=movement, balance_minor=balance_minor))
    return tuple(lines)


def aged(invoices: Iterable[OpenInvoice], *, today: date) -> Ageing:
    sums = [0, 0, 0, 0, 0]
    for invoice in invoices:
        sums[_age(invoice.due_date, today)] += invoice.balance_minor
    return Ageing(
        not_due_minor=sums[0],
        until_30_minor=sums[1],
        until_60_minor=sums[2],
        until_90_minor=sums[3],
        beyond_90_minor=sums[4],
    )


def _age(due: date, today: date) -> int:
    """Overdue begins the day after the due date."""
    days = (today - due).days
    return 0 if days <= 0 else min((days - 1) // 30 + 1, 4)


def _refused(pointer: str, french: str, english: str) -> FieldErrors:
    return FieldErrors((FieldError(pointer, french, english),))
