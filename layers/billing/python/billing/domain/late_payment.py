"""Rates of late payment between businesses (Code de commerce L441-10, II), by half-year, in percent a year.

The default of the law is the ECB refinancing rate of 1 January or 1 July + 10 points; no agreement goes below three
times the legal interest rate. A rate that was not published here when it was written says that it is assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

_POINTS = Decimal(10)
_TIMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class HalfYear:
    """The rates that hold from a 1 January or a 1 July, and where they come from."""

    since: date
    legal_interest: Decimal
    refinancing: Decimal
    source: str
    assumed: bool = False


_PUBLISHED = (
    ("2024-07-01", "4.92", "4.25", "arrêté du 17 juin 2024 ; BCE, 12 juin 2024"),
    ("2025-01-01", "3.71", "3.15", "arrêté du 10 décembre 2024 ; BCE, 18 décembre 2024"),
    ("2025-07-01", "2.76", "2.15", "arrêté du 19 juin 2025 ; BCE, 11 juin 2025"),
    ("2026-01-01", "2.62", "2.15", "arrêté du 15 décembre 2025 ; BCE, 11 juin 2025"),
)
_ASSUMED = (("2026-07-01", "2.62", "2.15", "taux du semestre précédent, à confirmer"),)
HALF_YEARS = tuple(
    HalfYear(
        since=date.fromisoformat(since),
        legal_interest=Decimal(legal),
        refinancing=Decimal(refinancing),
        source=source,
        assumed=assumed,
    )
    for rows, assumed in ((_PUBLISHED, False), (_ASSUMED, True))
    for since, legal, refinancing, source in rows
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatePenaltyRate:
    """The default rate of a half-year, in percent a year of the amount with VAT."""

    percent: Decimal
    since: date
    assumed: bool
    source: str


def late_penalty_rate(on: date) -> LatePenaltyRate:
    """The rate of the law where the parties agreed on none; a half-year beyond the table takes the last one known."""
    half = _half_year(on)
    return LatePenaltyRate(
        percent=half.refinancing + _POINTS,
        since=half.since,
        assumed=half.assumed or on >= _next_start(half.since),
        source=half.source,
    )


def minimum_late_penalty_rate(on: date) -> Decimal:
    """Three times the legal interest rate: no agreement goes below it."""
    return _TIMES * _half_year(on).legal_interest


def rests_on_an_assumption(percent: Decimal, on: date) -> bool:
    """Whether a printed rate is the default of a half-year that is not confirmed."""
    default = late_penalty_rate(on)
    return default.assumed and percent == default.percent


def _half_year(on: date) -> HalfYear:
    known = [half for half in HALF_YEARS if half.since <= on]
    return known[-1] if known else HALF_YEARS[0]


def _next_start(since: date) -> date:
    return since.replace(month=7) if since.month == 1 else date(since.year + 1, 1, 1)


# What a company prints unless it says otherwise.
DEFAULT_LATE_PENALTY_RATE = HALF_YEARS[-1].refinancing + _POINTS
