"""Templates of recurring invoices: what they say, when they come, what they made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StrictInt

from billing.api.answers import Reply, Request, answer
from billing.api.fields import IsoDate, Text
from billing.api.invoices import (
    DraftFields,
    InvoiceTotalsResponse,
    InvoiceWarningResponse,
    WrittenReply,
    written_fields,
)
from billing.api.paging import PageReply
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.recurrence import MAX_OCCURRENCES, Frequency, Recurrence
from billing.domain.recurring_invoice import (
    SHOWN_DATES,
    RecurringInvoice,
    RecurringMode,
    RecurringState,
    late_notices,
)
from billing.ports.idempotency import Answer
from billing.ports.recurring_invoices import RecurringInvoiceSummary

DueDates = Annotated[
    list[date],
    Field(description="Those that have come and are not made: the next hourly runs make them all, dated that day"),
]


class RecurrenceRequest(Request):
    """`weekday` for weekly ones, `day` for the others; at most one of `end` and `occurrences` is usual, both may be."""

    frequency: Frequency
    start: Annotated[IsoDate, Field(description="No date comes before it")]
    weekday: Annotated[StrictInt | None, Field(ge=1, le=7, description="1 Monday … 7 Sunday")] = None
    day: Annotated[StrictInt | None, Field(ge=1, le=31, description="31: the end of every month")] = None
    end: IsoDate | None = None
    occurrences: Annotated[StrictInt | None, Field(ge=1, le=MAX_OCCURRENCES)] = None

    def recurrence(self) -> Recurrence:
        """Raises: FieldErrors."""
        weekly = self.frequency is Frequency.WEEKLY
        errors = []
        if weekly and self.weekday is None:
            said = "Indiquez le jour de la semaine : 1 pour lundi … 7 pour dimanche."
            errors.append(FieldError("/recurrence/weekday", said, "Give the weekday: 1 for Monday … 7 for Sunday."))
        if not weekly and self.weekday is not None:
            said = "Le jour de la semaine ne va qu'avec une récurrence hebdomadaire."
            errors.append(FieldError("/recurrence/weekday", said, "A weekday goes with weekly ones only."))
        if not weekly and self.day is None:
            said = "Indiquez le jour du mois, de 1 à 31 ; 31 est le dernier jour de chaque mois."
            english = "Give the day of the month, from 1 to 31; 31 is the last day of every month."
            errors.append(FieldError("/recurrence/day", said, english))
        if weekly and self.day is not None:
            said = "Le jour du mois ne va pas avec une récurrence hebdomadaire."
            errors.append(FieldError("/recurrence/day", said, "A day of the month does not go with weekly ones."))
        if self.end is not None and self.end < self.start:
            errors.append(FieldError("/recurrence/end", "La fin précède le début.", "It ends before it starts."))
        if errors:
            raise FieldErrors(tuple(errors))
        return Recurrence(
            frequency=self.frequency,
            start=self.start,
            weekday=self.weekday,
            day=self.day,
            end=self.end,
            occurrences=self.occurrences,
        )


class RecurringInvoiceRequest(DraftFields):
    """Texts of lines and notes may hold {month}, {year}, {quarter}, {period_start}, {period_end} of their period."""

    name: Annotated[str, Text(100, min_length=1), Field(description="For yourself", examples=["Maintenance"])]
    recurrence: RecurrenceRequest
    mode: Annotated[RecurringMode, Field(description="Leave a draft, issue it, or issue and mail it")]


class CreateRecurringInvoiceRequest(RecurringInvoiceRequest):
    pass


class PreviewRecurringInvoiceRequest(RecurringInvoiceRequest):
    pass


class EditRecurringInvoiceRequest(RecurringInvoiceRequest):
    """The whole template anew, for the periods to come."""


class SkipRecurringInvoiceRequest(Request):
    date: Annotated[IsoDate, Field(description="One of `next_dates`")]


class RecurrenceResponse(Reply):
    frequency: Frequency
    start: date
    weekday: int | None
    day: int | None
    end: date | None
    occurrences: int | None

    @classmethod
    def of(cls, recurrence: Recurrence) -> RecurrenceResponse:
        return cls(**{name: getattr(recurrence, name) for name in cls.model_fields})


class RecurringInvoiceResponse(InvoiceTotalsResponse, WrittenReply):
    recurring_invoice_id: str
    version: int
    name: str
    state: RecurringState
    mode: RecurringMode
    customer_id: str
    customer_name: str
    recurrence: RecurrenceResponse
    next_dates: Annotated[list[date], Field(description="The next twelve, without those skipped")]
    due_dates: DueDates
    warnings: list[InvoiceWarningResponse]
    made_count: int
    last_date: date | None
    error: Annotated[str, Field(description="Problem type that parked it: tried again each day; empty when it is well")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of_recurring(cls, recurring: RecurringInvoice, today: date) -> RecurringInvoiceResponse:
        due = recurring.due_dates(today)
        totals = InvoiceTotalsResponse.of(recurring.totals, recurring.content.particulars)
        fields: dict[str, Any] = {name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields}
        return cls(
            **fields,
            **written_fields(recurring.content),
            recurring_invoice_id=recurring.recurring_invoice_id,
            version=recurring.version,
            name=recurring.name,
            state=recurring.state,
            mode=recurring.mode,
            customer_id=recurring.content.customer_id,
            customer_name=recurring.customer_name,
            recurrence=RecurrenceResponse.of(recurring.recurrence),
            next_dates=list(recurring.next_dates()),
            due_dates=list(due),
            warnings=[InvoiceWarningResponse.of(one) for one in late_notices(due, recurring.mode, today)],
            made_count=recurring.made_count,
            last_date=recurring.last_date,
            error=recurring.error,
            created_at=recurring.created_at,
            updated_at=recurring.updated_at,
        )


class RecurringInvoicePreviewResponse(InvoiceTotalsResponse):
    next_dates: list[date]
    due_dates: DueDates
    warnings: list[InvoiceWarningResponse]

    @classmethod
    def of_preview(
        cls, totals: InvoiceTotalsResponse, recurrence: Recurrence, mode: RecurringMode, today: date
    ) -> RecurringInvoicePreviewResponse:
        fields: dict[str, Any] = {name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields}
        due = recurrence.dates_until(today)
        return cls(
            **fields,
            next_dates=list(recurrence.dates(limit=SHOWN_DATES)),
            due_dates=list(due),
            warnings=[InvoiceWarningResponse.of(one) for one in late_notices(due, mode, today)],
        )


class RecurringInvoiceRowResponse(Reply):
    recurring_invoice_id: str
    name: str
    state: RecurringState
    mode: RecurringMode
    customer_id: str
    customer_name: str
    total_minor: int
    next_date: date | None
    made_count: int
    error: str

    @classmethod
    def of(cls, row: RecurringInvoiceSummary) -> RecurringInvoiceRowResponse:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class RecurringInvoicePageResponse(PageReply):
    items: list[RecurringInvoiceRowResponse]


def recurring_invoice_answer(recurring: RecurringInvoice, *, today: date) -> Answer:
    return answer(200, RecurringInvoiceResponse.of_recurring(recurring, today), version=recurring.version)


def created_recurring_invoice_answer(recurring: RecurringInvoice, *, today: date) -> Answer:
    location = f"/v1/recurring-invoices/{recurring.recurring_invoice_id}"
    reply = RecurringInvoiceResponse.of_recurring(recurring, today)
    return answer(201, reply, version=recurring.version, location=location)


def refuse_supply_date(wanted: RecurringInvoiceRequest) -> None:
    """Raises: FieldErrors: each invoice has a period of its own."""
    if wanted.supply_date is not None:
        said = "Chaque facture porte sa propre période : laissez ce champ vide."
        raise FieldErrors((FieldError("/supply_date", said, "Each invoice has a period of its own: leave it out."),))
