"""How documents speak: languages side by side, and amounts as their readers write them."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest

from billing.adapters.facturx.embedding import factur_x
from billing.adapters.pdf import wording
from billing.adapters.pdf.renderer import PdfDocumentRenderer
from billing.domain.canonical import canonical_json
from billing.domain.currency import CURRENCIES, ExchangeRate
from billing.domain.errors import FieldErrors
from billing.domain.invoice import IssuedInvoice
from billing.domain.mail import compose_invoice_mail
from billing.domain.particulars import Particulars
from billing.domain.parties import Address
from billing.domain.tongue import ENGLISH, DocumentLanguage, Tongue
from billing.domain.units import UNITS
from billing.domain.vat import EXEMPTIONS, VatTreatment
from tests import factories
from tests.adapters.pdf.reading import plain, words
from tests.factories import issued, priced

FRENCH, BOTH, ENGLISH_ONLY = DocumentLanguage.FRENCH, DocumentLanguage.FRENCH_AND_ENGLISH, DocumentLanguage.ENGLISH
DOLLARS = ExchangeRate(currency="USD", rate=Decimal("1.0823"), on=date(2026, 11, 20), source="BCE")
ABROAD = Address(line1="1 Sample Street", postal_code="10001", city="New York", country_code="US")


def speaking(language: DocumentLanguage, exchange: ExchangeRate | None = None, *, abroad: bool = True) -> IssuedInvoice:
    described = factories.customer_description(billing_address=ABROAD) if abroad else factories.customer_description()
    return issued(
        buyer=factories.customer(description=described),
        lines=(priced("100"),),
        particulars=Particulars(language=language, exchange=exchange),
    )


@pytest.mark.parametrize(
    ("language", "currency", "money", "label"),
    [
        (FRENCH, "EUR", "1\u202f234,50\u00a0€", "Net à payer"),
        (BOTH, "EUR", "1\u202f234,50\u00a0€", "Net à payer / Amount due"),
        (ENGLISH_ONLY, "EUR", "€1,234.50", "Amount due"),
        (FRENCH, "USD", "1\u202f234,50\u00a0USD", "Net à payer"),
        (ENGLISH_ONLY, "CHF", "CHF\u00a01,234.50", "Amount due"),
    ],
)
def test_amounts_and_labels_follow_the_document(
    language: DocumentLanguage, currency: str, money: str, label: str
) -> None:
    tongue = Tongue(language=language, currency=currency)

    assert (tongue.money(123_450), tongue.say("Net à payer")) == (money, label)


def test_numbers_rates_and_dates_are_written_as_their_readers_do() -> None:
    english = Tongue(language=ENGLISH_ONLY)

    assert (english.money(-5), english.percent(Decimal("5.5"))) == ("−€0.05", "5.5%")
    assert english.number(Decimal("1234.5")) == "1,234.5"
    assert english.short_date(date(2026, 12, 1)) == "1\u00a0Dec\u00a02026"
    assert english.long_date(date(2026, 12, 1)) == "1\u00a0December\u00a02026"


def test_every_exemption_and_every_unit_of_words_reads_in_english() -> None:
    for code, exemption in EXEMPTIONS.items():
        vat = VatTreatment(category=exemption.category, rate=Decimal(0), exemption_code=code)
        assert vat.english_wording
        assert not any(word in vat.english_wording for word in ("Exonération", "article 261", "Régime", "du CGI"))
    symbols = {"kg", "g", "m", "cm", "m²", "m³", "km", "kWh", "%", "minute"}
    assert set(UNITS.values()) - symbols <= set(ENGLISH)


def test_a_bilingual_document_says_each_mention_twice_and_an_english_one_in_english_alone() -> None:
    french, both, english = (wording.printed_mentions(speaking(one).document) for one in (FRENCH, BOTH, ENGLISH_ONLY))

    assert len(both) == 2 * len(french) == 2 * len(english)
    assert both[::2] == french
    assert both[1::2] == english
    assert "Discount for early payment: none" in english


def test_what_french_documents_froze_stays_their_text() -> None:
    text = canonical_json(speaking(FRENCH).document)

    assert not any(name in text for name in ("english", "language", "exchange", "vat_euros"))


def test_a_customer_in_france_is_written_to_in_french() -> None:
    with pytest.raises(FieldErrors) as refused:
        speaking(ENGLISH_ONLY, abroad=False)

    assert [error.pointer for error in refused.value.errors] == ["/language"]
    assert speaking(BOTH, abroad=False).document.particulars.language is BOTH


def test_a_foreign_currency_freezes_the_vat_in_euros() -> None:
    document = speaking(ENGLISH_ONLY, DOLLARS).document

    # CGI annex II art. 242 nonies A; BR-53: 20.00 USD of VAT at 1.0823 USD for one euro.
    assert (document.currency, document.totals.vat_minor, document.vat_euros_minor) == ("USD", 2_000, 1_848)
    assert wording.exchange_lines(document) == [
        "VAT in euros: €18.48 (€1.00 = 1.0823\u00a0USD, BCE, 20\u00a0Nov\u00a02026)"
    ]
    assert wording.exchange_lines(speaking(FRENCH).document) == []


@pytest.mark.parametrize(
    ("amount_minor", "rate", "euros_minor"),
    [(1, "2", 1), (-1, "2", -1), (3, "2", 2), (100, "3", 33), (200, "3", 67), (0, "1.5", 0)],
)
def test_euros_are_rounded_half_away_from_zero(amount_minor: int, rate: str, euros_minor: int) -> None:
    exchange = ExchangeRate(currency="USD", rate=Decimal(rate), on=date(2026, 1, 1), source="BCE")

    assert exchange.in_euros(amount_minor) == euros_minor


@pytest.mark.parametrize(
    ("currency", "rate"), [("EUR", "1"), ("JPY", "160"), ("XXX", "1"), ("USD", "0"), ("USD", "-1")]
)
def test_an_impossible_exchange_cannot_be_built(currency: str, rate: str) -> None:
    with pytest.raises(ValueError, match=r"currency|rate"):
        ExchangeRate(currency=currency, rate=Decimal(rate), on=date(2026, 1, 1), source="BCE")
    assert "EUR" not in CURRENCIES


def test_the_mail_speaks_as_the_document_does() -> None:
    english = compose_invoice_mail(speaking(ENGLISH_ONLY, DOLLARS))
    both = compose_invoice_mail(speaking(BOTH))

    assert english.subject.startswith("Invoice F2026-00001")
    assert "for USD\u00a0120.00 including VAT." in english.text
    assert "Amount to pay: USD\u00a0120.00" in english.text
    assert '<html lang="en">' in english.html
    assert not any(word in english.text for word in ("Bonjour", "Veuillez", "Échéance", "Cordialement", "€"))
    assert both.subject.startswith("Facture / Invoice F2026-00001")
    assert "Veuillez trouver ci-joint la facture" in both.text
    assert "Please find attached the invoice" in both.text


def test_an_english_pdf_has_no_french_label_left() -> None:
    text = words(PdfDocumentRenderer(factur_x).render(speaking(ENGLISH_ONLY, DOLLARS), logo=None))

    names = {"Banque"}  # the bank of the sample company is called so
    french = [label for label, english in ENGLISH.items() if label != english and len(label) > 4 and label not in names]
    assert [label for label in french if re.search(rf"\b{re.escape(label)}\b", text)] == []
    assert "Amount due USD 120.00" in text


def test_a_bilingual_pdf_says_both() -> None:
    text = words(PdfDocumentRenderer(factur_x).render(speaking(BOTH), logo=None))

    for label in (
        "Facture Invoice F2026-00001",
        "Total TTC / Total incl. VAT",
        "Échéance / Due date",
        "Désignation Description",
    ):
        assert plain(label) in text
