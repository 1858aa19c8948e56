"""What documents are called, alone and within a mail, by what they bill."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.credit_notes import CreditInFull
from billing.domain.document_names import name_of
from billing.domain.invoice import IssuedInvoice
from billing.domain.mail import compose_invoice_mail
from billing.domain.tongue import DocumentLanguage, Tongue
from tests.documents import QUOTES, SAMPLES, credit_of

FRENCH, ENGLISH = Tongue(), Tongue(language=DocumentLanguage.ENGLISH)
BOTH = Tongue(language=DocumentLanguage.FRENCH_AND_ENGLISH)


def older(invoice: IssuedInvoice) -> IssuedInvoice:
    return replace(invoice, document=replace(invoice.document, template_version="classic-2"))


@pytest.mark.parametrize(
    ("sample", "french", "english"),
    [
        ("one-service", "Facture", "Invoice"),
        ("situation", "Facture de situation n° 2", "Progress invoice no. 2"),
        ("situation-of-the-whole", "Facture de situation n° 1", "Progress invoice no. 1"),
        ("final-after-deposits", "Facture de solde", "Final invoice"),
        ("final-after-situations", "Facture de solde", "Final invoice"),
        ("deposit", "Facture d'acompte", "Deposit invoice"),
        ("credit-note-on-a-deposit", "Avoir sur acompte", "Credit note on a deposit"),
        ("credit-note-in-full", "Avoir", "Credit note"),
        ("corrective", "Facture rectificative", "Corrective invoice"),
    ],
)
def test_a_document_is_called_by_what_it_bills(sample: str, french: str, english: str) -> None:
    named = name_of(SAMPLES[sample]().document)

    assert (named.titles(FRENCH), named.titles(ENGLISH), named.titles(BOTH)) == ([french], [english], [french, english])


def test_a_quote_is_one_and_the_credit_of_a_situation_is_a_credit_note() -> None:
    assert name_of(QUOTES["quote"]().frozen).titles(BOTH) == ["Devis", "Quote"]
    assert name_of(credit_of(SAMPLES["situation"](), CreditInFull()).document).titles(FRENCH) == ["Avoir"]


@pytest.mark.parametrize("sample", ["situation", "final-after-deposits"])
def test_a_document_of_an_older_template_keeps_its_name(sample: str) -> None:
    assert name_of(older(SAMPLES[sample]()).document).titles(FRENCH) == ["Facture"]


def test_a_mail_names_the_document_as_its_title_does() -> None:
    final, situation = (compose_invoice_mail(SAMPLES[name]()) for name in ("final-after-deposits", "situation"))

    assert final.subject.startswith("Facture de solde F2026-00001 – ")
    assert "ci-joint la facture de solde F2026-00001 du" in final.text
    assert situation.subject.startswith("Facture de situation n° 2, F2026-00001 – ")
    assert "ci-joint la facture de situation n° 2, F2026-00001 du" in situation.text


def test_a_mail_in_two_languages_names_it_in_both() -> None:
    said = compose_invoice_mail(SAMPLES["situation-in-two-languages"]())

    assert said.subject.startswith("Facture de situation n° 2 / Progress invoice no. 2, F2026-00001 – ")
    assert "the progress invoice no. 2, F2026-00001 of" in said.text
