"""Retention of guarantee on works (loi n° 71-584 du 16 juillet 1971): at most 5 % of each payment, kept for a year
after the work was received unless it is released before. VAT and totals of the invoice stay in full."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from billing.domain.canonical import LATER
from billing.domain.errors import FieldError
from billing.domain.money import percentage_of

MAX_RETENTION_PERCENT = Decimal(5)
NOT_YET = date(9990, 1, 1)  # the work was not received: nobody knows when the retained part is due


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """As frozen with an invoice; cents with VAT. ``due_date`` is there when the work had been received by then."""

    percent: Decimal
    amount_minor: int
    due_date: date | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """When the customer received the work, and when the retained part was released, if before its year."""

    received_on: date | None
    released_on: date | None = None

    @property
    def retained_until(self) -> date | None:
        """The day at which the retained part is due."""
        days = [self.released_on, a_year_after(self.received_on) if self.received_on else None]
        return min((day for day in days if day is not None), default=None)


def a_year_after(day: date) -> date:
    """The same day of the next year; of a 29 February, the last of the month."""
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return date(day.year + 1, day.month, min(day.day, last))


def reception_errors(reception: Reception, today: date) -> Iterator[FieldError]:
    days = {"/received_on": reception.received_on, "/released_on": reception.released_on}
    if not any(days.values()):
        for pointer in days:
            yield FieldError(
                pointer,
                "Indiquez la date de réception ou de libération.",
                "Give the day of the reception or of the release.",
            )
    for pointer, day in days.items():
        if day is not None and day > today:
            yield FieldError(pointer, "Cette date est dans le futur.", "This date is in the future.")
    if reception.received_on and reception.released_on and reception.released_on < reception.received_on:
        yield FieldError("/released_on", "La libération précède la réception.", "The release precedes the reception.")


def retained_of(total_minor: int, percent: Decimal | None) -> int:
    return percentage_of(total_minor, percent) if percent else 0


def retention_errors(percent: Decimal | None) -> Iterator[FieldError]:
    if percent is not None and not 0 < percent <= MAX_RETENTION_PERCENT:
        yield FieldError(
            "/retention_percent",
            "Une retenue de garantie est d'au plus 5 % (loi n° 71-584 du 16 juillet 1971).",
            "A retention of guarantee is 5% at most (loi n° 71-584 of 16 July 1971).",
        )
