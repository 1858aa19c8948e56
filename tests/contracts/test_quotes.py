"""Quotes, over the fakes and over the table: the same refusals, the same races."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.adapters.dynamodb import quotes as table_quotes
from billing.domain.crediting import groups_of
from billing.domain.customer_account import StatementPeriod
from billing.domain.delivery import Delivery
from billing.domain.errors import NotFound, NumberTaken, QuoteAlreadySent, StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import Invoice
from billing.domain.numbering import NumberAllocation, NumberPattern, Series, SeriesState, allocate
from billing.domain.quote import (
    PartGroup,
    PartKind,
    Quote,
    QuoteAnswer,
    QuoteDecision,
    QuotePart,
    QuoteStatus,
    finalise,
)
from billing.domain.retention import Reception
from billing.domain.situation import Situation, SituationLine, worths
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.quotes import QuoteQuery
from billing.ports.repositories import InvoiceQuery, SeriesMoved
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_credit_notes import prepared
from tests.fakes.clock import MORNING

TODAY = date(2026, 11, 23)
UNTOUCHED = SeriesState.untouched(Series.QUOTE)
PATTERN = NumberPattern("D{year}-{00001}")


class Quoting:
    """Short ways to put quotes into a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.quotes = world.repositories.quotes

    def event(self, kind: EventType = EventType.QUOTE_CREATED) -> Any:
        return factories.event(self.world.new_id("evt"), kind)

    def draft(self, *, valid_until: date | None = None, **content_of: Any) -> Quote:
        content = factories.content(*factories.sample_lines(), **content_of)
        quote = Quote(
            tenant_id=self.world.caller.tenant_id,
            quote_id=self.world.new_id("quo"),
            version=1,
            content=content,
            valid_until=valid_until,
            customer_name="Modèle",
            totals=content.computed(),
            created_at=MORNING,
            updated_at=MORNING,
        )
        self.quotes.create(self.world.caller, quote, event=self.event(), once=self.world.once("createQuote"))
        return quote

    def finalised(self, quote: Quote, after: SeriesState) -> tuple[Quote, NumberAllocation]:
        tenant_id = self.world.caller.tenant_id
        allocation = allocate(after, PATTERN, TODAY)
        sent = finalise(
            quote,
            company=factories.company(tenant_id),
            customer=factories.customer(tenant_id, quote.content.customer_id),
            allocation=allocation,
            issued_at=MORNING,
        )
        return sent.with_delivery(Delivery().requested(send=True), MORNING), allocation

    def send(self, quote: Quote, after: SeriesState | None = None, **changes: Any) -> Quote:
        context = self.quotes.load_for_send(self.world.caller, quote.quote_id, once=self.world.once("sendQuote"))
        sent, allocation = self.finalised(quote, after or context.series)
        values: dict[str, Any] = {
            "previous": quote,
            "allocation": allocation,
            "delivery": factories.delivery_request(
                sent.tenant_id, sent.quote_id, recipient="compta@modele.example", at=MORNING
            ),
            "event": self.event(EventType.QUOTE_FINALISED),
            "once": self.world.once("sendQuote"),
        }
        self.quotes.send(self.world.caller, sent, **values | changes)
        return sent

    def accept(self, quote: Quote) -> Quote:
        decision = QuoteDecision(
            answer=QuoteAnswer.ACCEPTED,
            name="Direction",
            comment="",
            decided_at=MORNING,
            ip_address="203.0.113.24",
            recorded_by="",
            document_hash=quote.document_hash,
            pdf_sha256="",
        )
        accepted = quote.decided(decision, TODAY)
        self.quotes.decide(accepted, event=self.event(EventType.QUOTE_ACCEPTED))
        return accepted

    def listed(self, **query: Any) -> list[str]:
        page = self.quotes.list(self.world.caller, QuoteQuery(on=TODAY, **query), PageRequest())
        return [row.quote_id for row in page.items]


@pytest.fixture
def quoting(world: World) -> Quoting:
    return Quoting(world)


def test_a_quote_is_read_as_it_was_written(quoting: Quoting) -> None:
    draft = quoting.draft(valid_until=date(2027, 1, 15))
    sent = quoting.send(draft)
    other = quoting.draft()

    assert quoting.quotes.read(quoting.world.caller, draft.quote_id) == sent
    assert quoting.quotes.read(quoting.world.caller, other.quote_id) == other
    assert quoting.quotes.open(sent.tenant_id, sent.quote_id) == sent


