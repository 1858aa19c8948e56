"""Quotes: offered, answered once, revised, invoiced; whoever holds a link sees one document and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Origin, Role
from billing.domain.currency import ExchangeRate
from billing.domain.delivery import ClaimState, DeliveryState
from billing.domain.errors import (
    FieldErrors,
    Forbidden,
    MailUnconfirmed,
    NotFound,
    PdfNotReady,
    QuoteAlreadyAnswered,
    QuoteAlreadyInvoiced,
    QuoteAlreadySent,
    QuoteAmountsFixed,
    QuoteExpired,
    QuoteNotAccepted,
    QuoteNotSent,
    QuoteSuperseded,
    RecipientMissing,
    StaleVersion,
)
from billing.domain.events import EventType
from billing.domain.invoice import DraftInvoice
from billing.domain.links import LinkToken
from billing.domain.numbering import NumberPattern, Series, SeriesStart
from billing.domain.particulars import Particulars
from billing.domain.quote import MAX_LINKS, Quote, QuoteAnswer, QuoteStatus
from billing.domain.template import GENERATION, Design
from billing.domain.tongue import DocumentLanguage
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.quotes import QuoteQuery, QuoteSummary
from billing.usecases import invoices, portal, quotes, series
from billing.usecases.deliveries import delivery_reference, receive_mail_event
from billing.usecases.portal import OpenedQuote, PortalAnswer
from tests import factories
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop

RECIPIENT = "compta@modele.example"
IP = "203.0.113.24"


class Desk:
    """Short ways to act on quotes in a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories

    def _ports(self, *names: str) -> dict[str, Any]:
        return {"clock": self.shop.clock, "ids": self.shop.ids} | {name: getattr(self.held, name) for name in names}

    def draft(self, *, valid_until: date | None = None, customer_id: str = "", **changes: Any) -> Quote:
        wanted = self.shop.wanted(customer_id or self.shop.customer().customer_id, **changes)
        return quotes.create_quote(
            self.shop.caller,
            quotes.QuoteInput(draft=wanted, valid_until=valid_until),
            once=self.shop.once("createQuote"),
            **self._ports("quotes", "invoices"),
        )

    def send(self, quote: Quote, **changes: Any) -> Quote:
        values: dict[str, Any] = {
            "expected_version": quote.version,
            "mail": True,
            "recipient": None,
            "correlation_id": "corr",
            "once": self.shop.once("sendQuote"),
            **self._ports("quotes", "customers"),
        }
        return quotes.send_quote(self.shop.caller, quote.quote_id, **values | changes)

    def deliver(self, quote: Quote, attempt: int = 1) -> None:
        """One run of the state machine."""
        self.shop.render(quote, attempt)
        self.shop.mail(quote, attempt)
        self.shop.record(quote, attempt)

    def sent(self, **changes: Any) -> Quote:
        quote = self.send(self.draft(**changes))
        self.deliver(quote)
        return self.read(quote)

    def read(self, quote: Quote) -> Quote:
        return quotes.read_quote(self.shop.caller, quote.quote_id, quotes=self.held.quotes)

    def token(self) -> str:
        """Of the last mail."""
        link = self.shop.mailer.accepted[-1].text.partition("https://app.exemple.test/devis/")[2]
        return link.split()[0]

    def act(self, use_case: Callable[..., Any], quote: Quote, *given: Any, once: Any = None) -> Any:
        once = once or self.shop.once(use_case.__name__)
        ports = self._ports(
            "quotes", *(["invoices"] if use_case.__name__ in {"convert_quote", "duplicate_quote"} else [])
        )
        return use_case(self.shop.caller, quote.quote_id, *given, once=once, **ports)

    def open(self, token: str) -> OpenedQuote:
        return portal.read_portal_quote(token, quotes=self.held.quotes, clock=self.shop.clock)

    def answer(self, token: str, answer: QuoteAnswer = QuoteAnswer.ACCEPTED, **changes: Any) -> Quote:
        given = PortalAnswer(
            answer=answer,
            name="Direction de Modèle",
            comment="",
            document_hash=changes.pop("document_hash", None) or self.open(token).quote.document_hash,
            origin=Origin(ip_address=IP),
        )
        ports = self._ports("quotes") | changes
        return portal.answer_portal_quote(token, given, **ports)

    def status(self, quote: Quote) -> QuoteStatus:
        return self.read(quote).status(self.shop.clock.today())


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


