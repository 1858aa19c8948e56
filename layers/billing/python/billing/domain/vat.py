"""VAT categories, rates and exemption reasons as dated data.

Sources: EN 16931 code list UNCL5305, BR-FR-16 (rates), VATEX code list; wordings of the CGI as of
2026-11 (CGI references stay valid on invoices until 2028-06-30, ordonnance recodifying VAT to the CIBS).
A change of law is a change of this file; ``RULES_VERSION`` is stored with each issued document.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

RULES_VERSION = "fr-2026-11"


class VatCategory(StrEnum):
    STANDARD = "S"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUT_OF_SCOPE = "O"


class VatRegime(StrEnum):
    """How the company itself stands towards VAT."""

    FRANCHISE = "franchise"  # CGI art. 293 B: no VAT is charged
    NORMAL = "normal"


MAINLAND_RATES = tuple(Decimal(rate) for rate in ("20", "10", "5.5", "2.1"))
OVERSEAS_RATES = tuple(Decimal(rate) for rate in ("8.5", "2.1", "1.75", "1.05"))
CORSICA_RATES = tuple(Decimal(rate) for rate in ("13", "10", "2.1", "0.9"))
STANDARD_RATES = frozenset(MAINLAND_RATES + OVERSEAS_RATES + CORSICA_RATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Why a line bears no VAT, and the wording that the law requires.

    ``code`` is what a line names. It is the official code ``vatex`` (BT-121), and finer where one of those
    stands for several articles: then the item of the article follows, as the list itself does elsewhere.
    """

    code: str
    vatex: str
    category: VatCategory
    wording: str


_EXEMPTIONS = (
    ("VATEX-FR-FRANCHISE", "E", "TVA non applicable, article 293 B du CGI"),
    ("VATEX-EU-IC", "K", "Exonération de TVA, article 262 ter, I du CGI"),
    ("VATEX-EU-G", "G", "Exonération de TVA, article 262, I du CGI"),
    ("VATEX-EU-AE", "AE", "Autoliquidation (article 283-2 du CGI, article 196 de la directive 2006/112/CE)"),
    ("VATEX-FR-AE", "AE", "Autoliquidation, article 283-2 nonies du CGI"),
    ("VATEX-EU-O", "O", "TVA non applicable, article 259, 1° du CGI"),
    ("VATEX-EU-79-C", "E", "Débours, article 267, II-2° du CGI"),
    ("VATEX-FR-CGI261-4", "E", "Exonération, article 261, 4 du CGI"),
    ("VATEX-FR-CGI261-4-1", "E", "Exonération, article 261, 4, 1° du CGI"),
    ("VATEX-FR-CGI261-4-4", "E", "Exonération, article 261, 4, 4° du CGI"),
    ("VATEX-FR-CGI261-7", "E", "Exonération, article 261, 7 du CGI"),
    ("VATEX-FR-CGI261D-2", "E", "Exonération, article 261 D, 2° du CGI"),
    ("VATEX-FR-CGI261D-4", "E", "Exonération, article 261 D, 4° du CGI"),
    ("VATEX-FR-CGI261C-1", "E", "Exonération, article 261 C, 1° du CGI"),
    ("VATEX-FR-CGI261C-2", "E", "Exonération, article 261 C, 2° du CGI"),
    ("VATEX-EU-F", "E", "Régime particulier – biens d'occasion"),
    ("VATEX-EU-I", "E", "Régime particulier – objets d'art"),
    ("VATEX-EU-J", "E", "Régime particulier – objets de collection et d'antiquité"),
    ("VATEX-EU-D", "E", "Régime particulier – agences de voyages"),
)
_ENGLISH_WORDINGS = {
    "VATEX-FR-FRANCHISE": "VAT not applicable, article 293 B of the French tax code (CGI)",
    "VATEX-EU-IC": "VAT exempt intra-Community supply, CGI art. 262 ter, I (article 138 of directive 2006/112/EC)",
    "VATEX-EU-G": "VAT exempt export, CGI art. 262, I (article 146 of directive 2006/112/EC)",
    "VATEX-EU-AE": "Reverse charge (CGI art. 283-2, article 196 of directive 2006/112/EC)",
    "VATEX-FR-AE": "Reverse charge, CGI art. 283-2 nonies",
    "VATEX-EU-O": "Outside the scope of French VAT, CGI art. 259, 1°",
    "VATEX-EU-79-C": "Disbursements, CGI art. 267, II-2°",
    "VATEX-EU-F": "Margin scheme – second-hand goods",
    "VATEX-EU-I": "Margin scheme – works of art",
    "VATEX-EU-J": "Margin scheme – collectors' items and antiques",
    "VATEX-EU-D": "Margin scheme – travel agents",
}
_OFFICIAL = {"VATEX-FR-CGI261-4-1": "VATEX-FR-CGI261-4", "VATEX-FR-CGI261-4-4": "VATEX-FR-CGI261-4"}
EXEMPTIONS = {
    code: Exemption(code=code, vatex=_OFFICIAL.get(code, code), category=VatCategory(category), wording=wording)
    for code, category, wording in _EXEMPTIONS
}
FRANCHISE = EXEMPTIONS["VATEX-FR-FRANCHISE"]
DISBURSEMENT = EXEMPTIONS["VATEX-EU-79-C"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VatTreatment:
    """Category, rate in percent (20.0) and, without VAT, the exemption code of a line."""

    category: VatCategory
    rate: Decimal
    exemption_code: str | None = None

    def __post_init__(self) -> None:
        if self.category is VatCategory.STANDARD:
            if self.rate not in STANDARD_RATES:
                raise ValueError("not a French VAT rate (BR-FR-16); foreign rates (OSS) are not supported")
            if self.exemption_code is not None:
                raise ValueError("a taxed line has no exemption code")
            return
        if self.rate != 0:
            raise ValueError("a line without VAT has the rate 0")
        exemption = EXEMPTIONS.get(self.exemption_code or "")
        if exemption is None or exemption.category is not self.category:
            raise ValueError("this VAT category needs one of its exemption codes")

    @property
    def wording(self) -> str | None:
        """The mention the law requires for a line without VAT."""
        return EXEMPTIONS[self.exemption_code].wording if self.exemption_code else None

    @property
    def english_wording(self) -> str:
        """The same for a reader of English; nothing for a taxed line."""
        french = self.wording
        if self.exemption_code is None or french is None:
            return ""
        return _ENGLISH_WORDINGS.get(self.exemption_code) or french.replace(
            "Exonération, article", "VAT exempt, CGI art."
        ).replace(" du CGI", "")


FRANCHISE_TREATMENT = VatTreatment(category=VatCategory.EXEMPT, rate=Decimal(0), exemption_code=FRANCHISE.code)
