"""Thresholds of the law as dated data, in cents.

Franchise: CGI art. 293 B, amounts of 2025-01-01. Cash: Code monétaire et financier D112-3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from billing.domain.parties import CustomerDescription, CustomerKind, ProductKind

CASH_LIMIT_MINOR = 100_000
CASH_LIMIT_OF_A_NON_RESIDENT_CONSUMER_MINOR = 1_500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FranchiseThreshold:
    """Yearly turnover without VAT: beyond the base VAT is due the year after, beyond the increased one at once."""

    since: date
    base_minor: int
    increased_minor: int


_FRANCHISE = {
    ProductKind.SERVICE: (FranchiseThreshold(since=date(2025, 1, 1), base_minor=3_750_000, increased_minor=4_125_000),),
    ProductKind.GOODS: (FranchiseThreshold(since=date(2025, 1, 1), base_minor=8_500_000, increased_minor=9_350_000),),
}


def franchise_threshold(kind: ProductKind, on: date) -> FranchiseThreshold:
    """The thresholds that hold on a day; before the table, its first ones."""
    known = _FRANCHISE[kind]
    return max((row for row in known if row.since <= on), key=lambda row: row.since, default=known[0])


def cash_limit_minor(buyer: CustomerDescription | None) -> int:
    """What one debt may be paid of in cash: more for a consumer who lives abroad."""
    if buyer is None:
        return CASH_LIMIT_MINOR
    abroad = buyer.billing_address.country_code != "FR"
    if buyer.kind is CustomerKind.INDIVIDUAL and abroad:
        return CASH_LIMIT_OF_A_NON_RESIDENT_CONSUMER_MINOR
    return CASH_LIMIT_MINOR
