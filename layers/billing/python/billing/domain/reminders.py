"""Reminders of unpaid invoices: a company's plan, what one claims, and when none may go out.

Each level goes out once per document. Between businesses a reminder claims the penalties at the rate printed on the
invoice and the fixed compensation of 40 € (Code de commerce L441-10, D441-5); a consumer owes neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.currency import EURO
from billing.domain.delivery import Delivery
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry
from billing.domain.money import divide_minor, multiply
from billing.domain.parties import CustomerKind
from billing.domain.retention import NOT_YET, retained_of

COLLECTION_FEE_MINOR = 4_000  # Code de commerce D441-5: 40 € per invoice, outside VAT
REMINDER_PREFIX = "rem_"
MAX_OFFSET_DAYS = 365
MAX_HOLD_DAYS = 366
_YEAR_DAYS = 365
_HUNDRED = Decimal(100)  # rates have two decimals
_SATURDAY = 5


class ReminderLevel(StrEnum):
    """From the courteous word before the due date to the formal notice."""

    BEFORE_DUE = "before_due"
    FIRST = "first"
    SECOND = "second"
    THIRD = "third"
    FORMAL_NOTICE = "formal_notice"

    @property
    def rank(self) -> int:
        return _LEVELS.index(self)


_LEVELS = tuple(ReminderLevel)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderStep:
    """``days`` counts from the due date, before it when negative. ``french`` and ``english`` replace the usual words.

    A step that is not ``automatic`` waits for a person.
    """

    level: ReminderLevel
    days: int
    automatic: bool = True
    claims_late_fees: bool = True
    french: str = ""
    english: str = ""

    def day(self, due_date: date) -> date:
        return due_date + timedelta(days=self.days)


DEFAULT_STEPS = (
    ReminderStep(level=ReminderLevel.BEFORE_DUE, days=-3, claims_late_fees=False),
    ReminderStep(level=ReminderLevel.FIRST, days=7),
    ReminderStep(level=ReminderLevel.SECOND, days=15),
    ReminderStep(level=ReminderLevel.THIRD, days=30),
    ReminderStep(level=ReminderLevel.FORMAL_NOTICE, days=45, automatic=False),
)


USUAL_STEPS = {step.level: step for step in DEFAULT_STEPS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderPlan:
    """What a company wants sent, in the order of its levels. Off until a person switches it on; version 0 before that.

    ``active_since`` is the day it was last switched on: levels whose day came earlier are left to people.
    """

    tenant_id: str
    version: int = 0
    active: bool = False
    active_since: date | None = None
    steps: tuple[ReminderStep, ...] = DEFAULT_STEPS
    updated_at: datetime | None = None

    def edited(self, *, active: bool, steps: tuple[ReminderStep, ...], today: date, at: datetime) -> ReminderPlan:
        """Raises: FieldErrors."""
        errors = tuple(step_errors(steps))
        if errors:
            raise FieldErrors(errors)
        since = self.active_since if self.active and active else today if active else None
        return replace(self, version=self.version + 1, active=active, active_since=since, steps=steps, updated_at=at)

    def step(self, level: ReminderLevel) -> ReminderStep | None:
        return next((step for step in self.steps if step.level is level), None)

    def reached(self, due_date: date, today: date) -> ReminderStep | None:
        """The furthest step whose day has come."""
        return next((step for step in reversed(self.steps) if step.day(due_date) <= today), None)

    def to_come(self, due_date: date, today: date) -> ReminderStep | None:
        return next((step for step in self.steps if step.day(due_date) > today), None)


def step_errors(steps: tuple[ReminderStep, ...]) -> Iterator[FieldError]:
    """Levels once each, in their order, each on a later day than the one before."""
    for index, step in enumerate(steps):
        pointer = f"/steps/{index}"
        if (step.days <= 0) is not (step.level is ReminderLevel.BEFORE_DUE):
            yield FieldError(
                f"{pointer}/days",
                "Le rappel avant échéance se compte de 0 à −30 jours ; les relances, après l'échéance.",
                "The word before the due date counts from 0 to −30 days; the others come after it.",
            )
        if not index:
            continue
        before = steps[index - 1]
        if step.level.rank <= before.level.rank:
            yield FieldError(
                f"{pointer}/level", "Les niveaux se suivent, chacun une fois.", "Levels follow each other, once each."
            )
        elif step.days <= before.days:
            yield FieldError(
                f"{pointer}/days",
                "Chaque relance vient après la précédente.",
                "Each reminder comes after the one before.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderRun:
    """How far the days of a tenant were worked through; only a company whose plan is on has a next day."""

    tenant_id: str
    version: int = 0
    active: bool = False
    done_through: date | None = None

    def switched(self, *, active: bool, today: date) -> ReminderRun:
        """Switched on, it begins with today; what came before is left to people."""
        done = self.done_through if self.active and active else today - timedelta(days=1)
        return replace(self, version=self.version + 1, active=active, done_through=done)

    def through(self, day: date) -> ReminderRun:
        return replace(self, version=self.version + 1, done_through=day)

    @property
    def next_day(self) -> date | None:
        return self.done_through + timedelta(days=1) if self.active and self.done_through else None


class HoldReason(StrEnum):
    PROMISE = "promise"  # the customer promised to pay by a day
    DISPUTE = "dispute"
    OTHER = "other"
    PAYMENT_IN_PROGRESS = "payment_in_progress"  # the customer confirmed online; nobody else holds for this


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderHold:
    """No reminder of one invoice through ``until``; None: until a person lifts it.

    The plan itself holds for a payment in progress, from day to day: the day after, the invoice is judged again.
    """

    tenant_id: str
    invoice_id: str
    version: int = 0
    reason: HoldReason | None = None  # None: lifted
    until: date | None = None
    updated_at: datetime | None = None

    def stands(self, today: date) -> bool:
        return self.reason is not None and (self.until is None or today <= self.until)

    @property
    def ends_on(self) -> date | None:
        """The day after a promise: what is still unpaid then is reminded of."""
        return self.until + timedelta(days=1) if self.reason is not None and self.until else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderPause:
    """No reminder to one customer through ``until``; None: until a person ends it."""

    tenant_id: str
    customer_id: str
    version: int = 0
    paused: bool = False
    until: date | None = None
    updated_at: datetime | None = None

    def stands(self, today: date) -> bool:
        return self.paused and (self.until is None or today <= self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFees:
    """What lateness costs a business, in cents: the penalty at a yearly rate in percent, the fee in euro cents."""

    rate: Decimal
    penalty_minor: int
    fee_minor: int = COLLECTION_FEE_MINOR


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a reminder asks for, frozen when it is made; cents."""

    on: date
    balance_minor: int
    days_late: int
    late_fees: LateFees | None = None
    due_date: date | None = field(default=None, metadata=LATER)  # unless it is the invoice's


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """One level of one document: made once, delivered like a document. ``message`` replaces the usual words."""

    tenant_id: str
    reminder_id: str
    invoice_id: str
    version: int
    level: ReminderLevel
    claim: Claim
    currency: str
    followed: bool  # an earlier level went out
    french: str
    english: str
    actor: str
    created_at: datetime
    updated_at: datetime
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def document_id(self) -> str:
        return self.reminder_id

    def with_delivery(self, delivery: Delivery, at: datetime) -> Reminder:
        return replace(self, delivery=delivery, version=self.version + 1, updated_at=at)


