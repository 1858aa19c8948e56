"""A company subscribes to ZenBilling: one customer and one page whatever dies, then as Stripe says it is."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.errors import (
    CompanyNotDescribed,
    DependencyUnavailable,
    SubscriptionNotStarted,
    SubscriptionRefused,
    SubscriptionRunning,
)
from billing.domain.events import EventType
from billing.domain.plans import DUNNING, FREE, PRO, PlanId
from billing.domain.stripe import (
    STRIPE_API_VERSION,
    CheckoutStatus,
    StripeEvent,
    StripeLink,
    StripeSubscription,
    SubscriptionStatus,
)
from billing.domain.stripe_inbox import InboxEntry, InboxState, ParkReason
from billing.domain.subscription import Subscription
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.stripe import StripeRefused
from billing.usecases import subscriptions
from billing.usecases.stripe_events import Processed, StripeDesk, process_stripe_event
from billing.usecases.subscriptions import SubscriptionLink, SubscriptionUse
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.stripe import FakeStripe
from tests.usecases.conftest import Shop

RETURN_URL = "https://app.exemple.test/abonnement"


class Office:
    """A described company on the free plan, and what Stripe tells of its subscription."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.stripe = FakeStripe(clock=shop.clock)
        self.stripe.sell(PRO.lookup_key, PRO.monthly_price_minor)
        self._events = itertools.count(1)

    def ports(self, operation: str, **changes: Any) -> dict[str, Any]:
        return {
            "once": self.shop.once(operation),
            "subscriptions": self.held.subscriptions,
            "stripe": self.stripe,
            "clock": self.shop.clock,
            "ids": self.shop.ids,
        } | changes

    def start(self, **changes: Any) -> SubscriptionLink:
        ports = self.ports("start") | {"companies": self.held.companies, "return_url": RETURN_URL} | changes
        return subscriptions.start_subscription(self.shop.caller, PlanId.PRO, **ports)

    def refresh(self) -> Subscription:
        ports = self.ports("refresh", companies=self.held.companies)
        return subscriptions.refresh_subscription(self.shop.caller, **ports)

    def portal(self) -> StripeLink:
        ports = self.ports("portal", return_url=RETURN_URL)
        return subscriptions.open_subscription_portal(self.shop.caller, **ports).link

    def read(self) -> Subscription:
        return self.use().subscription

    def use(self) -> SubscriptionUse:
        return subscriptions.read_subscription(
            self.shop.caller, subscriptions=self.held.subscriptions, clock=self.shop.clock
        )

    def confirm(self) -> StripeSubscription:
        """The company starts, and confirms on the page; nobody told us yet."""
        page = self.start().subscription.page
        assert page is not None
        return self.stripe.subscribe(page.session_id)

    def subscribed(self) -> StripeSubscription:
        made = self.confirm()
        self.tell("customer.subscription.created")
        return made

    def desk(self, **changes: Any) -> StripeDesk:
        desk = StripeDesk(
            inbox=self.held.stripe_inbox,
            stripe=self.stripe,
            connections=self.held.stripe_connections,
            checkouts=self.held.checkouts,
            stripe_payments=self.held.stripe_payments,
            payments=self.held.payments,
            subscriptions=self.held.subscriptions,
            invoices=self.held.invoices,
            companies=self.held.companies,
            count=lambda _: None,
            clock=self.shop.clock,
            ids=self.shop.ids,
        )
        return replace(desk, **changes)

    def told(self, event_type: str, customer_id: str | None = None, *, account_id: str = "") -> str:
        event = StripeEvent(
            event_id=f"evt_{next(self._events):06d}",
            event_type=event_type,
            account_id=account_id,
            object_id="sub_any",
            object_type="subscription",
            created=self.shop.clock.now(),
            api_version=STRIPE_API_VERSION,
            livemode=False,
            parent_id=self.read().customer_id if customer_id is None else customer_id,
        )
        self.held.stripe_inbox.receive(InboxEntry.received(event, self.shop.clock.now()))
        return event.event_id

    def process(self, event_id: str, **changes: Any) -> Processed:
        return process_stripe_event(event_id, desk=self.desk(**changes))

    def tell(self, event_type: str, customer_id: str | None = None) -> Processed:
        return self.process(self.told(event_type, customer_id))

    @property
    def news(self) -> list[EventType]:
        kinds = (waiting.event.event_type for waiting in self.held.store.unplaced.values())
        asked = {EventType.SUBSCRIPTION_REQUESTED, EventType.SUBSCRIPTION_PORTAL_OPENED}
        return [kind for kind in kinds if kind.value.startswith("subscription.") and kind not in asked]


@pytest.fixture
def office(shop: Shop) -> Office:
    return Office(shop)