def test_another_company_finds_nothing(quoting: Quoting) -> None:
    sent = quoting.send(quoting.draft())
    stranger = quoting.world.stranger

    with pytest.raises(NotFound):
        quoting.quotes.read(stranger, sent.quote_id)
    assert quoting.quotes.open(stranger.tenant_id, sent.quote_id) is None
    assert quoting.quotes.list(stranger, QuoteQuery(on=TODAY), PageRequest()).items == ()


def test_the_series_moves_one_by_one_and_a_late_one_is_told_where_it_stands(quoting: Quoting) -> None:
    first = quoting.send(quoting.draft())
    second = quoting.draft()

    with pytest.raises(SeriesMoved) as moved:
        quoting.send(second, after=UNTOUCHED)
    assert (moved.value.state.year, moved.value.state.last_rank) == (2026, 1)
    again = quoting.send(second)

    assert [first.number, again.number] == ["D2026-00001", "D2026-00002"]


def test_a_quotes_number_is_unique_over_all_series(quoting: Quoting) -> None:
    quoting.world.issue()
    draft = quoting.draft()
    taken = replace(allocate(UNTOUCHED, PATTERN, TODAY), number="F2026-00001")

    with pytest.raises(NumberTaken):
        quoting.send(draft, allocation=taken)

    assert quoting.quotes.read(quoting.world.caller, draft.quote_id) == draft


def test_of_two_edits_one_is_stale(quoting: Quoting) -> None:
    draft = quoting.draft()
    edited = replace(draft, version=2, customer_name="Autre")
    quoting.quotes.save(quoting.world.caller, edited, event=quoting.event(EventType.QUOTE_EDITED))

    with pytest.raises(StaleVersion):
        quoting.quotes.save(quoting.world.caller, edited, event=quoting.event(EventType.QUOTE_EDITED))


def test_only_a_draft_without_a_number_is_deleted(quoting: Quoting) -> None:
    draft, sent = quoting.draft(), quoting.send(quoting.draft())
    event = quoting.event(EventType.QUOTE_DELETED)

    def delete(quote_id: str, version: int) -> None:
        quoting.quotes.delete(quoting.world.caller, quote_id, expected_version=version, event=event)

    with pytest.raises(QuoteAlreadySent):
        delete(sent.quote_id, sent.version)
    with pytest.raises(StaleVersion):
        delete(draft.quote_id, 7)
    delete(draft.quote_id, 1)
    with pytest.raises(NotFound):
        delete(draft.quote_id, 1)


def test_an_answer_is_given_once(quoting: Quoting) -> None:
    sent = quoting.send(quoting.draft())
    accepted = quoting.accept(sent)

    with pytest.raises(StaleVersion):
        quoting.accept(sent)

    assert quoting.quotes.open(sent.tenant_id, sent.quote_id) == accepted


def test_a_revision_is_kept_as_it_was_sent(quoting: Quoting) -> None:
    sent = quoting.send(quoting.draft())
    revised = sent.revised(MORNING + timedelta(days=1))
    quoting.quotes.save(
        quoting.world.caller,
        revised,
        event=quoting.event(EventType.QUOTE_REVISED),
        once=quoting.world.once("reviseQuote"),
        former=sent,
    )

    assert quoting.quotes.revision(sent.tenant_id, sent.quote_id, 1) == sent
    assert quoting.quotes.revision(sent.tenant_id, sent.quote_id, 2) is None
    assert quoting.quotes.read(quoting.world.caller, sent.quote_id) == revised


def test_lists_are_by_date_status_validity_and_customer(quoting: Quoting) -> None:
    late = quoting.send(quoting.draft(valid_until=TODAY + timedelta(days=90)))
    soon = quoting.send(quoting.draft(valid_until=TODAY + timedelta(days=5)))
    draft = quoting.draft()
    accepted = quoting.accept(quoting.send(quoting.draft()))

    assert quoting.listed(status=QuoteStatus.SENT) == [soon.quote_id, late.quote_id]
    assert quoting.listed(status=QuoteStatus.DRAFT) == [draft.quote_id]
    assert quoting.listed(status=QuoteStatus.ACCEPTED) == [accepted.quote_id]
    assert quoting.listed(status=QuoteStatus.EXPIRED) == []
    assert set(quoting.listed(customer_id=late.content.customer_id)) == set(quoting.listed())
    assert quoting.listed(from_date=TODAY + timedelta(days=1)) == []


