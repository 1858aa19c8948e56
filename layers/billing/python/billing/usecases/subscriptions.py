"""A company subscribes to ZenBilling itself, and changes or ends it at Stripe. Cards and invoices are Stripe's."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, NoReturn, TypeVar

from billing.domain.access import Caller, Permission
from billing.domain.dates import civil_date
from billing.domain.errors import (
    CompanyNotDescribed,
    DependencyUnavailable,
    StaleVersion,
    SubscriptionNotStarted,
    SubscriptionRefused,
    SubscriptionRunning,
)
from billing.domain.events import Event, EventType, derived_event_id
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.plans import PLAN_CURRENCY, Plan, PlanId
from billing.domain.stripe import CheckoutSession, CheckoutStatus, StripeLink, StripeSubscription, SubscriptionStatus
from billing.domain.stripe_inbox import ParkReason
from billing.domain.stripe_words import explain_subscription_refusal
from billing.domain.subscription import Subscription, SubscriptionPage, current_one, news_of, offered, plan_sold
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.repositories import Companies
from billing.ports.stripe import StripeGateway, StripeRefused, SubscriberWanted, SubscriptionWanted
from billing.ports.subscriptions import Subscriptions
from billing.usecases.contention import judged_anew
from billing.usecases.notices import addressed

T = TypeVar("T")
LANGUAGE: Final = "fr"
_MISSING: Final = "resource_missing"  # somebody deleted the customer at Stripe, and with it what it had


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionLink:
    """A subscription and, once, the page of Stripe where the company goes on."""

    subscription: Subscription
    link: StripeLink


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionUse:
    """``invoices``: those dated this month; None in the month in which it began to be counted."""

    subscription: Subscription
    invoices: int | None


def read_subscription(caller: Caller, *, subscriptions: Subscriptions, clock: Clock) -> SubscriptionUse:
    """As Stripe last told it, and how much of the plan is used."""
    caller.require(Permission.READ)
    subscription, series = subscriptions.read_with_use(caller)
    return SubscriptionUse(subscription=subscription, invoices=series.numbered_in_month_of(civil_date(clock.now())))


def start_subscription(
    caller: Caller,
    plan_id: PlanId,
    *,
    return_url: str,
    once: IdempotentRequest,
    subscriptions: Subscriptions,
    companies: Companies,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> SubscriptionLink:
    """A page of Stripe where the company subscribes: the one that is open, or another.

    What is asked of Stripe is written first, under what key too: whoever dies leaves neither a second customer nor a
    second page behind.

    Raises: Forbidden, CompanyNotDescribed, SubscriptionRunning, SubscriptionRefused, DependencyUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)
    starting = _Starting(caller, _sold(plan_id), return_url, once, subscriptions, companies, stripe, clock, ids)
    return judged_anew(starting.run, clock=clock, ids=ids)


