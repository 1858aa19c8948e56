"""What Stripe told and its effect over the fake and the table: written together, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from billing.domain.checkout import AttemptState, CheckoutAttempt, CheckoutBook
from billing.domain.errors import StaleVersion
from billing.domain.events import EventType
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.domain.stripe_payment import RefundRequest, StripePayment, StripePaymentState
from billing.ports.stripe_inbox import SHARDS
from billing.ports.stripe_payments import StripeFacts, StripeNews
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_stripe_inbox import told
from tests.fakes.clock import MORNING


def record(world: World, invoice_id: str = "inv_1") -> StripePayment:
    return StripePayment(
        tenant_id=world.caller.tenant_id,
        payment_intent_id=f"pi_{world.new_id('x')}",
        account_id="acct_1",
        invoice_id=invoice_id,
        attempt=1,
        amount_minor=12_000,
        currency="EUR",
        created=MORNING,
        version=1,
        state=StripePaymentState.SUCCEEDED,
        charge_id="ch_1",
        method="card",
        fee_minor=205,
        requests=(
            RefundRequest(
                request_id="req_1",
                amount_minor=100,
                reason="Geste",
                requested_at=MORNING,
                requested_by="user-1",
            ),
        ),
    )


def opening(world: World, invoice_id: str) -> CheckoutBook:
    book = CheckoutBook(tenant_id=world.caller.tenant_id, invoice_id=invoice_id)
    return book.beginning(
        CheckoutAttempt(
            number=1,
            state=AttemptState.OPENING,
            account_id="acct_1",
            amount_minor=12_000,
            currency="EUR",
            ledger_rank=0,
            opened_at=MORNING,
            expires_at=MORNING,
        )
    )


def test_what_stripe_told_is_read_as_it_was_written(world: World) -> None:
    held, invoice = world.repositories, world.issue()
    entry = held.stripe_inbox.receive(InboxEntry.received(told(), MORNING))
    written = record(world, invoice.invoice_id)
    news = StripeNews(
        event=factories.event(world.new_id("evt"), EventType.ONLINE_PAYMENT_PROCESSING), invoice_id=invoice.invoice_id
    )
    book = opening(world, invoice.invoice_id)

    held.stripe_payments.write(
        world.caller, StripeFacts(record=written, book=book, entry=entry.done(MORNING), news=(news,))
    )

    tenant_id = world.caller.tenant_id
    assert held.stripe_payments.stored(tenant_id, written.payment_intent_id) == written
    assert held.stripe_payments.read(world.caller, written.payment_intent_id) == written
    assert held.stripe_payments.stored(world.stranger.tenant_id, written.payment_intent_id) is None
    assert held.checkouts.book(tenant_id, invoice.invoice_id) == book
    ended = held.stripe_inbox.read(entry.event.event_id)
    assert ended is not None
    assert ended.state is InboxState.DONE


def test_refunds_that_were_asked_for_are_found_until_they_are_answered(world: World) -> None:
    held = world.repositories.stripe_payments
    written = record(world)
    key = (written.tenant_id, written.payment_intent_id)

    def found(before: datetime) -> int:
        return sum(held.asked(shard, before, 1000).count(key) for shard in range(SHARDS))

    held.write(world.caller, StripeFacts(record=written))
    assert found(MORNING) == 1
    assert found(MORNING - timedelta(seconds=1)) == 0
    again_at = MORNING + timedelta(days=1)
    later = written.asking_again("req_1", again_at=again_at).next_after(written)
    held.write(world.caller, StripeFacts(record=later))
    assert (found(again_at - timedelta(seconds=1)), found(again_at)) == (0, 1)
    held.write(world.caller, StripeFacts(record=later.refused("req_1", "charge_disputed").next_after(later)))
    assert found(again_at) == 0


@pytest.mark.parametrize("stale", ["record", "book", "entry"])
def test_one_stale_part_refuses_all(world: World, stale: str) -> None:
    held, invoice = world.repositories, world.issue()
    entry = held.stripe_inbox.receive(InboxEntry.received(told(), MORNING))
    written = record(world, invoice.invoice_id)
    book = opening(world, invoice.invoice_id)
    held.stripe_payments.write(world.caller, StripeFacts(record=written, book=book))
    further = StripeFacts(
        record=replace(written, version=1 if stale == "record" else 2, failures=1),
        book=replace(book.moved(1, AttemptState.PROCESSING, MORNING), version=3 if stale == "book" else 2),
        entry=replace(entry.done(MORNING), version=4 if stale == "entry" else 2),
    )

    with pytest.raises(StaleVersion):
        held.stripe_payments.write(world.caller, further)

    assert held.stripe_payments.stored(world.caller.tenant_id, written.payment_intent_id) == written
    assert held.checkouts.book(world.caller.tenant_id, invoice.invoice_id) == book
    assert held.stripe_inbox.read(entry.event.event_id) == entry


def test_a_payment_and_what_told_of_it_are_one(world: World) -> None:
    held, invoice = world.repositories, world.issue()
    entry = held.stripe_inbox.receive(InboxEntry.received(told(), MORNING))
    payment = replace(world.payment(invoice, 12_000), payment_intent_id="pi_1", fee_minor=205, net_minor=11_795)
    movement = factories.entry(1, 12_000, source_id=payment.payment_id)
    written = record(world, invoice.invoice_id)
    stale = StripeFacts(record=replace(written, version=2), entry=entry.done(MORNING))

    def write(facts: StripeFacts) -> None:
        held.payments.write(
            world.caller,
            payment,
            moves=(world.ledger_move(invoice.with_entry(movement), movement),),
            movement=None,
            event=factories.event(world.new_id("evt"), EventType.PAYMENT_RECEIVED),
            told=facts,
        )

    with pytest.raises(StaleVersion):
        write(stale)
    assert held.stripe_inbox.read(entry.event.event_id) == entry
    write(StripeFacts(record=written, entry=entry.done(MORNING)))
    assert held.payments.read(world.caller, payment.payment_id) == payment
    with pytest.raises(StaleVersion):  # a fact is written once
        write(StripeFacts(record=replace(written, version=2)))

    known = replace(payment, version=2, fee_minor=210)
    held.stripe_payments.write(world.caller, StripeFacts(record=replace(written, version=2), payment=known))
    assert held.payments.read(world.caller, payment.payment_id) == known
