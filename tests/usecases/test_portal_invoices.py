"""What a link to an invoice opens: the invoice, its PDF, a page to pay on; and nothing once it is closed."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from billing.api.portal_invoices import PortalMovementResponse
from billing.domain.checkout import AttemptState, WhyNotOnline, why_not_online
from billing.domain.errors import InvoiceNotIssued, MailTemporarilyRefused, NotFound, PdfNotReady
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.invoice_links import LINK_LIFE, MAX_LINKS, RETURN_LIFE
from billing.domain.ledger import EntryKind, LedgerEntry
from billing.domain.links import LinkToken
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.invoice_links import SharedInvoice
from billing.usecases.deliveries import restore_pdf
from billing.usecases.invoice_links import create_invoice_link, revoke_invoice_links
from billing.usecases.portal_invoices import download_portal_invoice, pay_portal_invoice, read_portal_invoice
from tests.fakes.clock import MORNING
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import Relay
from tests.fakes.links import FakeLinkSecrets
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


def test_who_may_have_paid_before_the_links_were_revoked_is_told_so_and_sees_nothing(desk: Desk) -> None:
    """Stripe leads back whoever paid within the minute in which the page is closed."""
    link = desk.link()
    desk.counter.open()
    back = desk.returned()
    desk.revoke()

    def said(token: str) -> str:
        with pytest.raises(NotFound) as refused:
            desk.read(token)
        return refused.value.detail_fr

    assert "Si vous venez de payer, votre paiement est pris en charge" in said(back)
    assert (said(link), said(f"{back[:-1]}{'A' if back[-1] != 'A' else 'B'}")) == ("", "")
    with pytest.raises(NotFound):
        download_portal_invoice(back, links=desk.links, documents=desk.shop.documents, clock=desk.shop.clock)
    with pytest.raises(NotFound, match="do not pay twice"):
        pay_portal_invoice(back, None, links=desk.links, **desk.counter.ports())
    desk.counter.sweep()
    assert said(back) == ""


def test_a_way_back_says_so_for_a_month_however_it_was_paid(desk: Desk) -> None:
    desk.counter.open()
    back = desk.returned()
    [session] = desk.counter.stripe.sessions.values()
    desk.counter.stripe.confirm(desk.counter.account_id, session.session_id)
    desk.revoke()
    desk.counter.sweep()
    assert desk.counter.current.state is AttemptState.PROCESSING

    with pytest.raises(NotFound, match="do not pay twice"):
        desk.read(back)

    desk.shop.clock.advance(RETURN_LIFE)
    with pytest.raises(NotFound) as refused:
        desk.read(back)
    assert refused.value.detail_fr == ""


def test_the_page_to_pay_is_closed_with_the_links_that_led_to_it(desk: Desk) -> None:
    page = desk.counter.open()

    desk.revoke()

    assert desk.counter.sweep().closed == 1
    assert desk.counter.current.state is AttemptState.EXPIRED
    assert desk.counter.open().url != page.url


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
    with pytest.raises(PdfNotReady):
        download_portal_invoice(token, **ports)
    desk.shop.render(desk.invoice)

    link = download_portal_invoice(token, **ports)

    assert f"{desk.invoice.document.number}.pdf" in repr(link)
    with pytest.raises(NotFound):
        download_portal_invoice(f"{token[:-1]}!", **ports)


def test_the_holder_pays_and_sees_it_at_once(desk: Desk) -> None:
    token = desk.link()
    assert desk.why_not(token) is None

    page = pay_portal_invoice(token, None, links=desk.links, **desk.counter.ports())
    session = desk.counter.session_of(page)
    desk.counter.stripe.confirm(desk.counter.account_id, session.session_id, method="sepa_debit")
    desk.counter.pay(100)
    desk.counter.doubt()
    desk.counter.sweep()

    assert desk.why_not(desk.returned()) is WhyNotOnline.IN_PROGRESS
    with pytest.raises(NotFound):
        pay_portal_invoice(token[:-3], None, links=desk.links, **desk.counter.ports())


@pytest.mark.parametrize("moment", ["before", "begun", "asked"])
def test_a_link_that_is_revoked_while_its_page_opens_leads_to_none(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Before anything is written, once the attempt is, and once Stripe has opened its page."""
    token, checkouts, stripe = desk.link(), desk.counter.held.checkouts, desk.counter.stripe
    port, name = (checkouts, "load") if moment == "before" else (stripe, "create_checkout_session")
    real = getattr(port, name)

    def overtaken(*args: Any, **kwargs: Any) -> Any:
        monkeypatch.setattr(port, name, real)
        answer = real(*args, **kwargs) if moment == "asked" else None
        desk.shop.clock.advance(timedelta(seconds=1))
        desk.revoke()
        desk.shop.clock.advance(timedelta(seconds=1))
        return answer or real(*args, **kwargs)

    monkeypatch.setattr(port, name, overtaken)
    with pytest.raises(NotFound):
        pay_portal_invoice(token, None, links=desk.links, **desk.counter.ports())

    assert len(stripe.sessions) == (0 if moment == "before" else 1)
    if stripe.sessions:
        with pytest.raises(NotFound):
            desk.read(desk.returned())
        assert desk.counter.sweep().closed == 1


