"""What an invoice says, as French lines of text, apart from where it is placed."""

from __future__ import annotations

from billing.domain.countries import country_name
from billing.domain.credit_notes import settlement_lines
from billing.domain.dates import format_french
from billing.domain.invoice import DocumentType, InvoiceDocument
from billing.domain.ledger import PaymentMethod
from billing.domain.mentions import NoteCode
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, LegalForm
from billing.domain.payment_terms import MAX_TERMS_DAYS, PaymentTerms
from billing.domain.process import PaidAtIssue
from billing.domain.quote import QuoteDocument
from billing.domain.totals import ComputedLine, Discount
from billing.domain.typography import (
    MINUS,
    NO_BREAK_SPACE,
    format_amount,
    format_euros,
    format_number,
    format_percent,
    grouped,
)
from billing.domain.units import UNITS
from billing.domain.vat import VatCategory, VatTreatment

TITLES = {
    DocumentType.INVOICE: "Facture",
    DocumentType.CREDIT_NOTE: "Avoir",
    DocumentType.CORRECTIVE: "Facture rectificative",
    DocumentType.DEPOSIT: "Facture d'acompte",
    DocumentType.DEPOSIT_CREDIT_NOTE: "Avoir sur acompte",
    DocumentType.QUOTE: "Devis",
}
PrintedDocument = InvoiceDocument | QuoteDocument
_LEGAL_FORMS = {LegalForm.SOLE_TRADER: "Entrepreneur individuel", LegalForm.ASSOCIATION: "Association"}
_NO_VAT = "–"


def legal_form(seller: CompanyDescription) -> str:
    """``SARL au capital de 10 000 €`` (Code de commerce R123-238)."""
    form = _LEGAL_FORMS.get(seller.legal_form, seller.legal_form.value)
    if seller.share_capital_minor is None or not seller.legal_form.has_share_capital:
        return form
    capital = format_euros(seller.share_capital_minor).replace(",00", "")
    return f"{form} au capital de {capital}"


def registration(seller: CompanyDescription) -> str:
    """``RCS Paris 732 829 320`` (Code de commerce R123-237)."""
    return f"RCS {seller.rcs_city}{NO_BREAK_SPACE}{grouped(seller.siren, 3)}" if seller.rcs_city else ""


def address_lines(address: Address) -> list[str]:
    lines = [address.line1, address.line2, f"{address.postal_code}{NO_BREAK_SPACE}{address.city}".strip()]
    if address.country_code != "FR":
        lines.append(country_name(address.country_code).upper())
    return [line for line in lines if line.strip()]


def seller_lines(seller: CompanyDescription) -> list[str]:
    return [
        *([seller.trade_name] if seller.trade_name and seller.trade_name != seller.legal_name else []),
        legal_form(seller),
        *address_lines(seller.address),
    ]


def seller_identifiers(seller: CompanyDescription) -> list[str]:
    vat = f"TVA {seller.vat_number}" if seller.vat_number else ""
    return _present(f"SIRET {siret(seller.siret)}", registration(seller), vat)


def seller_contacts(seller: CompanyDescription) -> list[str]:
    return _present(seller.phone, seller.email, seller.website)


def buyer_lines(buyer: CustomerDescription) -> list[str]:
    return [*_present(buyer.contact_name), *address_lines(buyer.billing_address)]


def buyer_identifiers(buyer: CustomerDescription) -> list[str]:
    """The buyer's SIREN is printed since décret 2022-1299; its VAT number where it has one."""
    identity = f"SIRET {siret(buyer.siret)}" if buyer.siret else ""
    if buyer.siren:
        identity = f"SIREN {grouped(buyer.siren, 3)}"
    return [*_present(identity), *_present(f"TVA {buyer.vat_number}" if buyer.vat_number else "")]


def facts(document: PrintedDocument) -> list[tuple[str, str]]:
    """Label and value of what a reader looks for first."""
    if isinstance(document, QuoteDocument):
        version = [("Version", str(document.revision))] if document.revision > 1 else []
        return [
            ("Date du devis", format_french(document.issue_date)),
            ("Valable jusqu'au", format_french(document.valid_until)),
            *version,
        ]
    if document.document_type.is_credit_note:
        return [
            ("Date d'émission", format_french(document.issue_date)),
            *(("Facture concernée", f"{one.number} du {format_french(one.issue_date)}") for one in document.preceding),
        ]
    found = [
        ("Date d'émission", format_french(document.issue_date)),
        ("Livraison ou prestation", format_french(document.supply_date)),
        ("Date de paiement" if document.paid else "Date d'échéance", format_french(document.due_date)),
    ]
    if document.purchase_order:
        found.append(("Votre commande", document.purchase_order))
    return found


