"""Rates of late payment between businesses (Code de commerce L441-10, II), by half-year, in percent a year.

Legal interest rate: the one between professionals, arrêtés of 17 June and 10 December 2024, 19 June and
15 December 2025. The rate of the second half of 2026 was not known here when this was written: a half-year
beyond the table is held to the last one known.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

# First day of a half-year → the legal interest rate from then on.
LEGAL_INTEREST_RATES = {
    date(2024, 7, 1): Decimal("4.92"),
    date(2025, 1, 1): Decimal("3.71"),
    date(2025, 7, 1): Decimal("2.76"),
    date(2026, 1, 1): Decimal("2.62"),
}
# The default of the law is the ECB refinancing rate + 10 points; 2.15 % on 1 July 2026 is assumed, to be confirmed.
DEFAULT_LATE_PENALTY_RATE = Decimal("12.15")


def minimum_late_penalty_rate(on: date) -> Decimal:
    """Three times the legal interest rate: no agreement goes below it."""
    since = max((first for first in LEGAL_INTEREST_RATES if first <= on), default=min(LEGAL_INTEREST_RATES))
    return 3 * LEGAL_INTEREST_RATES[since]
