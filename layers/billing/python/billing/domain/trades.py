"""What a company's trades make it say on its documents. Empty by default; sources beside each field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from billing.domain.canonical import LATER


class Trade(StrEnum):
    BUILDING = "building"
    TRANSPORT = "transport"


@dataclass(frozen=True, slots=True, kw_only=True)
class Insurance:
    """The ten-year insurance of builders, on quotes and invoices (loi 96-603, art. 22-2)."""

    insurer: str
    contact: str
    territory: str
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mediator:
    """The mediator that consumers can turn to (Code de la consommation L616-1)."""

    name: str
    address: str
    website: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeProfile:
    trades: tuple[Trade, ...] = field(default=(), metadata=LATER)
    insurance: Insurance | None = field(default=None, metadata=LATER)
    mediator: Mediator | None = field(default=None, metadata=LATER)
    withdrawal_terms: str = field(default="", metadata=LATER)  # quotes to consumers: Code de la consommation L221-5
    waste_statement: str = field(default="", metadata=LATER)  # quotes of builders: Code de l'environnement D541-45-1
    margin_scheme: bool = field(default=False, metadata=LATER)  # CGI art. 297 A and 266

    @property
    def builds(self) -> bool:
        return Trade.BUILDING in self.trades

    @property
    def transports(self) -> bool:
        return Trade.TRANSPORT in self.trades

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each printed text with the pointer of its field."""
        for name in ("insurer", "contact", "territory", "policy"):
            yield f"/insurance/{name}", getattr(self.insurance, name, "")
        for name in ("name", "address", "website"):
            yield f"/mediator/{name}", getattr(self.mediator, name, "")
        yield "/withdrawal_terms", self.withdrawal_terms
        yield "/waste_statement", self.waste_statement


def insurance_mention(insurance: Insurance) -> str:
    number = insurance.policy.removeprefix("n°").strip()
    policy = f", contrat n° {number}" if number else ""
    return (
        f"Assurance décennale : {insurance.insurer}, {insurance.contact}{policy}. "
        f"Couverture géographique : {insurance.territory}"
    )


def mediator_mention(mediator: Mediator) -> str:
    website = f", {mediator.website}" if mediator.website else ""
    return f"Médiateur de la consommation : {mediator.name}, {mediator.address}{website}"


# Loi de finances pour 2025, art. 41: since 2025-02-16 the customer certifies on the quote or the invoice itself.
RENOVATION_CERTIFICATION = (
    "Le client certifie que les travaux portent sur des locaux à usage d'habitation achevés depuis plus de deux ans et "
    "ne concourent pas à la production d'un immeuble neuf (article 279-0 bis du CGI)"
)
ENERGY_CERTIFICATION = (
    "Le client certifie que les travaux améliorent la qualité énergétique de locaux à usage d'habitation achevés "
    "depuis plus de deux ans (article 278-0 bis A du CGI)"
)
CERTIFICATION_SIGNATURE = "Certifié exact, date et signature du client :"
# What the customer signs, in the words that the tax administration published in 2025.
_CERTIFIED = (
    "Je soussigné(e) certifie, en qualité de preneur de la prestation, que les travaux réalisés concernent des locaux "
    "à usage d'habitation achevés depuis plus de deux ans{joint} qu'ils n'ont pas eu pour effet, sur une période de "
    "deux ans au plus, de concourir à la production d'un immeuble neuf au sens du 2° du 2 du I de l'article 257 du "
    "CGI, ni d'entraîner une augmentation de la surface de plancher des locaux existants supérieure à 10 %"
)
CERTIFIED_RENOVATION = _CERTIFIED.format(joint=" et") + "."
CERTIFIED_ENERGY = _CERTIFIED.format(joint=",") + " et qu'ils ont la nature de travaux de rénovation énergétique."
SIGNED_COPIES = (
    "Chacun garde un exemplaire signé, le client jusqu'au 31 décembre de la cinquième année qui suit les travaux."
)


def quote_mentions(profile: TradeProfile, *, to_consumer: bool) -> tuple[str, ...]:
    """What a quote says that an invoice does not."""
    waste = profile.waste_statement if profile.builds else ""
    withdrawal = profile.withdrawal_terms if to_consumer else ""
    return tuple(text for text in (f"Gestion des déchets : {waste}" if waste else "", withdrawal) if text)