def agreement(document: QuoteDocument) -> list[str]:
    taxed = " TTC" if document.totals.vat_minor else ""
    return [
        f"Devis {document.number} accepté pour {format_euros(document.totals.total_minor)}{taxed}.",
        "Signature précédée de la mention « Bon pour accord », ou acceptation en ligne par le lien reçu.",
    ]


def printed_mentions(document: PrintedDocument) -> list[str]:
    """Those that are not printed with their VAT group; a credit note asks for no payment, hence has no late one."""
    said = {group.vat.wording for group in document.totals.vat_breakdown}
    of_payment = {NoteCode.PENALTIES, NoteCode.COLLECTION_FEE, NoteCode.EARLY_PAYMENT}
    left_out = of_payment if document.document_type.is_credit_note else frozenset()
    return [one.text for one in document.mentions if one.text not in said and one.code not in left_out]


def references(document: PrintedDocument) -> list[str]:
    """What the buyer files the document by, beside its own order number."""
    held = document.particulars
    period = held.period
    covered = f"{format_french(period.start)} au {format_french(period.end)}" if period else ""
    named = (
        ("Votre référence", held.buyer_reference),
        ("Contrat", held.contract),
        ("Projet", held.project),
        ("Période du", covered),
    )
    return [
        f"{label}{NO_BREAK_SPACE}: {value}" if label != "Période du" else f"{label} {value}"
        for label, value in named
        if value
    ]


def legal_parts(seller: CompanyDescription) -> list[str]:
    """Who issues the document, on each of its pages."""
    vat = f"TVA {seller.vat_number}" if seller.vat_number else ""
    address = ", ".join(address_lines(seller.address))
    siren = f"SIREN {grouped(seller.siren, 3)}"
    return _present(seller.display_name, legal_form(seller), address, siren, registration(seller), vat)


def siret(text: str) -> str:
    return grouped(text, 3, 3, 3, 5)


def unit(code: str) -> str:
    return UNITS.get(code, code)


def vat_rate(vat: VatTreatment) -> str:
    return format_percent(vat.rate) if vat.category is VatCategory.STANDARD else _NO_VAT


def vat_group(vat: VatTreatment) -> str:
    return format_percent(vat.rate) if vat.category is VatCategory.STANDARD else "Sans TVA"


def line_discount(item: ComputedLine) -> str:
    discount = item.line.discount
    if discount is None or not item.discount_minor:
        return ""
    if discount.percent is not None:
        return f"{MINUS}{format_percent(discount.percent)}"
    return f"{MINUS}{format_amount(item.discount_minor)}"


def line_cells(item: ComputedLine) -> list[str]:
    """Quantity, unit, unit price, discount, VAT rate and net of a line."""
    line = item.line
    return [
        format_number(line.quantity),
        unit(line.unit),
        format_number(line.unit_price, min_decimals=2),
        line_discount(item),
        vat_rate(line.vat),
        format_amount(item.net_minor),
    ]


def line_details(item: ComputedLine) -> str:
    """The details of a line, and why it is discounted when somebody said so."""
    discount = item.line.discount
    reason = discount.reason if discount and discount.reason != "Remise" and item.discount_minor else ""
    return "\n".join(_present(item.line.details, reason, _line_charge(item)))


def _line_charge(item: ComputedLine) -> str:
    charge = item.line.charge
    if charge is None or not item.charge_minor:
        return ""
    share = f" ({format_percent(charge.percent)})" if charge.percent is not None else ""
    return f"{charge.reason}{share}{NO_BREAK_SPACE}: +{NO_BREAK_SPACE}{format_euros(item.charge_minor)}"


def document_discount(discount: Discount | None) -> str:
    """``Remise (5 %)``, or the reason that was given."""
    if discount is None:
        return "Remise"
    share = f"{NO_BREAK_SPACE}({format_percent(discount.percent)})" if discount.percent is not None else ""
    return f"{discount.reason}{share}"


