"""Where VAT law differs: the member states, and the parts of France with rates of their own or none.

Postal codes tell the parts apart. Sources: directive 2006/112/CE, articles 5 and 6; CGI art. 294 to 297.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from billing.domain.parties import Address
from billing.domain.vat import CORSICA_RATES, MAINLAND_RATES, OVERSEAS_RATES

_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
MEMBER_STATES = frozenset(_MEMBERS.split())
# Countries of ISO 3166 that are France: French is spoken to a customer there, who has a SIREN.
FRENCH_COUNTRIES = frozenset({"FR", "GF", "GP", "MQ", "RE", "YT", "BL", "MF", "PM"})
# Where VAT is applied, and with it the reform of invoicing (CGI art. 289 bis).
_OF_THE_REFORM = frozenset({"FR", "GP", "MQ", "RE"})
# Monaco counts as France for VAT (directive, article 7).
_COUNTS_AS_FRANCE = frozenset({"FR", "MC"})


class Territory(StrEnum):
    """Parts of France as VAT sees them; the rest of the world by its membership of the Union."""

    MAINLAND = "mainland"
    CORSICA = "corsica"
    OVERSEAS = "overseas"  # Guadeloupe, Martinique, Réunion: rates of their own
    UNTAXED = "untaxed"  # Guyane, Mayotte: VAT is not applied for the time being
    EUROPEAN_UNION = "european_union"
    THIRD_COUNTRY = "third_country"


_BY_POSTAL_CODE = {
    "20": Territory.CORSICA,
    "971": Territory.OVERSEAS,
    "972": Territory.OVERSEAS,
    "974": Territory.OVERSEAS,
    "973": Territory.UNTAXED,
    "976": Territory.UNTAXED,
}
_BY_COUNTRY = {
    "GP": Territory.OVERSEAS,
    "MQ": Territory.OVERSEAS,
    "RE": Territory.OVERSEAS,
    "GF": Territory.UNTAXED,
    "YT": Territory.UNTAXED,
}
RATES: dict[Territory, frozenset[Decimal]] = {
    Territory.MAINLAND: frozenset(MAINLAND_RATES),
    Territory.CORSICA: frozenset(MAINLAND_RATES + CORSICA_RATES),
    Territory.OVERSEAS: frozenset(OVERSEAS_RATES),
    Territory.UNTAXED: frozenset(),
}


def is_in_france(address: Address) -> bool:
    return address.country_code in FRENCH_COUNTRIES


def is_of_the_reform(address: Address) -> bool:
    """Whether electronic invoices, and not reports, are due to a business there."""
    return address.country_code in _OF_THE_REFORM


def territory_of(address: Address) -> Territory:
    country = address.country_code
    if country in _BY_COUNTRY:
        return _BY_COUNTRY[country]
    if country in _COUNTS_AS_FRANCE:
        code = address.postal_code
        return _BY_POSTAL_CODE.get(code[:3]) or _BY_POSTAL_CODE.get(code[:2]) or Territory.MAINLAND
    return Territory.EUROPEAN_UNION if country in MEMBER_STATES else Territory.THIRD_COUNTRY


def is_of_another_member_state(vat_number: str) -> bool:
    """Whether a VAT number was given by a member state other than France; Greece writes EL, Northern Ireland XI."""
    prefix = {"EL": "GR"}.get(vat_number[:2], vat_number[:2])
    return prefix == "XI" or (prefix in MEMBER_STATES and prefix != "FR")
