"""What the numbers of a company's series look like, and which one comes next."""

from __future__ import annotations

from datetime import date

from billing.domain.numbering import DEFAULT_PATTERNS, NumberPattern, Series, SeriesState
from billing.domain.parties import CompanyDescription


def pattern_of(company: CompanyDescription, series: Series) -> NumberPattern:
    chosen = {
        Series.INVOICE: company.invoice_number_pattern,
        Series.CREDIT_NOTE: company.credit_note_number_pattern,
    }
    return chosen.get(series, DEFAULT_PATTERNS[series])


def next_number(company: CompanyDescription, state: SeriesState, today: date) -> str:
    """What the next document of a series would be called if it were issued today."""
    day = max(today, state.last_date) if state.last_date else today
    rank = state.last_rank + 1 if day.year == state.year else 1
    return pattern_of(company, state.series).format(day.year, rank)