def totals(document: PrintedDocument) -> list[tuple[str, str]]:
    """Label and amount of each total before the amount due."""
    sums = document.totals
    rows = _adjustment_rows(document)
    if rows:
        rows.insert(0, ("Total des lignes HT", format_euros(sums.lines_minor)))
    rows += [
        ("Total HT", format_euros(sums.net_minor)),
        ("TVA", format_euros(sums.vat_minor)),
        ("Total TTC", format_euros(sums.total_minor)),
    ]
    if sums.prepaid_minor:
        rows.append(("Déjà réglé", format_euros(-sums.prepaid_minor)))
    return rows


def _adjustment_rows(document: PrintedDocument) -> list[tuple[str, str]]:
    """The discount, then each allowance and charge, over all VAT groups together."""
    sums = document.totals
    amounts: dict[tuple[bool, str], int] = {}
    for part in sums.adjustments:
        share = f"{NO_BREAK_SPACE}({format_percent(part.percent)})" if part.percent is not None else ""
        named = (part.is_charge, f"{part.reason}{share}")
        amounts[named] = amounts.get(named, 0) + part.amount_minor
    allowed_minor = sum(amount for (is_charge, _), amount in amounts.items() if not is_charge)
    discount_minor = sums.discount_minor - allowed_minor
    rows = []
    if discount_minor:
        rows.append((document_discount(document.document_discount), format_euros(-discount_minor)))
    rows += [(label, format_euros(amount if is_charge else -amount)) for (is_charge, label), amount in amounts.items()]
    return rows


def buyer_title(document: PrintedDocument) -> str:
    return "Adressé à" if isinstance(document, QuoteDocument) else "Facturé à"


def due_label(document: PrintedDocument) -> str:
    """What stands beside the amount due; an invoice paid before its issue says so."""
    if isinstance(document, QuoteDocument):
        return "Total du devis"
    if document.document_type.is_credit_note:
        return "Net à votre crédit"
    return "Acquitté, net à payer" if document.paid else "Net à payer"


def payment_title(document: PrintedDocument) -> str:
    if isinstance(document, QuoteDocument):
        return "Conditions"
    if document.document_type.is_credit_note:
        return "Règlement de l'avoir"
    if document.paid is not None:
        return "Facture acquittée"
    return "Règlement par virement" if document.seller.iban else "Règlement"


def payment_columns(document: PrintedDocument) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Label and value of what a payer needs: when and what to quote, then where the money goes.

    Of a credit note: why it was made, then how it is settled.
    """
    if isinstance(document, QuoteDocument):
        return [("Règlement", document.payment_terms.wording_fr)], []
    if document.document_type.is_credit_note:
        settled = [(label, format_euros(amount)) for label, amount in settlement_lines(document)]
        return [("Motif", document.reason)], settled
    seller = document.seller
    days = (document.due_date - document.issue_date).days
    terms = (document.payment_terms or PaymentTerms.net(max(0, min(days, MAX_TERMS_DAYS)))).wording_fr
    if document.paid is not None:
        return _receipt(document, document.paid), []
    when = [("Échéance", f"{format_french(document.due_date)} ({terms})")]
    if not seller.iban:
        return when, []
    when.append(("Référence", document.number))
    where = [("IBAN", grouped(seller.iban, 4))]
    where += [("BIC", seller.bic)] if seller.bic else []
    where += [("Banque", seller.bank_name)] if seller.bank_name else []
    return when, where


_METHODS = {
    PaymentMethod.TRANSFER: "virement",
    PaymentMethod.CHEQUE: "chèque",
    PaymentMethod.CASH: "espèces",
    PaymentMethod.CARD: "carte bancaire",
    PaymentMethod.DIRECT_DEBIT: "prélèvement",
}


def payment_means(method: PaymentMethod | None) -> str:
    """How a payment came in; None when the customer's credit paid."""
    return _METHODS[method].capitalize() if method else "Crédit du client"


def _receipt(document: InvoiceDocument, paid: PaidAtIssue) -> list[tuple[str, str]]:
    """What was paid before the invoice was issued."""
    rows = [
        ("Acquitté le", format_french(paid.paid_on)),
        ("Montant", format_euros(document.totals.prepaid_minor)),
        ("Par", _METHODS.get(paid.method, paid.method.value)),
    ]
    return [*rows, ("Référence", paid.reference)] if paid.reference else rows


def _present(*texts: str) -> list[str]:
    return [text for text in texts if text.strip()]
