"""The plan of the company, in words, and what there is to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.domain.dates import civil_date, first_of_next_month, format_french
from billing.domain.plans import PLAN_CURRENCY, PRO, Plan, PlanId
from billing.domain.stripe import StripeLink, SubscriptionStatus
from billing.domain.subscription import PlanUse, Subscription
from billing.domain.typography import amount_words
from billing.ports.idempotency import Answer

_WORDS: dict[SubscriptionStatus, tuple[str, str]] = {
    SubscriptionStatus.INCOMPLETE: (
        "Le premier paiement n'est pas encore passé.",
        "The first payment has not gone through yet.",
    ),
    SubscriptionStatus.INCOMPLETE_EXPIRED: (
        "Le premier paiement n'est pas passé : l'abonnement n'a pas commencé.",
        "The first payment did not go through: the subscription did not begin.",
    ),
    SubscriptionStatus.ACTIVE: ("Votre abonnement est à jour.", "Your subscription is up to date."),
    SubscriptionStatus.CANCELED: ("Votre abonnement a pris fin.", "Your subscription has ended."),
    SubscriptionStatus.UNPAID: (
        "Votre abonnement est suspendu : une facture de ZenBilling reste impayée.",
        "Your subscription is suspended: an invoice of ZenBilling is unpaid.",
    ),
    SubscriptionStatus.PAUSED: ("Votre abonnement est en pause.", "Your subscription is paused."),
}


class StartSubscriptionRequest(Request):
    plan_id: Annotated[Literal[PlanId.PRO], Field(description="The free plan is had without")]


class PlanResponse(Reply):
    plan_id: PlanId
    name_fr: str
    name_en: str
    monthly_price_minor: Annotated[int, Field(description="In cents, excluding VAT")]
    price_fr: Annotated[str, Field(description="In words", examples=["19,00\u00a0€ HT par mois"])]
    price_en: str
    currency: str
    trial_days: Annotated[int, Field(description="The first time")]
    invoices_a_month: Annotated[int, Field(description="What the plan is meant for")]
    stops_at: Annotated[
        int | None, Field(description="How many a month are issued at most (`plan-limit-reached`); none: no limit")
    ]

    @classmethod
    def of(cls, plan: Plan) -> PlanResponse:
        french, english = _price_words(plan)
        return cls(
            plan_id=plan.plan_id,
            name_fr=plan.name_fr,
            name_en=plan.name_en,
            monthly_price_minor=plan.monthly_price_minor,
            price_fr=french,
            price_en=english,
            currency=PLAN_CURRENCY,
            trial_days=plan.trial_days,
            invoices_a_month=plan.invoices_a_month,
            stops_at=plan.stops_at,
        )


def _price_words(plan: Plan) -> tuple[str, str]:
    if not plan.monthly_price_minor:
        return "Gratuit", "Free"
    french, english = amount_words(plan.monthly_price_minor, PLAN_CURRENCY)
    return f"{french} HT par mois", f"{english} a month, excluding VAT"


class PlanListResponse(Reply):
    items: list[PlanResponse]

    @classmethod
    def of(cls, plans: Sequence[Plan]) -> PlanListResponse:
        return cls(items=[PlanResponse.of(plan) for plan in plans])


class SubscriptionResponse(Reply):
    version: int
    plan: Annotated[PlanResponse, Field(description="What the company has now")]
    status: Annotated[SubscriptionStatus | None, Field(description="Stripe's; none before the first subscription")]
    detail_fr: str
    detail_en: str
    trial_end: datetime | None
    current_period_end: Annotated[datetime | None, Field(description="When the plan is paid again, or ends")]
    ends_at: Annotated[datetime | None, Field(description="When it ends, because the company said so")]
    ended_at: datetime | None
    payment_failures: Annotated[int, Field(description="Of the invoice of ZenBilling that is owed")]
    next_attempt_at: Annotated[datetime | None, Field(description="When the card is tried again")]
    days_left: Annotated[int | None, Field(description="To change the card before the plan ends")]
    refreshed_at: Annotated[datetime | None, Field(description="When Stripe last told it")]

    @classmethod
    def of(cls, subscription: Subscription, now: datetime) -> SubscriptionResponse:
        return cls(**_fields(subscription, now))


class SubscriptionUseResponse(SubscriptionResponse):
    invoices_this_month: Annotated[
        int | None, Field(description="Dated this month; none in the month in which it began to be counted")
    ]
    use: Annotated[
        PlanUse,
        Field(
            description="`near`: from 80 % of the plan; `above`: more than it is meant for, everything goes on; "
            "`full`: a new invoice is refused until next month, or until another plan is taken"
        ),
    ]
    use_fr: Annotated[str | None, Field(description="None while it is `within`")]
    use_en: str | None
    stops_at: Annotated[
        int | None,
        Field(description="How many are issued at most now; none: no limit, also for a while after a paid plan ended"),
    ]


class SubscriptionLinkResponse(SubscriptionResponse):
    """The page of Stripe is shown once: a repeated request is answered without it."""

    url: Annotated[str | None, Field(description="Where the company goes on")]
    url_expires_at: datetime | None


def _fields(subscription: Subscription, now: datetime) -> dict[str, Any]:
    held = subscription.held
    french, english = _words(subscription, now)
    return {
        "version": subscription.version,
        "plan": PlanResponse.of(subscription.plan),
        "status": subscription.status,
        "detail_fr": french,
        "detail_en": english,
        "trial_end": held.trial_end if held else None,
        "current_period_end": held.current_period_end if held else None,
        "ends_at": held.ends_at if held else None,
        "ended_at": held.ended_at if held else None,
        "payment_failures": held.failures if held else 0,
        "next_attempt_at": held.next_attempt_at if held else None,
        "days_left": subscription.days_left(now),
        "refreshed_at": subscription.refreshed_at,
    }


def _words(subscription: Subscription, now: datetime) -> tuple[str, str]:
    held = subscription.held
    if held is None:
        return "Vous avez l'offre gratuite.", "You have the free plan."
    if held.status is SubscriptionStatus.PAST_DUE:
        left = subscription.days_left(now)
        french = "" if left is None else f" sous {left} jour{'s' * (left > 1)}"
        english = "" if left is None else f" within {left} day{'s' * (left != 1)}"
        return (
            f"Le paiement a échoué : changez de carte{french}. Tout continue de fonctionner.",
            f"The payment failed: change the card{english}. Everything goes on working.",
        )
    if subscription.is_running and held.ends_at:
        day = civil_date(held.ends_at)
        return f"Votre abonnement prend fin le {format_french(day)}.", f"Your subscription ends on {day.isoformat()}."
    if held.status is SubscriptionStatus.TRIALING:
        day = civil_date(held.trial_end or held.current_period_end)
        return f"Essai gratuit jusqu'au {format_french(day)}.", f"Free trial until {day.isoformat()}."
    return _WORDS[held.status]


def _use_words(
    subscription: Subscription, use: PlanUse, issued: int, now: datetime
) -> tuple[str, str] | tuple[None, None]:
    if use is PlanUse.WITHIN:
        return None, None
    plan, stops_at, (trial_fr, trial_en) = subscription.plan, subscription.stops_at(now), subscription.trial_words
    french = f"{issued} factures sont datées de ce mois-ci, sur {plan.invoices_a_month} prévues par l'{plan.offer_fr}."
    english = f"{issued} invoices are dated this month, of {plan.invoices_a_month} that the {plan.name_en} plan is for."
    if use is PlanUse.FULL:
        anew = first_of_next_month(civil_date(now))
        return (
            (
                f"{french} Aucune autre n'est émise avant le {format_french(anew)}, sauf si vous passez à "
                f"l'{PRO.offer_fr} (page Abonnement{trial_fr}). Tout le reste continue de fonctionner."
            ),
            (
                f"{english} No other is issued before {anew.isoformat()}, unless you take the {PRO.name_en} plan "
                f"(subscription page{trial_en}). Everything else goes on working."
            ),
        )
    if stops_at is None:
        return f"{french} Tout continue de fonctionner.", f"{english} Everything goes on working."
    return (
        (
            f"{french} {stops_at} au plus sont émises par mois ; pour en émettre davantage, passez à l'{PRO.offer_fr} "
            f"(page Abonnement{trial_fr})."
        ),
        (
            f"{english} At most {stops_at} a month are issued; to issue more, take the {PRO.name_en} plan "
            f"(subscription page{trial_en})."
        ),
    )


def subscription_answer(subscription: Subscription, now: datetime) -> Answer:
    return answer(200, SubscriptionResponse.of(subscription, now), version=subscription.version)


def subscription_use_answer(subscription: Subscription, *, now: datetime, invoices: int | None) -> Answer:
    # What is not known is not held against anybody.
    use = subscription.use_of(invoices or 0, now)
    french, english = _use_words(subscription, use, invoices or 0, now)
    used: dict[str, Any] = {
        "invoices_this_month": invoices,
        "use": use,
        "use_fr": french,
        "use_en": english,
        "stops_at": subscription.stops_at(now),
    }
    reply = SubscriptionUseResponse(**_fields(subscription, now), **used)
    return answer(200, reply, version=subscription.version)


def subscription_link_answer(subscription: Subscription, *, now: datetime, link: StripeLink | None = None) -> Answer:
    shown: dict[str, Any] = {"url": link.url if link else None, "url_expires_at": link.expires_at if link else None}
    reply = SubscriptionLinkResponse(**_fields(subscription, now), **shown)
    return answer(201, reply, version=subscription.version)