def _told(desk: Desk, quote: Quote) -> list[EventType]:
    page = quotes.read_quote_timeline(desk.shop.caller, quote.quote_id, PageRequest(limit=100), quotes=desk.held.quotes)
    return [event.event_type for event in page.items]


def test_a_quote_is_mailed_with_its_pdf_and_a_link_that_opens_it(desk: Desk) -> None:
    quote = desk.sent()

    (mail,) = desk.shop.mailer.accepted
    assert (mail.recipient, mail.attachment_name) == (RECIPIENT, "D2026-00001.pdf")
    assert mail.subject.startswith("Devis D2026-00001")
    opened = desk.open(desk.token())
    assert (opened.quote.quote_id, opened.superseded) == (quote.quote_id, False)
    assert quote.delivery.state is DeliveryState.SENT
    assert _told(desk, quote) == [
        EventType.QUOTE_CREATED,
        EventType.QUOTE_FINALISED,
        EventType.QUOTE_PDF_RENDERED,
        EventType.QUOTE_LINK_CREATED,
        EventType.QUOTE_SENT,
    ]


def test_only_a_hash_of_the_links_secret_is_kept(desk: Desk) -> None:
    desk.sent()

    token = LinkToken.parse(desk.token())

    assert token is not None
    assert token.secret not in repr(desk.held.store)


def test_quotes_are_numbered_when_they_are_sent_and_keep_their_number(desk: Desk) -> None:
    first, unsent, second = desk.sent(), desk.draft(), desk.sent()

    assert [first.number, unsent.number, second.number] == ["D2026-00001", None, "D2026-00002"]


def test_a_company_chooses_how_its_quotes_are_numbered_but_not_as_its_invoices(desk: Desk) -> None:
    desk.shop.describe(quote_number_pattern=NumberPattern("DEV{year}/{001}"))
    assert desk.sent().number == "DEV2026/001"

    with pytest.raises(FieldErrors) as refused:
        desk.shop.describe(quote_number_pattern=NumberPattern("F{year}-{00001}"))
    assert [error.pointer for error in refused.value.errors] == ["/quote_number_pattern"]


def test_a_quote_is_frozen_with_the_design_and_the_texts_of_its_day(desk: Desk) -> None:
    desk.shop.describe(design=Design.MODERN, accent_colour="#8c2f5a", header_text="Ouvert du lundi au vendredi.")
    sent = desk.sent().frozen
    desk.shop.describe(design=Design.COMPACT, header_text="")

    assert sent.template_version == f"modern-{GENERATION}"
    assert (sent.seller.accent_colour, sent.seller.header_text) == ("#8c2f5a", "Ouvert du lundi au vendredi.")
    assert desk.sent().frozen.template_version == f"compact-{GENERATION}"


def test_quotes_go_on_after_the_last_number_used_elsewhere(desk: Desk) -> None:
    start = SeriesStart(series=Series.QUOTE, last_rank=41, last_date=desk.shop.clock.today(), last_number="D2026-00041")
    ports: dict[str, Any] = {"series": desk.held.series, "clock": desk.shop.clock, "ids": desk.shop.ids}
    series.start_company_series(desk.shop.caller, start, once=desk.shop.once(), **ports)

    assert [desk.sent().number, desk.sent().number] == ["D2026-00042", "D2026-00043"]


def test_a_quote_in_another_currency_and_language_says_so_everywhere(desk: Desk) -> None:
    exchange = ExchangeRate(currency="USD", rate=Decimal("1.1"), on=date(2026, 11, 20), source="ECB")
    particulars = Particulars(exchange=exchange, language=DocumentLanguage.FRENCH_AND_ENGLISH)

    quote = desk.sent(particulars=particulars)

    assert quote.frozen.currency == "USD"
    assert QuoteSummary.of(quote).currency == "USD"
    (mail,) = desk.shop.mailer.accepted
    assert "USD" in mail.text
    assert "€" not in mail.text
    assert "Please find attached our quote" in mail.text


def test_a_french_customer_is_not_offered_a_quote_in_english_alone(desk: Desk) -> None:
    with pytest.raises(FieldErrors) as refused:
        desk.draft(particulars=Particulars(language=DocumentLanguage.ENGLISH))

    assert [error.pointer for error in refused.value.errors] == ["/language"]