@pytest.mark.parametrize("convert_first", [False, True])
def test_a_quote_is_converted_once_and_freed_with_its_draft(quoting: Quoting, convert_first: bool) -> None:
    world = quoting.world
    accepted = quoting.accept(quoting.send(quoting.draft()))
    whole = tuple(PartGroup(vat=vat, net_minor=net) for vat, net in accepted.unbilled.items())
    nets = worths(accepted.totals)
    part = QuotePart(invoice_id="inv_000900", kind=PartKind.FULL, groups=whole, lines=nets)
    invoiced = accepted.billed(part, MORNING)
    stands = tuple(
        SituationLine(
            index=place, label="Ouvrage", worth_minor=net, progress=Decimal(100), before_minor=0, net_minor=net
        )
        for place, net in enumerate(nets)
    )
    content = replace(accepted.content, quote_id=accepted.quote_id, situation=Situation(number=1, lines=stands))
    draft = factories.draft(world.caller.tenant_id, "inv_000900", holding=content)
    once = world.once("convertQuote")

    def convert(*, key: Any = once) -> None:
        events = (quoting.event(EventType.QUOTE_INVOICED), quoting.event(EventType.INVOICE_CREATED))
        quoting.quotes.convert(world.caller, invoiced, draft=draft, events=events, once=key)

    convert()
    assert quoting.quotes.invoices(world.caller, invoiced) == {"inv_000900": draft}
    assert quoting.quotes.read(world.caller, accepted.quote_id) == invoiced
    with pytest.raises(AlreadyAnswered):
        convert()
    with pytest.raises(StaleVersion):
        convert(key=world.once("convertQuote"))
    if convert_first:
        stale = replace(invoiced, version=invoiced.version + 2)
        with pytest.raises(StaleVersion):
            _release(quoting, stale, draft.invoice_id)
        assert world.repositories.invoices.read(world.caller, draft.invoice_id) == draft
    released = invoiced.released("inv_000900", MORNING)
    assert released is not None
    _release(quoting, released, draft.invoice_id)

    assert quoting.quotes.read(world.caller, accepted.quote_id) == released
    assert quoting.quotes.invoices(world.caller, released) == {}
    with pytest.raises(NotFound):
        world.repositories.invoices.read(world.caller, draft.invoice_id)


def test_a_credit_note_moves_its_quote_with_it_or_neither_moves(quoting: Quoting) -> None:
    world = quoting.world
    accepted = quoting.accept(quoting.send(quoting.draft()))
    whole = tuple(PartGroup(vat=vat, net_minor=net) for vat, net in accepted.unbilled.items())
    invoice = world.issue(world.add_draft(holding=replace(accepted.content, quote_id=accepted.quote_id)))
    part = QuotePart(invoice_id=invoice.invoice_id, kind=PartKind.FULL, groups=whole)
    invoiced = accepted.billed(part, MORNING)
    quoting.quotes.save(world.caller, invoiced, event=quoting.event(EventType.QUOTE_INVOICED))
    held = world.repositories.credit_notes
    customer_id = accepted.content.customer_id
    found = held.customer(world.caller, customer_id, quote_id=accepted.quote_id)
    assert found.quote == invoiced
    assert held.customer(world.caller, customer_id).quote is None
    note, written = prepared(world, invoice)
    back = invoiced.credited(invoice.invoice_id, groups_of(note.totals), MORNING)
    assert back
    told = quoting.event(EventType.QUOTE_CREDITED)

    with pytest.raises(StaleVersion):
        held.issue(world.caller, note, **written, quote=(replace(back, version=back.version + 1), told))
    assert world.repositories.invoices.read(world.caller, invoice.invoice_id) == invoice
    assert quoting.listed(status=QuoteStatus.INVOICED) == [accepted.quote_id]
    held.issue(world.caller, note, **written, quote=(back, told))

    assert quoting.quotes.read(world.caller, accepted.quote_id) == back
    assert quoting.listed(status=QuoteStatus.INVOICED) == []
    assert quoting.listed(status=QuoteStatus.ACCEPTED) == [accepted.quote_id]
    timeline = quoting.quotes.timeline(world.caller, accepted.quote_id, PageRequest())
    assert timeline.items[-1].event_type is EventType.QUOTE_CREDITED


