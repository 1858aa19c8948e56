"""Links to an invoice, over the fakes and over the table: beside the invoice, one writer at a time."""

from __future__ import annotations

import pytest

from billing.domain.errors import StaleVersion
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_checkouts import Counter
from tests.fakes.clock import MORNING

SECRET = "s" * 43


def linked(world: World, invoice: IssuedInvoice, secret: str = SECRET) -> InvoiceLinkBook:
    held = world.repositories.invoice_links
    links = held.read(world.caller, invoice.invoice_id).links.with_link(secret, MORNING)
    event = factories.event(world.new_id("evt"), EventType.INVOICE_LINK_CREATED)
    held.save(world.caller, links, event=event, once=world.once("createInvoiceLink"), answered=links)
    return links


def test_links_are_kept_beside_the_invoice_which_does_not_change(world: World) -> None:
    invoice = world.issue()

    links = linked(world, invoice)

    context = world.repositories.invoice_links.read(world.caller, invoice.invoice_id)
    assert (context.invoice, context.links) == (invoice, links)
    assert world.repositories.invoice_links.stored(invoice.tenant_id, invoice.invoice_id) == context
    timeline = world.repositories.invoices.timeline(world.caller, invoice.invoice_id, PageRequest()).items
    assert timeline[-1].event_type is EventType.INVOICE_LINK_CREATED


def test_another_company_finds_neither_invoice_nor_links(world: World) -> None:
    invoice = world.issue()
    linked(world, invoice)

    context = world.repositories.invoice_links.read(world.stranger, invoice.invoice_id)

    assert (context.invoice, context.links.links) == (None, ())


def test_links_move_one_version_at_a_time_and_once_per_request(world: World) -> None:
    invoice = world.issue()
    held, once = world.repositories.invoice_links, world.once("createInvoiceLink")
    links = held.read(world.caller, invoice.invoice_id, once=once).links.with_link(SECRET, MORNING)
    event = factories.event(world.new_id("evt"), EventType.INVOICE_LINK_CREATED)
    held.save(world.caller, links, event=event, once=once, answered=links)

    with pytest.raises(AlreadyAnswered):
        held.read(world.caller, invoice.invoice_id, once=once)
    with pytest.raises(StaleVersion):
        held.record(links)
    held.record(links.revoked(MORNING))
    assert held.stored(invoice.tenant_id, invoice.invoice_id).links.links == ()


@pytest.mark.parametrize("payments", [0, 3, 12])
def test_an_opened_invoice_shows_all_that_was_paid(world: World, payments: int) -> None:
    counter = Counter(world)
    invoice = counter.invoice
    for _ in range(payments):
        invoice = world.pay(invoice, 100)
    counter.connect()

    opened = world.repositories.invoice_links.open(invoice.tenant_id, invoice.invoice_id)

    assert opened.invoice == invoice
    assert [entry.rank for entry in opened.entries] == list(range(1, payments + 1))
    assert opened.connection.accepts_payments
    assert opened.checkouts == counter.book()


def test_what_does_not_exist_opens_as_nothing(world: World) -> None:
    opened = world.repositories.invoice_links.open(world.stranger.tenant_id, "inv_none")

    assert (opened.invoice, opened.entries, opened.links.version) == (None, (), 0)