def test_a_customer_accepts_once_and_the_evidence_is_kept(desk: Desk) -> None:
    quote = desk.sent()

    accepted = desk.answer(desk.token())

    decision = accepted.decision
    assert decision is not None
    assert quote.delivery.pdf is not None
    assert (decision.name, decision.ip_address, decision.recorded_by) == ("Direction de Modèle", IP, "")
    assert (decision.document_hash, decision.pdf_sha256) == (quote.document_hash, quote.delivery.pdf.sha256)
    assert decision.decided_at == desk.shop.clock.now()
    assert desk.status(quote) is QuoteStatus.ACCEPTED
    with pytest.raises(QuoteAlreadyAnswered):
        desk.answer(desk.token(), QuoteAnswer.REJECTED)


def test_the_same_answer_again_changes_nothing(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())
    before = desk.read(quote)

    desk.answer(desk.token())

    assert desk.read(quote) == before


def test_events_hold_neither_name_nor_address(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())

    page = quotes.read_quote_timeline(desk.shop.caller, quote.quote_id, PageRequest(), quotes=desk.held.quotes)

    assert "Modèle" not in repr(page.items)
    assert IP not in repr(page.items)


def test_nobody_accepts_another_document_than_the_one_shown(desk: Desk) -> None:
    quote = desk.sent()

    with pytest.raises(FieldErrors):
        desk.answer(desk.token(), document_hash="0" * 64)

    assert desk.status(quote) is QuoteStatus.SENT


def test_a_quote_expires_by_itself_and_can_no_longer_be_accepted(desk: Desk) -> None:
    quote = desk.sent(valid_until=desk.shop.clock.today() + timedelta(days=3))
    desk.shop.clock.advance(timedelta(days=3))
    assert desk.status(quote) is QuoteStatus.SENT
    desk.shop.clock.advance(timedelta(days=1))

    assert desk.status(quote) is QuoteStatus.EXPIRED
    assert desk.open(desk.token()).quote.quote_id == quote.quote_id
    with pytest.raises(QuoteExpired):
        desk.answer(desk.token())
    with pytest.raises(QuoteExpired):
        desk.send(quote)


def test_an_accepted_quote_does_not_expire(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())
    desk.shop.clock.advance(timedelta(days=60))

    assert desk.status(quote) is QuoteStatus.ACCEPTED


def test_a_new_version_takes_the_place_of_the_old_one_which_stays_readable(desk: Desk) -> None:
    quote = desk.sent()
    old_token, old_hash = desk.token(), quote.document_hash

    revised = desk.act(quotes.revise_quote, quote)

    assert (revised.revision, revised.number) == (2, "D2026-00001")
    assert revised.status(desk.shop.clock.today()) is QuoteStatus.DRAFT
    opened = desk.open(old_token)
    assert (opened.superseded, opened.quote.document_hash) == (True, old_hash)
    with pytest.raises(QuoteSuperseded):
        desk.answer(old_token, document_hash=old_hash)

    again = desk.send(revised)
    desk.deliver(again, attempt=2)
    assert again.number == "D2026-00001"
    assert desk.open(desk.token()).superseded is False
    assert "version 2" in desk.shop.mailer.accepted[-1].subject
    desk.answer(desk.token())
    assert desk.status(quote) is QuoteStatus.ACCEPTED


def test_what_was_accepted_is_not_revised(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())

    with pytest.raises(QuoteAlreadyAnswered):
        desk.act(quotes.revise_quote, quote)


def test_what_was_rejected_can_be_offered_anew(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token(), QuoteAnswer.REJECTED)
    assert desk.status(quote) is QuoteStatus.REJECTED

    revised = desk.act(quotes.revise_quote, quote)

    assert revised.decision is None


def test_a_draft_cannot_be_answered_revised_or_linked(desk: Desk) -> None:
    draft = desk.draft()

    acts: tuple[Callable[[], object], ...] = (
        lambda: desk.act(quotes.record_quote_answer, draft, quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="X")),
        lambda: desk.act(quotes.revise_quote, draft),
        lambda: desk.act(quotes.create_quote_link, draft),
    )
    for act in acts:
        with pytest.raises(QuoteNotSent):
            act()