def test_a_reception_moves_the_quote_and_its_invoices_together_or_not_at_all(quoting: Quoting) -> None:
    world = quoting.world
    accepted = quoting.accept(quoting.send(quoting.draft()))
    customer_id = world.add_customer().customer_id
    kept = replace(accepted.content, customer_id=customer_id, quote_id=accepted.quote_id, retention_percent=Decimal(5))
    open_draft = world.add_draft(holding=kept)
    invoice = world.issue(world.add_draft(holding=kept))
    assert invoice.document.retention
    retained = invoice.document.retention.amount_minor
    invoice = world.pay(invoice, invoice.ledger.balance_minor - retained)
    until = date(2027, 11, 20)
    received = accepted.received(Reception(received_on=date(2026, 11, 20)), MORNING)
    moved = (open_draft.retained_to(until, MORNING), invoice.retained_to(until, MORNING))

    def receive(*invoices: Invoice) -> None:
        quoting.quotes.receive(
            world.caller,
            received,
            invoices=invoices,
            event=quoting.event(EventType.QUOTE_WORK_RECEIVED),
            once=world.once("recordQuoteReception"),
        )

    def overdue(day: date) -> list[str]:
        query = InvoiceQuery(overdue_on=day)
        return [row.invoice_id for row in world.repositories.invoices.list(world.caller, query, PageRequest()).items]

    assert overdue(date(2100, 1, 1)) == []
    with pytest.raises(StaleVersion):
        receive(moved[0], replace(moved[1], version=moved[1].version + 1))
    assert quoting.quotes.read(world.caller, accepted.quote_id) == accepted
    assert world.repositories.invoices.read(world.caller, open_draft.invoice_id) == open_draft
    receive(*moved)

    assert quoting.quotes.read(world.caller, accepted.quote_id) == received
    assert [world.repositories.invoices.read(world.caller, one.invoice_id) for one in moved] == list(moved)
    assert (overdue(until), overdue(until + timedelta(days=1))) == ([], [invoice.invoice_id])
    with pytest.raises(StaleVersion):
        receive(*moved)
    period = StatementPeriod(first=TODAY, last=TODAY)
    extract = world.repositories.accounts.extract(world.caller, customer_id, period)
    assert [(due.due_date, due.balance_minor) for due in extract.still_open] == [(until, retained)]


def test_a_reception_of_more_than_a_transaction_holds_is_gone_on_with(
    quoting: Quoting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_quotes, "MAX_GROUP_BYTES", 1)
    world = quoting.world
    accepted = quoting.accept(quoting.send(quoting.draft()))
    kept = replace(accepted.content, quote_id=accepted.quote_id, retention_percent=Decimal(5))
    issued = [world.issue(world.add_draft(holding=kept)) for _ in range(3)]
    moved = tuple(invoice.retained_to(date(2027, 11, 20), MORNING) for invoice in issued)
    received = accepted.received(Reception(received_on=date(2026, 11, 20)), MORNING)

    def receive(quote: Quote, *invoices: Invoice) -> None:
        quoting.quotes.receive(
            world.caller,
            quote,
            invoices=invoices,
            event=quoting.event(EventType.QUOTE_WORK_RECEIVED),
            once=world.once("recordQuoteReception"),
        )

    with pytest.raises(StaleVersion):
        receive(replace(received, version=received.version + 1), *moved)
    undone = [one for one in moved if world.repositories.invoices.read(world.caller, one.invoice_id) != one]
    receive(received, *undone)

    assert [world.repositories.invoices.read(world.caller, one.invoice_id) for one in moved] == list(moved)
    assert quoting.quotes.read(world.caller, accepted.quote_id) == received


def _release(quoting: Quoting, released: Quote, invoice_id: str) -> None:
    events = (quoting.event(EventType.QUOTE_RELEASED), quoting.event(EventType.INVOICE_DELETED))
    quoting.quotes.release(quoting.world.caller, released, invoice_id=invoice_id, expected_version=1, events=events)


def test_deliveries_carry_quotes_too(quoting: Quoting) -> None:
    sent = quoting.send(quoting.draft())
    held = quoting.world.repositories.deliveries
    assert held.document(sent.tenant_id, sent.quote_id) == sent
    linked = sent.with_link("s" * 43, MORNING)
    held.record_link(linked, event=quoting.event(EventType.QUOTE_LINK_CREATED))

    assert held.document(sent.tenant_id, sent.quote_id) == linked
    with pytest.raises(StaleVersion):
        held.record_link(linked, event=quoting.event(EventType.QUOTE_LINK_CREATED))
    with pytest.raises(NotFound):
        held.document(sent.tenant_id, quoting.draft().quote_id)


def test_the_timeline_is_the_quotes_own(quoting: Quoting) -> None:
    sent = quoting.send(quoting.draft())

    page = quoting.quotes.timeline(quoting.world.caller, sent.quote_id, PageRequest())

    assert [event.event_type for event in page.items] == [EventType.QUOTE_CREATED, EventType.QUOTE_FINALISED]
    with pytest.raises(NotFound):
        quoting.quotes.timeline(quoting.world.stranger, sent.quote_id, PageRequest())