def test_another_link_that_is_made_while_a_page_opens_changes_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, checkouts = desk.link(), desk.counter.held.checkouts
    load = checkouts.load

    def overtaken(*args: Any) -> Any:
        monkeypatch.setattr(checkouts, "load", load)
        desk.link()
        return load(*args)

    monkeypatch.setattr(checkouts, "load", overtaken)

    assert pay_portal_invoice(token, None, links=desk.links, **desk.counter.ports()).fresh
    assert len(desk.counter.stripe.sessions) == 1


def test_the_page_says_why_an_invoice_cannot_be_paid_online(desk: Desk) -> None:
    token = desk.link()
    desk.counter.pay(11_960)
    assert desk.why_not(token) is WhyNotOnline.BELOW_MINIMUM
    desk.counter.disconnect()
    assert desk.why_not(token) is WhyNotOnline.NOT_ACCEPTED
    desk.counter.pay(40)

    assert desk.why_not(token) is WhyNotOnline.NOTHING_LEFT
    assert [entry.amount_minor for entry in desk.read(token).entries] == [11_960, 40]


# In the mail


def mailed(shop: Shop, invoice: IssuedInvoice, **ports: Any) -> str:
    shop.render(invoice)
    shop.mail(invoice, **ports)
    return shop.mailer.accepted[-1].text


def link_in(text: str) -> str:
    return text.partition(f"{PORTAL}/")[2].split()[0]


def test_a_mail_has_a_link_of_its_own_that_opens_its_invoice(shop: Shop) -> None:
    invoice = shop.issue(send=True)

    text = mailed(shop, invoice)

    assert "Voir la facture : https://" in text
    opened = read_portal_invoice(link_in(text), links=shop.repositories.invoice_links, clock=shop.clock)
    assert opened.issued.invoice_id == invoice.invoice_id
    assert link_in(text).rpartition(".")[2] not in repr(shop.repositories.store.invoice_links)


def test_a_mail_asks_to_pay_online_where_the_company_takes_it(desk: Desk) -> None:
    text = mailed(desk.shop, desk.shop.issue(send=True))

    assert "Payer en ligne : https://" in text
    page = pay_portal_invoice(link_in(text), None, links=desk.links, **desk.counter.ports())
    assert page.amount_minor == 12_000


def test_a_paid_invoice_and_a_credit_note_are_mailed_without_a_link(desk: Desk) -> None:
    invoice = desk.shop.issue(send=True)
    desk.shop.pay(invoice.invoice_id, 12_000)
    note = credit(desk.shop, desk.invoice.invoice_id, send=True)

    for document in (invoice, note):
        assert PORTAL not in mailed(desk.shop, document)
    assert desk.shop.repositories.store.invoice_links == {}


