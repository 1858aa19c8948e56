"""What may be taken off or added to a document, and which VAT a company may put on what it bills."""

from __future__ import annotations

from collections.abc import Iterator

from billing.domain.errors import FieldError
from billing.domain.totals import Adjustment, Line
from billing.domain.vat import DISBURSEMENT, FRANCHISE, VatCategory, VatRegime, VatTreatment

MAX_ADJUSTMENTS = 20

# UNTDID 5189 (BT-98, BT-140) and UNTDID 7161 (BT-105, BT-145) as EN 16931 takes them (BR-CL-19, BR-CL-20).
_ALLOWANCES = "41 42 60 62 63 64 65 66 67 68 70 71 88 95 100 102 103 104 105"
_CHARGES = """
AA AAA AAC AAD AAE AAF AAH AAI AAS AAT AAV AAY AAZ ABA ABB ABC ABD ABF ABK ABL ABN ABR ABS ABT ABU ACF ACG ACH
ACI ACJ ACK ACL ACM ACS ADC ADE ADJ ADK ADL ADM ADN ADO ADP ADQ ADR ADT ADW ADY ADZ AEA AEB AEC AED AEF AEH AEI AEJ AEK
AEL AEM AEN AEO AEP AES AET AEU AEV AEW AEX AEY AEZ AJ AU CA CAB CAD CAE CAF CAI CAJ CAK CAL CAM CAN CAO CAP CAQ CAR CAS
CAT CAU CAV CAW CAX CAY CAZ CD CG CS CT DAB DAD DAC DAF DAG DAH DAI DAJ DAK DAL DAM DAN DAO DAP DAQ DL EG EP ER FAA FAB
FAC FC FH FI GAA HAA HD HH IAA IAB ID IF IR IS KO L1 LA LAA LAB LF MAE MI ML NAA OA PA PAA PC PL PRV RAB RAC RAD RAF RE
RF RH RV SA SAA SAD SAE SAI SG SH SM SU TAB TAC TT TV V1 V2 WH XAA YY ZZZ"""
ALLOWANCE_REASONS = frozenset(_ALLOWANCES.split())
CHARGE_REASONS = frozenset(_CHARGES.split())


def regime_errors(pointer: str, vat: VatTreatment, regime: VatRegime) -> Iterator[FieldError]:
    """A company under the franchise charges no VAT, and no other company has its exemption."""
    if regime is VatRegime.FRANCHISE and vat.exemption_code not in {FRANCHISE.code, DISBURSEMENT.code}:
        yield FieldError(
            f"{pointer}/vat_category",
            "Une entreprise en franchise facture sans TVA (article 293 B du CGI).",
            "A company under the franchise invoices without VAT (CGI art. 293 B).",
        )
    if regime is VatRegime.NORMAL and vat.exemption_code == FRANCHISE.code:
        yield FieldError(
            f"{pointer}/exemption_code",
            "L'entreprise n'est pas en franchise de TVA.",
            "The company is not under the VAT franchise.",
        )


def adjustment_errors(
    lines: tuple[Line, ...], allowances: tuple[Adjustment, ...], charges: tuple[Adjustment, ...], regime: VatRegime
) -> Iterator[FieldError]:
    """Each wrong allowance and charge of a document by its pointer."""
    for name, adjustments in (("allowances", allowances), ("charges", charges)):
        if len(adjustments) > MAX_ADJUSTMENTS:
            yield FieldError(
                f"/{name}", f"Au plus {MAX_ADJUSTMENTS} par facture.", f"At most {MAX_ADJUSTMENTS} on an invoice."
            )
    billed = {line.vat for line in lines}
    for index, allowance in enumerate(allowances):
        yield from _allowance_errors(f"/allowances/{index}", allowance, billed, regime)
    grouped = set(billed)
    for index, charge in enumerate(charges):
        yield from _charge_errors(f"/charges/{index}", charge, billed, regime)
        if charge.vat is not None:
            yield from _group_errors(f"/charges/{index}", charge.vat, grouped)
            grouped.add(charge.vat)


def _allowance_errors(
    pointer: str, allowance: Adjustment, billed: set[VatTreatment], regime: VatRegime
) -> Iterator[FieldError]:
    if allowance.reason_code and allowance.reason_code not in ALLOWANCE_REASONS:
        yield FieldError(f"{pointer}/reason_code", "Code inconnu (UNTDID 5189).", "Unknown code (UNTDID 5189).")
    if allowance.vat is None:
        return
    yield from regime_errors(pointer, allowance.vat, regime)
    if allowance.vat not in billed:
        yield FieldError(
            f"{pointer}/vat_rate",
            "Aucune ligne ne porte cette TVA : rien à réduire.",
            "No line bears this VAT: there is nothing to reduce.",
        )


def _charge_errors(
    pointer: str, charge: Adjustment, billed: set[VatTreatment], regime: VatRegime
) -> Iterator[FieldError]:
    if charge.reason_code and charge.reason_code not in CHARGE_REASONS:
        yield FieldError(f"{pointer}/reason_code", "Code inconnu (UNTDID 7161).", "Unknown code (UNTDID 7161).")
    if charge.vat is None:
        return
    yield from regime_errors(pointer, charge.vat, regime)
    if charge.vat not in billed and charge.percent is not None:
        yield FieldError(
            f"{pointer}/percent",
            "Un pourcentage se prend sur des lignes de la même TVA : donnez un montant.",
            "A percentage is of lines with the same VAT: give an amount.",
        )


def _group_errors(pointer: str, vat: VatTreatment, grouped: set[VatTreatment]) -> Iterator[FieldError]:
    """A charge that opens a group stands beside the others as a line would."""
    categories = {each.category for each in grouped | {vat}}
    if VatCategory.OUT_OF_SCOPE in categories and len(categories) > 1:  # BR-O-11 … BR-O-14
        yield FieldError(
            f"{pointer}/vat_category",
            "Une opération hors du champ de la TVA se facture seule.",
            "What is outside the scope of VAT is invoiced alone.",
        )
    if any(each.category is vat.category and each.exemption_code != vat.exemption_code for each in grouped):
        yield FieldError(  # BR-E-01 and its like: one group for each category without VAT
            f"{pointer}/exemption_code",
            "Ce motif n'est pas celui des lignes de la facture.",
            "This code is not the one of the invoice's lines.",
        )
