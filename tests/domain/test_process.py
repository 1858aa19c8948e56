"""BT-23, BT-8 and the note BAR: what each kind of document says of itself, frozen at issue."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.canonical import canonical_json
from billing.domain.errors import FieldErrors
from billing.domain.invoice import DocumentType, IssuedInvoice, PrecedingDocument
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.mentions import NoteCode
from billing.domain.parties import Address, ProductKind
from billing.domain.process import Contracting, PaidAtIssue
from billing.domain.trades import (
    CERTIFIED_RENOVATION,
    SIGNED_COPIES,
    Insurance,
    Mediator,
    Trade,
    TradeProfile,
    quote_mentions,
)
from billing.domain.vat import FRANCHISE_TREATMENT, VatCategory, VatRegime, VatTreatment
from tests import factories
from tests.documents import QUOTES, SAMPLES
from tests.factories import VAT_5_5, VAT_20, issued, priced

GOODS, SERVICE = ProductKind.GOODS, ProductKind.SERVICE
VAT_10 = VatTreatment(category=VatCategory.STANDARD, rate=Decimal(10))
PAID = PaidAtIssue(paid_on=date(2026, 11, 20), method=PaymentMethod.CARD)
DEPOSIT = (PrecedingDocument(invoice_id="inv_1", number="F2026-00001", issue_date=date(2026, 10, 1)),)


def bill(
    *kinds: ProductKind, seller: dict[str, Any] | None = None, vat: VatTreatment = VAT_20, **written: Any
) -> IssuedInvoice:
    return issued(
        seller=factories.company(description=factories.company_description(**seller or {})),
        lines=tuple(priced(kind=kind, vat=vat) for kind in kinds),
        **written,
    )


@pytest.mark.parametrize(
    ("kinds", "written", "code"),
    [
        ([GOODS], {}, "B1"),
        ([SERVICE], {}, "S1"),
        ([GOODS, SERVICE], {}, "M1"),
        ([GOODS], {"paid": PAID}, "B2"),
        ([SERVICE], {"paid": PAID}, "S2"),
        ([SERVICE, GOODS], {"paid": PAID}, "M2"),
        ([GOODS], {"preceding": DEPOSIT}, "B4"),
        ([SERVICE], {"preceding": DEPOSIT}, "S4"),
        ([GOODS, SERVICE], {"preceding": DEPOSIT}, "M4"),
        ([SERVICE], {"contracting": Contracting.SUBCONTRACTOR}, "S5"),
        ([SERVICE], {"contracting": Contracting.CO_CONTRACTOR}, "S6"),
        ([SERVICE], {"document_type": DocumentType.DEPOSIT}, "S1"),
        ([SERVICE], {"document_type": DocumentType.CORRECTIVE, "preceding": DEPOSIT}, "S1"),
        ([SERVICE], {"document_type": DocumentType.CREDIT_NOTE, "preceding": DEPOSIT}, "S1"),
    ],
)
def test_the_process_code_says_what_is_billed_and_how(
    kinds: list[ProductKind], written: dict[str, Any], code: str
) -> None:
    assert bill(*kinds, **written).document.codes.process == code


@pytest.mark.parametrize(
    ("kinds", "debits", "vat", "written", "code"),
    [
        ([SERVICE], False, VAT_20, {}, "72"),
        ([SERVICE], True, VAT_20, {}, "5"),
        ([GOODS], False, VAT_20, {}, ""),
        ([GOODS], True, VAT_20, {}, ""),
        ([GOODS, SERVICE], False, VAT_20, {}, ""),
        ([GOODS, SERVICE], True, VAT_20, {}, "5"),
        ([GOODS], False, VAT_20, {"document_type": DocumentType.DEPOSIT}, "72"),
        ([SERVICE], True, VAT_20, {"document_type": DocumentType.DEPOSIT}, "72"),
    ],
)
def test_when_vat_falls_due_is_one_code_for_all_groups(
    kinds: list[ProductKind], debits: bool, vat: VatTreatment, written: dict[str, Any], code: str
) -> None:
    assert bill(*kinds, seller={"vat_on_debits": debits}, vat=vat, **written).document.codes.vat_due == code


def test_without_vat_nothing_falls_due() -> None:
    franchise = {"vat_regime": VatRegime.FRANCHISE, "vat_number": None}

    assert bill(SERVICE, seller=franchise, vat=FRANCHISE_TREATMENT).document.codes.vat_due == ""


@pytest.mark.parametrize(
    ("described", "country", "code"),
    [
        (factories.customer_description, "FR", "B2B"),
        (factories.customer_description, "BE", "B2BINT"),
        (factories.customer_description, "RE", "B2B"),
        (factories.customer_description, "MC", "B2BINT"),
        (factories.individual_description, "FR", "B2C"),
        (factories.individual_description, "CH", "B2CINT"),
    ],
)
def test_the_billing_note_says_to_whom(described: Any, country: str, code: str) -> None:
    address = Address(line1="1 rue Exemple", postal_code="75001", city="Exemple", country_code=country)
    buyer = factories.customer(description=described(billing_address=address))

    assert issued(buyer=buyer).document.codes.billing == code


def test_no_platform_is_told_to_bring_it_to_a_company_without_a_number() -> None:
    unknown = factories.customer(siren=None, siret=None, vat_number=None)

    assert issued(buyer=unknown).document.codes.billing == "ARCHIVEONLY"


def test_a_document_paid_before_its_issue_owes_nothing_and_says_when() -> None:
    invoice = bill(SERVICE, paid=PAID, due_date=date(2027, 1, 1))

    document = invoice.document
    assert (document.totals.prepaid_minor, document.totals.due_minor) == (12_000, 0)
    assert (document.due_date, document.payment_terms) == (PAID.paid_on, None)
    assert (document.owed_minor, invoice.ledger.total_minor) == (12_000, 12_000)
    assert invoice.ledger.status is InvoiceStatus.ISSUED  # until its first entry, written with it


@pytest.mark.parametrize(
    ("kinds", "written", "pointers"),
    [
        ([SERVICE], {"paid": PAID, "preceding": DEPOSIT}, ["/paid"]),
        ([SERVICE, GOODS], {"contracting": Contracting.SUBCONTRACTOR}, ["/lines/1/kind"]),
    ],
)
def test_processes_that_exclude_each_other_are_refused(
    kinds: list[ProductKind], written: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(FieldErrors) as refused:
        bill(*kinds, **written)

    assert [error.pointer for error in refused.value.errors] == pointers


def test_a_document_of_before_has_no_codes_and_keeps_its_text() -> None:
    text = canonical_json(factories.content())

    assert not any(name in text for name in ("codes", "paid", "contracting", "particulars", "trade"))


# Mentions by trade

INSURANCE = Insurance(insurer="Assureur Exemple", contact="1 rue Exemple, Paris", territory="France", policy="42")
MEDIATOR = Mediator(name="Médiateur Exemple", address="2 rue Exemple, Paris", website="mediateur.exemple")
BUILDER = TradeProfile(trades=(Trade.BUILDING,), insurance=INSURANCE, mediator=MEDIATOR, waste_statement="Bennes")


def general(invoice: IssuedInvoice) -> list[str]:
    return [mention.text for mention in invoice.document.mentions if mention.code is NoteCode.GENERAL]


def test_a_builder_states_the_ten_year_insurance() -> None:
    assert (
        "Assurance décennale : Assureur Exemple, 1 rue Exemple, Paris, contrat n° 42. Couverture géographique : France"
        in general(bill(SERVICE, seller={"trade": BUILDER}))
    )


@pytest.mark.parametrize(("vat", "article"), [(VAT_10, "279-0 bis du CGI"), (VAT_5_5, "278-0 bis A du CGI")])
def test_renovation_at_a_reduced_rate_is_certified_by_the_customer(vat: VatTreatment, article: str) -> None:
    said = general(bill(SERVICE, seller={"trade": BUILDER}, vat=vat))

    assert [article in text for text in said if text.startswith("Le client certifie")] == [True]
    assert "Certifié exact, date et signature du client :" in said
    assert not [text for text in general(bill(SERVICE, vat=vat)) if "certifie" in text]


def test_what_the_customer_signs_is_frozen_with_the_document_whoever_the_customer_is() -> None:
    consumer = factories.customer(description=factories.individual_description())
    signed = [
        [mention.to_sign for mention in bill(SERVICE, vat=VAT_10, **to).document.mentions if mention.to_sign]
        for to in ({"seller": {"trade": BUILDER}}, {"seller": {"trade": BUILDER}, "buyer": consumer})
    ]

    assert signed == [[CERTIFIED_RENOVATION, SIGNED_COPIES]] * 2


def test_the_mediator_is_named_to_consumers_only() -> None:
    consumer = factories.customer(description=factories.individual_description())
    named = "Médiateur de la consommation : Médiateur Exemple, 2 rue Exemple, Paris, mediateur.exemple"

    assert named in general(bill(SERVICE, seller={"trade": BUILDER}, buyer=consumer))
    assert named not in general(bill(SERVICE, seller={"trade": BUILDER}))


def test_a_consumer_is_threatened_with_neither_penalty_nor_fee() -> None:
    consumer = factories.customer(description=factories.individual_description())
    said = {mention.code: mention.text for mention in issued(buyer=consumer).document.mentions}

    assert said[NoteCode.PENALTIES].endswith("(réservées aux clients professionnels)")
    assert said[NoteCode.COLLECTION_FEE].endswith("(réservée aux clients professionnels)")


def test_quotes_say_what_invoices_do_not() -> None:
    profile = TradeProfile(trades=(Trade.BUILDING,), waste_statement="Bennes", withdrawal_terms="14 jours")

    assert quote_mentions(profile, to_consumer=True) == ("Gestion des déchets : Bennes", "14 jours")
    assert quote_mentions(profile, to_consumer=False) == ("Gestion des déchets : Bennes",)
    assert quote_mentions(TradeProfile(waste_statement="Bennes"), to_consumer=False) == ()


def test_a_quote_as_it_is_sent_says_them() -> None:
    texts = [mention.text for mention in QUOTES["quote-of-renovation"]().frozen.mentions]

    assert any(text.startswith("Gestion des déchets : évacuation") for text in texts)
    assert any("quatorze jours pour se rétracter" in text for text in texts)
    assert not any("Gestion des déchets" in text for text in general(SAMPLES["renovation-at-two-rates"]()))