def test_a_company_has_the_free_plan_until_it_subscribes(office: Office) -> None:
    assert (office.read().plan, office.read().status) == (FREE, None)

    started = office.start()

    assert office.read().plan is FREE
    assert started.subscription == office.read()
    assert started.link.url.startswith("https://checkout.stripe.example/")
    assert started.link.expires_at == office.shop.clock.now().replace(microsecond=0) + timedelta(hours=23)
    ((customer_id, subscriber),) = office.stripe.subscribers.items()
    (asked,) = office.stripe.subscribing.values()
    tenant_id = office.shop.caller.tenant_id
    assert subscriber.metadata == {"tenant_id": tenant_id}
    assert (asked.customer_id, asked.trial_days) == (customer_id, PRO.trial_days)
    assert asked.metadata == {"tenant_id": tenant_id, "plan": "pro"}
    assert asked.success_url == f"{RETURN_URL}?abonnement=retour"
    assert office.held.subscriptions.tenant_of(customer_id) == tenant_id


def test_what_is_used_of_the_plan_is_counted_by_month(office: Office) -> None:
    assert office.use().invoices == 0
    for _ in range(3):
        office.shop.issue()
    assert office.use().invoices == 3

    office.shop.clock.advance(timedelta(days=31))

    assert office.use().invoices == 0
    office.shop.issue()
    assert office.use().invoices == 1


def test_a_confirmed_page_is_the_pro_plan_on_trial(office: Office) -> None:
    office.subscribed()

    read = office.read()
    assert (read.plan, read.status, read.is_running) == (PRO, SubscriptionStatus.TRIALING, True)
    assert read.page is None
    assert office.news == [EventType.SUBSCRIPTION_STARTED]


def test_starting_again_leads_to_the_same_page(office: Office) -> None:
    first, second = office.start(), office.start()

    assert first.link == second.link
    assert (len(office.stripe.subscribers), len(office.stripe.subscribing)) == (1, 1)


def test_a_page_that_expired_is_replaced_and_never_stands_beside_another(office: Office) -> None:
    first = office.start()
    office.shop.clock.advance(timedelta(hours=22, minutes=55))
    assert office.start().link == first.link
    office.shop.clock.advance(timedelta(minutes=6))
    page = office.read().page
    assert page is not None
    office.stripe.expire_checkout_session("", page.session_id)

    second = office.start()

    assert second.link.url != first.link.url
    assert len(office.stripe.subscribers) == 1