def reminder_id_of(invoice_id: str, level: ReminderLevel) -> str:
    """Made of both, so that a level of a document has one reminder whatever runs twice."""
    return f"{REMINDER_PREFIX}{invoice_id.removeprefix('inv_')}_{level.rank}"


def is_reminder_id(document_id: str) -> bool:
    return document_id.startswith(REMINDER_PREFIX)


def reminded_of(reminder_id: str) -> tuple[str, ReminderLevel]:
    """The invoice and the level that an id is made of."""
    invoice, _, rank = reminder_id.removeprefix(REMINDER_PREFIX).rpartition("_")
    return f"inv_{invoice}", _LEVELS[int(rank)]


def is_remindable(invoice: IssuedInvoice) -> bool:
    """Something is left to pay on it."""
    return (
        not invoice.document.document_type.is_credit_note
        and invoice.ledger.balance_minor > 0
        and invoice.due_on < NOT_YET
        and invoice.ledger.status is not InvoiceStatus.CANCELLED
    )


def is_still_owed(reminder: Reminder, invoice: IssuedInvoice) -> bool:
    """What a reminder asks for is still to be paid, and due by the same day; what is retained is due by another."""
    return is_remindable(invoice) and invoice.due_on == (reminder.claim.due_date or invoice.document.due_date)