def test_a_mail_that_is_tried_again_is_sent_once_with_a_link_that_opens(desk: Desk) -> None:
    invoice = desk.shop.issue(send=True)
    desk.shop.render(invoice)
    desk.shop.mailer.script = [Relay.GREYLISTS, Relay.ACCEPTS]
    with pytest.raises(MailTemporarilyRefused):
        desk.shop.mail(invoice)

    desk.shop.mail(invoice)
    desk.shop.mail(invoice)

    (mail,) = desk.shop.mailer.accepted
    assert desk.read(link_in(mail.text)).issued.invoice_id == invoice.invoice_id


# On the paper


def paper_of(desk: Desk, **changes: Any) -> IssuedInvoice:
    return desk.shop.issue(desk.shop.draft(), payment_page=PORTAL, **changes)


def printed(desk: Desk, invoice: IssuedInvoice) -> str:
    """The address on its stored PDF."""
    pdf = desk.shop.stored(invoice).delivery.pdf
    assert pdf is not None
    content = desk.shop.documents.get(pdf.key)
    assert content is not None
    return content.decode().partition(PORTAL)[2]


def test_the_paper_has_a_link_while_the_company_takes_payments_online(desk: Desk) -> None:
    invoice = paper_of(desk)
    assert invoice.document.payment_page == PORTAL

    desk.shop.render(invoice)

    token = printed(desk, invoice).removeprefix("/")
    assert desk.read(token).issued.invoice_id == invoice.invoice_id
    assert token.rpartition(".")[2] not in repr(desk.shop.repositories.store.invoice_links)


def test_what_cannot_be_paid_online_at_issue_has_none_for_ever(desk: Desk) -> None:
    desk.counter.disconnect()
    invoice = paper_of(desk)
    desk.counter.connect()

    desk.shop.render(invoice)

    assert invoice.document.payment_page == ""
    assert printed(desk, invoice) == ""
    assert desk.shop.repositories.store.invoice_links == {}


def test_a_paper_that_was_lost_is_drawn_again_to_the_byte(desk: Desk) -> None:
    invoice = paper_of(desk)
    desk.shop.render(invoice)
    pdf = desk.shop.stored(invoice).delivery.pdf
    assert pdf is not None
    before = desk.shop.documents.get(pdf.key)
    del desk.shop.documents.stored[pdf.key]

    restored = restore_pdf(
        invoice.tenant_id,
        invoice.invoice_id,
        deliveries=desk.shop.repositories.deliveries,
        documents=desk.shop.documents,
        renderer=desk.shop.renderer,
        secrets=FakeLinkSecrets(),
    )

    assert restored
    assert desk.shop.documents.get(pdf.key) == before


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_while_rendering_makes_one_link_that_opens(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        desk = Desk(shop)
        invoice = paper_of(desk)
        crash = CrashPoint(at=at, after=after)
        ports: dict[str, Any] = {
            "deliveries": crash.watch(shop.repositories.deliveries),
            "documents": crash.watch(shop.documents),
            "links": crash.watch(shop.repositories.invoice_links),
        }
        try:
            shop.render(invoice, **ports)
        except Crashed:
            pass
        else:
            assert at > 4
            return
        shop.render(invoice)
        assert desk.read(printed(desk, invoice).removeprefix("/")).issued.invoice_id == invoice.invoice_id
        book = shop.repositories.invoice_links.stored(invoice.tenant_id, invoice.invoice_id).links
        assert len(book.links) == 1


def test_a_link_that_was_revoked_is_not_given_again_by_drawing(desk: Desk) -> None:
    invoice = paper_of(desk)
    revoke_invoice_links(desk.shop.caller, invoice.invoice_id, **desk.ports())

    desk.shop.render(invoice)

    with pytest.raises(NotFound):
        desk.read(printed(desk, invoice).removeprefix("/"))


@pytest.mark.parametrize("kind", list(EntryKind))
def test_every_kind_of_entry_is_shown(kind: EntryKind) -> None:
    entry = LedgerEntry(
        entry_id="ent_1",
        rank=1,
        kind=kind,
        amount_minor=1_000,
        entry_date=MORNING.date(),
        recorded_at=MORNING,
        recorded_by="usr_1",
    )

    assert PortalMovementResponse.of(entry, None, currency="EUR").amount_minor == 1_000
