"""Every VAT case of the law: its codes and wording, what it asks of the parties, and what looks odd in it.

Sources: EN 16931 code lists (BR-CL-22), rules BR-E, BR-AE, BR-IC, BR-G, BR-O; CGI; BR-FR-16 for the rates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from billing.domain.errors import FieldErrors
from billing.domain.invoice import IssuedInvoice, document_warnings
from billing.domain.mentions import NoteCode
from billing.domain.parties import Address, ProductKind
from billing.domain.territories import Territory, is_of_another_member_state, territory_of
from billing.domain.trades import TradeProfile
from billing.domain.vat import EXEMPTIONS, FRANCHISE_TREATMENT, VatCategory, VatRegime, VatTreatment
from tests import factories
from tests.factories import VAT_20, issued, priced

BELGIAN = {
    "billing_address": Address(line1="1 rue Exemple", postal_code="1000", city="Bruxelles", country_code="BE"),
    "vat_number": "BE0123456749",
    "siren": None,
    "siret": None,
}
SWISS = {
    "billing_address": Address(line1="1 rue Exemple", postal_code="1200", city="Genève", country_code="CH"),
    "vat_number": None,
    "siren": None,
    "siret": None,
}
GOODS, SERVICE = ProductKind.GOODS, ProductKind.SERVICE


def untaxed(code: str) -> VatTreatment:
    return VatTreatment(category=EXEMPTIONS[code].category, rate=Decimal(0), exemption_code=code)


def bill(
    *treatments: VatTreatment, kind: ProductKind = SERVICE, buyer: dict[str, Any] | None = None, **seller: Any
) -> IssuedInvoice:
    lines = tuple(priced(vat=vat, kind=kind) for vat in treatments)
    described = factories.company_description(late_penalty_rate=Decimal(15), **seller)
    return issued(
        seller=factories.company(description=described),
        buyer=factories.customer(description=factories.customer_description(**buyer or {})),
        lines=lines,
    )


def doubts(invoice: IssuedInvoice) -> list[str]:
    return [notice.code.value for notice in document_warnings(invoice.document)]


CASES = [
    # id, code, category, wording; then who buys what
    ("goods-to-an-eu-business", "VATEX-EU-IC", "K", "Exonération de TVA, article 262 ter, I du CGI"),
    ("export-of-goods", "VATEX-EU-G", "G", "Exonération de TVA, article 262, I du CGI"),
    (
        "services-to-an-eu-business",
        "VATEX-EU-AE",
        "AE",
        "Autoliquidation (article 283-2 du CGI, article 196 de la directive 2006/112/CE)",
    ),
    ("construction-subcontracting", "VATEX-FR-AE", "AE", "Autoliquidation, article 283-2 nonies du CGI"),
    ("services-outside-the-eu", "VATEX-EU-O", "O", "TVA non applicable, article 259, 1° du CGI"),
    ("disbursements", "VATEX-EU-79-C", "E", "Débours, article 267, II-2° du CGI"),
    ("medical", "VATEX-FR-CGI261-4-1", "E", "Exonération, article 261, 4, 1° du CGI"),
    ("training", "VATEX-FR-CGI261-4-4", "E", "Exonération, article 261, 4, 4° du CGI"),
    ("associations", "VATEX-FR-CGI261-7", "E", "Exonération, article 261, 7 du CGI"),
    ("bare-rent", "VATEX-FR-CGI261D-2", "E", "Exonération, article 261 D, 2° du CGI"),
    ("furnished-rent", "VATEX-FR-CGI261D-4", "E", "Exonération, article 261 D, 4° du CGI"),
    ("finance", "VATEX-FR-CGI261C-1", "E", "Exonération, article 261 C, 1° du CGI"),
    ("insurance", "VATEX-FR-CGI261C-2", "E", "Exonération, article 261 C, 2° du CGI"),
    ("second-hand", "VATEX-EU-F", "E", "Régime particulier – biens d'occasion"),
    ("art", "VATEX-EU-I", "E", "Régime particulier – objets d'art"),
    ("collectors", "VATEX-EU-J", "E", "Régime particulier – objets de collection et d'antiquité"),
    ("travel", "VATEX-EU-D", "E", "Régime particulier – agences de voyages"),
]
OF_GOODS = {"VATEX-EU-IC", "VATEX-EU-G", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J"}
BUYERS: dict[str, dict[str, Any]] = {
    "VATEX-EU-IC": BELGIAN,
    "VATEX-EU-AE": BELGIAN,
    "VATEX-EU-G": SWISS,
    "VATEX-EU-O": SWISS,
}


@pytest.mark.parametrize(("code", "category", "wording"), [pytest.param(*case[1:], id=case[0]) for case in CASES])
def test_a_case_stands_with_its_code_and_wording_and_nothing_odd(code: str, category: str, wording: str) -> None:
    kind = GOODS if code in OF_GOODS else SERVICE
    invoice = bill(untaxed(code), kind=kind, buyer=BUYERS.get(code), trade=TradeProfile(margin_scheme=True))

    document = invoice.document
    (group,) = document.totals.vat_breakdown
    assert group.vat.category.value == category
    assert [mention.text for mention in document.mentions if mention.code is NoteCode.EXEMPTION] == [wording]
    assert document.totals.vat_minor == 0
    assert [doubt for doubt in doubts(invoice) if doubt.startswith(("vat-", "margin", "rate"))] == []


def test_two_articles_share_one_official_code() -> None:
    official = {EXEMPTIONS[code].vatex for _, code, *_ in CASES}

    assert "VATEX-FR-CGI261-4" in official
    assert not official & {"VATEX-FR-CGI261-4-1", "VATEX-FR-CGI261-4-4"}


def test_every_exemption_has_its_case() -> None:
    assert {case[1] for case in CASES} | {FRANCHISE_TREATMENT.exemption_code, "VATEX-FR-CGI261-4"} == set(EXEMPTIONS)


def test_the_franchise_needs_no_vat_number() -> None:
    document = bill(FRANCHISE_TREATMENT, vat_regime=VatRegime.FRANCHISE, vat_number=None).document

    assert document.seller.vat_number is None  # BR-E-02: the SIREN goes with scheme FC instead
    assert document.seller.siren


@pytest.mark.parametrize(
    ("treatments", "kind", "buyer", "pointers"),
    [
        pytest.param([untaxed("VATEX-EU-IC")], GOODS, {"vat_number": None}, ["/customer/vat_number"], id="BR-IC-02"),
        pytest.param([untaxed("VATEX-EU-AE")], SERVICE, {"vat_number": None}, ["/customer/vat_number"], id="BR-AE-02"),
        pytest.param(
            [untaxed("VATEX-FR-AE")], SERVICE, {"vat_number": None}, ["/customer/vat_number"], id="283-2-nonies"
        ),
        pytest.param(
            [untaxed("VATEX-EU-IC")], GOODS, {}, ["/customer/vat_number"], id="a-french-number-is-not-intra-eu"
        ),
        pytest.param(
            [untaxed("VATEX-EU-AE")], SERVICE, {}, ["/customer/vat_number"], id="nor-a-reverse-charge-of-283-2"
        ),
        pytest.param([untaxed("VATEX-EU-O"), VAT_20], SERVICE, SWISS, ["/lines/0/vat_category"], id="BR-O-11"),
    ],
)
def test_a_case_that_lacks_what_the_law_asks_is_refused(
    treatments: list[VatTreatment], kind: ProductKind, buyer: dict[str, Any], pointers: list[str]
) -> None:
    with pytest.raises(FieldErrors) as refused:
        bill(*treatments, kind=kind, buyer=buyer)

    assert [error.pointer for error in refused.value.errors] == pointers


@pytest.mark.parametrize(
    ("code", "kind", "buyer", "expected"),
    [
        pytest.param("VATEX-EU-IC", SERVICE, BELGIAN, "vat-case-of-goods", id="services-as-goods"),
        pytest.param("VATEX-EU-AE", GOODS, BELGIAN, "vat-case-of-services", id="goods-as-services"),
        pytest.param("VATEX-EU-G", GOODS, {}, "vat-case-of-another-place", id="export-within-france"),
        pytest.param("VATEX-EU-O", SERVICE, BELGIAN, "vat-case-of-another-place", id="outside-but-within-the-eu"),
        pytest.param("VATEX-EU-F", GOODS, {}, "margin-scheme-not-declared", id="margin-undeclared"),
    ],
)
def test_what_is_odd_in_a_case_is_said_and_not_refused(
    code: str, kind: ProductKind, buyer: dict[str, Any], expected: str
) -> None:
    assert expected in doubts(bill(untaxed(code), kind=kind, buyer=buyer))


def at(postal_code: str, country_code: str = "FR") -> Address:
    return Address(line1="1 rue Exemple", postal_code=postal_code, city="Exemple", country_code=country_code)


@pytest.mark.parametrize(
    ("address", "territory"),
    [
        (at("75001"), Territory.MAINLAND),
        (at("98000", "MC"), Territory.MAINLAND),
        (at("20000"), Territory.CORSICA),
        (at("97110"), Territory.OVERSEAS),
        (at("97200"), Territory.OVERSEAS),
        (at("97400"), Territory.OVERSEAS),
        (at("97400", "RE"), Territory.OVERSEAS),
        (at("97300"), Territory.UNTAXED),
        (at("97600", "YT"), Territory.UNTAXED),
        (at("1000", "BE"), Territory.EUROPEAN_UNION),
        (at("1200", "CH"), Territory.THIRD_COUNTRY),
        (at("SW1", "GB"), Territory.THIRD_COUNTRY),
    ],
)
def test_an_address_is_in_one_vat_territory(address: Address, territory: Territory) -> None:
    assert territory_of(address) is territory


@pytest.mark.parametrize(
    ("seller", "buyer", "rate", "expected"),
    [
        ("75001", "69001", "20", []),
        ("75001", "69001", "8.5", ["rate-of-another-territory"]),
        ("97110", "97200", "8.5", []),
        ("97110", "97200", "20", ["rate-of-another-territory"]),
        ("75001", "97400", "8.5", []),
        ("20000", "20100", "0.9", []),
        ("20000", "20100", "20", []),
        ("75001", "69001", "13", ["rate-of-another-territory"]),
        ("97300", "97300", "20", ["no-vat-in-guyane-and-mayotte"]),
        ("97600", "97300", "8.5", ["no-vat-in-guyane-and-mayotte"]),
        ("97300", "75001", "20", []),
    ],
)
def test_a_rate_belongs_to_the_place_of_one_of_the_parties(
    seller: str, buyer: str, rate: str, expected: list[str]
) -> None:
    taxed = VatTreatment(category=VatCategory.STANDARD, rate=Decimal(rate))  # BR-FR-16
    invoice = bill(taxed, buyer={"billing_address": at(buyer)}, address=at(seller))

    assert [doubt for doubt in doubts(invoice) if "rate-of" in doubt or "no-vat" in doubt] == expected


@pytest.mark.parametrize(
    ("vat_number", "foreign"),
    [("FR14987654324", False), ("BE0123456749", True), ("EL123456783", True), ("XI123456789", True), ("CH123", False)],
)
def test_a_vat_number_tells_its_member_state(vat_number: str, foreign: bool) -> None:
    assert is_of_another_member_state(vat_number) is foreign
