"""Notices to the company over the fake and the table: written with their fact, delivered as documents are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.domain.delivery import DeliveryOutcome, DeliveryState
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.domain.notices import CompanyNotice, MoneyFact, NoticeKind
from billing.domain.stripe import StripeAccount
from billing.domain.stripe_connection import StripeConnection
from billing.ports.stripe_payments import StripeFacts
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_stripe_payments import record
from tests.fakes.clock import MORNING


def notice(world: World, *facts: str) -> CompanyNotice:
    fact = MoneyFact(
        kind=NoticeKind.DISPUTE_OPENED,
        subject="du_1",
        amount_minor=12_000,
        invoice_id="inv_1",
        invoice_number="F2026-00001",
        customer_name="Client exemple",
        answer_url="https://dashboard.stripe.com/acct_1/disputes/du_1",
        reason="fraudulent",
        due_at=MORNING + timedelta(days=9),
    )
    return CompanyNotice.of(world.caller.tenant_id, fact, *facts, recipient="contact@exemple.test", at=MORNING)


def test_a_notice_is_written_with_its_fact_and_waits_in_the_outbox(world: World) -> None:
    held, written = world.repositories, notice(world)
    held.stripe_payments.write(world.caller, StripeFacts(record=record(world), notices=(written,)))

    assert held.deliveries.document(written.tenant_id, written.notice_id) == written
    assert held.deliveries.request(written.tenant_id, written.notice_id, 1) == written.request
    requests = held.requests
    waiting = [
        one.subject_id
        for shard in range(requests.shards)
        for one in requests.stale(MORNING + timedelta(minutes=1), shard=shard, limit=1000)
        if one.tenant_id == written.tenant_id
    ]
    assert waiting == [written.notice_id]
    with pytest.raises(NotFound):
        held.deliveries.document(world.stranger.tenant_id, written.notice_id)


def test_what_was_written_of_is_not_written_of_again(world: World) -> None:
    held, told, written = world.repositories, record(world), notice(world)
    held.stripe_payments.write(world.caller, StripeFacts(record=told, notices=(written,)))

    with pytest.raises(StaleVersion):
        held.stripe_payments.write(world.caller, StripeFacts(record=replace(told, version=2), notices=(notice(world),)))
    assert held.stripe_payments.stored(told.tenant_id, told.payment_intent_id) == told
    held.stripe_payments.write(
        world.caller, StripeFacts(record=replace(told, version=2), notices=(notice(world, "2"),))
    )


def test_a_notice_is_written_with_the_subscription(world: World) -> None:
    held, written = world.repositories, notice(world)
    held.subscriptions.save(world.caller, factories.pro_subscription(world.caller.tenant_id), notices=(written,))

    assert held.deliveries.document(written.tenant_id, written.notice_id) == written


def test_a_notice_is_written_with_the_account_at_stripe(world: World) -> None:
    held, written = world.repositories, closed(world)
    account = StripeAccount(
        account_id=world.new_id("acct"), charges_enabled=False, payouts_enabled=True, details_submitted=True
    )
    connection = StripeConnection(tenant_id=world.caller.tenant_id).connected(account, MORNING)

    held.stripe_connections.save(world.caller, connection, notices=(written,))

    assert held.deliveries.document(written.tenant_id, written.notice_id) == written
    with pytest.raises(StaleVersion):
        held.stripe_connections.save(world.caller, connection.refreshed(account, MORNING), notices=(written,))
    assert held.stripe_connections.stored(connection.tenant_id) == connection


def closed(world: World) -> CompanyNotice:
    fact = MoneyFact(
        kind=NoticeKind.CHARGES_CLOSED,
        subject="acct_1",
        reason="requirements.past_due",
        awaited=("company.tax_id", "external_account"),
    )
    return CompanyNotice.of(world.caller.tenant_id, fact, recipient="contact@exemple.test", at=MORNING)


def test_a_notice_is_written_with_the_invoice_that_uses_the_plan_up(world: World) -> None:
    fact = MoneyFact(kind=NoticeKind.PLAN_FULL, subject="inv_1", plan="free", issued=24, month=MORNING.date())
    written = CompanyNotice.of(world.caller.tenant_id, fact, recipient="contact@exemple.test", at=MORNING)

    world.issue(notices=(written,))

    assert world.repositories.deliveries.document(written.tenant_id, written.notice_id) == written


def test_a_notice_is_settled_once(world: World) -> None:
    held, written = world.repositories, notice(world)
    held.stripe_payments.write(world.caller, StripeFacts(record=record(world), notices=(written,)))
    outcome = DeliveryOutcome(state=DeliveryState.SENT)
    sent = written.with_delivery(written.delivery.settled(outcome, attempt=1), MORNING)
    request = replace(written.request, outcome=outcome)
    event = factories.event(world.new_id("evt"), EventType.NOTICE_SENT)

    held.deliveries.settle(sent, request, event=event)

    assert held.deliveries.document(written.tenant_id, written.notice_id) == sent
    with pytest.raises(StaleVersion):
        held.deliveries.settle(sent, request, event=event)
