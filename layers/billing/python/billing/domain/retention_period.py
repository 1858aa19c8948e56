"""How long an issued document is kept: ten years from the close of the fiscal year (Code de commerce L123-22)."""

from __future__ import annotations

from datetime import date

YEARS_FROM_THE_CLOSE = 10


def kept_until(issue_date: date) -> date:
    """The first day on which a document may go, whichever month the company closes its books in.

    A fiscal year lasts twelve months: the one of a document closes within a year of it.
    """
    year = issue_date.year + 1 + YEARS_FROM_THE_CLOSE
    if issue_date.month == 12:
        return date(year + 1, 1, 1)
    return date(year, issue_date.month + 1, 1)
