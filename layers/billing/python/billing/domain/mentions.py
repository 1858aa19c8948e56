"""The mentions an invoice must carry, by kind of seller and buyer. Sources beside each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from billing.domain.money import format_decimal
from billing.domain.parties import CompanyDescription, CustomerDescription, CustomerKind, ProductKind
from billing.domain.totals import Totals
from billing.domain.trades import (
    CERTIFICATION_SIGNATURE,
    ENERGY_CERTIFICATION,
    RENOVATION_CERTIFICATION,
    insurance_mention,
    mediator_mention,
)
from billing.domain.vat import VatCategory


class NoteCode(StrEnum):
    """UNTDID 4451 subject codes (BT-21) as BR-FR-05/06 use them; VAT wordings go with the breakdown."""

    PENALTIES = "PMD"
    COLLECTION_FEE = "PMT"
    EARLY_PAYMENT = "AAB"
    GENERAL = "AAI"
    EXEMPTION = "VAT"


# The three notes stand on every document (BR-FR-05); a consumer owes neither penalty nor fee.
_PROFESSIONAL = "(réservées aux clients professionnels)"
_PROFESSIONAL_FEE = "(réservée aux clients professionnels)"
RENOVATION_RATE, ENERGY_RATE = Decimal(10), Decimal("5.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    code: NoteCode
    text: str


def mentions_for(seller: CompanyDescription, buyer: CustomerDescription, totals: Totals) -> tuple[Mention, ...]:
    """All mentions of a document in the order they are printed; PMD, PMT and AAB once each."""
    mentions = [
        Mention(code=NoteCode.EXEMPTION, text=wording)
        for wording in dict.fromkeys(group.vat.wording for group in totals.vat_breakdown)
        if wording
    ]
    kinds = {computed.line.kind for computed in totals.lines}
    if kinds:  # décret 2022-1299: due from small businesses in 2027, printed now
        mentions.append(Mention(code=NoteCode.GENERAL, text=f"Nature des opérations : {_operations(kinds)}"))
    if seller.vat_on_debits:  # décret 2022-1299; CGI annex II 242 nonies A
        mentions.append(Mention(code=NoteCode.GENERAL, text="Option pour le paiement de la taxe d'après les débits"))
    mentions += [Mention(code=NoteCode.GENERAL, text=text) for text in _of_trades(seller, buyer, totals)]
    mentions += [
        Mention(code=NoteCode.PENALTIES, text=_penalties(seller, buyer)),
        Mention(code=NoteCode.COLLECTION_FEE, text=_collection_fee(buyer)),
        Mention(
            code=NoteCode.EARLY_PAYMENT,
            text=f"Escompte pour paiement anticipé : {seller.early_payment_discount or 'néant'}",
        ),
    ]
    return tuple(mentions)


def _operations(kinds: set[ProductKind]) -> str:
    if kinds == {ProductKind.GOODS}:
        return "livraison de biens"
    if kinds == {ProductKind.SERVICE}:
        return "prestation de services"
    return "livraison de biens et prestation de services"


def _of_trades(seller: CompanyDescription, buyer: CustomerDescription, totals: Totals) -> Iterator[str]:
    profile = seller.trade
    if profile.builds and profile.insurance is not None:
        yield insurance_mention(profile.insurance)
    rates = {group.vat.rate for group in totals.vat_breakdown if group.vat.category is VatCategory.STANDARD}
    if profile.builds and rates & {RENOVATION_RATE, ENERGY_RATE}:
        if RENOVATION_RATE in rates:
            yield RENOVATION_CERTIFICATION
        if ENERGY_RATE in rates:
            yield ENERGY_CERTIFICATION
        yield CERTIFICATION_SIGNATURE
    if profile.mediator is not None and buyer.kind is CustomerKind.INDIVIDUAL:
        yield mediator_mention(profile.mediator)


def _penalties(seller: CompanyDescription, buyer: CustomerDescription) -> str:  # Code de commerce L441-9, L441-10
    rate = format_decimal(seller.late_penalty_rate).replace(".", ",")
    penalties = f"Pénalités de retard : {rate} % l'an sur le TTC, exigibles sans rappel dès le lendemain de l'échéance"
    return penalties if buyer.kind is CustomerKind.BUSINESS else f"{penalties} {_PROFESSIONAL}"


def _collection_fee(buyer: CustomerDescription) -> str:  # Code de commerce D441-5
    fee = "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €"
    return fee if buyer.kind is CustomerKind.BUSINESS else f"{fee} {_PROFESSIONAL_FEE}"
