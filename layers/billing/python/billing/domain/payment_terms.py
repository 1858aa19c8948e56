"""Payment terms as rules, and the due date each gives. Civil dates only: no hour, no time zone.

The Code de commerce (L441-10, I) allows 60 days from the issue date or, when agreed, 45 days end of month; both ways
of counting "45 days end of month" are lawful and give different dates, so each has its name.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

MAX_TERMS_DAYS = 365


class TermsRule(StrEnum):
    ON_RECEIPT = "on_receipt"
    NET_DAYS = "net_days"
    END_OF_MONTH = "end_of_month"
    DAYS_THEN_END_OF_MONTH = "days_then_end_of_month"  # the days are added, then the month is finished
    END_OF_MONTH_THEN_DAYS = "end_of_month_then_days"  # the month is finished, then the days are added


_WITHOUT_DAYS = frozenset({TermsRule.ON_RECEIPT, TermsRule.END_OF_MONTH})


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentTerms:
    """A rule and its days; no days where the rule counts none."""

    rule: TermsRule
    days: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.days <= MAX_TERMS_DAYS:
            raise ValueError("payment terms count between 0 and 365 days")
        if self.rule in _WITHOUT_DAYS and self.days:
            raise ValueError("these payment terms count no days")

    @classmethod
    def net(cls, days: int) -> PaymentTerms:
        return cls(rule=TermsRule.NET_DAYS, days=days)

    def due_date(self, issue_date: date) -> date:
        """When an invoice of this date is due.

        Of 31 January, "45 days end of month" is 31 March when the days come first, 17 March (16 in a leap
        year) when the month does.
        """
        after = timedelta(days=self.days)
        match self.rule:
            case TermsRule.ON_RECEIPT:
                return issue_date
            case TermsRule.NET_DAYS:
                return issue_date + after
            case TermsRule.END_OF_MONTH | TermsRule.END_OF_MONTH_THEN_DAYS:
                return end_of_month(issue_date) + after
            case TermsRule.DAYS_THEN_END_OF_MONTH:
                return end_of_month(issue_date + after)

    @property
    def wording_fr(self) -> str:
        """As a French reader says it (BT-20)."""
        days = f"{self.days}\u00a0jour{'s' if self.days > 1 else ''}"
        return {
            TermsRule.ON_RECEIPT: "à réception",
            TermsRule.NET_DAYS: days if self.days else "à réception",
            TermsRule.END_OF_MONTH: "fin de mois",
            TermsRule.DAYS_THEN_END_OF_MONTH: f"{days} fin de mois",
            TermsRule.END_OF_MONTH_THEN_DAYS: f"fin de mois + {days}",
        }[self.rule]

    @property
    def wording_en(self) -> str:
        days = f"{self.days}\u00a0day{'s' if self.days > 1 else ''}"
        return {
            TermsRule.ON_RECEIPT: "on receipt",
            TermsRule.NET_DAYS: days if self.days else "on receipt",
            TermsRule.END_OF_MONTH: "end of month",
            TermsRule.DAYS_THEN_END_OF_MONTH: f"{days} then end of month",
            TermsRule.END_OF_MONTH_THEN_DAYS: f"end of month + {days}",
        }[self.rule]


def end_of_month(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
