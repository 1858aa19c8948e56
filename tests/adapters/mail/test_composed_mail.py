"""The French of the mail, and that both parts say the same."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from billing.domain.invoice import DocumentType, IssuedInvoice
from billing.domain.ledger import Ledger
from billing.domain.letter import ComposedMail, LetterLink
from billing.domain.mail import compose_invoice_mail
from billing.domain.typography import format_euros
from tests.factories import company, customer, entry, franchise_company, individual_description, issued


class _Text(HTMLParser):
    """What a reader sees; every element must be closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.seen.append(data)


def read(mail: ComposedMail) -> tuple[str, list[str]]:
    parser = _Text()
    parser.feed(mail.html)
    parser.close()
    assert parser.open == []
    return " ".join(" ".join(parser.seen).split()), parser.links


def plain(text: str) -> str:
    return " ".join(text.split())


def test_the_subject_names_document_and_company() -> None:
    assert compose_invoice_mail(issued()).subject == "Facture F2026-00001 – Exemple SARL"


@pytest.mark.parametrize("part", ["text", "html"])
def test_both_parts_say_what_to_pay_when_and_where(part: str) -> None:
    mail = compose_invoice_mail(issued())

    said = plain(mail.text) if part == "text" else read(mail)[0]

    assert "Bonjour Service comptabilité," in said
    assert "ci-joint la facture F2026-00001 du 23 novembre 2026, d'un montant de 4 008,49 € TTC." in said
    assert "4 008,49 €" in said
    assert "23 décembre 2026" in said
    assert "FR14 2004 1010 0505 0001 3M02 606" in said
    assert "EXEMFRPPXXX" in said
    assert "Référence à rappeler" in said
    assert "Cordialement" in said
    assert "Exemple SARL" in said


def test_without_vat_the_amount_is_not_said_to_include_it() -> None:
    said = compose_invoice_mail(issued(seller=franchise_company())).text

    assert "TTC" not in said
    assert "Entreprise Exemple EI" in said


def test_a_business_without_contact_is_greeted_without_a_name() -> None:
    assert compose_invoice_mail(issued(buyer=customer(contact_name=""))).text.startswith("Bonjour,\n")


def test_a_person_is_greeted_by_name() -> None:
    buyer = replace(customer(), description=individual_description(name="Claude Modèle"))

    assert compose_invoice_mail(issued(buyer=buyer)).text.startswith("Bonjour Claude Modèle,\n")


@pytest.mark.parametrize("document_type", DocumentType)
def test_every_type_of_document_has_its_words(document_type: DocumentType) -> None:
    invoice = issued()

    mail = compose_invoice_mail(replace(invoice, document=replace(invoice.document, document_type=document_type)))

    assert mail.subject[0].isupper()
    assert "ci-joint l" in mail.text


def paid(invoice: IssuedInvoice, amount_minor: int) -> IssuedInvoice:
    return invoice.with_entry(entry(amount_minor=amount_minor))


def test_what_was_paid_is_not_asked_for_again() -> None:
    invoice = issued()
    due = invoice.totals.due_minor

    partly = compose_invoice_mail(paid(invoice, 100_000)).text
    wholly = compose_invoice_mail(paid(invoice, due)).text

    assert f"Reste à payer : {format_euros(due - 100_000)}" in partly
    assert "Reste à payer : rien, tout est réglé" in wholly
    assert "IBAN" not in wholly


def test_an_invoice_of_nothing_asks_for_nothing() -> None:
    assert "IBAN" not in compose_invoice_mail(replace(issued(), ledger=Ledger(total_minor=0))).text


def test_without_an_account_no_transfer_is_asked_for() -> None:
    mail = compose_invoice_mail(issued(seller=company(iban=None, bic=None)))

    assert "virement" not in mail.text
    assert "virement" not in mail.html


def test_a_link_is_shown_where_there_is_one() -> None:
    address = "https://app.example/f/1?jeton=a&voir=b"

    mail = compose_invoice_mail(issued(), link=LetterLink(url=address, label="Payer en ligne"))

    assert f"Payer en ligne : {address}" in mail.text
    assert read(mail)[1] == [address]
    assert read(compose_invoice_mail(issued()))[1] == []


def test_markup_in_names_is_only_text() -> None:
    seller = company(legal_name="<script>alert(1)</script> & Fils")
    buyer = customer(contact_name='"><img src=x>')

    mail = compose_invoice_mail(issued(seller=seller, buyer=buyer))

    assert "<script" not in mail.html
    assert "<img" not in mail.html
    assert "<script>alert(1)</script> & Fils" in read(mail)[0]


def test_a_line_break_in_a_name_stays_out_of_the_subject() -> None:
    seller = company(legal_name="Exemple\r\nBcc: autre@modele.example")

    assert "\n" not in compose_invoice_mail(issued(seller=seller)).subject


def test_a_person_is_greeted_at_their_own_address_only() -> None:
    invoice = issued(buyer=customer(contact_name="Claude Modèle", email="Claude@modele.example"))

    own = compose_invoice_mail(invoice, recipient="claude@modele.example").text
    other = compose_invoice_mail(invoice, recipient="compta@modele.example").text

    assert own.startswith("Bonjour Claude Modèle,\n")
    assert other.startswith("Bonjour,\n")
