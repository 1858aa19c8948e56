"""What a link to an invoice opens: the invoice, its PDF, a page to pay on; and nothing once it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from billing.domain.checkout import WhyNotOnline, why_not_online
from billing.domain.errors import InvoiceNotIssued, NotFound
from billing.domain.events import EventType
from billing.domain.invoice_links import LINK_LIFE, MAX_LINKS, RETURN_LIFE
from billing.domain.links import LinkToken
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.invoice_links import SharedInvoice
from billing.usecases.invoice_links import create_invoice_link, revoke_invoice_links
from billing.usecases.portal_invoices import read_portal_invoice
from tests.usecases.conftest import Shop
from tests.usecases.test_checkouts import PORTAL, Counter
from tests.usecases.test_credit_notes import credit


class Desk:
    """An invoice of a company that takes payments online, and links to it."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.counter = Counter(shop)
        self.invoice = self.counter.invoice
        self.links = shop.repositories.invoice_links

    def ports(self, **changes: Any) -> dict[str, Any]:
        once = self.shop.once("createInvoiceLink")
        return {"once": once, "links": self.links, "clock": self.shop.clock, "ids": self.shop.ids} | changes

    def link(self, invoice_id: str | None = None, **changes: Any) -> str:
        _, token = create_invoice_link(self.shop.caller, invoice_id or self.invoice.invoice_id, **self.ports(**changes))
        return token.text

    def revoke(self) -> None:
        revoke_invoice_links(self.shop.caller, self.invoice.invoice_id, **self.ports())

    def read(self, token: str) -> SharedInvoice:
        return read_portal_invoice(token, links=self.links, clock=self.shop.clock)

    def why_not(self, token: str) -> WhyNotOnline | None:
        opened = self.read(token)
        payable = opened.issued.payable_minor(self.shop.clock.today())
        return why_not_online(opened.issued, opened.connection, opened.checkouts, payable_minor=payable)

    def returned(self) -> str:
        """The token in the address that Stripe leads the customer back to."""
        asked = [wanted for (of, _), (wanted, _) in self.counter.stripe.answered.items() if of]
        address: str = asked[-1].success_url
        return address.partition("?")[0].removeprefix(f"{PORTAL}/")


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def test_a_link_opens_its_invoice_and_only_its_hash_is_kept(desk: Desk) -> None:
    token = desk.link()

    assert desk.read(token).issued == desk.invoice
    secret = token.rpartition(".")[2]
    assert secret not in repr(desk.shop.repositories.store.invoice_links)
    assert desk.shop.events(desk.invoice.invoice_id)[-1].event_type is EventType.INVOICE_LINK_CREATED


@pytest.mark.parametrize("change", [
    lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
    lambda token: token.replace("inv_", "inv_9"),
    lambda token: token.replace("ten_", "ten_9"),
    lambda _: "",
    lambda _: "ten_1.inv_1",
    lambda token: token.replace("inv_", "quo_"),
])  # fmt: skip
def test_any_other_token_opens_nothing(desk: Desk, change: Any) -> None:
    token = desk.link()

    with pytest.raises(NotFound):
        desk.read(change(token))


def test_a_link_ends_after_a_year(desk: Desk) -> None:
    token = desk.link()
    desk.shop.clock.advance(LINK_LIFE - timedelta(seconds=1))
    desk.read(token)
    desk.shop.clock.advance(timedelta(seconds=1))

    with pytest.raises(NotFound):
        desk.read(token)


def test_revoked_links_open_nothing_and_later_ones_do(desk: Desk) -> None:
    early, other = desk.link(), desk.link()
    desk.counter.open()
    back = desk.returned()
    desk.read(back)

    desk.revoke()

    for token in (early, other, back):
        with pytest.raises(NotFound):
            desk.read(token)
    desk.shop.clock.advance(timedelta(seconds=1))
    assert desk.read(desk.link()).issued == desk.invoice


def test_the_way_back_from_stripe_opens_the_invoice_for_a_month(desk: Desk) -> None:
    desk.counter.open()
    token = desk.returned()
    assert LinkToken.parse(token) is not None

    assert desk.read(token).issued == desk.invoice
    desk.shop.clock.advance(RETURN_LIFE)
    with pytest.raises(NotFound):
        desk.read(token)


def test_the_oldest_links_make_room(desk: Desk) -> None:
    first = desk.link()
    tokens = [desk.link() for _ in range(MAX_LINKS)]

    with pytest.raises(NotFound):
        desk.read(first)
    assert all(desk.read(token).issued == desk.invoice for token in tokens)


def test_a_repeated_request_makes_no_second_link(desk: Desk) -> None:
    once = desk.shop.once("createInvoiceLink")
    desk.link(once=once)

    with pytest.raises(AlreadyAnswered):
        desk.link(once=once)
    assert len(desk.links.stored(desk.invoice.tenant_id, desk.invoice.invoice_id).links.links) == 1


def test_drafts_have_no_link_and_what_is_none_is_not_found(desk: Desk) -> None:
    with pytest.raises(InvoiceNotIssued):
        desk.link(desk.shop.draft().invoice_id)
    for invoice_id in ("inv_none", credit(desk.shop, desk.invoice.invoice_id).invoice_id):
        with pytest.raises(NotFound):
            desk.link(invoice_id)


def test_the_holder_takes_the_stored_pdf(desk: Desk) -> None:
    token = desk.link()
    ports: dict[str, Any] = {"links": desk.links, "documents": desk.shop.documents, "clock": desk.shop.clock}
