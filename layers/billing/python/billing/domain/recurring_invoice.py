"""A template that makes an invoice each time its calendar comes round: once per period, whatever runs twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from billing.domain.errors import (
    FieldError,
    FieldErrors,
    RecurringInvoiceEnded,
    RecurringInvoiceNotPaused,
)
from billing.domain.invoice import InvoiceContent
from billing.domain.particulars import BillingPeriod
from billing.domain.recurrence import Recurrence
from billing.domain.totals import Totals
from billing.domain.warnings import Notice, WarningCode

SHOWN_DATES = 12
MAX_SKIPPED = 100
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
VARIABLES = ("month", "year", "quarter", "period_start", "period_end")


class RecurringMode(StrEnum):
    DRAFT = "draft"  # leave a draft for a person to look at
    ISSUE = "issue"
    SEND = "send"  # issue and mail


class RecurringState(StrEnum):
    ACTIVE = "active"
    PAUSED = "paused"
    PARKED = "parked"  # its last run was refused: tried again each day, and a person may mend it
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringInvoice:
    """``next_rank`` is the occurrence that comes next; ``pending`` a made draft that is still to be issued."""

    tenant_id: str
    recurring_invoice_id: str
    version: int
    name: str
    content: InvoiceContent
    customer_name: str
    totals: Totals
    recurrence: Recurrence
    mode: RecurringMode
    next_rank: int = 0
    skipped: tuple[date, ...] = ()
    paused: bool = False
    ended: bool = False
    pending: str | None = None
    error: str = ""
    retry_on: date | None = None
    made_count: int = 0
    last_date: date | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def next_date(self) -> date | None:
        """The next occurrence that is not skipped; None once it is over."""
        return next(iter(self.next_dates(1)), None)

    def next_dates(self, limit: int = SHOWN_DATES) -> tuple[date, ...]:
        if self.ended:
            return ()
        wanted = limit + len(self.skipped)
        dates = self.recurrence.dates(from_rank=self.next_rank, limit=wanted)
        return tuple(day for day in dates if day not in self.skipped)[:limit]

    def due_dates(self, today: date) -> tuple[date, ...]:
        """Those that have come and are still to be made: the next runs make them all."""
        if self.ended or self.paused:
            return ()
        come = self.recurrence.dates_until(today, from_rank=self.next_rank)
        return tuple(day for day in come if day not in self.skipped)

    @property
    def state(self) -> RecurringState:
        if self.ended or (self.next_date is None and self.pending is None):
            return RecurringState.ENDED
        if self.paused:
            return RecurringState.PAUSED
        return RecurringState.PARKED if self.error else RecurringState.ACTIVE

    @property
    def due_on(self) -> date | None:
        """When the scheduler looks at it next; None when there is nothing for it to do."""
        if self.state in {RecurringState.ENDED, RecurringState.PAUSED}:
            return None
        due = date.min if self.pending else self.next_date
        return max(due, self.retry_on) if due and self.retry_on else due

    def edited(
        self,
        *,
        name: str,
        content: InvoiceContent,
        customer_name: str,
        totals: Totals,
        recurrence: Recurrence,
        mode: RecurringMode,
        at: datetime,
    ) -> RecurringInvoice:
        """What comes from now on; periods that were made stay made, and those passed over stay so.

        Raises: RecurringInvoiceEnded.
        """
        self._require_open()
        passed = self.recurrence.date_of(self.next_rank - 1) if self.next_rank else None
        behind = [day for day in (self.last_date, passed) if day]
        rank = recurrence.rank_after(max(behind)) if behind else 0
        return replace(
            self._moved(at),
            name=name,
            content=content,
            customer_name=customer_name,
            totals=totals,
            recurrence=recurrence,
            mode=mode,
            next_rank=self.next_rank if recurrence == self.recurrence else rank,
            error="",
            retry_on=None,
        )

    def paused_at(self, at: datetime) -> RecurringInvoice:
        """Raises: RecurringInvoiceEnded."""
        self._require_open()
        return replace(self._moved(at), paused=True)

    def resumed(self, at: datetime, *, today: date) -> RecurringInvoice:
        """Goes on with the next date from today on: what a pause passed over is not made up for.

        Raises: RecurringInvoiceEnded, RecurringInvoiceNotPaused (neither paused nor parked).
        """
        self._require_open()
        if not self.paused and not self.error:
            raise RecurringInvoiceNotPaused
        rank = self.next_rank
        if self.paused:
            rank = max(rank, self.recurrence.rank_after(today - timedelta(days=1)))
        return replace(self._moved(at), paused=False, error="", retry_on=None, next_rank=rank)

    def skipping(self, day: date, at: datetime) -> RecurringInvoice:
        """Raises: RecurringInvoiceEnded, FieldErrors (not one of its next dates)."""
        self._require_open()
        if day not in self.next_dates() or len(self.skipped) >= MAX_SKIPPED:
            raise FieldErrors(
                (
                    FieldError(
                        "/date",
                        "Ce n'est pas l'une des prochaines échéances.",
                        "This is not one of its next dates.",
                    ),
                )
            )
        return replace(self._moved(at), skipped=(*self.skipped, day))

    def finished(self, at: datetime) -> RecurringInvoice:
        """Raises: RecurringInvoiceEnded."""
        self._require_open()
        return replace(self._moved(at), ended=True)

    def billing(self, customer_id: str, customer_name: str) -> RecurringInvoice:
        """The same template for what its customer became when it was merged into another one."""
        return replace(self, content=replace(self.content, customer_id=customer_id), customer_name=customer_name)

    def made(self, day: date, invoice_id: str, at: datetime) -> RecurringInvoice:
        """After the draft of a period was made; unless drafts are left, it is still to be issued."""
        pending = None if self.mode is RecurringMode.DRAFT else invoice_id
        return replace(
            self._moved(at),
            next_rank=self.recurrence.rank_after(day),
            skipped=tuple(one for one in self.skipped if one > day),
            pending=pending,
            made_count=self.made_count + 1,
            last_date=day,
            error="",
            retry_on=None,
        )

    def issued(self, at: datetime) -> RecurringInvoice:
        return replace(self._moved(at), pending=None, error="", retry_on=None)

    def parked(self, error: str, at: datetime, *, today: date) -> RecurringInvoice:
        """Refused: shown to the company, and tried again tomorrow."""
        return replace(self._moved(at), error=error, retry_on=today + timedelta(days=1))

    def content_of(self, day: date) -> InvoiceContent:
        """What the invoice of a period says: texts with their variables filled in, and the period itself."""
        period = self.recurrence.period(day)
        lines = tuple(
            replace(line, description=filled(line.description, period), details=filled(line.details, period))
            for line in self.content.lines
        )
        return replace(
            self.content,
            lines=lines,
            notes=filled(self.content.notes, period),
            particulars=replace(self.content.particulars, period=period),
        )

    def invoice_id_of(self, day: date) -> str:
        """The same for the same period whoever computes it: a second run finds it taken."""
        digest = hashlib.sha256(f"{self.tenant_id}#{self.recurring_invoice_id}#{day.isoformat()}".encode()).digest()
        number = int.from_bytes(digest[:16])
        return "inv_" + "".join(_CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))

    def _require_open(self) -> None:
        if self.state is RecurringState.ENDED:
            raise RecurringInvoiceEnded

    def _moved(self, at: datetime) -> RecurringInvoice:
        return replace(self, version=self.version + 1, updated_at=at)


def late_notices(due_dates: tuple[date, ...], mode: RecurringMode, today: date) -> tuple[Notice, ...]:
    """Told when invoices of days gone by go out without anybody looking at them."""
    if mode is RecurringMode.DRAFT or not any(day < today for day in due_dates):
        return ()
    return (Notice(code=WarningCode.PERIODS_ALREADY_DUE, pointer="/recurrence/start"),)


def filled(text: str, period: BillingPeriod) -> str:
    """``Maintenance de {month}`` → ``Maintenance de novembre 2026``, for the period that is invoiced."""
    first, last = period.start, period.end
    quarter = (first.month - 1) // 3 + 1
    values = {
        "month": f"{_MONTHS[first.month - 1]} {first.year}",
        "year": str(first.year),
        "quarter": f"{quarter}{'er' if quarter == 1 else 'e'} trimestre {first.year}",
        "period_start": first.strftime("%d/%m/%Y"),
        "period_end": last.strftime("%d/%m/%Y"),
    }
    return _VARIABLE.sub(lambda found: values[found[1]], text)


def variable_errors(content: InvoiceContent) -> Iterator[FieldError]:
    """Variables that nobody knows, by the field they stand in."""
    texts = [("/notes", content.notes)]
    for index, line in enumerate(content.lines):
        texts += [(f"/lines/{index}/description", line.description), (f"/lines/{index}/details", line.details)]
    known = ", ".join(f"{{{name}}}" for name in VARIABLES)
    for pointer, text in texts:
        if any(name not in VARIABLES for name in _VARIABLE.findall(text)):
            yield FieldError(
                pointer,
                f"Variable inconnue ; celles qui existent : {known}.",
                f"Unknown variable; known ones: {known}.",
            )
