"""SIREN, SIRET, VAT numbers, IBAN and BIC: check digits and forms, from their own sources."""

from __future__ import annotations

import pytest

from billing.domain.identifiers import french_vat_number, is_bic, is_iban, is_siren, is_siret, is_vat_number
from tests import factories

SIRENS = [
    pytest.param("732829320", True, id="insee-textbook-example"),
    pytest.param("356000000", True, id="la-poste"),
    pytest.param(factories.SELLER_SIREN, True, id="invented"),
    pytest.param("732829321", False, id="wrong-check-digit"),
    pytest.param("723829320", False, id="two-digits-swapped"),
    pytest.param("000000000", False, id="zeros-pass-luhn-but-name-nobody"),
    pytest.param("73282932", False, id="eight-digits"),
    pytest.param("7328293200", False, id="ten-digits"),
    pytest.param("732 829 320", False, id="spaces"),
    pytest.param("٧٣٢٨٢٩٣٢٠", False, id="arabic-digits"),
    pytest.param("732829320\n", False, id="line-end"),
    pytest.param("", False, id="empty"),
]
SIRETS = [
    pytest.param("73282932000074", True, id="insee-textbook-example"),
    pytest.param(factories.SELLER_SIRET, True, id="invented"),
    pytest.param("35600000000048", True, id="la-poste-head-office-by-luhn"),
    pytest.param("35600000012344", False, id="la-poste-neither-rule"),
    pytest.param("35600000012345", False, id="la-poste-sum-29"),
    pytest.param("35600000012346", True, id="la-poste-sum-30-multiple-of-5"),
    pytest.param("73282932000075", False, id="wrong-check-digit"),
    pytest.param("73282932100073", False, id="wrong-siren"),
    pytest.param("7328293200007", False, id="thirteen-digits"),
    pytest.param("00000000000000", False, id="zeros"),
]
VAT_NUMBERS = [
    pytest.param("FR44732829320", True, id="france-key-of-siren"),
    pytest.param("FR43732829320", False, id="france-wrong-key"),
    pytest.param("FR44732829321", False, id="france-wrong-siren"),
    pytest.param("FRK7399859412", False, id="france-letters-are-not-issued-to-companies"),
    pytest.param("fr44732829320", False, id="lower-case"),
    pytest.param("FR53000004605", True, id="monaco-000-is-no-siren"),
    pytest.param("FR12000000000", False, id="zeros-with-their-right-key"),
    pytest.param("DE136695976", True, id="germany"),
    pytest.param("DE13669597", False, id="germany-short"),
    pytest.param("BE0428759497", True, id="belgium"),
    pytest.param("EL094259216", True, id="greece-is-EL"),
    pytest.param("GR094259216", False, id="greece-is-not-GR"),
    pytest.param("IE6433435F", True, id="ireland"),
    pytest.param("NL004495445B01", True, id="netherlands"),
    pytest.param("ATU13585627", True, id="austria"),
    pytest.param("XI123456789", True, id="northern-ireland"),
    pytest.param("GB980780684", False, id="great-britain-left"),
    pytest.param("US123456789", False, id="not-european"),
    pytest.param("DE13669597６", False, id="full-width-digit"),
    pytest.param("", False, id="empty"),
]
IBANS = [
    pytest.param("FR1420041010050500013M02606", True, id="iso-13616-example-france"),
    pytest.param("FR7630006000011234567890189", True, id="swift-registry-example"),
    pytest.param("BE68539007547034", True, id="swift-registry-example-belgium"),
    pytest.param("MT84MALT011000012345MTLCAST001S", True, id="swift-registry-example-malta"),
    pytest.param("FR1420041010050500013M02607", False, id="wrong-check-digits"),
    pytest.param("FR7630006000011234567890198", False, id="two-digits-swapped"),
    pytest.param("FR763000600001123456789018", False, id="too-short"),
    pytest.param("BE685390075470341", False, id="too-long"),
    pytest.param("FR14 2004 1010 0505 0001 3M02 606", False, id="spaces"),
    pytest.param("fr1420041010050500013m02606", False, id="lower-case"),
    pytest.param("US1420041010050500013M02606", False, id="no-iban-country"),
]
BICS = [
    pytest.param("AGRIFRPP", True, id="eight"),
    pytest.param("AGRIFRPP882", True, id="eleven"),
    pytest.param("AGRIFRPP88", False, id="ten"),
    pytest.param("AGR1FRPP", False, id="digit-in-the-institution"),
    pytest.param("agrifrpp", False, id="lower-case"),
]


@pytest.mark.parametrize(("text", "right"), SIRENS)
def test_siren_is_nine_digits_by_luhn(text: str, right: bool) -> None:
    assert is_siren(text) is right


@pytest.mark.parametrize(("text", "right"), SIRETS)
def test_siret_is_a_siren_and_five_digits_by_luhn_or_la_postes_rule(text: str, right: bool) -> None:
    assert is_siret(text) is right


@pytest.mark.parametrize(("text", "right"), VAT_NUMBERS)
def test_vat_number_has_its_countrys_form_and_in_france_its_key(text: str, right: bool) -> None:
    assert is_vat_number(text) is right


def test_the_vat_key_is_written_with_two_digits() -> None:
    numbers = [french_vat_number(siren) for siren in ("732829320", factories.SELLER_SIREN, factories.BUYER_SIREN)]

    assert numbers[0] == "FR44732829320"
    assert all(len(number) == 13 and is_vat_number(number) for number in numbers)


@pytest.mark.parametrize(("text", "right"), IBANS)
def test_iban_has_its_countrys_length_and_check_digits(text: str, right: bool) -> None:
    assert is_iban(text) is right


def test_iban_check_digits_lie_between_02_and_98() -> None:
    # 97 apart leaves the same remainder: only one of each pair is what ISO 13616 computes.
    account = "20041010050500013M02606"
    accepted = [digits for digits in range(100) if is_iban(f"FR{digits:02d}{account}")]
    low = next(n for n in range(100_000) if is_iban(f"FR02{n:05d}{account[5:]}"))

    assert accepted == [14]
    assert not is_iban(f"FR99{low:05d}{account[5:]}")


@pytest.mark.parametrize(("text", "right"), BICS)
def test_bic_has_eight_or_eleven_characters(text: str, right: bool) -> None:
    assert is_bic(text) is right
