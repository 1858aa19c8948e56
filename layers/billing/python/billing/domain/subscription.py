"""A company's subscription to ZenBilling itself: asked for by the company, and then as Stripe says it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from billing.domain.canonical import LATER
from billing.domain.dates import first_of_next_month, format_french
from billing.domain.errors import PlanLimitReached
from billing.domain.events import EventType
from billing.domain.plans import AFTERWARDS, DUNNING, FREE, PRO, Plan, PlanId, plan_named, plan_of, plan_priced
from billing.domain.stripe import StripeSubscription, SubscriptionStatus

ANNOUNCED: Final = timedelta(days=4)  # before a trial ends; Stripe tells of it three days before
PAGE_LIFE: Final = timedelta(hours=23)  # Stripe takes up to 24
ASKED_UNTIL: Final = timedelta(minutes=35)  # before its end: Stripe opens none that lives less than 30
# While Stripe still tries the card, everything goes on.
_SERVED: Final = frozenset({SubscriptionStatus.TRIALING, SubscriptionStatus.ACTIVE, SubscriptionStatus.PAST_DUE})
_NOT_BEGUN: Final = frozenset({SubscriptionStatus.INCOMPLETE, SubscriptionStatus.INCOMPLETE_EXPIRED})
_OWING: Final = frozenset({SubscriptionStatus.PAST_DUE, SubscriptionStatus.UNPAID})
_LAPSED: Final = frozenset({SubscriptionStatus.CANCELED, SubscriptionStatus.UNPAID, SubscriptionStatus.PAUSED})


class PlanUse(StrEnum):
    """How much of a plan a month used."""

    WITHIN = "within"
    NEAR = "near"
    ABOVE = "above"  # more than it is meant for: everything goes on
    FULL = "full"  # no new invoice is issued


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPage:
    """A page of Stripe where the company subscribes, written before Stripe is asked for it: all that is asked there."""

    plan_id: PlanId
    price_id: str
    trial_days: int
    expires_at: datetime
    session_id: str = ""  # once Stripe answered

    def may_be_asked_for_at(self, at: datetime) -> bool:
        """Stripe's answer was never written: the same question, under the same key, has the same answer."""
        return not self.session_id and at < self.expires_at - ASKED_UNTIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """``held`` as Stripe last told it, at ``refreshed_at``. ``asked`` counts the pages and is part of their keys."""

    tenant_id: str
    version: int = 0  # 0: not stored yet
    asked: int = 0
    customer_id: str = ""
    page: SubscriptionPage | None = None
    held: StripeSubscription | None = None
    refreshed_at: datetime | None = None
    announced: datetime | None = field(default=None, metadata=LATER)  # the end of a trial, once it was written of

    @property
    def customer_key(self) -> str:
        """The idempotency key of the customer that is being made."""
        return f"subscriber-{self.tenant_id}-{self.asked}"

    @property
    def page_key(self) -> str:
        return f"subscription-{self.tenant_id}-{self.asked}"

    @property
    def status(self) -> SubscriptionStatus | None:
        return self.held.status if self.held else None

    @property
    def is_running(self) -> bool:
        """There is one at Stripe that is not over, paid or not."""
        return self.held is not None and not self.held.status.is_over

    @property
    def plan(self) -> Plan:
        """What the company has now."""
        if self.held is None or self.held.status not in _SERVED:
            return FREE
        return plan_sold(self.held) or FREE

    @property
    def next_trial_days(self) -> int | None:
        """None: as the plan says. A company tries it once."""
        return None if self.held is None else 0

    @property
    def trial_words(self) -> tuple[str, str]:
        """What is added to an offer of the paid plan; empty for who had it."""
        days = PRO.trial_days if self.next_trial_days is None else self.next_trial_days
        return (f", {days} jours d'essai gratuits", f", {days} days of free trial") if days else ("", "")

    @property
    def is_owing(self) -> bool:
        return self.held is not None and self.held.status in _OWING

    @property
    def owing_ends_at(self) -> datetime | None:
        """By when an invoice of ours has to be paid for the plan to go on."""
        if self.held is None or self.held.status is not SubscriptionStatus.PAST_DUE:
            return None
        return self.held.unpaid_since + DUNNING if self.held.unpaid_since else None

    def days_left(self, at: datetime) -> int | None:
        """Whole days until then, those begun included."""
        ends = self.owing_ends_at
        return max(-((at - ends) // timedelta(days=1)), 0) if ends else None

    def stops_at(self, at: datetime) -> int | None:
        """How many invoices a month are issued at most; None: as many as there are. A plan that was had ends gently."""
        held = self.held
        if held is not None and held.status in _LAPSED:
            over = held.ended_at or (held.unpaid_since + DUNNING if held.unpaid_since else held.current_period_end)
            if at < over + AFTERWARDS:
                return None
        return self.plan.stops_at

    def use_of(self, issued: int, at: datetime) -> PlanUse:
        plan, stops_at = self.plan, self.stops_at(at)
        if stops_at is not None and issued >= stops_at:
            return PlanUse.FULL
        if issued > plan.invoices_a_month:
            return PlanUse.ABOVE
        return PlanUse.NEAR if issued >= plan.near else PlanUse.WITHIN

    def reached_by(self, issued: int, at: datetime) -> PlanUse | None:
        """What the ``issued``-th invoice of a month makes of a plan that is held: nearly used, full; once each."""
        before, after = self.use_of(issued - 1, at), self.use_of(issued, at)
        told = {PlanUse.NEAR, PlanUse.FULL} if self.plan.is_held else set()
        return after if after is not before and after in told else None

    def hold_room(self, issued: int, issue_date: date, at: datetime) -> None:
        """One more invoice is issued where ``issued`` are dated in its month already. Raises: PlanLimitReached."""
        if self.use_of(issued, at) is not PlanUse.FULL:
            return
        plan, anew, (trial_fr, trial_en) = self.plan, first_of_next_month(issue_date), self.trial_words
        raise PlanLimitReached(
            f"L'{plan.offer_fr} est prévue pour {plan.invoices_a_month} factures par mois, et {issued} sont déjà "
            f"datées de ce mois-ci. La facture reste en brouillon : passez à l'{PRO.offer_fr} (page "
            f"Abonnement{trial_fr}) pour l'émettre tout de suite, ou émettez-la à partir du {format_french(anew)}. "
            "Avoirs, encaissements, relances, envois et exports restent ouverts.",
            f"The {plan.name_en} plan is meant for {plan.invoices_a_month} invoices a month, and {issued} are dated "
            f"this month already. The invoice stays a draft: take the {PRO.name_en} plan (subscription "
            f"page{trial_en}) to issue it now, or issue it from {anew.isoformat()} on. Credit notes, payments, "
            "reminders, mail and exports stay open.",
        )

    def asking(self, plan: Plan, price_id: str, at: datetime) -> Subscription:
        """Another page is about to be asked for."""
        days = plan.trial_days if self.next_trial_days is None else self.next_trial_days
        page = SubscriptionPage(
            plan_id=plan.plan_id, price_id=price_id, trial_days=days, expires_at=(at + PAGE_LIFE).replace(microsecond=0)
        )
        return replace(self._moved(), asked=self.asked + 1, page=page)

    def known_as(self, customer_id: str) -> Subscription:
        return replace(self._moved(), customer_id=customer_id)

    def opened(self, session_id: str) -> Subscription:
        if self.page is None:
            raise ValueError("no page was asked for")
        return replace(self._moved(), page=replace(self.page, session_id=session_id))

    def forgotten(self, *, customer: bool = False) -> Subscription:
        """The page that Stripe did not open: what is asked next has another key. With a customer that is not there."""
        return replace(self._moved(), page=None, customer_id="" if customer else self.customer_id)

    def shown(self) -> Subscription:
        """Somebody was led to Stripe's portal: nothing else changed yet."""
        return self._moved()

    def told(self, held: StripeSubscription, at: datetime) -> Subscription:
        page = self.page if held.status.is_over else None
        told = replace(self._moved(), held=held, page=page, refreshed_at=at)
        return replace(told, announced=held.trial_end) if self.is_to_announce(held, at) else told

    def knows(self, held: StripeSubscription, at: datetime) -> bool:
        """Nothing is new in what Stripe tells, and nothing is to be written of it."""
        return held == self.held and not self.is_to_announce(held, at)

    def is_to_announce(self, held: StripeSubscription, at: datetime) -> bool:
        """A trial ends soon, and the company was not written of that end yet."""
        ends = held.trial_end if held.status is SubscriptionStatus.TRIALING else None
        return ends is not None and at < ends <= at + ANNOUNCED and self.announced != ends

    def _moved(self) -> Subscription:
        return replace(self, version=self.version + 1)


def plan_sold(held: StripeSubscription) -> Plan | None:
    """By its price; by its own word where the price was replaced. None: nothing that is sold here."""
    return plan_priced(held.lookup_key) or plan_named(held.plan)


def current_one(found: Sequence[StripeSubscription]) -> StripeSubscription | None:
    """Of all that a customer ever had: what runs, the latest of it; else the latest."""
    return max(found, key=lambda one: (not one.status.is_over, one.created, one.subscription_id), default=None)


def news_of(before: StripeSubscription | None, after: StripeSubscription) -> EventType | None:
    """What a company is told of what Stripe says; None when it says what it said."""
    if before == after or after.status in _NOT_BEGUN:
        return None
    same = before is not None and before.subscription_id == after.subscription_id
    failures = before.failures if before and same else 0
    begun = before is not None and same and before.status not in _NOT_BEGUN
    if after.status is SubscriptionStatus.CANCELED:
        return EventType.SUBSCRIPTION_ENDED
    if after.status in _OWING and after.failures > failures:
        return EventType.SUBSCRIPTION_PAYMENT_FAILED
    return EventType.SUBSCRIPTION_CHANGED if begun else EventType.SUBSCRIPTION_STARTED


def offered(plan_id: PlanId) -> Plan | None:
    """A plan that is subscribed to; the free one is had without."""
    plan = plan_of(plan_id)
    return plan if plan.lookup_key else None