def test_a_sent_quote_is_neither_edited_nor_deleted(desk: Desk) -> None:
    quote = desk.sent()
    ports: dict[str, Any] = {"clock": desk.shop.clock, "ids": desk.shop.ids, "quotes": desk.held.quotes}
    wanted = quotes.QuoteInput(draft=desk.shop.wanted(quote.content.customer_id))

    with pytest.raises(QuoteAlreadySent):
        quotes.edit_quote(
            desk.shop.caller,
            quote.quote_id,
            wanted,
            expected_version=quote.version,
            invoices=desk.held.invoices,
            **ports,
        )
    with pytest.raises(QuoteAlreadySent):
        quotes.delete_quote(desk.shop.caller, quote.quote_id, expected_version=quote.version, **ports)
    assert desk.read(quote) == quote


def test_a_draft_is_edited_with_its_version_and_deleted(desk: Desk) -> None:
    draft = desk.draft()
    ports: dict[str, Any] = {"clock": desk.shop.clock, "ids": desk.shop.ids, "quotes": desk.held.quotes}
    line = invoices_line(Decimal(3))
    wanted = quotes.QuoteInput(draft=desk.shop.wanted(draft.content.customer_id, line))

    def edit(version: int) -> Quote:
        return quotes.edit_quote(
            desk.shop.caller, draft.quote_id, wanted, expected_version=version, invoices=desk.held.invoices, **ports
        )

    with pytest.raises(StaleVersion):
        edit(9)
    edited = edit(1)
    assert edited.totals.net_minor == 30_000
    quotes.delete_quote(desk.shop.caller, draft.quote_id, expected_version=2, **ports)
    with pytest.raises(NotFound):
        desk.read(draft)


def invoices_line(quantity: Decimal) -> Any:
    return replace(_line(), quantity=quantity)


def _line() -> Any:
    return Shop().wanted("cus").lines[0]


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nothing",
        "ten_x.quo_x.short",
        f"ten_none.quo_none.{'a' * 43}",
        f"ten_none.inv_none.{'a' * 43}",
        f"ten#x.quo_x.{'a' * 43}",
    ],
)
def test_a_link_that_is_none_opens_nothing(desk: Desk, token: str) -> None:
    desk.sent()

    with pytest.raises(NotFound):
        desk.open(token)


def test_a_wrong_secret_opens_nothing(desk: Desk) -> None:
    desk.sent()
    token = desk.token()

    with pytest.raises(NotFound):
        desk.open(f"{token[:-1]}{'A' if token[-1] != 'A' else 'B'}")


def test_revoked_and_expired_links_are_as_unknown_ones(desk: Desk) -> None:
    quote = desk.sent()
    token = desk.token()
    _, link = desk.act(quotes.create_quote_link, quote)
    assert desk.open(link.text).quote.quote_id == quote.quote_id
    desk.shop.clock.advance(timedelta(days=121))
    for each in (token, link.text):
        with pytest.raises(NotFound):
            desk.open(each)

    _, fresh = desk.act(quotes.create_quote_link, quote)
    desk.act(quotes.revoke_quote_links, quote)
    with pytest.raises(NotFound):
        desk.open(fresh.text)


def test_links_are_bounded(desk: Desk) -> None:
    quote = desk.sent()
    links = [desk.act(quotes.create_quote_link, quote)[1] for _ in range(MAX_LINKS + 5)]

    assert len(desk.read(quote).links) == MAX_LINKS
    assert desk.open(links[-1].text).quote.quote_id == quote.quote_id


def test_the_pdf_can_be_taken_once_it_is_there(desk: Desk) -> None:
    quote = desk.send(desk.draft(), mail=False)
    _, link = desk.act(quotes.create_quote_link, quote)
    ports: dict[str, Any] = {"quotes": desk.held.quotes, "documents": desk.shop.documents, "clock": desk.shop.clock}
    with pytest.raises(PdfNotReady):
        portal.download_portal_quote(link.text, **ports)
    desk.shop.render(quote)

    assert "D2026-00001.pdf" in portal.download_portal_quote(link.text, **ports).url
    assert desk.shop.mailer.accepted == []