def test_two_at_once_make_one_customer_and_one_page(office: Office) -> None:
    with ThreadPoolExecutor(8) as pool:
        links = {one.link.url for one in pool.map(lambda _: office.start(), range(8))}

    assert len(links) == 1
    assert (len(office.stripe.subscribers), len(office.stripe.subscribing)) == (1, 1)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_while_starting_makes_one_customer_and_one_page(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        office = Office(shop)
        once = shop.once("start")
        crash = CrashPoint(at=at, after=after)
        try:
            office.start(
                once=once,
                subscriptions=crash.watch(office.held.subscriptions),
                companies=crash.watch(office.held.companies),
                stripe=crash.watch(office.stripe),
            )
        except Crashed:
            pass
        else:
            assert at > 8
            return
        try:
            office.start(once=once)
        except AlreadyAnswered:
            assert after
        office.start()
        assert (len(office.stripe.subscribers), len(office.stripe.subscribing)) == (1, 1)


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_while_processing_leaves_one_state_and_one_news(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        office = Office(shop)
        office.confirm()
        event_id = office.told("checkout.session.completed")
        crash = CrashPoint(at=at, after=after)
        names = ("inbox", "stripe", "subscriptions")
        try:
            office.process(event_id, **{name: crash.watch(getattr(office.desk(), name)) for name in names})
        except Crashed:
            pass
        else:
            assert at > 5
            return
        assert office.process(event_id).state is InboxState.DONE
        assert office.read().plan is PRO
        assert office.news == [EventType.SUBSCRIPTION_STARTED]


def test_what_is_late_or_told_twice_changes_nothing(office: Office) -> None:
    held = office.subscribed()
    late = office.told("customer.subscription.updated")
    office.stripe.end(held.subscription_id)
    office.tell("customer.subscription.deleted")
    ended = office.read()

    for event_id in (late, late, office.told("invoice.paid"), office.told("customer.subscription.created")):
        assert office.process(event_id).state is InboxState.DONE

    assert office.read() == ended
    assert office.news == [EventType.SUBSCRIPTION_STARTED, EventType.SUBSCRIPTION_ENDED]


def test_many_told_at_once_leave_the_last_word_of_stripe(office: Office) -> None:
    held = office.confirm()
    events = [office.told("customer.subscription.updated") for _ in range(12)]
    office.stripe.end(held.subscription_id, at_period_end=True)

    with ThreadPoolExecutor(6) as pool:
        ended = list(pool.map(office.process, events))

    assert {one.state for one in ended} == {InboxState.DONE}
    assert office.read().held == office.stripe.subscriptions[held.subscription_id]
    assert office.news == [EventType.SUBSCRIPTION_STARTED]


def test_a_writer_who_read_stripe_before_another_does_not_write_after_it(office: Office) -> None:
    """What a slow one read is old when it writes: it reads again."""
    held = office.subscribed()
    slow = office.told("customer.subscription.updated")

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(office.stripe, name)

        def list_subscriptions(self, customer_id: str) -> tuple[StripeSubscription, ...]:
            found = office.stripe.list_subscriptions(customer_id)
            if office.read().status is SubscriptionStatus.TRIALING:
                office.stripe.end(held.subscription_id)
                office.tell("customer.subscription.deleted")
                return tuple(replace(one, status=SubscriptionStatus.ACTIVE) for one in found)
            return found

    assert office.process(slow, stripe=Slow()).state is InboxState.DONE
    assert office.read().status is SubscriptionStatus.CANCELED


def test_a_refused_card_keeps_the_plan_while_stripe_tries_again(office: Office) -> None:
    held = office.subscribed()
    office.stripe.renew(held.subscription_id)
    office.tell("invoice.paid")
    office.stripe.renew(held.subscription_id, works=False)
    office.tell("invoice.payment_failed")

    read = office.read()
    assert (read.plan, read.status, read.is_owing) == (PRO, SubscriptionStatus.PAST_DUE, True)
    assert read.days_left(office.shop.clock.now()) == DUNNING.days
    assert read.days_left(office.shop.clock.now() + timedelta(days=3, hours=1)) == DUNNING.days - 3
    assert read.days_left(office.shop.clock.now() + timedelta(days=40)) == 0
    office.stripe.renew(held.subscription_id, works=False)
    office.tell("invoice.payment_failed")
    office.stripe.renew(held.subscription_id)
    office.tell("invoice.paid")

    assert (office.read().status, office.read().days_left(office.shop.clock.now())) == (SubscriptionStatus.ACTIVE, None)
    assert office.news == [
        EventType.SUBSCRIPTION_STARTED,
        EventType.SUBSCRIPTION_CHANGED,
        EventType.SUBSCRIPTION_PAYMENT_FAILED,
        EventType.SUBSCRIPTION_PAYMENT_FAILED,
        EventType.SUBSCRIPTION_CHANGED,
    ]


@pytest.mark.parametrize("status", [SubscriptionStatus.UNPAID, SubscriptionStatus.CANCELED, SubscriptionStatus.PAUSED])
def test_what_is_not_paid_any_more_falls_back_to_the_free_plan(office: Office, status: SubscriptionStatus) -> None:
    held = office.subscribed()
    office.stripe.subscriptions[held.subscription_id] = replace(held, status=status)

    office.tell("customer.subscription.updated")

    assert office.read().plan is FREE


def test_a_running_one_is_changed_at_the_portal_not_started_again(office: Office) -> None:
    held = office.confirm()
    with pytest.raises(SubscriptionRunning, match="refresh it"):
        office.start()
    assert office.refresh().plan is PRO
    with pytest.raises(SubscriptionRunning):
        office.start()

    assert held.customer_id in office.portal().url


def test_after_its_end_it_is_started_again_without_a_trial(office: Office) -> None:
    first = office.subscribed()
    office.stripe.end(first.subscription_id)
    office.tell("customer.subscription.deleted")

    second = office.subscribed()

    assert second.customer_id == first.customer_id
    assert (second.status, second.trial_end) == (SubscriptionStatus.ACTIVE, None)
    assert office.read().held == second
    assert office.tell("customer.subscription.deleted", second.customer_id).state is InboxState.DONE
    assert office.read().plan is PRO
    assert office.news[-1] is EventType.SUBSCRIPTION_STARTED


def test_an_end_that_was_asked_for_is_known_before_it_comes(office: Office) -> None:
    held = office.subscribed()
    office.stripe.end(held.subscription_id, at_period_end=True)
    office.tell("customer.subscription.updated")

    found = office.read().held
    assert found is not None
    assert found.ends_at == held.current_period_end
    assert office.read().plan is PRO


def test_what_does_not_fit_is_parked_and_never_applied(office: Office) -> None:
    held = office.confirm()
    unknown = office.tell("customer.subscription.created", "cus_unknown")
    office.stripe.subscriptions[held.subscription_id] = replace(held, tenant_id="ten_other")
    other = office.tell("customer.subscription.created")
    office.stripe.subscriptions[held.subscription_id] = replace(held, lookup_key="autre", plan="")
    unsold = office.tell("customer.subscription.created")

    assert (unknown.state, unknown.reason) == (InboxState.PARKED, ParkReason.UNKNOWN_CUSTOMER)
    assert (other.state, other.reason) == (InboxState.PARKED, ParkReason.OTHER_TENANT)
    assert (unsold.state, unsold.reason) == (InboxState.PARKED, ParkReason.UNKNOWN_PLAN)
    assert (office.read().plan, office.news) == (FREE, [])


def test_a_subscription_in_a_state_that_is_new_gives_and_takes_nothing(office: Office) -> None:
    held = office.subscribed()
    office.stripe.subscriptions[held.subscription_id] = replace(held, status=SubscriptionStatus.UNKNOWN)
    before = office.read()

    ended = office.tell("customer.subscription.some_new_type")
    refreshed = office.refresh()

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.UNKNOWN_STATE)
    assert refreshed == office.read() == before
    assert before.plan is PRO


def test_a_page_in_a_state_that_is_new_stays_the_only_one(office: Office) -> None:
    office.start()
    [session_id] = office.stripe.subscribing
    key = "", session_id
    office.stripe.sessions[key] = replace(office.stripe.sessions[key], status=CheckoutStatus.UNKNOWN)

    with pytest.raises(DependencyUnavailable):
        office.start()

    assert list(office.stripe.subscribing) == [session_id]


def test_a_price_that_was_replaced_still_is_its_plan(office: Office) -> None:
    held = office.confirm()
    office.stripe.subscriptions[held.subscription_id] = replace(held, lookup_key="")

    office.tell("customer.subscription.created")

    assert office.read().plan is PRO


def test_another_price_than_the_one_that_is_shown_opens_no_page(office: Office) -> None:
    office.stripe.sell(PRO.lookup_key, PRO.monthly_price_minor + 100)
    with pytest.raises(SubscriptionRefused, match="nothing is sold at another price"):
        office.start()
    office.stripe.prices.clear()
    with pytest.raises(SubscriptionRefused, match="not on sale at Stripe yet"):
        office.start()

    assert office.stripe.subscribing == {}


def test_the_free_plan_is_had_without_a_page(office: Office) -> None:
    ports = office.ports("start") | {"companies": office.held.companies, "return_url": RETURN_URL}
    with pytest.raises(SubscriptionRefused, match="choose another one"):
        subscriptions.start_subscription(office.shop.caller, PlanId.FREE, **ports)


def test_what_is_of_an_account_or_of_no_customer_is_not_ours(office: Office) -> None:
    office.confirm()

    assert office.tell("invoice.paid", "").state is InboxState.IGNORED
    assert office.tell("customer.updated").state is InboxState.IGNORED
    assert office.process(office.told("invoice.paid", account_id="acct_1")).state is InboxState.IGNORED
    assert office.read().plan is FREE


def test_what_stripe_refuses_is_told_and_asked_under_another_key(office: Office) -> None:
    office.stripe.refused["create_subscriber"] = StripeRefused("email_invalid", status=400)
    with pytest.raises(SubscriptionRefused, match="email_invalid"):
        office.start()
    office.stripe.refused.clear()
    office.start()

    assert next(key for _, key in office.stripe.answered).endswith("-2")
    assert len(office.stripe.subscribers) == 1


def test_a_customer_that_was_deleted_at_stripe_is_made_again(office: Office) -> None:
    held = office.subscribed()
    office.stripe.end(held.subscription_id)
    office.tell("customer.subscription.deleted")
    office.stripe.subscribers.clear()
    with pytest.raises(SubscriptionRefused, match="try again"):
        office.start()

    again = office.subscribed()

    assert again.customer_id != held.customer_id
    assert (again.status, office.read().plan) == (SubscriptionStatus.ACTIVE, PRO)
    assert office.held.subscriptions.tenant_of(held.customer_id) == office.shop.caller.tenant_id


def test_while_stripe_is_away_nothing_is_started(office: Office) -> None:
    office.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        office.start()
    office.stripe.down = False

    office.start()

    assert (len(office.stripe.subscribers), len(office.stripe.subscribing)) == (1, 1)


def test_without_a_subscription_there_is_neither_portal_nor_news(office: Office) -> None:
    for act in (office.portal, office.refresh):
        with pytest.raises(SubscriptionNotStarted):
            act()
    office.start()
    with pytest.raises(SubscriptionNotStarted):
        office.portal()
    assert office.refresh().plan is FREE


def test_a_company_says_who_it_is_before_it_subscribes() -> None:
    with pytest.raises(CompanyNotDescribed):
        Office(Shop()).start()
