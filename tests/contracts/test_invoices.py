"""Drafts, issue, payments, lists and timeline of the invoice repository."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from billing.domain.delivery import DeliveryState
from billing.domain.errors import Conflict, InvoiceAlreadyIssued, NotFound, NumberTaken, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.numbering import NumberPattern, SeriesState
from billing.domain.parties import CompanyDescription
from billing.domain.totals import Discount
from billing.domain.vat import VatCategory, VatTreatment
from billing.ports.paging import PageRequest
from billing.ports.repositories import AlreadyReplaced, InvoiceQuery, InvoiceSummary, SeriesMoved
from billing.ports.stripe_payments import StripeFacts, StripeNews
from tests import factories
from tests.contracts.conftest import UNTOUCHED, World
from tests.contracts.test_catalogue import every_item
from tests.fakes.clock import MORNING

EXPORT = VatTreatment(category=VatCategory.EXPORT, rate=Decimal(0), exemption_code="VATEX-EU-G")
PAGE = PageRequest()


def _listed(world: World, query: InvoiceQuery, *, limit: int = 50) -> list[InvoiceSummary]:
    return every_item(lambda page: world.repositories.invoices.list(world.caller, query, page), limit=limit)


def _ids(world: World, query: InvoiceQuery, *, limit: int = 50) -> list[str]:
    return [summary.invoice_id for summary in _listed(world, query, limit=limit)]


def test_a_draft_is_read_back_whole(world: World) -> None:
    holding = factories.content(
        factories.priced("19.999999", "0.3333", discount=Discount(percent=Decimal("12.5"), reason="Fidélité")),
        factories.priced("10", "3", vat=factories.VAT_5_5, details="Ligne 1\nLigne 2", product_id="prd_1"),
        factories.priced("5", vat=EXPORT),
        discount=Discount(amount_minor=100),
        supply_date=date(2026, 2, 28),
        due_date=date(2026, 12, 31),
        payment_terms_days=0,
        purchase_order="BC-1",
        notes="« Merci »",
    )
    draft = world.add_draft(holding=holding)

    assert world.repositories.invoices.read(world.caller, draft.invoice_id) == draft


def test_two_edits_of_one_draft_version_end_in_one_refusal(world: World) -> None:
    draft = world.add_draft()
    invoices = world.repositories.invoices
    edited = draft.edited(draft.content, customer_name="A", totals=draft.totals, at=MORNING)
    invoices.save_draft(world.caller, edited, previous=draft, event=factories.event("evt_x"))

    with pytest.raises(StaleVersion):
        invoices.save_draft(world.caller, edited, previous=draft, event=factories.event("evt_y"))
    with pytest.raises(StaleVersion):
        invoices.delete_draft(world.caller, draft.invoice_id, expected_version=1, event=factories.event("evt_z"))

    assert invoices.read(world.caller, draft.invoice_id) == edited


def test_a_deleted_draft_is_gone_for_good(world: World) -> None:
    draft = world.add_draft()
    invoices = world.repositories.invoices
    invoices.delete_draft(
        world.caller,
        draft.invoice_id,
        expected_version=1,
        event=factories.event("evt_x", EventType.INVOICE_DELETED),
    )

    with pytest.raises(NotFound):
        invoices.read(world.caller, draft.invoice_id)
    with pytest.raises(NotFound):
        invoices.timeline(world.caller, draft.invoice_id, PAGE)
    with pytest.raises(NotFound):
        invoices.delete_draft(world.caller, draft.invoice_id, expected_version=1, event=factories.event("evt_y"))
    assert _listed(world, InvoiceQuery()) == []


def test_an_issued_invoice_refuses_edit_deletion_and_a_second_issue(world: World) -> None:
    draft = world.add_draft()
    invoice = world.issue(draft)
    invoices = world.repositories.invoices

    with pytest.raises(InvoiceAlreadyIssued):
        invoices.save_draft(world.caller, replace(draft, version=2), previous=draft, event=factories.event("evt_x"))
    with pytest.raises(InvoiceAlreadyIssued):
        invoices.delete_draft(
            world.caller, draft.invoice_id, expected_version=invoice.version, event=factories.event("evt_y")
        )
    with pytest.raises(InvoiceAlreadyIssued):
        world.issue(draft)

    assert invoices.read(world.caller, draft.invoice_id) == invoice
    assert world.series().last_rank == 1


def test_issue_writes_everything_at_once(world: World) -> None:
    draft = world.add_draft()
    once = world.once("issueInvoice")
    invoice = world.issue(draft, send_to="compta@modele.example", once=once)
    held = world.repositories
    series = world.series()

    assert held.invoices.read(world.caller, draft.invoice_id) == invoice
    assert (series.year, series.last_rank, series.last_date) == (2026, 1, date(2026, 11, 23))
    assert series.last_hash == invoice.document_hash
    request = held.deliveries.request(world.caller.tenant_id, draft.invoice_id, 1)
    assert request == factories.delivery_request(world.caller.tenant_id, draft.invoice_id)
    events = held.invoices.timeline(world.caller, draft.invoice_id, PAGE).items
    assert [event.event_type for event in events] == [EventType.INVOICE_CREATED, EventType.INVOICE_ISSUED]


def test_issue_from_an_old_series_state_says_where_it_stands_now_and_writes_nothing(world: World) -> None:
    first = world.issue()
    draft = world.add_draft()

    with pytest.raises(SeriesMoved) as moved:
        world.issue(draft, after=UNTOUCHED)

    assert moved.value.state == world.series()
    assert moved.value.state.last_hash == first.document_hash
    assert world.repositories.invoices.read(world.caller, draft.invoice_id) == draft
    with pytest.raises(NotFound):
        world.repositories.deliveries.request(world.caller.tenant_id, draft.invoice_id, 1)
    assert world.issue(draft).document.number == "F2026-00002"


def test_issue_of_an_edited_draft_is_stale(world: World) -> None:
    draft = world.add_draft()
    edited = draft.edited(draft.content, customer_name="A", totals=draft.totals, at=MORNING)
    world.repositories.invoices.save_draft(world.caller, edited, previous=draft, event=factories.event("evt_x"))

    with pytest.raises(StaleVersion):
        world.issue(draft)

    assert world.series() == UNTOUCHED


def test_a_number_is_never_given_twice_even_by_another_mask(world: World) -> None:
    # F2026-11 is rank 1 of "F{year}-1{1}" and rank 11 of "F{year}-{1}".
    first = factories.company_description(invoice_number_pattern=NumberPattern("F{year}-1{1}"))
    second = factories.company_description(invoice_number_pattern=NumberPattern("F{year}-{1}"))
    state = UNTOUCHED
    for rank in range(1, 11):
        state = _issue_by(world, first if rank == 1 else second, state)

    with pytest.raises(NumberTaken):
        _issue_by(world, second, state)

    assert world.series() == state


def _issue_by(world: World, seller: CompanyDescription, state: SeriesState) -> SeriesState:
    draft = world.add_draft()
    invoice, allocation, moved = factories.issued_after(state, draft, by=seller)
    world.repositories.invoices.issue(
        world.caller,
        invoice,
        draft=draft,
        allocation=allocation,
        event=factories.event(world.new_id("evt")),
        delivery=factories.delivery_request(world.caller.tenant_id, draft.invoice_id),
        once=world.once("issueInvoice"),
    )
    return moved


def test_a_new_year_restarts_the_ranks_and_keeps_the_chain(world: World) -> None:
    last = world.issue(on=date(2026, 12, 31))
    first = world.issue(on=date(2027, 1, 1))
    second = world.issue(on=date(2027, 1, 1))

    assert [invoice.document.number for invoice in (last, first, second)] == [
        "F2026-00001",
        "F2027-00001",
        "F2027-00002",
    ]
    assert first.document.previous_hash == last.document_hash
    assert (world.series().year, world.series().last_rank) == (2027, 2)


def test_issues_at_once_take_dense_numbers_and_one_chain(world: World) -> None:
    drafts = [world.add_draft() for _ in range(12)]
    allocations: list[IssuedInvoice] = []

    def issue(index: int) -> None:
        state = UNTOUCHED
        draft = drafts[index]
        while True:
            invoice, allocation, _ = factories.issued_after(state, draft)
            try:
                world.repositories.invoices.issue(
                    world.caller,
                    invoice,
                    draft=draft,
                    allocation=allocation,
                    event=factories.event(f"evt_issue_{index}"),
                    delivery=factories.delivery_request(world.caller.tenant_id, draft.invoice_id),
                    once=factories.once(f"issue-{index}", operation="issueInvoice"),
                )
            except SeriesMoved as moved:
                state = moved.state
            else:
                allocations.append(invoice)
                return

    threads = [threading.Thread(target=issue, args=(index,)) for index in range(len(drafts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    chain = sorted(allocations, key=lambda invoice: invoice.document.rank)
    assert [invoice.document.rank for invoice in chain] == list(range(1, 13))
    assert [invoice.document.previous_hash for invoice in chain[1:]] == [item.document_hash for item in chain[:-1]]


def test_a_payment_moves_head_and_ledger_together(world: World) -> None:
    invoice = world.issue()

    paid = world.pay(world.pay(invoice, 5_000), 7_000)

    stored = world.repositories.invoices.read(world.caller, invoice.invoice_id)
    assert stored == paid
    assert isinstance(stored, IssuedInvoice)
    assert stored.ledger.status is InvoiceStatus.PAID


def test_the_last_entries_of_a_ledger_are_told_oldest_first(world: World) -> None:
    unpaid, paid = world.issue(), world.pay(world.pay(world.issue(), 5_000), 7_000)
    invoices = world.repositories.invoices

    entries = invoices.last_entries(world.caller, paid)

    assert [(entry.rank, entry.amount_minor) for entry in entries] == [(1, 5_000), (2, 7_000)]
    assert invoices.last_entries(world.caller, unpaid) == ()


def test_of_a_long_ledger_the_last_hundred_entries_are_told(world: World) -> None:
    invoice = world.issue()
    for amount_minor in range(1, 103):
        invoice = world.pay(invoice, amount_minor)

    entries = world.repositories.invoices.last_entries(world.caller, invoice)

    assert [entry.rank for entry in entries] == list(range(3, 103))


def test_two_payments_of_one_head_end_in_one_refusal(world: World) -> None:
    invoice = world.issue()
    world.pay(invoice, 12_000)

    with pytest.raises(StaleVersion):
        world.pay(invoice, 12_000)

    stored = world.repositories.invoices.read(world.caller, invoice.invoice_id)
    assert isinstance(stored, IssuedInvoice)
    assert stored.ledger.paid_minor == 12_000


def test_two_delivery_requests_of_one_head_end_in_one_refusal(world: World) -> None:
    invoice = world.issue()
    requested = invoice.with_delivery(invoice.delivery.requested(send=True), MORNING)

    def ask() -> None:
        world.repositories.invoices.request_delivery(
            world.caller,
            requested,
            delivery=factories.delivery_request(world.caller.tenant_id, invoice.invoice_id, attempt=2),
            event=factories.event(world.new_id("evt"), EventType.DELIVERY_REQUESTED),
            once=world.once("sendInvoice"),
        )

    ask()
    with pytest.raises((StaleVersion, Conflict)):
        ask()

    stored = world.repositories.invoices.read(world.caller, invoice.invoice_id)
    assert stored == requested
    assert requested.delivery.state is DeliveryState.SENDING


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_invoices_are_listed_newest_first_once_each(world: World, limit: int) -> None:
    old = world.issue(on=date(2026, 1, 5))
    middle = world.issue(on=date(2026, 1, 31))
    same_day = world.issue(on=date(2026, 1, 31))
    draft = world.add_draft(at=datetime(2026, 2, 1, 8, 0, tzinfo=UTC))

    listed = _ids(world, InvoiceQuery(), limit=limit)

    assert listed == [draft.invoice_id, same_day.invoice_id, middle.invoice_id, old.invoice_id]


def test_a_drafts_list_date_is_civil_in_paris(world: World) -> None:
    world.add_draft(at=datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    assert [item.list_date for item in _listed(world, InvoiceQuery())] == [date(2027, 1, 1)]


def test_a_row_says_what_the_invoice_says(world: World) -> None:
    invoice = world.pay(world.issue(), 2_000)

    assert _listed(world, InvoiceQuery()) == [
        InvoiceSummary(
            invoice_id=invoice.invoice_id,
            status=InvoiceStatus.PARTIALLY_PAID,
            number="F2026-00001",
            list_date=date(2026, 11, 23),
            due_date=date(2026, 12, 23),
            customer_id=factories.CUSTOMER_ID,
            customer_name="Atelier Modèle SAS",
            currency="EUR",
            total_minor=12_000,
            balance_minor=10_000,
            delivery_state="not_sent",
        )
    ]


def test_dates_bound_a_list_inclusively(world: World) -> None:
    invoices = [world.issue(on=date(2026, 3, day)) for day in (1, 2, 3, 4)]

    bounded = _ids(world, InvoiceQuery(from_date=date(2026, 3, 2), to_date=date(2026, 3, 3)))

    assert bounded == [invoices[2].invoice_id, invoices[1].invoice_id]
    assert _ids(world, InvoiceQuery(from_date=date(2026, 3, 5))) == []
    assert _ids(world, InvoiceQuery(from_date=date(2026, 3, 4), to_date=date(2026, 3, 1))) == []


@pytest.mark.parametrize("limit", [1, 50])
def test_a_status_lists_its_invoices_by_due_date(world: World, limit: int) -> None:
    draft = world.add_draft()
    late = world.issue(world.add_draft(holding=factories.content(due_date=date(2026, 12, 31))))
    soon = world.issue(world.add_draft(holding=factories.content(due_date=date(2026, 11, 30))))
    paid = world.pay(world.issue(), 12_000)
    begun = world.pay(world.issue(), 1)

    def listed(status: InvoiceStatus) -> list[str]:
        return _ids(world, InvoiceQuery(status=status), limit=limit)

    assert listed(InvoiceStatus.ISSUED) == [soon.invoice_id, late.invoice_id]
    assert listed(InvoiceStatus.DRAFT) == [draft.invoice_id]
    assert listed(InvoiceStatus.PAID) == [paid.invoice_id]
    assert listed(InvoiceStatus.PARTIALLY_PAID) == [begun.invoice_id]
    assert listed(InvoiceStatus.CANCELLED) == []
    bounded = InvoiceQuery(status=InvoiceStatus.ISSUED, from_date=date(2026, 12, 1), to_date=date(2026, 12, 31))
    assert _ids(world, bounded, limit=limit) == [late.invoice_id]


@pytest.mark.parametrize("limit", [1, 50])
def test_overdue_holds_what_is_owed_after_its_due_date(world: World, limit: int) -> None:
    world.add_draft(holding=factories.content(due_date=date(2026, 1, 1)))
    due = [
        world.issue(world.add_draft(holding=factories.content(due_date=day)))
        for day in (date(2026, 12, 3), date(2026, 12, 1), date(2026, 12, 2))
    ]
    world.pay(due[2], 12_000)
    begun = world.pay(due[1], 100)

    overdue = InvoiceQuery(overdue_on=date(2026, 12, 3))
    later = InvoiceQuery(overdue_on=date(2026, 12, 4))

    assert _ids(world, overdue, limit=limit) == [begun.invoice_id]
    assert _ids(world, later, limit=limit) == [begun.invoice_id, due[0].invoice_id]
    assert _ids(world, replace(later, from_date=date(2026, 12, 2))) == [due[0].invoice_id]
    assert _ids(world, replace(later, to_date=date(2026, 12, 2))) == [begun.invoice_id]


@pytest.mark.parametrize("limit", [1, 50])
def test_a_customers_invoices_are_listed_newest_first(world: World, limit: int) -> None:
    other = world.issue(world.add_draft(holding=factories.content(customer_id="cus_2")), on=date(2026, 5, 1))
    first = world.issue(on=date(2026, 5, 2))
    second = world.issue(on=date(2026, 5, 3))

    assert _ids(world, InvoiceQuery(customer_id=factories.CUSTOMER_ID), limit=limit) == [
        second.invoice_id,
        first.invoice_id,
    ]
    assert _ids(world, InvoiceQuery(customer_id="cus_2"), limit=limit) == [other.invoice_id]
    assert _ids(world, InvoiceQuery(customer_id="cus_3"), limit=limit) == []
    bounded = InvoiceQuery(customer_id=factories.CUSTOMER_ID, to_date=date(2026, 5, 2))
    assert _ids(world, bounded, limit=limit) == [first.invoice_id]


def test_a_page_does_not_repeat_or_skip_when_something_is_added(world: World) -> None:
    shown = [world.issue(on=date(2026, 6, day)) for day in (1, 2, 3, 4)]
    first = world.repositories.invoices.list(world.caller, InvoiceQuery(), PageRequest(limit=2))
    world.issue(on=date(2026, 6, 5))

    rest = world.repositories.invoices.list(
        world.caller, InvoiceQuery(), PageRequest(limit=50, position=first.position)
    )

    seen = [item.invoice_id for item in (*first.items, *rest.items)]
    assert seen == [invoice.invoice_id for invoice in reversed(shown)]


@pytest.mark.parametrize("limit", [1, 2, 50])
def test_the_timeline_is_told_oldest_first(world: World, limit: int) -> None:
    invoice = world.pay(world.pay(world.issue(), 100), 200)

    events = every_item(
        lambda page: world.repositories.invoices.timeline(world.caller, invoice.invoice_id, page), limit=limit
    )

    assert [event.event_type for event in events] == [
        EventType.INVOICE_CREATED,
        EventType.INVOICE_ISSUED,
        EventType.PAYMENT_RECORDED,
        EventType.PAYMENT_RECORDED,
    ]
    assert [event.event_id for event in events] == sorted(event.event_id for event in events)
    assert all(event.occurred_at - MORNING == timedelta(0) for event in events)


def test_an_invoice_of_500_lines_is_issued_and_read_back(world: World) -> None:
    lines = tuple(factories.priced(f"{index}.37", "3.1416", details="Réf. " + "x" * 60) for index in range(500))

    invoice = world.issue(world.add_draft(holding=factories.content(*lines)))

    assert world.repositories.invoices.read(world.caller, invoice.invoice_id) == invoice


@pytest.mark.parametrize("characters", [100, 200])
def test_a_draft_as_large_as_the_rules_allow_is_stored_issued_and_paid(world: World, characters: int) -> None:
    lines = tuple(factories.priced("10", details="é" * characters) for _ in range(450))

    invoice = world.pay(world.issue(world.add_draft(holding=factories.content(*lines))), 100)

    assert world.repositories.invoices.read(world.caller, invoice.invoice_id) == invoice


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
def test_what_stripe_told_stands_on_the_timeline_where_it_happened(world: World, limit: int) -> None:
    """Ids that are made of facts do not sort by time: the order holds over pages nevertheless."""
    invoice = world.issue()
    told = [("evt_ZZZZ", 1), ("evt_0000", 3), ("evt_MMMM", 2)]
    for event_id, minutes in told:
        event = Event(
            event_id=event_id,
            event_type=EventType.ONLINE_PAYMENT_PROCESSING,
            occurred_at=MORNING + timedelta(minutes=minutes),
            actor="system:stripe",
            data={},
        )
        facts = StripeFacts(news=(StripeNews(event=event, invoice_id=invoice.invoice_id),))
        world.repositories.stripe_payments.write(world.caller, facts)

    events = every_item(
        lambda page: world.repositories.invoices.timeline(world.caller, invoice.invoice_id, page), limit=limit
    )

    assert [event.event_id for event in events][-3:] == ["evt_ZZZZ", "evt_MMMM", "evt_0000"]
    assert len({event.event_id for event in events}) == 5


def test_an_invoice_is_replaced_once_in_the_transaction_that_issues(world: World) -> None:
    wrong, second = world.issue(), world.add_draft()
    world.issue(replaces=wrong.invoice_id)
    before = world.series()

    with pytest.raises(AlreadyReplaced):
        world.issue(second, replaces=wrong.invoice_id)

    assert world.repositories.invoices.read(world.caller, second.invoice_id) == second
    assert world.series() == before
    assert world.issue(second).document.rank == before.last_rank + 1