def test_the_company_records_an_answer_given_elsewhere(desk: Desk) -> None:
    quote = desk.sent()
    given = quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="Direction", comment="Par courrier")

    answered = desk.act(quotes.record_quote_answer, quote, given)

    assert answered.decision.recorded_by == desk.shop.caller.user_id
    with pytest.raises(QuoteAlreadyAnswered):
        desk.answer(desk.token())


def test_an_accepted_quote_becomes_one_draft_invoice_as_it_was_accepted(desk: Desk) -> None:
    quote = desk.sent()
    with pytest.raises(QuoteNotAccepted):
        desk.act(quotes.convert_quote, quote)
    desk.answer(desk.token())

    draft: DraftInvoice = desk.act(quotes.convert_quote, quote)

    assert draft.content.quote_id == quote.quote_id
    assert draft.totals == quote.totals
    assert desk.status(quote) is QuoteStatus.INVOICED
    with pytest.raises(QuoteAlreadyInvoiced):
        desk.act(quotes.convert_quote, quote)
    issued = desk.shop.issue(draft)
    assert issued.document.quote_id == quote.quote_id
    assert issued.totals.total_minor == quote.totals.total_minor


def test_deleting_the_draft_invoice_lets_the_quote_be_invoiced_again(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())
    draft = desk.act(quotes.convert_quote, quote)

    invoices.delete_invoice(
        desk.shop.caller,
        draft.invoice_id,
        expected_version=1,
        invoices=desk.held.invoices,
        quotes=desk.held.quotes,
        clock=desk.shop.clock,
        ids=desk.shop.ids,
    )

    assert desk.status(quote) is QuoteStatus.ACCEPTED
    assert _told(desk, quote)[-1] is EventType.QUOTE_RELEASED
    assert desk.act(quotes.convert_quote, quote).invoice_id != draft.invoice_id


def test_an_edited_draft_keeps_its_quote_and_the_amounts_that_were_accepted(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())
    draft: DraftInvoice = desk.act(quotes.convert_quote, quote)
    wanted = desk.shop.wanted(quote.content.customer_id)

    def edit(wanted: Any, version: int) -> DraftInvoice:
        return invoices.edit_invoice(
            desk.shop.caller,
            draft.invoice_id,
            wanted,
            expected_version=version,
            invoices=desk.held.invoices,
            clock=desk.shop.clock,
            ids=desk.shop.ids,
        )

    with pytest.raises(QuoteAmountsFixed):
        edit(desk.shop.wanted(quote.content.customer_id, invoices_line(Decimal(2))), 1)
    edited = edit(replace(wanted, notes="Merci", purchase_order="BC-1"), 1)

    assert (edited.content.quote_id, edited.content.notes) == (quote.quote_id, "Merci")
    invoices.delete_invoice(
        desk.shop.caller,
        draft.invoice_id,
        expected_version=2,
        invoices=desk.held.invoices,
        quotes=desk.held.quotes,
        clock=desk.shop.clock,
        ids=desk.shop.ids,
    )
    assert desk.status(quote) is QuoteStatus.ACCEPTED


def test_converting_twice_with_one_key_makes_one_draft(desk: Desk) -> None:
    quote = desk.sent()
    desk.answer(desk.token())
    once = desk.shop.once("convertQuote")
    desk.act(quotes.convert_quote, quote, once=once)

    with pytest.raises(AlreadyAnswered):
        desk.act(quotes.convert_quote, quote, once=once)

    assert len(desk.held.store.invoices) == 1


def test_a_duplicate_is_a_new_draft(desk: Desk) -> None:
    quote = desk.sent()

    copy = desk.act(quotes.duplicate_quote, quote)

    assert (copy.number, copy.totals, copy.valid_until) == (None, quote.totals, None)
    assert copy.quote_id != quote.quote_id


def test_a_customer_without_an_address_is_asked_for_one(desk: Desk) -> None:
    customer = desk.shop.customer(email=None)
    quote = quotes.create_quote(
        desk.shop.caller,
        quotes.QuoteInput(draft=desk.shop.wanted(customer.customer_id)),
        once=desk.shop.once("createQuote"),
        quotes=desk.held.quotes,
        invoices=desk.held.invoices,
        clock=desk.shop.clock,
        ids=desk.shop.ids,
    )

    with pytest.raises(RecipientMissing):
        desk.send(quote)
    assert desk.read(quote).number is None
    assert desk.send(quote, mail=False).number == "D2026-00001"


