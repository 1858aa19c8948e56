"""The plans of ZenBilling: what each costs and holds. The only place; Stripe's price is held against it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

PLAN_CURRENCY: Final = "EUR"
# How long Stripe tries a card again before it ends a subscription: what is set there under "Manage failed payments".
DUNNING: Final = timedelta(days=15)


class PlanId(StrEnum):
    FREE = "free"
    PRO = "pro"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Prices in cents a month, excluding VAT. ``lookup_key`` names the price at Stripe, empty for what costs nothing.

    ``invoices_a_month``: how many a month the plan is meant for. It is told; issuing is never refused.
    """

    plan_id: PlanId
    name_fr: str
    name_en: str
    monthly_price_minor: int
    lookup_key: str
    trial_days: int
    invoices_a_month: int


FREE: Final = Plan(
    plan_id=PlanId.FREE,
    name_fr="Gratuit",
    name_en="Free",
    monthly_price_minor=0,
    lookup_key="",
    trial_days=0,
    invoices_a_month=20,
)
PRO: Final = Plan(
    plan_id=PlanId.PRO,
    name_fr="Pro",
    name_en="Pro",
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
