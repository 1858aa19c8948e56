"""The codes by which the reform reads a document, decided at issue and frozen: BT-23, BT-8 and the note BAR."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.ledger import PaymentMethod
from billing.domain.parties import CompanyDescription, CustomerDescription, CustomerKind, ProductKind
from billing.domain.territories import is_of_the_reform
from billing.domain.totals import Totals
from billing.domain.vat import VatCategory


class Contracting(StrEnum):
    """How services are rendered when not directly: it has a process code of its own."""

    SUBCONTRACTOR = "subcontractor"  # S5
    CO_CONTRACTOR = "co_contractor"  # S6


@dataclass(frozen=True, slots=True, kw_only=True)
class PaidAtIssue:
    """A document that was paid in full before it was issued: BT-113 = BT-112, due 0, "Acquitté"."""

    paid_on: date
    method: PaymentMethod
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessCodes:
    """Frozen at issue: a later payment does not change them. Empty on documents issued before."""

    process: str = field(default="", metadata=LATER)  # BT-23
    vat_due: str = field(default="", metadata=LATER)  # BT-8, the same in every VAT group
    billing: str = field(default="", metadata=LATER)  # the note BAR


VAT_DUE_ON_DEBITS = "5"
VAT_DUE_ON_RECEIPT = "72"


def process_codes(
    seller: CompanyDescription,
    buyer: CustomerDescription,
    totals: Totals,
    *,
    is_deposit: bool,
    deducts_deposits: bool,
    paid: PaidAtIssue | None,
    contracting: Contracting | None,
) -> ProcessCodes:
    return ProcessCodes(
        process=_process(totals, deducts_deposits=deducts_deposits, paid=paid, contracting=contracting),
        vat_due=_vat_due(seller, totals, is_deposit=is_deposit),
        billing=_billing(buyer),
    )


def kinds_of(totals: Totals) -> frozenset[ProductKind]:
    return frozenset(computed.line.kind for computed in totals.lines)


def _process(
    totals: Totals, *, deducts_deposits: bool, paid: PaidAtIssue | None, contracting: Contracting | None
) -> str:
    """B goods, S services, M both; 1 by default, 2 paid at issue, 4 final after deposits; S5 and S6."""
    kinds = kinds_of(totals)
    letter = "M" if len(kinds) > 1 else ("B" if ProductKind.GOODS in kinds else "S")
    if deducts_deposits:
        return f"{letter}4"
    if paid is not None:
        return f"{letter}2"
    if contracting is not None and letter == "S":
        return "S5" if contracting is Contracting.SUBCONTRACTOR else "S6"
    return f"{letter}1"


def _vat_due(seller: CompanyDescription, totals: Totals, *, is_deposit: bool) -> str:
    """On services VAT is due on receipt, or on debits by option; on goods at delivery, which needs no code.

    One code stands for every group: where goods and services share a document and nothing was opted for, none does.
    """
    taxed = [computed for computed in totals.lines if computed.line.vat.category is VatCategory.STANDARD]
    kinds = {computed.line.kind for computed in taxed}
    if not taxed:
        return ""
    if is_deposit:  # CGI art. 269, 2, a: on goods too since 2023
        return VAT_DUE_ON_RECEIPT
    if seller.vat_on_debits and ProductKind.SERVICE in kinds:
        return VAT_DUE_ON_DEBITS
    return VAT_DUE_ON_RECEIPT if kinds == {ProductKind.SERVICE} else ""


def _billing(buyer: CustomerDescription) -> str:
    abroad = not is_of_the_reform(buyer.billing_address)
    if buyer.kind is CustomerKind.INDIVIDUAL:
        return "B2CINT" if abroad else "B2C"
    if not abroad and buyer.siren is None:
        # No platform can bring it to a company that it cannot name (BR-FR-11, BR-FR-21): kept by both, mailed, valid.
        return "ARCHIVEONLY"
    return "B2BINT" if abroad else "B2B"