def test_a_validity_that_has_passed_is_refused(desk: Desk) -> None:
    with pytest.raises(FieldErrors):
        desk.draft(valid_until=desk.shop.clock.today() - timedelta(days=1))


def test_roles_and_other_companies(desk: Desk) -> None:
    quote = desk.sent()
    viewer = desk.shop.person(Role.VIEWER)
    stranger = Shop(repositories=desk.held, caller=factories.caller("ten_other", user_id="user-other")).caller

    assert quotes.read_quote(viewer, quote.quote_id, quotes=desk.held.quotes) == quote
    with pytest.raises(Forbidden):
        quotes.revoke_quote_links(
            viewer,
            quote.quote_id,
            once=desk.shop.once(),
            quotes=desk.held.quotes,
            clock=desk.shop.clock,
            ids=desk.shop.ids,
        )
    with pytest.raises(NotFound):
        quotes.read_quote(stranger, quote.quote_id, quotes=desk.held.quotes)


def test_lists_tell_sent_from_expired_by_the_day(desk: Desk) -> None:
    short = desk.sent(valid_until=desk.shop.clock.today() + timedelta(days=1))
    long = desk.sent()
    draft = desk.draft()
    desk.shop.clock.advance(timedelta(days=2))

    def listed(status: QuoteStatus | None) -> list[str]:
        query = QuoteQuery(on=desk.shop.clock.today(), status=status)
        page = quotes.list_quotes(desk.shop.caller, query, PageRequest(), quotes=desk.held.quotes)
        return [row.quote_id for row in page.items]

    assert listed(QuoteStatus.EXPIRED) == [short.quote_id]
    assert listed(QuoteStatus.SENT) == [long.quote_id]
    assert listed(QuoteStatus.DRAFT) == [draft.quote_id]
    assert listed(None) == [draft.quote_id, long.quote_id, short.quote_id]


def test_a_bounce_of_a_quotes_mail_is_shown_on_the_quote(desk: Desk) -> None:
    quote = desk.sent()

    told = receive_mail_event(
        delivery_reference(quote.tenant_id, quote.quote_id, 1),
        RECIPIENT,
        ClaimState.BOUNCED,
        "",
        deliveries=desk.held.deliveries,
        clock=desk.shop.clock,
        ids=desk.shop.ids,
    )

    assert told
    assert desk.read(quote).delivery.state is DeliveryState.BOUNCED
    assert _told(desk, quote)[-1] is EventType.QUOTE_BOUNCED


def _answer_crashing(desk: Desk, at: int, *, after: bool) -> None:
    crash = CrashPoint(at=at, after=after)
    desk.answer(
        desk.token(), quotes=crash.watch(desk.held.quotes), document_hash=desk.open(desk.token()).quote.document_hash
    )


@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("after", [False, True])
def test_an_answer_cut_anywhere_and_given_again_stands_once(desk: Desk, at: int, after: bool) -> None:
    quote = desk.sent()
    with pytest.raises(Crashed):
        _answer_crashing(desk, at, after=after)

    desk.answer(desk.token())

    assert desk.status(quote) is QuoteStatus.ACCEPTED
    assert _told(desk, quote).count(EventType.QUOTE_ACCEPTED) == 1


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("after", [False, True])
def test_a_mail_cut_anywhere_leaves_at_most_one_and_an_honest_state(desk: Desk, at: int, after: bool) -> None:
    quote = desk.send(desk.draft())
    desk.shop.render(quote)
    crash = CrashPoint(at=at, after=after)
    ports: dict[str, Any] = {"deliveries": crash.watch(desk.held.deliveries), "mailer": crash.watch(desk.shop.mailer)}
    with pytest.raises(Crashed):
        desk.shop.mail(quote, **ports)

    try:
        desk.shop.mail(quote)
        error = None
    except MailUnconfirmed:
        error = "MailUnconfirmed"
    desk.shop.record(quote, error=error)

    delivery = desk.read(quote).delivery
    assert len(desk.shop.mailer.accepted) <= 1
    assert delivery.state in {DeliveryState.SENT, DeliveryState.UNCONFIRMED}
    if delivery.state is DeliveryState.SENT:
        assert desk.open(desk.token()).quote.quote_id == quote.quote_id
