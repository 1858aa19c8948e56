"""Previews as PDF: the document that would be issued today, to the field, and the refusals of issue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.canonical import to_plain
from billing.domain.credit_notes import CreditByVat, CreditNoteInput, VatCredit
from billing.domain.deliverable import Printable
from billing.domain.errors import (
    FieldErrors,
    InvoiceAlreadyIssued,
    NotFound,
    QuoteAlreadySent,
    QuoteAmountsFixed,
    UnknownReference,
)
from billing.domain.ledger import PaymentMethod
from billing.domain.numbering import Series
from billing.domain.particulars import Particulars
from billing.domain.parties import Logo
from billing.domain.process import PaidAtIssue
from billing.domain.quote import Quote, QuoteAnswer
from billing.domain.tongue import DocumentLanguage
from billing.domain.vat import VatCategory
from billing.ports.delivery import DRAFT_MARK, PdfFile
from billing.ports.drafts import DraftInput, LineInput
from billing.usecases import previews, quotes
from tests import factories
from tests.usecases.conftest import TAXED, Shop
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_quotes import Desk

OF_THE_NUMBER = {"number", "year", "rank", "previous_hash", "issued_at"}
OF_THE_SAVED = {"invoice_id", "quote_id"}
BERLIN = factories.address(line1="Musterstraße 5", postal_code="10115", city="Berlin", country_code="DE")


def ports(shop: Shop, *names: str) -> dict[str, Any]:
    held = {name: getattr(shop.repositories, name) for name in names}
    return {"documents": shop.documents, "renderer": shop.renderer, "clock": shop.clock, **held}


def of_body(shop: Shop, wanted: DraftInput, editing: str | None = None) -> PdfFile:
    return previews.preview_invoice_pdf(shop.caller, wanted, editing=editing, **ports(shop, "invoices"))


def of_draft(shop: Shop, invoice_id: str) -> PdfFile:
    return previews.preview_invoice_draft_pdf(shop.caller, invoice_id, **ports(shop, "invoices"))


def drawn(shop: Shop) -> dict[str, Any]:
    """Every field of the document that was drawn last."""
    issued, mark = shop.renderer.marked[-1]
    assert mark == DRAFT_MARK
    return fields(issued)


def fields(issued: Printable) -> dict[str, Any]:
    found: dict[str, Any] = to_plain(issued.frozen if isinstance(issued, Quote) else issued.document)
    return found


def everything(shop: Shop) -> dict[str, Any]:
    """All that the table and the document store hold."""
    held = {name: value.copy() for name, value in vars(shop.repositories.store).items() if hasattr(value, "copy")}
    return {**held, "documents": shop.documents.stored.copy()}


def without(document: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


WRITTEN: dict[str, dict[str, Any]] = {
    "plain": {},
    "with terms and texts": {"payment_terms_days": 45, "notes": "Merci", "purchase_order": "BC-1"},
    "dated": {"due_date": date(2026, 12, 31), "supply_date": date(2026, 11, 1)},
    "paid": {"paid": PaidAtIssue(paid_on=date(2026, 11, 20), method=PaymentMethod.CARD)},
    "bilingual": {"particulars": Particulars(language=DocumentLanguage.FRENCH_AND_ENGLISH)},
}


@pytest.mark.parametrize("what", WRITTEN)
def test_a_preview_is_the_document_that_issue_freezes(shop: Shop, what: str) -> None:
    wanted = shop.wanted(shop.customer().customer_id, **WRITTEN[what])
    before_any = of_body(shop, wanted)
    unsaved = drawn(shop)
    draft = shop.draft(wanted)
    before = everything(shop)

    saved_file = of_draft(shop, draft.invoice_id)

    saved = drawn(shop)
    assert everything(shop) == before
    issued = fields(shop.issue(draft))
    assert without(saved, OF_THE_NUMBER) == without(issued, OF_THE_NUMBER)
    assert without(unsaved, OF_THE_NUMBER | OF_THE_SAVED) == without(issued, OF_THE_NUMBER | OF_THE_SAVED)
    assert before_any.name == saved_file.name == "facture-brouillon.pdf"


def test_a_preview_has_no_number_no_rank_and_no_link_of_the_chain(shop: Shop) -> None:
    shop.issue()
    of_draft(shop, shop.draft().invoice_id)

    seen = drawn(shop)
    assert (seen["number"], seen["rank"], seen["issue_date"]) == ("Brouillon", 0, "2026-11-23")
    assert shop.repositories.store.series[shop.caller.tenant_id, Series.INVOICE].last_rank == 1


@pytest.mark.parametrize(
    ("language", "number"),
    [(DocumentLanguage.FRENCH_AND_ENGLISH, "Brouillon / Draft"), (DocumentLanguage.ENGLISH, "Draft")],
)
def test_a_draft_says_so_in_its_languages(shop: Shop, language: DocumentLanguage, number: str) -> None:
    abroad = shop.customer(
        name="Muster GmbH", billing_address=BERLIN, siren=None, siret=None, vat_number="DE811907980", language=language
    )

    of_body(shop, shop.wanted(abroad.customer_id, speaks_as_customer=True))

    assert drawn(shop)["number"] == number


def test_the_same_draft_is_the_same_all_day_long(shop: Shop) -> None:
    draft = shop.draft()
    of_draft(shop, draft.invoice_id)
    morning = drawn(shop)
    shop.clock.advance(timedelta(hours=5))

    of_draft(shop, draft.invoice_id)

    assert drawn(shop) == morning


def _no_lines(shop: Shop) -> DraftInput:
    return replace(shop.wanted(shop.customer().customer_id), lines=())


def _due_in_the_past(shop: Shop) -> DraftInput:
    return shop.wanted(shop.customer().customer_id, due_date=date(2026, 11, 22))


def _without_the_buyers_vat_number(shop: Shop) -> DraftInput:
    buyer = shop.customer(name="Muster GmbH", billing_address=BERLIN, siren=None, siret=None, vat_number=None)
    goods = factories.exempt("VATEX-EU-IC", VatCategory.INTRA_COMMUNITY)
    line = LineInput(description="Pièces", quantity=Decimal(1), unit_price=Decimal(100), vat=goods)
    return shop.wanted(buyer.customer_id, line)


def _unprintable_company(shop: Shop) -> DraftInput:
    store, tenant_id = shop.repositories.store, shop.caller.tenant_id
    company = store.companies[tenant_id]
    described = replace(company.description, bank_name="Banque 😀")
    store.companies[tenant_id] = replace(company, description=described)
    return shop.wanted(shop.customer().customer_id)


@pytest.mark.parametrize(
    "wrong",
    [_no_lines, _due_in_the_past, _without_the_buyers_vat_number, _unprintable_company],
    ids=["no lines", "due in the past", "no VAT number", "unprintable"],
)
def test_what_issue_refuses_a_preview_refuses_by_the_same_fields(
    shop: Shop, wrong: Callable[[Shop], DraftInput]
) -> None:
    wanted = wrong(shop)
    draft = shop.draft(wanted)
    with pytest.raises(FieldErrors) as at_issue:
        shop.issue(draft)

    with pytest.raises(FieldErrors) as of_the_body:
        of_body(shop, wanted)
    with pytest.raises(FieldErrors) as of_the_draft:
        of_draft(shop, draft.invoice_id)

    assert at_issue.value.errors
    assert of_the_body.value.errors == of_the_draft.value.errors == at_issue.value.errors
    assert shop.renderer.marked == []


def test_an_edited_draft_keeps_what_it_came_from(shop: Shop) -> None:
    desk = Desk(shop)
    quote = desk.sent()
    desk.act(quotes.record_quote_answer, quote, quotes.AnswerInput(answer=QuoteAnswer.ACCEPTED, name="Direction"))
    draft = desk.act(quotes.convert_quote, quote)
    customer_id = draft.content.customer_id

    of_body(shop, shop.wanted(customer_id, notes="Merci"), draft.invoice_id)

    seen = drawn(shop)
    assert (seen["quote_id"], seen["notes"], seen["invoice_id"]) == (quote.quote_id, "Merci", draft.invoice_id)
    dearer = LineInput(description="Prestation", quantity=Decimal(1), unit_price=Decimal(101), vat=TAXED)
    with pytest.raises(QuoteAmountsFixed):
        of_body(shop, shop.wanted(customer_id, dearer), draft.invoice_id)


def test_a_product_archived_since_stays_on_the_draft_that_is_edited(shop: Shop) -> None:
    product = shop.product()
    line = LineInput(product_id=product.product_id, quantity=Decimal(1))
    draft = shop.draft(shop.wanted(shop.customer().customer_id, line))
    shop.archive(product.product_id)
    wanted = shop.wanted(draft.content.customer_id, line)

    assert of_body(shop, wanted, draft.invoice_id).content
    with pytest.raises(FieldErrors):
        of_body(shop, wanted)


def test_what_is_edited_is_a_draft_of_this_company(shop: Shop) -> None:
    issued = shop.issue()
    wanted = shop.wanted(issued.document.customer_id)

    with pytest.raises(InvoiceAlreadyIssued):
        of_body(shop, wanted, issued.invoice_id)
    with pytest.raises(InvoiceAlreadyIssued):
        of_draft(shop, issued.invoice_id)
    with pytest.raises(UnknownReference) as unknown:
        of_body(shop, wanted, "inv_of_another")
    assert [error.pointer for error in unknown.value.errors] == ["/invoice_id"]
    with pytest.raises(NotFound):
        of_draft(shop, "inv_of_another")


def test_the_logo_is_the_companys_of_today(shop: Shop) -> None:
    store, tenant_id = shop.repositories.store, shop.caller.tenant_id
    logo = Logo(key=f"{tenant_id}/logos/1", sha256="1" * 64, media_type="image/png", width=10, height=10)
    store.companies[tenant_id] = replace(store.companies[tenant_id], logo=logo)
    shop.documents.put(logo.key, b"picture", media_type="image/png")

    assert of_draft(shop, shop.draft().invoice_id).content.endswith(b"logo picture")


def test_a_quote_is_previewed_as_it_would_be_sent(shop: Shop) -> None:
    desk = Desk(shop)
    quote = desk.draft(valid_until=date(2026, 12, 24))
    wanted = quotes.QuoteInput(draft=shop.wanted(quote.content.customer_id), valid_until=date(2026, 12, 24))
    held = ports(shop, "quotes", "invoices")

    file = previews.preview_quote_draft_pdf(shop.caller, quote.quote_id, **held)
    saved = drawn(shop)
    previews.preview_quote_pdf(shop.caller, wanted, editing=None, **held)
    unsaved = drawn(shop)

    sent = fields(desk.send(quote))
    assert file.name == "devis-brouillon.pdf"
    assert saved["number"] == unsaved["number"] == "Brouillon"
    assert without(saved, OF_THE_NUMBER) == without(sent, OF_THE_NUMBER)
    assert without(unsaved, OF_THE_NUMBER | OF_THE_SAVED) == without(sent, OF_THE_NUMBER | OF_THE_SAVED)
    with pytest.raises(QuoteAlreadySent):
        previews.preview_quote_draft_pdf(shop.caller, quote.quote_id, **held)
    with pytest.raises(QuoteAlreadySent):
        previews.preview_quote_pdf(shop.caller, wanted, editing=quote.quote_id, **held)
    with pytest.raises(UnknownReference) as unknown:
        previews.preview_quote_pdf(shop.caller, wanted, editing="quo_of_another", **held)
    assert [error.pointer for error in unknown.value.errors] == ["/quote_id"]


def test_the_next_version_of_a_quote_says_its_version_and_no_number(shop: Shop) -> None:
    desk = Desk(shop)
    quote = desk.sent()
    revised = desk.act(quotes.revise_quote, quote)
    wanted = quotes.QuoteInput(draft=shop.wanted(quote.content.customer_id))

    previews.preview_quote_pdf(shop.caller, wanted, editing=revised.quote_id, **ports(shop, "quotes", "invoices"))

    assert (drawn(shop)["revision"], drawn(shop)["number"]) == (2, "Brouillon")


def test_a_quote_that_would_not_be_sent_is_refused(shop: Shop) -> None:
    desk = Desk(shop)
    wanted = quotes.QuoteInput(draft=shop.wanted(shop.customer().customer_id), valid_until=date(2026, 11, 22))

    with pytest.raises(FieldErrors) as refused:
        previews.preview_quote_pdf(desk.shop.caller, wanted, editing=None, **ports(shop, "quotes", "invoices"))

    assert [error.pointer for error in refused.value.errors] == ["/valid_until"]


def test_a_credit_note_is_previewed_as_it_would_be_issued(shop: Shop) -> None:
    invoice = shop.issue()
    shop.pay(invoice.invoice_id, 10_000)
    scope = CreditByVat(amounts=(VatCredit(vat=TAXED, net_minor=5_000),))
    wanted = CreditNoteInput(scope=scope, reason="Retour")
    before = everything(shop)

    file = previews.preview_credit_note_pdf(shop.caller, invoice.invoice_id, wanted, **ports(shop, "credit_notes"))

    seen = drawn(shop)
    assert everything(shop) == before
    assert file.name == "avoir-brouillon.pdf"
    issued = fields(credit(shop, invoice.invoice_id, scope))
    assert seen["settlement"] == issued["settlement"]
    assert without(seen, OF_THE_NUMBER | OF_THE_SAVED) == without(issued, OF_THE_NUMBER | OF_THE_SAVED)


def test_at_the_turn_of_the_year_a_preview_has_the_date_of_paris(shop: Shop) -> None:
    shop.clock.set(datetime(2026, 12, 31, 23, 30, tzinfo=UTC))

    of_draft(shop, shop.draft().invoice_id)

    assert drawn(shop)["issue_date"] == "2027-01-01"
