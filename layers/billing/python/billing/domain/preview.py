"""A draft drawn as it would be issued today: everything of the document but its number and its place in a series."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from billing.domain.numbering import NumberAllocation, Series, SeriesState
from billing.domain.tongue import DocumentLanguage, Tongue

DRAFT_NUMBER: Final = "Brouillon"  # stands where the number will


def provisional_allocation(series: Series, language: DocumentLanguage, today: date) -> NumberAllocation:
    """What a document is frozen under that takes no number: nothing of it is ever written."""
    return NumberAllocation(
        series=series,
        year=today.year,
        rank=0,
        number=Tongue(language=language).say(DRAFT_NUMBER),
        issue_date=today,
        previous=SeriesState.untouched(series),
    )


def drawn_at(today: date) -> datetime:
    """The same moment all day long, so that the same draft has the same bytes."""
    return datetime(today.year, today.month, today.day, tzinfo=UTC)
