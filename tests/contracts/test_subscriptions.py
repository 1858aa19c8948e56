"""The subscription of a company over the fake and the table: one version after the other, one tenant of a customer."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from billing.domain.errors import StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.plans import PRO
from billing.domain.stripe import StripeSubscription, SubscriptionStatus
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.domain.subscription import Subscription
from billing.ports.idempotency import AlreadyAnswered
from tests.contracts.conftest import World
from tests.contracts.test_stripe_inbox import told
from tests.fakes.clock import MORNING


def held(customer_id: str) -> StripeSubscription:
    return StripeSubscription(
        subscription_id="sub_1",
        customer_id=customer_id,
        status=SubscriptionStatus.PAST_DUE,
        created=MORNING,
        current_period_end=MORNING + timedelta(days=30),
        lookup_key=PRO.lookup_key,
        plan="pro",
        tenant_id="ten_1",
        trial_end=MORNING,
        ends_at=MORNING + timedelta(days=30),
        failures=2,
        unpaid_since=MORNING,
        next_attempt_at=MORNING + timedelta(days=3),
    )


def known(world: World, customer_id: str) -> Subscription:
    subscriptions = world.repositories.subscriptions
    asked = subscriptions.read(world.caller).asking(PRO, "price_1", MORNING)
    subscriptions.save(world.caller, asked)
    subscriptions.save(world.caller, asked.known_as(customer_id))
    return asked.known_as(customer_id)


def test_it_is_kept_version_by_version(world: World) -> None:
    subscriptions, customer_id = world.repositories.subscriptions, f"cus_{uuid.uuid4().hex}"
    assert subscriptions.read(world.caller) == Subscription(tenant_id=world.caller.tenant_id)

    known_one = known(world, customer_id)
    opened = known_one.opened("cs_test_1")
    subscriptions.save(world.caller, opened)

    assert subscriptions.read(world.caller) == subscriptions.stored(world.caller.tenant_id) == opened
    with pytest.raises(StaleVersion):
        subscriptions.save(world.caller, opened)
    assert subscriptions.stored("ten_other").version == 0


def test_a_customer_leads_to_one_tenant_for_ever(world: World) -> None:
    subscriptions, customer_id = world.repositories.subscriptions, f"cus_{uuid.uuid4().hex}"
    known(world, customer_id)

    assert subscriptions.tenant_of(customer_id) == world.caller.tenant_id
    assert subscriptions.tenant_of("cus_unknown") is None
    stolen = subscriptions.read(world.stranger).known_as(customer_id)
    with pytest.raises(StaleVersion):
        subscriptions.save(world.stranger, stolen)
    assert subscriptions.read(world.stranger).version == 0


def test_what_stripe_told_ends_with_its_effect_or_not_at_all(world: World) -> None:
    subscriptions, customer_id = world.repositories.subscriptions, f"cus_{uuid.uuid4().hex}"
    inbox = world.repositories.stripe_inbox
    entry = inbox.receive(InboxEntry.received(told(), MORNING))
    known_one = known(world, customer_id)
    changed = known_one.told(held(customer_id), MORNING)
    event = Event(
        event_id=world.new_id("evt"),
        event_type=EventType.SUBSCRIPTION_STARTED,
        occurred_at=MORNING,
        actor="system:stripe",
    )
    with pytest.raises(StaleVersion):
        subscriptions.save(
            world.caller, changed.told(held(customer_id), MORNING), event=event, entry=entry.done(MORNING)
        )
    kept = inbox.read(entry.event.event_id)
    assert kept is not None
    assert kept.state is InboxState.RECEIVED

    subscriptions.save(world.caller, changed, event=event, entry=entry.done(MORNING))

    ended = inbox.read(entry.event.event_id)
    assert ended is not None
    assert ended.state is InboxState.DONE
    assert subscriptions.stored(world.caller.tenant_id) == changed


def test_it_is_saved_once_per_request(world: World) -> None:
    subscriptions, once = world.repositories.subscriptions, world.once("startSubscription")
    asked = subscriptions.read(world.caller, once=once).asking(PRO, "price_1", MORNING)
    subscriptions.save(world.caller, asked, once=once, answered=asked)

    with pytest.raises(AlreadyAnswered):
        subscriptions.read(world.caller, once=once)


def test_issuing_knows_the_plan_of_the_company(world: World) -> None:
    def seen() -> Subscription:
        draft = world.add_draft()
        invoices, once = world.repositories.invoices, world.once("issueInvoice")
        return invoices.load_for_issue(world.caller, draft.invoice_id, once=once).subscription

    assert seen() == Subscription(tenant_id=world.caller.tenant_id)
    customer_id = f"cus_{uuid.uuid4().hex}"
    told = known(world, customer_id).told(held(customer_id), MORNING)
    world.repositories.subscriptions.save(world.caller, told)

    assert seen() == told
