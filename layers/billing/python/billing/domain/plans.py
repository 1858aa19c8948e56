"""The plans of ZenBilling: what each costs and holds. The only place; Stripe's price is held against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

PLAN_CURRENCY: Final = "EUR"
# How long Stripe tries a card again before it ends a subscription: what is set there under "Manage failed payments".
DUNNING: Final = timedelta(days=15)
# How long a company that had a paid plan issues as before, once it is over.
AFTERWARDS: Final = timedelta(days=15)
NEAR: Final = Fraction(8, 10)  # of a plan: told to the company
MARGIN: Final = Fraction(12, 10)  # of a plan: issued all the same, where nothing more is


class PlanId(StrEnum):
    FREE = "free"
    PRO = "pro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Prices in cents a month, excluding VAT. ``lookup_key`` names the price at Stripe, empty for what costs nothing.

    ``invoices_a_month``: how many a month the plan is meant for. Where ``is_held``, no new one is issued beyond its
    margin; otherwise it is told only.
    """

    plan_id: PlanId
    name_fr: str
    name_en: str
    offer_fr: str  # as it stands within a sentence
    monthly_price_minor: int
    lookup_key: str
    trial_days: int
    invoices_a_month: int
    is_held: bool = False

    @property
    def near(self) -> int:
        """From how many on the company is told that the plan is nearly used."""
        return int(self.invoices_a_month * NEAR)

    @property
    def stops_at(self) -> int | None:
        """How many a month are issued at most; None: as many as there are."""
        return int(self.invoices_a_month * MARGIN) if self.is_held else None


FREE: Final = Plan(
    plan_id=PlanId.FREE,
    name_fr="Gratuit",
    name_en="Free",
    offer_fr="offre gratuite",
    monthly_price_minor=0,
    lookup_key="",
    trial_days=0,
    invoices_a_month=20,
    is_held=True,
)
PRO: Final = Plan(
    plan_id=PlanId.PRO,
    name_fr="Pro",
    name_en="Pro",
    offer_fr="offre Pro",
    monthly_price_minor=1_900,
    lookup_key="zenbilling_pro_monthly",
    trial_days=14,
    invoices_a_month=1_000,
)
PLANS: Final = (FREE, PRO)


def plan_of(plan_id: PlanId) -> Plan:
    return next(plan for plan in PLANS if plan.plan_id is plan_id)


def plan_priced(lookup_key: str) -> Plan | None:
    return next((plan for plan in PLANS if plan.lookup_key and plan.lookup_key == lookup_key), None)


def plan_named(name: str) -> Plan | None:
    return next((plan for plan in PLANS if plan.plan_id.value == name), None)