def is_working_day(day: date) -> bool:
    """Reminders go out from Monday to Friday; what fell on a week-end follows on the Monday."""
    return day.weekday() < _SATURDAY


def claim_of(invoice: IssuedInvoice, entries: Iterable[LedgerEntry], step: ReminderStep, *, today: date) -> Claim:
    """What is claimed today: late fees from a business only, and only once the invoice is late."""
    document = invoice.document
    days_late = max((today - invoice.due_on).days, 0)
    fees = None
    if days_late and step.claims_late_fees and document.buyer.kind is CustomerKind.BUSINESS:
        fees = LateFees(
            rate=document.seller.late_penalty_rate,
            penalty_minor=late_penalty_minor(invoice, entries, today=today),
            fee_minor=COLLECTION_FEE_MINOR,
        )
    only_retained = invoice.due_on != document.due_date
    return Claim(
        on=today,
        balance_minor=invoice.ledger.balance_minor if only_retained else invoice.payable_minor(today),
        days_late=days_late,
        late_fees=fees,
        due_date=invoice.due_on if only_retained else None,
    )


def total_claimed_minor(claim: Claim, currency: str) -> int:
    """Balance and late fees; the fee is in euros and is added to nothing else."""
    if claim.late_fees is None:
        return claim.balance_minor
    fee = claim.late_fees.fee_minor if currency == EURO else 0
    return claim.balance_minor + claim.late_fees.penalty_minor + fee


def late_penalty_minor(invoice: IssuedInvoice, entries: Iterable[LedgerEntry], *, today: date) -> int:
    """Simple interest on what was owed each day after the due date, in cents, at the printed rate over 365 days.

    What was credited was never owed; a payment counts from its own date, what is retained from the day it is due.
    """
    rate = invoice.document.seller.late_penalty_rate
    yearly = int(multiply(Decimal(_owed_days(invoice, tuple(entries), today)), rate, _HUNDRED))
    return divide_minor(yearly, _HUNDRED * _HUNDRED * _YEAR_DAYS)


def _owed_days(invoice: IssuedInvoice, entries: tuple[LedgerEntry, ...], today: date) -> int:
    """The cents owed at the end of each late day, today included, added up."""
    owed = invoice.document.owed_minor
    changes: list[tuple[date, int]] = []
    retention = invoice.document.retention
    if retention is not None:
        kept = retained_of(owed - invoice.ledger.credited_minor, retention.percent)
        owed -= kept
        if invoice.guarantee_due_date < NOT_YET:
            changes.append((invoice.guarantee_due_date + timedelta(days=1), kept))
    for entry in entries:
        match entry.kind:
            case EntryKind.CREDIT:
                owed -= entry.amount_minor
            case EntryKind.PAYMENT | EntryKind.REFUND_RETURNED:
                changes.append((entry.entry_date, -entry.amount_minor))
            case EntryKind.REFUND | EntryKind.RELEASE | EntryKind.REVERSAL:
                changes.append((entry.entry_date, entry.amount_minor))
    since = invoice.document.due_date + timedelta(days=1)
    total = 0
    for on, change in sorted(changes):
        day = min(on, today + timedelta(days=1))
        if day > since:
            total += max(owed, 0) * (day - since).days
            since = day
        owed += change
    return total + max(owed, 0) * max((today - since).days + 1, 0)
