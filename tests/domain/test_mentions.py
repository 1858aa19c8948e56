"""What a document must say, by kind of seller, buyer and trade."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain.mentions import Mention, NoteCode, mentions_for
from billing.domain.parties import LegalForm, ProductKind
from billing.domain.totals import compute_totals
from billing.domain.vat import EXEMPTIONS, FRANCHISE_TREATMENT, VatRegime, VatTreatment
from tests import factories
from tests.factories import VAT_5_5, VAT_20, priced

PENALTIES = "Pénalités de retard : 12,15 % l'an sur le TTC, exigibles sans rappel dès le lendemain de l'échéance"
FEE = "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €"
NO_DISCOUNT = "Escompte pour paiement anticipé : néant"


def _mentions(*treatments: VatTreatment, consumer: bool = False, **seller: Any) -> tuple[Mention, ...]:
    buyer = factories.individual_description() if consumer else factories.customer_description()
    totals = compute_totals(tuple(priced(vat=treatment) for treatment in treatments or (VAT_20,)))
    return mentions_for(factories.company_description(**seller), buyer, totals)


def _texts(mentions: tuple[Mention, ...], code: NoteCode) -> list[str]:
    return [mention.text for mention in mentions if mention.code is code]


def test_a_taxed_invoice_to_a_business_says_what_was_sold_and_carries_the_three_notes() -> None:
    # Décret 2022-1299; Code de commerce L441-9, L441-10, D441-5; BR-FR-05.
    assert _mentions(VAT_20, VAT_5_5) == (
        Mention(code=NoteCode.GENERAL, text="Nature des opérations : prestation de services"),
        Mention(code=NoteCode.PENALTIES, text=PENALTIES),
        Mention(code=NoteCode.COLLECTION_FEE, text=FEE),
        Mention(code=NoteCode.EARLY_PAYMENT, text=NO_DISCOUNT),
    )


@pytest.mark.parametrize("consumer", [True, False])
@pytest.mark.parametrize("debits", [True, False])
def test_the_three_notes_stand_once_each_on_every_document(consumer: bool, debits: bool) -> None:
    codes = [mention.code.value for mention in _mentions(consumer=consumer, vat_on_debits=debits)]

    assert [codes.count(code) for code in ("PMD", "PMT", "AAB")] == [1, 1, 1]  # BR-FR-06


def test_the_collection_fee_is_reserved_to_professionals_on_a_consumers_invoice() -> None:
    assert _texts(_mentions(consumer=True), NoteCode.COLLECTION_FEE) == [f"{FEE} (réservée aux clients professionnels)"]


def test_the_franchise_is_said_once_whatever_the_lines() -> None:
    mentions = _mentions(FRANCHISE_TREATMENT, FRANCHISE_TREATMENT, vat_regime=VatRegime.FRANCHISE)

    assert _texts(mentions, NoteCode.EXEMPTION) == ["TVA non applicable, article 293 B du CGI"]


@pytest.mark.parametrize("code", EXEMPTIONS)
def test_every_reason_without_vat_is_said_in_its_words(code: str) -> None:
    exemption = EXEMPTIONS[code]
    treatment = VatTreatment(category=exemption.category, rate=Decimal(0), exemption_code=code)

    assert _texts(_mentions(VAT_20, treatment), NoteCode.EXEMPTION) == [exemption.wording]


def test_two_reasons_are_both_said() -> None:
    reasons = [
        VatTreatment(category=EXEMPTIONS[code].category, rate=Decimal(0), exemption_code=code)
        for code in ("VATEX-EU-79-C", "VATEX-EU-G")
    ]

    assert set(_texts(_mentions(*reasons), NoteCode.EXEMPTION)) == {reason.wording for reason in reasons}


def test_the_option_for_debits_is_a_general_note() -> None:
    # Décret 2022-1299; TXD has another legal use, so AAI.
    assert "Option pour le paiement de la taxe d'après les débits" in _texts(
        _mentions(vat_on_debits=True), NoteCode.GENERAL
    )


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        (("goods",), "livraison de biens"),
        (("service", "service"), "prestation de services"),
        (("goods", "service"), "livraison de biens et prestation de services"),
    ],
)
def test_what_was_sold_is_goods_services_or_both(kinds: tuple[str, ...], said: str) -> None:
    totals = compute_totals(tuple(factories.line(kind=ProductKind(kind)) for kind in kinds))

    mentions = mentions_for(factories.company_description(), factories.customer_description(), totals)

    assert mentions[0].text == f"Nature des opérations : {said}"


def test_the_companys_own_rate_and_discount_are_printed_in_french() -> None:
    mentions = _mentions(late_penalty_rate=Decimal("15.50"), early_payment_discount="2 % sous 8 jours")

    assert _texts(mentions, NoteCode.PENALTIES)[0].startswith("Pénalités de retard : 15,5 % l'an")
    assert _texts(mentions, NoteCode.EARLY_PAYMENT) == ["Escompte pour paiement anticipé : 2 % sous 8 jours"]


@pytest.mark.parametrize("form", list(LegalForm))
def test_a_sole_trader_alone_carries_ei_beside_the_name(form: LegalForm) -> None:
    seller = factories.company_description(legal_name="Entreprise Exemple", legal_form=form)

    # Code de commerce R526-27.
    assert seller.display_name == ("Entreprise Exemple EI" if form is LegalForm.SOLE_TRADER else "Entreprise Exemple")


def test_sole_traders_and_associations_have_no_share_capital() -> None:
    without = {form.value for form in LegalForm if not form.has_share_capital}

    assert without == {"EI", "ASSOCIATION"}
