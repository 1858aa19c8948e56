"""What Stripe told and its effect over the fake and the table: written together, or not at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from billing.domain.checkout import AttemptState, CheckoutAttempt, CheckoutBook, GivenBackElsewhere, NoteRefunded
from billing.domain.customer_credit import CreditEntryKind, CreditMovement, CustomerCredit
from billing.domain.disputes import ListedDispute
from billing.domain.errors import StaleVersion
from billing.domain.events import EventType
from billing.domain.ledger import PaymentMethod
from billing.domain.stripe import DisputeStatus
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.domain.stripe_payment import MirroredDispute, RefundRequest, StripePayment, StripePaymentState
from billing.ports.paging import PageRequest
from billing.ports.stripe_inbox import SHARDS
from billing.ports.stripe_payments import StripeFacts, StripeNews
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_credit_notes import proof
from tests.contracts.test_payments import movement
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
    later = written.away(again_at).next_after(written)
    held.write(world.caller, StripeFacts(record=later))
    assert (found(again_at - timedelta(seconds=1)), found(again_at)) == (0, 1)
    held.write(world.caller, StripeFacts(record=later.refused("req_1", "charge_disputed").next_after(later)))
    assert found(again_at) == 0


def test_what_the_books_cannot_bear_is_found_when_it_is_looked_at_again(world: World) -> None:
    held = world.repositories.stripe_payments
    asked = record(world)
    key = (asked.tenant_id, asked.payment_intent_id)
    written = asked.refused("req_1", "charge_disputed").bearing(["re_1"], MORNING, parked=True)
    again_at = written.look_again_at
    assert again_at is not None

    def found(before: datetime) -> int:
        return sum(held.asked(shard, before, 1000).count(key) for shard in range(SHARDS))

    held.write(world.caller, StripeFacts(record=written))

    assert held.stored(*key) == written
    assert (found(again_at - timedelta(seconds=1)), found(again_at)) == (0, 1)
    held.write(world.caller, StripeFacts(record=written.bearing((), again_at).next_after(written)))
    assert found(again_at) == 0


def test_what_is_kept_for_a_refund_is_read_as_it_was_written(world: World) -> None:
    """Nothing is kept, and nothing was decided yet, are two things."""
    held, invoice = world.repositories, world.issue()
    undecided = record(world, invoice.invoice_id)
    [request] = undecided.requests
    decided = tuple(replace(request, request_id=f"req_{kept}", by_notes_minor=kept) for kept in (0, 60))
    written = replace(undecided, requests=(request, *decided))
    book = opening(world, invoice.invoice_id)
    book = replace(book.with_coming_back(written.coming_back()), version=1)

    held.stripe_payments.write(world.caller, StripeFacts(record=written, book=book))

    stored = held.stripe_payments.stored(written.tenant_id, written.payment_intent_id)
    assert stored is not None
    assert [one.by_notes_minor for one in stored.requests] == [None, 0, 60]
    found = held.checkouts.book(written.tenant_id, invoice.invoice_id)
    assert (found, found.coming_back) == (book, (written.coming_back(),))


def test_a_book_keeps_which_notes_its_refunds_named_and_by_which_means(world: World) -> None:
    held, invoice = world.repositories, world.issue()
    noted = NoteRefunded(credit_note_id="inv_2", given_minor=60, coming_minor=40)
    paid = opening(world, invoice.invoice_id).moved(1, AttemptState.SUCCEEDED, MORNING)
    book = paid.given_back(1, 60, MORNING, coming_minor=40, for_notes=(noted,)).given_back_elsewhere(
        GivenBackElsewhere(
            payment_intent_id="pi_1", amount_minor=20, credit_note_id="inv_2", method=PaymentMethod.CHEQUE
        )
    )
    book = replace(book, version=1)

    held.stripe_payments.write(world.caller, StripeFacts(record=record(world, invoice.invoice_id), book=book))

    assert held.checkouts.book(book.tenant_id, invoice.invoice_id) == book


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


def contested(number: int, status: DisputeStatus, *, days: int, due_in: int | None = None) -> MirroredDispute:
    return MirroredDispute(
        dispute_id=f"du_{number}",
        status=status,
        amount_minor=1_000 + number,
        created=MORNING + timedelta(days=days),
        reason="fraudulent",
        evidence_due_by=MORNING + timedelta(days=due_in) if due_in is not None else None,
    )


def test_disputes_are_listed_by_what_is_urgent(world: World) -> None:
    lives = (
        contested(1, DisputeStatus.WON, days=9),
        contested(2, DisputeStatus.NEEDS_RESPONSE, days=1, due_in=20),
        contested(3, DisputeStatus.UNDER_REVIEW, days=8, due_in=1),
        contested(4, DisputeStatus.WARNING_NEEDS_RESPONSE, days=7, due_in=10),
        contested(5, DisputeStatus.NEEDS_RESPONSE, days=2),
        contested(6, DisputeStatus.LOST, days=12),
        contested(7, DisputeStatus.UNDER_REVIEW, days=10),
    )
    for dispute in lives:
        told = replace(
            record(world),
            charge_id=f"ch_{dispute.dispute_id}",
            disputes=(dispute,),
            invoice_number="F2026-00001",
            customer_name="Client exemple",
        )
        world.repositories.stripe_payments.write(world.caller, StripeFacts(record=told))

    shown: list[ListedDispute] = []
    position: str | None = None
    while True:
        page = world.repositories.stripe_payments.disputes(world.caller, PageRequest(limit=3, position=position))
        shown += page.items
        position = page.position
        if position is None:
            break

    assert [one.dispute_id for one in shown] == ["du_4", "du_2", "du_5", "du_7", "du_3", "du_6", "du_1"]
    assert {(one.invoice_number, one.customer_name, one.currency) for one in shown} == {
        ("F2026-00001", "Client exemple", "EUR")
    }
    assert shown[0].amount_minor == 1_004


def test_a_dispute_moves_in_the_list_when_its_payment_is_told_again(world: World) -> None:
    opened = replace(record(world), disputes=(contested(1, DisputeStatus.NEEDS_RESPONSE, days=1, due_in=9),))
    world.repositories.stripe_payments.write(world.caller, StripeFacts(record=opened))
    lost = replace(opened, version=2, disputes=(replace(opened.disputes[0], status=DisputeStatus.LOST),))
    world.repositories.stripe_payments.write(world.caller, StripeFacts(record=lost))

    [shown] = world.repositories.stripe_payments.disputes(world.caller, PageRequest(limit=9, position=None)).items

    assert (shown.status, shown.awaits_answer, shown.order[0]) == (DisputeStatus.LOST, False, 2)
    assert world.repositories.stripe_payments.disputes(world.stranger, PageRequest(limit=9, position=None)).items == ()


def test_a_dispute_waits_for_its_reminder_until_it_was_written_of(world: World) -> None:
    held, tenant_id = world.repositories.stripe_payments, world.caller.tenant_id
    opened = replace(record(world), disputes=(contested(1, DisputeStatus.NEEDS_RESPONSE, days=1, due_in=9),))
    held.write(world.caller, StripeFacts(record=opened))
    key = (tenant_id, opened.payment_intent_id, "du_1")

    def due(days: int) -> list[tuple[str, str, str]]:
        found = [held.disputes_due(shard, MORNING + timedelta(days=days), 100) for shard in range(SHARDS)]
        return [one for shard in found for one in shard if one[0] == tenant_id]

    assert (due(6), due(7), due(30)) == ([], [key], [key])
    held.write(world.caller, StripeFacts(record=replace(opened.reminded_of("du_1"), version=2)))
    assert due(30) == []


def test_what_is_promised_of_a_credit_is_written_with_the_refund(world: World) -> None:
    """Whoever moves the credit, or promises of it, on an older reading is refused, and the other way round."""
    held, first, second = world.repositories, record(world), replace(record(world), charge_id="ch_2")
    nothing = credit_of(world, "cus_1")
    promised = nothing.promising(first.payment_intent_id, 300).next_after(nothing)
    held.stripe_payments.write(world.caller, StripeFacts(record=first, credit=promised))
    before = credit_of(world, "cus_1")
    assert (before, before.entry_count) == (promised, 0)

    for stale in (nothing.promising("pi_other", 1), nothing.promising(first.payment_intent_id, 300)):
        with pytest.raises(StaleVersion):
            held.stripe_payments.write(world.caller, StripeFacts(record=second, credit=stale.next_after(nothing)))
    assert held.stripe_payments.stored(world.caller.tenant_id, second.payment_intent_id) is None
    gains = [movement(world, one, CreditEntryKind.OVER_PAYMENT, 500) for one in (nothing, before)]
    with pytest.raises(StaleVersion):
        move_credit(world, gains[0])
    move_credit(world, gains[1])
    late = before.promising(second.payment_intent_id, 1).next_after(before)
    with pytest.raises(StaleVersion):
        held.stripe_payments.write(world.caller, StripeFacts(record=second, credit=late))

    gained = credit_of(world, "cus_1")
    assert (gained.balance_minor, gained.entry_count, gained.promised) == (500, 1, before.promised)
    both = gained.promising(second.payment_intent_id, 200).next_after(gained)
    held.stripe_payments.write(world.caller, StripeFacts(record=second, credit=both))
    spent = movement(
        world, credit_of(world, "cus_1").promising(first.payment_intent_id, 0), CreditEntryKind.REFUND, 300
    )
    move_credit(world, spent)

    left = credit_of(world, "cus_1")
    assert (left, left.free_minor()) == (spent.credit, 0)
    assert [one.amount_minor for one in left.promised] == [200]
    assert proof(world).findings == ()


def credit_of(world: World, customer_id: str) -> CustomerCredit:
    return world.repositories.payments.load(world.caller, customer_id, ()).credit


def move_credit(world: World, moved: CreditMovement) -> None:
    event = factories.event(world.new_id("evt"), EventType.CUSTOMER_CREDIT_REFUNDED)
    world.repositories.payments.move_credit(world.caller, moved, event=event, once=world.once())
