"""VAT treatments: French rates only, and each line without VAT says why in the words of the law."""

from __future__ import annotations

from decimal import Decimal

import pytest

from billing.domain.vat import EXEMPTIONS, FRANCHISE_TREATMENT, STANDARD_RATES, VatCategory, VatTreatment

# BR-FR-16; mainland, overseas departments, Corsica.
RATES = ["20", "10", "5.5", "2.1", "8.5", "1.75", "1.05", "13", "0.9"]
# VATEX code → category, words the law requires (CGI, as of 2026-11).
EXEMPTION_TABLE = {
    "VATEX-FR-FRANCHISE": ("E", "TVA non applicable, article 293 B du CGI"),
    "VATEX-EU-IC": ("K", "Exonération de TVA, article 262 ter, I du CGI"),
    "VATEX-EU-G": ("G", "Exonération de TVA, article 262, I du CGI"),
    "VATEX-EU-AE": ("AE", "Autoliquidation (article 283-2 du CGI, article 196 de la directive 2006/112/CE)"),
    "VATEX-FR-AE": ("AE", "Autoliquidation, article 283-2 nonies du CGI"),
    "VATEX-EU-O": ("O", "TVA non applicable, article 259, 1° du CGI"),
    "VATEX-EU-79-C": ("E", "Débours, article 267, II-2° du CGI"),
    "VATEX-FR-CGI261-4": ("E", "article 261, 4 du CGI"),
    "VATEX-FR-CGI261-4-1": ("E", "article 261, 4, 1° du CGI"),
    "VATEX-FR-CGI261-4-4": ("E", "article 261, 4, 4° du CGI"),
    "VATEX-FR-CGI261-7": ("E", "article 261, 7"),
    "VATEX-FR-CGI261D-2": ("E", "article 261 D, 2°"),
    "VATEX-FR-CGI261D-4": ("E", "article 261 D, 4°"),
    "VATEX-FR-CGI261C-1": ("E", "article 261 C, 1°"),
    "VATEX-FR-CGI261C-2": ("E", "article 261 C, 2°"),
    "VATEX-EU-F": ("E", "biens d'occasion"),
    "VATEX-EU-I": ("E", "objets d'art"),
    "VATEX-EU-J": ("E", "objets de collection et d'antiquité"),
    "VATEX-EU-D": ("E", "agences de voyages"),
}


@pytest.mark.parametrize("rate", RATES)
def test_a_french_rate_is_taken_however_it_is_written(rate: str) -> None:
    plain = VatTreatment(category=VatCategory.STANDARD, rate=Decimal(rate))
    padded = VatTreatment(category=VatCategory.STANDARD, rate=Decimal(f"{Decimal(rate):.2f}"))

    assert plain == padded
    assert hash(plain) == hash(padded)
    assert plain.wording is None


def test_there_is_no_other_rate() -> None:
    assert sorted(STANDARD_RATES) == sorted({Decimal(rate) for rate in RATES})


@pytest.mark.parametrize("rate", ["0", "19.6", "21", "7", "-20", "NaN"])
def test_a_rate_that_is_not_french_is_refused(rate: str) -> None:
    with pytest.raises(ValueError, match="OSS"):
        VatTreatment(category=VatCategory.STANDARD, rate=Decimal(rate))


def test_every_exemption_of_the_table_is_offered_and_no_other() -> None:
    assert set(EXEMPTIONS) == set(EXEMPTION_TABLE)


@pytest.mark.parametrize("code", EXEMPTION_TABLE)
def test_an_exemption_has_its_category_and_wording(code: str) -> None:
    category, wording = EXEMPTION_TABLE[code]

    treatment = VatTreatment(category=VatCategory(category), rate=Decimal(0), exemption_code=code)

    assert treatment.wording is not None
    assert wording in treatment.wording


@pytest.mark.parametrize(
    ("code", "category"),
    [(code, other) for code, (own, _) in EXEMPTION_TABLE.items() for other in VatCategory if other.value != own],
)
def test_an_exemption_code_serves_no_other_category(code: str, category: VatCategory) -> None:
    with pytest.raises(ValueError, match="exemption"):
        VatTreatment(
            category=category,
            rate=Decimal(20) if category is VatCategory.STANDARD else Decimal(0),
            exemption_code=code,
        )


@pytest.mark.parametrize("category", [item for item in VatCategory if item is not VatCategory.STANDARD])
def test_a_line_without_vat_needs_its_reason_and_the_rate_zero(category: VatCategory) -> None:
    with pytest.raises(ValueError, match="exemption codes"):
        VatTreatment(category=category, rate=Decimal(0))
    with pytest.raises(ValueError, match="exemption codes"):
        VatTreatment(category=category, rate=Decimal(0), exemption_code="VATEX-NONE")
    code = next(code for code, (owner, _) in EXEMPTION_TABLE.items() if owner == category.value)
    with pytest.raises(ValueError, match="rate 0"):
        VatTreatment(category=category, rate=Decimal(20), exemption_code=code)


def test_medical_and_training_have_their_words_and_share_the_official_code() -> None:
    finer = {code: exemption.vatex for code, exemption in EXEMPTIONS.items() if exemption.vatex != code}

    assert finer == {"VATEX-FR-CGI261-4-1": "VATEX-FR-CGI261-4", "VATEX-FR-CGI261-4-4": "VATEX-FR-CGI261-4"}


def test_the_franchise_names_its_article() -> None:
    assert FRANCHISE_TREATMENT.wording == "TVA non applicable, article 293 B du CGI"
