"""What each VAT case asks of the two parties: what is refused, and what is only said."""

from __future__ import annotations

from collections.abc import Iterator

from billing.domain.errors import FieldError
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, ProductKind
from billing.domain.territories import RATES, Territory, is_of_another_member_state, territory_of
from billing.domain.totals import Line, Totals
from billing.domain.vat import VatCategory, VatRegime, VatTreatment

MARGIN_CODES = frozenset({"VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J", "VATEX-EU-D"})
_INTRA_EU_CODES = frozenset({"VATEX-EU-IC", "VATEX-EU-AE"})
_OF_GOODS = frozenset({"VATEX-EU-IC", "VATEX-EU-G", "VATEX-EU-F", "VATEX-EU-I", "VATEX-EU-J"})
_OF_SERVICES = frozenset({"VATEX-EU-AE", "VATEX-EU-O", "VATEX-FR-AE", "VATEX-EU-D"})
_PLACES = {
    "VATEX-EU-IC": frozenset({Territory.EUROPEAN_UNION}),
    "VATEX-EU-AE": frozenset({Territory.EUROPEAN_UNION}),
    "VATEX-EU-G": frozenset({Territory.THIRD_COUNTRY, Territory.OVERSEAS, Territory.UNTAXED}),
    "VATEX-EU-O": frozenset({Territory.THIRD_COUNTRY}),
}
_AT_HOME = frozenset({Territory.MAINLAND, Territory.CORSICA, Territory.OVERSEAS, Territory.UNTAXED})


def party_errors(
    seller: CompanyDescription, buyer: CustomerDescription, treatments: set[VatTreatment]
) -> Iterator[FieldError]:
    """What the two parties lack for these treatments. They are asked for at issue, not on a draft."""
    if seller.vat_regime is VatRegime.NORMAL and seller.vat_number is None:
        yield FieldError(  # CGI annex II art. 242 nonies A, I, 2°; BR-S-02, BR-AE-02, BR-IC-02, BR-G-02
            "/company/vat_number",
            "Indiquez le numéro de TVA de votre entreprise : il est obligatoire sur ses factures.",
            "State the VAT number of your company: its invoices must carry it.",
        )
    categories = {vat.category for vat in treatments}
    if buyer.vat_number is None and categories & {VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY}:
        yield FieldError(  # CGI annex II art. 242 nonies A, I, 3° and 4°; BR-IC-02
            "/customer/vat_number",
            "Indiquez le numéro de TVA du client sur sa fiche : une facture sans TVA à ce titre le porte.",
            "State the VAT number of the customer: an invoice without VAT on that ground carries it.",
        )
    abroad = {vat.exemption_code for vat in treatments} & _INTRA_EU_CODES
    if abroad and buyer.vat_number is not None and not is_of_another_member_state(buyer.vat_number):
        yield FieldError(
            "/customer/vat_number",
            "Ce régime demande le numéro de TVA d'un autre État membre.",
            "This case needs the VAT number of another member state.",
        )


def doubts(seller: CompanyDescription, buyer: CustomerDescription, totals: Totals) -> Iterator[tuple[str, str]]:
    """Code and pointer of what is unusual for a VAT case, without being wrong for certain."""
    place = territory_of(buyer.delivery_address or buyer.billing_address)
    for index, computed in enumerate(totals.lines):
        code = _doubt(computed.line, place)
        if code is not None:
            yield code, f"/lines/{index}/exemption_code"
    codes = {group.vat.exemption_code for group in totals.vat_breakdown}
    if codes & MARGIN_CODES and not seller.trade.margin_scheme:
        yield "margin-scheme-not-declared", "/company/trade/margin_scheme"
    yield from _rate_doubts(seller.address, place, totals)


def _doubt(line: Line, place: Territory) -> str | None:
    code = line.vat.exemption_code or ""
    if code in _OF_GOODS and line.kind is not ProductKind.GOODS:
        return "vat-case-of-goods"
    if code in _OF_SERVICES and line.kind is not ProductKind.SERVICE:
        return "vat-case-of-services"
    if code in _PLACES and place not in _PLACES[code]:
        return "vat-case-of-another-place"
    return None


def _rate_doubts(address: Address, place: Territory, totals: Totals) -> Iterator[tuple[str, str]]:
    """A rate is one of the places where the two parties are; none is applied within Guyane and Mayotte."""
    places = {territory_of(address), place} & _AT_HOME
    allowed = frozenset[object]().union(*(RATES[each] for each in places))
    taxed = {group.vat.rate for group in totals.vat_breakdown if group.vat.category is VatCategory.STANDARD}
    if taxed and places == {Territory.UNTAXED}:
        yield "no-vat-in-guyane-and-mayotte", "/lines"
    elif taxed - allowed:
        yield "rate-of-another-territory", "/lines"
