"""Credit notes over the fakes and the table: one transaction with what they move, and the proof over all of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.credit_notes import (
    CreditInFull,
    CreditScope,
    compute_credit,
    credit_entries,
    freeze_credit_note,
    settle,
)
from billing.domain.crediting import Excess
from billing.domain.customer_credit import CreditEntryKind, CreditMovement
from billing.domain.errors import NotFound, NumberTaken, StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.numbering import NumberAllocation, NumberPattern, Series, allocate
from billing.domain.verification import CreditPosition, Verification, VerificationState
from billing.ports.credit_notes import CreditNoteQuery
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.repositories import InvoiceQuery, SeriesMoved
from billing.usecases import verifications
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_catalogue import every_item
from tests.contracts.test_checkouts import Counter
from tests.fakes.clock import MORNING, FakeClock, FakeIds
from tests.usecases.test_credit_notes import FULL, part

PATTERN = NumberPattern("A{year}-{00001}")
LATER = MORNING + timedelta(minutes=1)


def prepared(
    world: World,
    invoice: IssuedInvoice,
    scope: CreditScope = FULL,
    *,
    pattern: NumberPattern = PATTERN,
    excess: Excess = Excess.CUSTOMER_CREDIT,
) -> tuple[IssuedInvoice, dict[str, Any]]:
    """A credit note and what is written with it."""
    held = world.repositories.credit_notes
    context = held.load(world.caller, invoice.invoice_id)
    current = context.invoice
    assert isinstance(current, IssuedInvoice)
    computed = compute_credit(current.document, current.ledger, scope)
    allocation: NumberAllocation = allocate(context.series, pattern, current.document.issue_date)
    note = freeze_credit_note(
        world.new_id("crn"),
        current,
        computed,
        company=factories.company(world.caller.tenant_id),
        allocation=allocation,
        settlement=settle(current.ledger, computed.totals.total_minor, excess),
        reason="Retour",
        issued_at=LATER,
    )
    note = note.with_delivery(note.delivery.requested(send=False), LATER)
    entries = credit_entries(
        current, note, computed.credited_lines, entry_id="ent", method=PaymentMethod.TRANSFER, by="usr"
    )
    settlement = note.document.settlement
    movement = None
    if settlement and settlement.customer_credit_minor:
        credit, entry = held.customer(world.caller, current.document.customer_id).credit.moved(
            CreditEntryKind.CREDIT_NOTE,
            settlement.customer_credit_minor,
            entry_id=world.new_id("ent"),
            source_id=note.invoice_id,
            on=note.document.issue_date,
            at=LATER,
            by="usr",
        )
        movement = CreditMovement(credit=credit, entry=entry)
    return note, {
        "allocation": allocation,
        "invoice": current.with_entry(*entries),
        "entries": entries,
        "movement": movement,
        "events": (
            factories.event(world.new_id("evt"), EventType.CREDIT_NOTE_ISSUED),
            factories.event(world.new_id("evt"), EventType.INVOICE_CREDITED),
        ),
        "delivery": factories.delivery_request(world.caller.tenant_id, note.invoice_id, recipient=None, at=LATER),
        "once": world.once("issueCreditNote"),
    }


def issue(world: World, invoice: IssuedInvoice, scope: CreditScope = FULL) -> IssuedInvoice:
    note, written = prepared(world, invoice, scope)
    world.repositories.credit_notes.issue(world.caller, note, **written)
    return note


def proof(world: World) -> Verification:
    ports: dict[str, Any] = {"verifications": world.repositories.verifications, "clock": FakeClock()}
    job = verifications.start_invoice_verification(
        world.caller, correlation_id="corr", once=world.once("startInvoiceVerification"), ids=FakeIds(), **ports
    )
    while job.state is VerificationState.RUNNING:
        job = verifications.verify_ledger_page(job.tenant_id, job.verification_id, **ports)
    return job


def test_a_credit_note_is_written_with_all_that_it_moves(world: World) -> None:
    invoice = world.pay(world.issue(), 12_000)

    note = issue(world, invoice)

    held, tenant_id = world.repositories, world.caller.tenant_id
    assert held.invoices.read(world.caller, note.invoice_id) == note
    credited = held.deliveries.invoice(tenant_id, invoice.invoice_id)
    assert credited.ledger.status is InvoiceStatus.CANCELLED
    assert (credited.ledger.credited_minor, credited.ledger.released_minor) == (12_000, 12_000)
    assert credited.ledger.credited_lines[0].net_minor == 10_000
    credit = held.credit_notes.customer(world.caller, note.document.customer_id).credit
    assert (credit.balance_minor, credit.entry_count) == (12_000, 1)
    assert held.deliveries.request(tenant_id, note.invoice_id, 1).requested_at == LATER
    for subject, event_type in (
        (note.invoice_id, EventType.CREDIT_NOTE_ISSUED),
        (invoice.invoice_id, EventType.INVOICE_CREDITED),
    ):
        assert held.invoices.timeline(world.caller, subject, PageRequest()).items[-1].event_type is event_type
    _, series = held.verifications.series_heads(world.caller)
    assert (series.series, series.last_rank, series.last_hash) == (Series.CREDIT_NOTE, 1, note.document_hash)


def test_credit_notes_are_no_invoices_in_the_lists(world: World) -> None:
    first, second = world.issue(), world.issue()
    notes = [issue(world, first, part(100)), issue(world, second, part(100)), issue(world, first)]

    def listed(query: CreditNoteQuery) -> list[str]:
        rows = every_item(lambda page: world.repositories.credit_notes.list(world.caller, query, page), limit=2)
        return [row.credit_note_id for row in rows]

    invoices = world.repositories.invoices.list(world.caller, InvoiceQuery(), PageRequest()).items
    assert {row.invoice_id for row in invoices} == {first.invoice_id, second.invoice_id}
    assert listed(CreditNoteQuery()) == [note.invoice_id for note in reversed(notes)]
    assert listed(CreditNoteQuery(invoice_id=first.invoice_id)) == [notes[2].invoice_id, notes[0].invoice_id]
    assert len(listed(CreditNoteQuery(customer_id=first.document.customer_id))) == 3
    day = first.document.issue_date
    assert listed(CreditNoteQuery(from_date=day + timedelta(days=1))) == []
    assert len(listed(CreditNoteQuery(from_date=day, to_date=day))) == 3


def test_of_two_credit_notes_prepared_at_once_one_is_refused_whole(world: World) -> None:
    invoice = world.issue()
    first, written = prepared(world, invoice, part(6_000))
    second, also = prepared(world, invoice, part(6_000))
    world.repositories.credit_notes.issue(world.caller, first, **written)

    with pytest.raises((StaleVersion, SeriesMoved)):
        world.repositories.credit_notes.issue(world.caller, second, **also)

    with pytest.raises(NotFound):
        world.repositories.invoices.read(world.caller, second.invoice_id)
    stored = world.repositories.deliveries.invoice(world.caller.tenant_id, invoice.invoice_id)
    assert stored.ledger.credited_minor == 7_200


def test_of_two_credit_notes_of_two_invoices_the_second_takes_the_next_number(world: World) -> None:
    first, written = prepared(world, world.issue())
    second, also = prepared(world, world.issue())
    world.repositories.credit_notes.issue(world.caller, first, **written)

    with pytest.raises(SeriesMoved) as moved:
        world.repositories.credit_notes.issue(world.caller, second, **also)

    assert (moved.value.state.series, moved.value.state.last_rank) == (Series.CREDIT_NOTE, 1)


def test_a_payment_meanwhile_has_the_credit_note_judged_again(world: World) -> None:
    invoice = world.issue()
    note, written = prepared(world, invoice)
    world.pay(invoice, 100)

    with pytest.raises(StaleVersion):
        world.repositories.credit_notes.issue(world.caller, note, **written)


def test_a_movement_of_the_customers_credit_meanwhile_too(world: World) -> None:
    first, second = world.pay(world.issue(), 12_000), world.pay(world.issue(), 12_000)
    note, written = prepared(world, second)
    issue(world, first)
    again, renewed = prepared(world, second)
    stale = {**renewed, "movement": written["movement"]}

    with pytest.raises(StaleVersion):
        world.repositories.credit_notes.issue(world.caller, again, **stale)
    world.repositories.credit_notes.issue(world.caller, again, **renewed)

    credit = world.repositories.credit_notes.customer(world.caller, note.document.customer_id).credit
    assert (credit.balance_minor, credit.entry_count) == (24_000, 2)


def test_what_pays_the_invoice_online_meanwhile_too(world: World) -> None:
    invoice, held = world.pay(world.issue(), 12_000), world.repositories
    note, written = prepared(world, invoice)
    book = replace(held.checkouts.book(invoice.tenant_id, invoice.invoice_id), version=1)
    held.checkouts.save(book)

    with pytest.raises(StaleVersion):
        held.credit_notes.issue(world.caller, note, **written, book=book)
    with pytest.raises(NotFound):
        held.invoices.read(world.caller, note.invoice_id)

    held.credit_notes.issue(world.caller, note, **written, book=replace(book, version=2))
    assert held.checkouts.book(invoice.tenant_id, invoice.invoice_id).version == 2


def test_a_number_of_another_series_is_not_taken_again(world: World) -> None:
    invoice = world.issue()
    note, written = prepared(world, invoice, pattern=NumberPattern("F{year}-{00001}"))
    assert note.document.number == invoice.document.number

    with pytest.raises(NumberTaken):
        world.repositories.credit_notes.issue(world.caller, note, **written)


def test_the_same_request_is_answered_once(world: World) -> None:
    invoice = world.issue()
    note, written = prepared(world, invoice, part(100))
    world.repositories.credit_notes.issue(world.caller, note, **written)

    with pytest.raises(AlreadyAnswered):
        world.repositories.credit_notes.issue(world.caller, note, **written)
    with pytest.raises(AlreadyAnswered):
        world.repositories.credit_notes.load(world.caller, invoice.invoice_id, once=written["once"])


def test_another_company_sees_nothing(world: World) -> None:
    invoice = world.issue()
    note = issue(world, invoice)
    held = world.repositories

    with pytest.raises(NotFound):
        held.credit_notes.load(world.stranger, invoice.invoice_id)
    with pytest.raises(NotFound):
        held.invoices.read(world.stranger, note.invoice_id)
    assert held.credit_notes.list(world.stranger, CreditNoteQuery(), PageRequest()).items == ()
    assert held.credit_notes.customer(world.stranger, note.document.customer_id).credit.balance_minor == 0


def test_the_proof_walks_both_series_and_the_credits(world: World) -> None:
    invoices = [world.pay(world.issue(), 5_000) for _ in range(3)]
    for invoice in invoices:
        issue(world, invoice, part(4_000))
        issue(world, invoice, CreditInFull())

    job = proof(world)

    assert (job.state, job.findings) == (VerificationState.PASSED, ())
    assert (job.documents_checked, job.credits_checked) == (9, 1)


def test_the_proof_says_which_credit_note_is_lost(world: World) -> None:
    invoice = world.issue()
    note = issue(world, invoice, part(100))
    world.repositories.lose_invoice(note, False)

    job = proof(world)

    assert {(finding.rule.value, finding.subject) for finding in job.findings} == {
        ("credits-match-notes", invoice.document.number),
        ("document-present", note.document.number),
    }


def test_credits_are_read_customer_by_customer_in_pages(world: World) -> None:
    for _ in range(3):
        issue(world, world.pay(world.issue(), 12_000))
    other = world.issue(world.add_draft(holding=factories.content(customer_id="cus_zz")))
    issue(world, world.pay(other, 12_000))
    held, tenant_id = world.repositories.verifications, world.caller.tenant_id

    first = held.credit_page(tenant_id, CreditPosition(), limit=2)
    assert first is not None
    position = CreditPosition(customer_id=first.head.customer_id, rank=2, complete=False)
    rest = held.credit_page(tenant_id, position, limit=2)
    assert rest is not None
    following = held.credit_page(tenant_id, replace(position, rank=3, complete=True), limit=2)
    assert following is not None

    assert ([entry.rank for entry in first.entries], first.complete) == ([1, 2], False)
    assert ([entry.rank for entry in rest.entries], rest.complete) == ([3], True)
    assert (following.head.customer_id, following.complete) == ("cus_zz", True)
    assert held.credit_page(tenant_id, CreditPosition(customer_id="cus_zz", rank=1), limit=2) is None


def test_what_a_note_rests_on_has_the_payments_online_of_its_invoice(world: World) -> None:
    counter, other = Counter(world), world.issue()
    invoice = counter.invoice
    book = counter.begin()

    held = world.repositories.credit_notes

    assert held.load(world.caller, invoice.invoice_id).checkouts == book
    assert held.load(world.caller, other.invoice_id).checkouts.attempts == ()


def test_what_a_note_rests_on_has_the_ledger_that_is_asked_for(world: World) -> None:
    invoice = world.pay(world.issue(), 12_000)
    note, held = issue(world, invoice, part(1_000)), world.repositories
    stored = held.deliveries.invoice(invoice.tenant_id, invoice.invoice_id)
    customer_id = note.document.customer_id

    found = held.credit_notes.customer(world.caller, customer_id, ledger_of=stored)

    assert found.entries == held.invoices.last_entries(world.caller, stored)
    assert [one.source_id for one in found.entries][1:] == [note.invoice_id] * 2
    assert held.credit_notes.customer(world.caller, customer_id).entries == ()
