"""The mentions an invoice must carry, by kind of seller and buyer. Sources beside each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.money import format_decimal
from billing.domain.parties import CompanyDescription, CustomerDescription, CustomerKind, ProductKind
from billing.domain.totals import Totals
from billing.domain.trades import (
    CERTIFICATION_SIGNATURE,
    CERTIFIED_ENERGY,
    CERTIFIED_RENOVATION,
    ENERGY_CERTIFICATION,
    RENOVATION_CERTIFICATION,
    SIGNED_COPIES,
    insurance_mention,
    mediator_mention,
)
from billing.domain.typography import format_percent
from billing.domain.vat import VatCategory


class NoteCode(StrEnum):
    """UNTDID 4451 subject codes (BT-21) as BR-FR-05/06 use them; VAT wordings go with the breakdown."""

    PENALTIES = "PMD"
    COLLECTION_FEE = "PMT"
    EARLY_PAYMENT = "AAB"
    GENERAL = "AAI"
    EXEMPTION = "VAT"


# The three notes stand on every document (BR-FR-05); a consumer owes neither penalty nor fee.
_PROFESSIONAL = "(business customers only)"
_Said = tuple[NoteCode, str, str]  # in French, in English
RENOVATION_RATE, ENERGY_RATE = Decimal(10), Decimal("5.5")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    code: NoteCode
    text: str
    english: str = field(default="", metadata=LATER)  # beside or instead of the French, as the document's language says
    to_sign: str = field(default="", metadata=LATER)  # printed instead, in a block that the customer signs


def mentions_for(
    seller: CompanyDescription, buyer: CustomerDescription, totals: Totals, *, in_english: bool = False
) -> tuple[Mention, ...]:
    """All mentions of a document in the order they are printed; PMD, PMT and AAB once each."""
    kinds = {computed.line.kind for computed in totals.lines}
    said = [*_exemptions(totals), *_operations(kinds)]
    if seller.vat_on_debits:  # décret 2022-1299; CGI annex II 242 nonies A
        said.append(
            (NoteCode.GENERAL, "Option pour le paiement de la taxe d'après les débits", "Option for VAT on debits")
        )
    of_payment = [_penalties(seller, buyer), _collection_fee(buyer), _early_payment(seller)]
    return (
        *_mentions(said, in_english=in_english),
        *_of_trades(seller, buyer, totals),
        *_mentions(of_payment, in_english=in_english),
    )


def _mentions(said: list[_Said], *, in_english: bool) -> Iterator[Mention]:
    return (Mention(code=code, text=text, english=english if in_english else "") for code, text, english in said)


def _exemptions(totals: Totals) -> Iterator[_Said]:
    wordings = {group.vat.wording: group.vat.english_wording for group in totals.vat_breakdown}
    return ((NoteCode.EXEMPTION, french, english) for french, english in wordings.items() if french)


def _operations(kinds: set[ProductKind]) -> Iterator[_Said]:  # décret 2022-1299: due in 2027, printed now
    if not kinds:
        return
    french, english = "livraison de biens et prestation de services", "supply of goods and of services"
    if kinds == {ProductKind.GOODS}:
        french, english = "livraison de biens", "supply of goods"
    if kinds == {ProductKind.SERVICE}:
        french, english = "prestation de services", "supply of services"
    yield NoteCode.GENERAL, f"Nature des opérations : {french}", f"Nature of the operations: {english}"


def _of_trades(seller: CompanyDescription, buyer: CustomerDescription, totals: Totals) -> Iterator[Mention]:
    profile = seller.trade
    if profile.builds and profile.insurance is not None:
        yield Mention(code=NoteCode.GENERAL, text=insurance_mention(profile.insurance))
    if profile.builds:
        yield from _certification(totals)
    if profile.mediator is not None and buyer.kind is CustomerKind.INDIVIDUAL:
        yield Mention(code=NoteCode.GENERAL, text=mediator_mention(profile.mediator))


def _certification(totals: Totals) -> Iterator[Mention]:
    """Of work at a reduced rate, whoever is the customer: CGI art. 279-0 bis and 278-0 bis A ask it of the one who has
    the work done (« le preneur »). What counts is the dwelling, which a company may own, let or manage: a landlord, a
    co-owners' association. Without its certification the rate is the normal one.
    """
    rates = {group.vat.rate for group in totals.vat_breakdown if group.vat.category is VatCategory.STANDARD}
    said = [
        (rate, text, to_sign)
        for rate, text, to_sign in (
            (RENOVATION_RATE, RENOVATION_CERTIFICATION, CERTIFIED_RENOVATION),
            (ENERGY_RATE, ENERGY_CERTIFICATION, CERTIFIED_ENERGY),
        )
        if rate in rates
    ]
    for rate, text, to_sign in said:
        of_rate = f"Travaux à {format_percent(rate)} : " if len(said) > 1 else ""
        yield Mention(code=NoteCode.GENERAL, text=text, to_sign=f"{of_rate}{to_sign}")
    if said:
        yield Mention(code=NoteCode.GENERAL, text=CERTIFICATION_SIGNATURE, to_sign=SIGNED_COPIES)


def _penalties(seller: CompanyDescription, buyer: CustomerDescription) -> _Said:  # Code de commerce L441-9, L441-10
    rate = format_decimal(seller.late_penalty_rate)
    french = (
        f"Pénalités de retard : {rate.replace('.', ',')} % l'an sur le TTC, "
        "exigibles sans rappel dès le lendemain de l'échéance"
    )
    english = (
        f"Late payment penalties: {rate}% a year of the amount incl. VAT, due without reminder from the day after the "
        "due date"
    )
    if buyer.kind is CustomerKind.INDIVIDUAL:
        french, english = f"{french} (réservées aux clients professionnels)", f"{english} {_PROFESSIONAL}"
    return NoteCode.PENALTIES, french, english


def _collection_fee(buyer: CustomerDescription) -> _Said:  # Code de commerce D441-5
    french = "Indemnité forfaitaire pour frais de recouvrement en cas de retard : 40 €"
    english = "Fixed compensation for recovery costs in case of late payment: €40"
    if buyer.kind is CustomerKind.INDIVIDUAL:
        french, english = f"{french} (réservée aux clients professionnels)", f"{english} {_PROFESSIONAL}"
    return NoteCode.COLLECTION_FEE, french, english


def _early_payment(seller: CompanyDescription) -> _Said:  # Code de commerce L441-9
    terms = seller.early_payment_discount
    return (
        NoteCode.EARLY_PAYMENT,
        f"Escompte pour paiement anticipé : {terms or 'néant'}",
        f"Discount for early payment: {terms or 'none'}",
    )