def refresh_subscription(
    caller: Caller,
    *,
    once: IdempotentRequest,
    subscriptions: Subscriptions,
    companies: Companies,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> Subscription:
    """As Stripe tells it now. Raises: Forbidden, SubscriptionNotStarted, DependencyUnavailable."""
    caller.require(Permission.MANAGE_COMPANY)

    def attempt() -> Subscription:
        stored = subscriptions.read(caller, once=once)
        if not stored.customer_id:
            raise SubscriptionNotStarted
        found = current_one(stripe.list_subscriptions(stored.customer_id))
        now = clock.now()
        if found is None or stored.knows(found, now) or unfit(stored, stored.customer_id, found):
            return stored
        told = stored.told(found, now)
        event = subscription_event(stored, told, caller.user_id, now)
        notices = subscription_notices(caller, stored, told, companies=companies, at=now)
        subscriptions.save(caller, told, event=event, notices=notices, once=once, answered=told)
        return told

    return judged_anew(attempt, clock=clock, ids=ids)


def open_subscription_portal(
    caller: Caller,
    *,
    return_url: str,
    once: IdempotentRequest,
    subscriptions: Subscriptions,
    stripe: StripeGateway,
    clock: Clock,
    ids: Ids,
) -> SubscriptionLink:
    """Where the company changes its card, finds its invoices, ends the subscription or keeps it.

    Raises: Forbidden, SubscriptionNotStarted, SubscriptionRefused, DependencyUnavailable.
    """
    caller.require(Permission.MANAGE_COMPANY)

    def attempt() -> SubscriptionLink:
        stored = subscriptions.read(caller, once=once)
        if not stored.customer_id or stored.held is None:
            raise SubscriptionNotStarted
        try:
            link = stripe.create_portal_link(stored.customer_id, return_url=return_url, language=LANGUAGE)
        except StripeRefused as refused:
            _refuse(refused.code, refused)
        shown = stored.shown()
        event = _asked_event(EventType.SUBSCRIPTION_PORTAL_OPENED, shown, caller, clock, ids)
        subscriptions.save(caller, shown, event=event, once=once, answered=shown)
        return SubscriptionLink(subscription=shown, link=link)

    return judged_anew(attempt, clock=clock, ids=ids)


def unfit(stored: Subscription, customer_id: str, found: StripeSubscription | None) -> ParkReason | None:
    """Why what Stripe tells is not what this company asked for."""
    if stored.customer_id != customer_id:
        return ParkReason.UNKNOWN_CUSTOMER
    if found is None:
        return None
    if found.tenant_id not in {"", stored.tenant_id}:
        return ParkReason.OTHER_TENANT
    if found.status is SubscriptionStatus.UNKNOWN:  # what is known stays: no plan is given or taken by it
        return ParkReason.UNKNOWN_STATE
    return None if plan_sold(found) else ParkReason.UNKNOWN_PLAN


def subscription_event(before: Subscription, after: Subscription, actor: str, at: datetime) -> Event | None:
    """What the company is told: one event for each version at most, whoever writes it."""
    held = after.held
    event_type = news_of(before.held, held) if held else None
    if held is None or event_type is None:
        return None
    data: dict[str, str | int] = {
        "plan": after.plan.plan_id.value,
        "status": held.status.value,
        "current_period_end": held.current_period_end.isoformat(),
        "ends_at": held.ends_at.isoformat() if held.ends_at else "",
        "failures": held.failures,
    }
    return Event(
        event_id=derived_event_id("subscription", after.tenant_id, str(after.version)),
        event_type=event_type,
        occurred_at=at,
        actor=actor,
        data=data,
    )


def subscription_notices(
    caller: Caller, before: Subscription, after: Subscription, *, companies: Companies, at: datetime
) -> tuple[CompanyNotice, ...]:
    """What the company is written of it: a payment that failed, the end of its trial; at most once for each version."""
    held = after.held
    plan = plan_sold(held) if held else None
    if held is None or plan is None:
        return ()
    about = MoneyFact(
        kind=NoticeKind.TRIAL_ENDING,
        subject=held.subscription_id,
        amount_minor=plan.monthly_price_minor,
        currency=PLAN_CURRENCY,
        plan=plan.plan_id.value,
        due_at=held.trial_end,
        ends=held.ends_at is not None,
    )
    facts = [about] if before.is_to_announce(held, at) else []
    if news_of(before.held, held) is EventType.SUBSCRIPTION_PAYMENT_FAILED:
        facts.append(
            replace(
                about,
                kind=NoticeKind.SUBSCRIPTION_PAYMENT_FAILED,
                due_at=after.owing_ends_at,
                next_attempt_at=held.next_attempt_at,
            )
        )
    return addressed(caller, facts, str(after.version), companies=companies, at=at)


def _sold(plan_id: PlanId) -> Plan:
    plan = offered(plan_id)
    if plan is None:
        _refuse("not_for_sale", None)
    return plan


def _asked_event(kind: EventType, subscription: Subscription, caller: Caller, clock: Clock, ids: Ids) -> Event:
    data: dict[str, str | int] = {"version": subscription.version, "plan": subscription.plan.plan_id.value}
    if subscription.page is not None:
        data["requested_plan"] = subscription.page.plan_id.value
    return Event(event_id=ids.new("evt"), event_type=kind, occurred_at=clock.now(), actor=caller.user_id, data=data)


@dataclass(frozen=True, slots=True)
class _Starting:
    caller: Caller
    plan: Plan
    return_url: str
    once: IdempotentRequest
    subscriptions: Subscriptions
    companies: Companies
    stripe: StripeGateway
    clock: Clock
    ids: Ids

    def run(self) -> SubscriptionLink:
        stored = self.subscriptions.read(self.caller, once=self.once)
        if stored.is_running:
            raise SubscriptionRunning
        session = self._standing(stored.page)
        if session is None:
            stored = self._known(self._asked(stored))
            session = self._page(stored, stored.page)
        opened = stored.opened(session.session_id)
        event = _asked_event(EventType.SUBSCRIPTION_REQUESTED, opened, self.caller, self.clock, self.ids)
        self.subscriptions.save(self.caller, opened, event=event, once=self.once, answered=opened)
        link = StripeLink(url=session.url or "", expires_at=session.expires_at)
        return SubscriptionLink(subscription=opened, link=link)

    def _standing(self, page: SubscriptionPage | None) -> CheckoutSession | None:
        """The page that can still be confirmed. There is never a second one beside it."""
        session = self.stripe.read_subscription_page(page.session_id) if page and page.session_id else None
        if session is not None and session.status is CheckoutStatus.COMPLETE:
            raise SubscriptionRunning(
                "L'abonnement vient d'être confirmé : actualisez-le.", "It was confirmed just now: refresh it."
            )
        if session is not None and session.status is CheckoutStatus.UNKNOWN:
            raise DependencyUnavailable
        return session if session is not None and session.status is CheckoutStatus.OPEN else None

    def _asked(self, stored: Subscription) -> Subscription:
        """With the page that was asked for and not answered, or with another that is about to be asked for."""
        now = self.clock.now()
        if stored.page is not None and stored.page.may_be_asked_for_at(now):
            return stored
        price = self.stripe.find_price(self.plan.lookup_key)
        wanted = (self.plan.monthly_price_minor, PLAN_CURRENCY, "month")
        if price is None or (price.amount_minor, price.currency, price.interval) != wanted:
            # Never another price than the one that was shown.
            _refuse("price_differs" if price else "price_missing", None)
        asked = stored.asking(self.plan, price.price_id, now)
        self.subscriptions.save(self.caller, asked)
        return asked

    def _known(self, asked: Subscription) -> Subscription:
        if asked.customer_id:
            return asked
        company = self.companies.read(self.caller)
        if company is None:
            raise CompanyNotDescribed
        described = company.description
        wanted = SubscriberWanted(
            email=described.email,
            name=described.display_name,
            language=LANGUAGE,
            metadata={"tenant_id": self.caller.tenant_id},
        )
        made = self._ask(asked, lambda: self.stripe.create_subscriber(wanted, idempotency_key=asked.customer_key))
        known = asked.known_as(made)
        self.subscriptions.save(self.caller, known)
        return known

    def _page(self, asked: Subscription, page: SubscriptionPage | None) -> CheckoutSession:
        if page is None:
            raise ValueError("no page was asked for")
        wanted = SubscriptionWanted(
            customer_id=asked.customer_id,
            price_id=page.price_id,
            trial_days=page.trial_days,
            language=LANGUAGE,
            success_url=f"{self.return_url}?abonnement=retour",
            cancel_url=f"{self.return_url}?abonnement=annule",
            expires_at=page.expires_at,
            metadata={"tenant_id": self.caller.tenant_id, "plan": page.plan_id.value},
        )
        return self._ask(asked, lambda: self.stripe.create_subscription_page(wanted, idempotency_key=asked.page_key))

    def _ask(self, asked: Subscription, call: Callable[[], T]) -> T:
        """Raises: SubscriptionRefused; the next request then asks under another key."""
        try:
            return call()
        except StripeRefused as refused:
            with contextlib.suppress(StaleVersion):
                self.subscriptions.save(self.caller, asked.forgotten(customer=refused.code == _MISSING))
            _refuse(refused.code, refused)


def _refuse(code: str, cause: Exception | None) -> NoReturn:
    why = explain_subscription_refusal(code)
    raise SubscriptionRefused(why.french, why.english) from cause
