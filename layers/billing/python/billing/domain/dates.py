"""Legal dates are civil dates in Europe/Paris; instants are UTC."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


def civil_date(instant: datetime) -> date:
    """The date in Paris at an instant; the instant must carry its zone."""
    if instant.tzinfo is None:
        raise ValueError("an instant carries its time zone")
    return instant.astimezone(PARIS).date()


def due_date(issue_date: date, payment_terms_days: int) -> date:
    return issue_date + timedelta(days=payment_terms_days)


def first_of_next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def format_french(day: date) -> str:
    """``31/12/2026``."""
    return day.strftime("%d/%m/%Y")
