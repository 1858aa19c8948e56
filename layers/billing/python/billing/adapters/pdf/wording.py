"""What an invoice says in its languages, as lines of text, apart from where it is placed."""

from __future__ import annotations

import re

from billing.domain.acquittal import Acquittal
from billing.domain.countries import country_name
from billing.domain.credit_notes import settlement_lines
from billing.domain.currency import EURO
from billing.domain.document_names import name_of
from billing.domain.invoice import DocumentType, InvoiceDocument, PrecedingDocument, vat_in_euros
from billing.domain.ledger import PaymentMethod
from billing.domain.mentions import NoteCode
from billing.domain.parties import Address, CompanyDescription, CustomerDescription, LegalForm
from billing.domain.payment_terms import MAX_TERMS_DAYS, PaymentTerms
from billing.domain.process import PaidAtIssue
from billing.domain.quote import QuoteDocument
from billing.domain.retention import Retention
from billing.domain.situation import Situation
from billing.domain.territories import is_in_france
from billing.domain.tongue import ENGLISH, FRENCH, DocumentLanguage, Tongue
from billing.domain.totals import ComputedLine, Discount
from billing.domain.typography import MINUS, NO_BREAK_SPACE, grouped
from billing.domain.units import UNITS
from billing.domain.vat import VatCategory, VatTreatment
from billing.ports.delivery import Mark, MarkKind

PrintedDocument = InvoiceDocument | QuoteDocument
_LEGAL_FORMS = {LegalForm.SOLE_TRADER: "Entrepreneur individuel", LegalForm.ASSOCIATION: "Association"}
_NO_VAT = "–"
SIGNED_CERTIFICATIONS = 3  # the generation of templates from which a certification is a block to sign
# … from which a seller says its country abroad, a buyer is named by its SIRET, and the invoice corrected is named.
FURTHER_NAMES = 3


def legal_form(seller: CompanyDescription, tongue: Tongue = FRENCH) -> str:
    """``SARL au capital de 10 000 €`` (Code de commerce R123-238)."""
    tongue = _alone(tongue)
    form = tongue.say(_LEGAL_FORMS.get(seller.legal_form, seller.legal_form.value))
    if seller.share_capital_minor is None or not seller.legal_form.has_share_capital:
        return form
    capital = re.sub(r"[.,]00\b", "", tongue.money(seller.share_capital_minor, EURO))
    return f"{form} {tongue.say('au capital de')} {capital}"


def _alone(tongue: Tongue) -> Tongue:
    """Where both languages would crowd the page, French stands for both."""
    return tongue if tongue.is_english else FRENCH


def registration(seller: CompanyDescription) -> str:
    """``RCS Paris 732 829 320`` (Code de commerce R123-237)."""
    return f"RCS {seller.rcs_city}{NO_BREAK_SPACE}{grouped(seller.siren, 3)}" if seller.rcs_city else ""


def address_lines(address: Address) -> list[str]:
    lines = [address.line1, address.line2, f"{address.postal_code}{NO_BREAK_SPACE}{address.city}".strip()]
    if address.country_code != "FR":
        lines.append(country_name(address.country_code).upper())
    return [line for line in lines if line.strip()]


def seller_lines(seller: CompanyDescription, tongue: Tongue = FRENCH, *, abroad: bool = False) -> list[str]:
    """``abroad``: on what goes to another country, its own stands there too."""
    return [
        *([seller.trade_name] if seller.trade_name and seller.trade_name != seller.legal_name else []),
        legal_form(seller, tongue),
        *address_lines(seller.address),
        *([country_name("FR").upper()] if abroad and seller.address.country_code == "FR" else []),
    ]


def goes_abroad(document: PrintedDocument) -> bool:
    return document.generation >= FURTHER_NAMES and not is_in_france(document.buyer.billing_address)


def seller_identifiers(seller: CompanyDescription, tongue: Tongue = FRENCH) -> list[str]:
    vat = f"{_alone(tongue).say('TVA')} {seller.vat_number}" if seller.vat_number else ""
    return _present(f"SIRET {siret(seller.siret)}", registration(seller), vat)


def seller_contacts(seller: CompanyDescription) -> list[str]:
    return _present(seller.phone, seller.email, seller.website)


def buyer_lines(buyer: CustomerDescription) -> list[str]:
    return [*_present(buyer.contact_name), *address_lines(buyer.billing_address)]


def buyer_identifiers(document: PrintedDocument) -> list[str]:
    """The buyer's SIREN is printed since décret 2022-1299; its VAT number where it has one.

    Where the document names the establishment that is billed, or a service or contract of it, as public buyers ask
    for, its SIRET, of which the SIREN is the beginning.
    """
    buyer, tongue, held = document.buyer, document.particulars.tongue, document.particulars
    of_a_service = held.buyer_siret or ((held.buyer_reference or held.contract) and buyer.siret)
    named = document.generation >= FURTHER_NAMES and of_a_service
    identity = f"SIRET {siret(buyer.siret)}" if buyer.siret else ""
    if buyer.siren and not named:
        identity = f"SIREN {grouped(buyer.siren, 3)}"
    return [
        *_present(identity),
        *_present(f"{_alone(tongue).say('TVA')} {buyer.vat_number}" if buyer.vat_number else ""),
    ]


def title(document: PrintedDocument) -> str:
    """``Facture / Invoice``."""
    return " / ".join(titles(document))


def numbered_title(document: PrintedDocument) -> str:
    """``Facture / Invoice F2026-00001``."""
    return name_of(document).numbered(document.particulars.tongue, document.number)


def titles(document: PrintedDocument) -> list[str]:
    """In each language of the document."""
    return name_of(document).titles(document.particulars.tongue)


def facts(document: PrintedDocument) -> list[tuple[str, str]]:
    """Label and value of what a reader looks for first."""
    if isinstance(document, QuoteDocument):
        return _labelled(_quote_facts(document), document)
    tongue = document.particulars.tongue
    found = [("Date d'émission", tongue.short_date(document.issue_date))]
    if document.document_type.is_credit_note:
        found += [("Facture concernée", _dated(one, tongue)) for one in document.preceding]
    else:
        supplied, due = document.supplied_on, "Date de paiement" if document.paid else "Date d'échéance"
        found += [("Livraison ou prestation", tongue.short_date(supplied))] if supplied else []
        found.append((due, tongue.short_date(document.due_date)))
        found += [("Votre commande", document.purchase_order)] if document.purchase_order else []
    return _labelled(found, document)


def _quote_facts(document: QuoteDocument) -> list[tuple[str, str]]:
    tongue = document.particulars.tongue
    version = [("Version", str(document.revision))] if document.revision > 1 else []
    return [
        ("Date du devis", tongue.short_date(document.issue_date)),
        ("Valable jusqu'au", tongue.short_date(document.valid_until)),
        *version,
    ]


def _labelled(found: list[tuple[str, str]], document: PrintedDocument) -> list[tuple[str, str]]:
    return [("\n".join(document.particulars.tongue.lines(label)), value) for label, value in found]


def agreement_title(document: QuoteDocument) -> str:
    translated = document.generation >= FURTHER_NAMES
    return document.particulars.tongue.say("Bon pour accord") if translated else "Bon pour accord"


def agreement(document: QuoteDocument) -> list[str]:
    tongue, total_minor = _alone(document.particulars.tongue), document.totals.total_minor
    taxed = bool(document.totals.vat_minor)
    french, english = (
        Tongue(currency=document.currency),
        Tongue(language=DocumentLanguage.ENGLISH, currency=document.currency),
    )
    return [
        *tongue.choose(
            f"Devis {document.number} accepté pour {french.money(total_minor)}{' TTC' if taxed else ''}.",
            f"Quote {document.number} accepted for {english.money(total_minor)}{' including VAT' if taxed else ''}.",
        ),
        *tongue.choose(
            "Signature précédée de la mention « Bon pour accord », ou acceptation en ligne par le lien reçu.",
            "Signature after the words “Bon pour accord”, or acceptance online by the link received.",
        ),
    ]


def printed_mentions(document: PrintedDocument) -> list[str]:
    """Those that are not printed with their VAT group; a credit note asks for no payment, hence has no late one."""
    said = {group.vat.wording for group in document.totals.vat_breakdown}
    of_payment = {NoteCode.PENALTIES, NoteCode.COLLECTION_FEE, NoteCode.EARLY_PAYMENT}
    left_out = of_payment if document.document_type.is_credit_note else frozenset()
    tongue = document.particulars.tongue
    kept = [one for one in document.mentions if one.text not in said and one.code not in left_out]
    if document.generation >= SIGNED_CERTIFICATIONS:
        kept = [one for one in kept if not one.to_sign]
    return [text for one in kept for text in tongue.choose(one.text, one.english)]


def certification(document: PrintedDocument) -> list[str]:
    """What the customer certifies, in a block to sign: in French, as the administration wrote it."""
    if document.generation < SIGNED_CERTIFICATIONS or document.document_type.is_credit_note:
        return []
    return [one.to_sign for one in document.mentions if one.to_sign]


SITUATION_TITLES = ("Marché HT", "Avancement", "Cumul HT", "Déjà facturé HT", "Cette facture HT")


def situation_title(situation: Situation, tongue: Tongue) -> str:
    return f"{tongue.say('Avancement des travaux')} – situation n° {situation.number}"


def situation_rows(situation: Situation, tongue: Tongue) -> list[tuple[str, list[str]]]:
    """Label and cells of each line: worth, progress, to date, before, now."""
    return [
        (
            f"{one.label} ({tongue.say('dont acompte')} {tongue.amount(one.deposit_minor)})"
            if one.deposit_minor
            else one.label,
            [
                tongue.amount(one.worth_minor),
                tongue.percent(one.progress),
                *(tongue.amount(minor) for minor in (one.so_far_minor, one.before_minor, one.net_minor)),
            ],
        )
        for one in situation.lines
    ]


def situation_sums(situation: Situation, tongue: Tongue, *, until: int | None = None) -> list[str]:
    """The cells of the last row, or of what is carried over; a progress of all lines together is none."""
    lines = situation.lines[:until]
    worth, so_far, before, now = (
        tongue.amount(sum(amounts))
        for amounts in zip(
            *((one.worth_minor, one.so_far_minor, one.before_minor, one.net_minor) for one in lines), strict=True
        )
    )
    return [worth, "", so_far, before, now]


def references(document: PrintedDocument) -> list[str]:
    """What the buyer files the document by, beside its own order number."""
    held = document.particulars
    tongue, period = held.tongue, held.period
    covered = f"{tongue.short_date(period.start)} – {tongue.short_date(period.end)}" if period else ""
    named = (
        ("Annule et remplace la facture", ", ".join(_corrected(document))),
        ("Votre référence", held.buyer_reference),
        ("Contrat", held.contract),
        ("Projet", held.project),
        ("Période", covered),
    )
    return [f"{tongue.say(label)}{_colon(tongue)} {value}" for label, value in named if value]


def _corrected(document: PrintedDocument) -> list[str]:
    """The invoices that a corrective one takes the place of."""
    named = document.generation >= FURTHER_NAMES and document.document_type is DocumentType.CORRECTIVE
    if not named or isinstance(document, QuoteDocument):
        return []
    return [_dated(one, document.particulars.tongue) for one in document.preceding]


def _dated(one: PrecedingDocument, tongue: Tongue) -> str:
    return f"{one.number} {_alone(tongue).say('du')} {tongue.short_date(one.issue_date)}"


def legal_parts(seller: CompanyDescription, tongue: Tongue = FRENCH) -> list[str]:
    """Who issues the document, on each of its pages."""
    vat = f"{_alone(tongue).say('TVA')} {seller.vat_number}" if seller.vat_number else ""
    address = ", ".join(address_lines(seller.address))
    siren = f"SIREN {grouped(seller.siren, 3)}"
    return _present(seller.display_name, legal_form(seller, tongue), address, siren, registration(seller), vat)


def siret(text: str) -> str:
    return grouped(text, 3, 3, 3, 5)


def unit(code: str, tongue: Tongue = FRENCH) -> str:
    return _alone(tongue).say(UNITS.get(code, code))


def vat_rate(vat: VatTreatment, tongue: Tongue = FRENCH) -> str:
    return tongue.percent(vat.rate) if vat.category is VatCategory.STANDARD else _NO_VAT


def vat_group(vat: VatTreatment, tongue: Tongue = FRENCH) -> str:
    return tongue.percent(vat.rate) if vat.category is VatCategory.STANDARD else tongue.say("Sans TVA")


def vat_reasons(vat: VatTreatment, tongue: Tongue = FRENCH) -> list[str]:
    """Why a group bears no VAT, in each language of the document."""
    return tongue.choose(vat.wording, vat.english_wording) if vat.wording else []


def line_discount(item: ComputedLine, tongue: Tongue = FRENCH) -> str:
    discount = item.line.discount
    if discount is None or not item.discount_minor:
        return ""
    if discount.percent is not None:
        return f"{MINUS}{tongue.percent(discount.percent)}"
    return f"{MINUS}{tongue.amount(item.discount_minor)}"


def line_cells(item: ComputedLine, tongue: Tongue = FRENCH) -> list[str]:
    """Quantity, unit, unit price, discount, VAT rate and net of a line."""
    line = item.line
    return [
        tongue.number(line.quantity),
        unit(line.unit, tongue),
        tongue.number(line.unit_price, min_decimals=2),
        line_discount(item, tongue),
        vat_rate(line.vat, tongue),
        tongue.amount(item.net_minor),
    ]


def line_details(item: ComputedLine, tongue: Tongue = FRENCH) -> str:
    """The details of a line, and why it is discounted when somebody said so."""
    discount = item.line.discount
    reason = discount.reason if discount and discount.reason != "Remise" and item.discount_minor else ""
    return "\n".join(_present(item.line.details, reason, _line_charge(item, tongue)))


def _line_charge(item: ComputedLine, tongue: Tongue) -> str:
    charge = item.line.charge
    if charge is None or not item.charge_minor:
        return ""
    share = f" ({tongue.percent(charge.percent)})" if charge.percent is not None else ""
    added = f"+{NO_BREAK_SPACE}{tongue.money(item.charge_minor)}"
    return f"{_reason(charge.reason, tongue)}{share}{_colon(tongue)} {added}"


def _colon(tongue: Tongue) -> str:
    """A space stands before the colon in French."""
    return ":" if tongue.is_english else f"{NO_BREAK_SPACE}:"


def _reason(reason: str, tongue: Tongue) -> str:
    """The default reasons have a translation; what a person wrote stands as it is."""
    return tongue.say(reason) if reason in {"Remise", "Frais"} else reason


def document_discount(discount: Discount | None, tongue: Tongue = FRENCH) -> str:
    """``Remise (5 %)``, or the reason that was given."""
    if discount is None:
        return tongue.say("Remise")
    share = f"{NO_BREAK_SPACE}({tongue.percent(discount.percent)})" if discount.percent is not None else ""
    return f"{_reason(discount.reason, tongue)}{share}"


def totals(document: PrintedDocument) -> list[tuple[str, str]]:
    """Label and amount of each total before the amount due."""
    sums, tongue = document.totals, document.particulars.tongue
    rows = _adjustment_rows(document)
    if rows:
        rows.insert(0, (tongue.say("Total des lignes HT"), tongue.money(sums.lines_minor)))
    rows += [
        (tongue.say("Total HT"), tongue.money(sums.net_minor)),
        (tongue.say("TVA"), tongue.money(sums.vat_minor)),
        (total_label(document), tongue.money(sums.total_minor)),
    ]
    if sums.prepaid_minor:
        rows.append((tongue.say("Déjà réglé"), tongue.money(-sums.prepaid_minor)))
    if isinstance(document, InvoiceDocument) and document.retention is not None:
        retention = document.retention
        label = f"{tongue.say('Retenue de garantie')} {tongue.percent(retention.percent)}"
        rows.append((label, tongue.money(-retention.amount_minor)))
    return rows


def payable_minor(document: PrintedDocument) -> int:
    """What stands beside the amount due: what is retained is asked for later."""
    return document.totals.due_minor if isinstance(document, QuoteDocument) else document.payable_minor


def total_label(document: PrintedDocument) -> str:
    return document.particulars.tongue.say("Total TTC")


def exchange_lines(document: PrintedDocument) -> list[str]:
    """The VAT in euros and the rate that gives it, of a document in another currency (BT-111)."""
    exchange, tongue = document.particulars.exchange, document.particulars.tongue
    vat_minor = vat_in_euros(document.particulars, document.totals)
    if exchange is None or vat_minor is None:
        return []
    rate = f"{tongue.money(100, EURO)} = {tongue.number(exchange.rate)}{NO_BREAK_SPACE}{exchange.currency}"
    vat = f"{tongue.say('TVA en euros')}{_colon(tongue)} {tongue.money(vat_minor, EURO)}"
    return [f"{vat} ({rate}, {exchange.source}, {tongue.short_date(exchange.on)})"]


def _adjustment_rows(document: PrintedDocument) -> list[tuple[str, str]]:
    """The discount, then each allowance and charge, over all VAT groups together."""
    sums, tongue = document.totals, document.particulars.tongue
    amounts: dict[tuple[bool, str], int] = {}
    for part in sums.adjustments:
        share = f"{NO_BREAK_SPACE}({tongue.percent(part.percent)})" if part.percent is not None else ""
        named = (part.is_charge, f"{_reason(part.reason, tongue)}{share}")
        amounts[named] = amounts.get(named, 0) + part.amount_minor
    allowed_minor = sum(amount for (is_charge, _), amount in amounts.items() if not is_charge)
    discount_minor = sums.discount_minor - allowed_minor
    rows = []
    if discount_minor:
        rows.append((document_discount(document.document_discount, tongue), tongue.money(-discount_minor)))
    rows += [(label, tongue.money(amount if is_charge else -amount)) for (is_charge, label), amount in amounts.items()]
    return rows


def buyer_title(document: PrintedDocument) -> str:
    label = "Adressé à" if isinstance(document, QuoteDocument) else "Facturé à"
    return document.particulars.tongue.say(label)


def due_label(document: PrintedDocument) -> list[str]:
    """What stands beside the amount due; an invoice paid before its issue says so."""
    if isinstance(document, QuoteDocument):
        label = "Total du devis"
    elif document.document_type.is_credit_note:
        label = "Net à votre crédit"
    else:
        label = "Acquitté, net à payer" if document.paid else "Net à payer"
    return document.particulars.tongue.lines(label)


def payment_title(document: PrintedDocument) -> str:
    if isinstance(document, QuoteDocument):
        label = "Conditions"
    elif document.document_type.is_credit_note:
        label = "Règlement de l'avoir"
    elif document.paid is not None:
        label = "Facture acquittée"
    else:
        label = "Règlement par virement" if document.seller.iban else "Règlement"
    return document.particulars.tongue.say(label)


def payment_columns(document: PrintedDocument) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Label and value of what a payer needs: when and what to quote, then where the money goes.

    Of a credit note: why it was made, then how it is settled.
    """
    tongue = document.particulars.tongue
    left, right = _payment_rows(document, tongue)
    return [(tongue.say(label), value) for label, value in left], [(tongue.say(label), value) for label, value in right]


def _payment_rows(document: PrintedDocument, tongue: Tongue) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    if isinstance(document, QuoteDocument):
        terms = " / ".join(tongue.choose(document.payment_terms.wording_fr, document.payment_terms.wording_en))
        rows = [("Règlement", terms)]
        if document.retention_percent:
            rows.append(("Retenue de garantie", tongue.percent(document.retention_percent)))
        return rows, []
    if document.document_type.is_credit_note:
        return [("Motif", document.reason)], [
            (label, tongue.money(amount)) for label, amount in settlement_lines(document)
        ]
    if document.paid is not None:
        return _receipt(document, document.paid, tongue), []
    seller = document.seller
    when = [("Échéance", f"{tongue.short_date(document.due_date)} ({_terms(document, tongue)})")]
    if document.retention is not None:
        when.append(("Retenue", _retained(document.retention, tongue)))
    if not seller.iban:
        return when, []
    when.append(("Référence", document.number))
    where = [("IBAN", grouped(seller.iban, 4))]
    where += [("BIC", seller.bic)] if seller.bic else []
    where += [("Banque", seller.bank_name)] if seller.bank_name else []
    return when, where


def _retained(retention: Retention, tongue: Tongue) -> str:
    """``251,28 €, payable le 20/11/2027``, or a year after a reception that is still to come."""
    amount = tongue.money(retention.amount_minor)
    if retention.due_date is not None:
        on = tongue.short_date(retention.due_date)
        return " / ".join(tongue.choose(f"{amount}, payable le {on}", f"{amount}, payable on {on}"))
    return " / ".join(
        tongue.choose(
            f"{amount}, payable un an après la réception (loi n° 71-584 du 16 juillet 1971)",
            f"{amount}, payable one year after the reception (loi n° 71-584 of 16 July 1971)",
        )
    )


def _terms(document: InvoiceDocument, tongue: Tongue) -> str:
    days = (document.due_date - document.issue_date).days
    terms = document.payment_terms or PaymentTerms.net(max(0, min(days, MAX_TERMS_DAYS)))
    return " / ".join(tongue.choose(terms.wording_fr, terms.wording_en))


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


def _receipt(document: InvoiceDocument, paid: PaidAtIssue, tongue: Tongue) -> list[tuple[str, str]]:
    """What was paid before the invoice was issued."""
    rows = [
        ("Acquitté le", tongue.short_date(paid.paid_on)),
        ("Montant", tongue.money(document.totals.prepaid_minor)),
        ("Par", tongue.say(_METHODS.get(paid.method, paid.method.value))),
    ]
    return [*rows, ("Référence", paid.reference)] if paid.reference else rows


def mark_word(mark: Mark, document: PrintedDocument) -> str:
    """``BROUILLON``, ``BROUILLON / DRAFT``: what is written across the pages."""
    word = "Brouillon" if mark.kind is MarkKind.DRAFT else "Duplicata"
    return document.particulars.tongue.say(word).upper()


def instead_of_code(mark: Mark, document: PrintedDocument) -> list[str] | None:
    """What stands in place of a code that must not be paid; None where it may."""
    if mark.asks:
        return None
    tongue = document.particulars.tongue
    if mark.kind is MarkKind.DRAFT:
        return tongue.lines("QR code à l'émission")
    if mark.left_minor:
        return [*tongue.lines("Reste à payer"), tongue.money(mark.left_minor)]
    return tongue.lines("Rien à payer")


def standing(mark: Mark, document: PrintedDocument) -> str:
    """``Acquitté le 27/11/2026 par virement``, ``Annulée par avoir``, ``Réglé : 20,00 € · Reste à payer : 100,00 €``.

    Nothing of a document of which nothing was paid or credited.
    """
    tongue = document.particulars.tongue
    if mark.acquittal is not None:
        return _acquitted(mark.acquittal, tongue)
    if not (mark.kept_minor or mark.credited_minor):
        return ""
    if not (mark.kept_minor or mark.left_minor):
        return " / ".join(tongue.choose("Annulée par avoir", "Cancelled by credit note"))
    amounts = (("Réglé", mark.kept_minor), ("Avoir déduit", mark.credited_minor), ("Reste à payer", mark.left_minor))
    return " · ".join(
        f"{tongue.say(label)}{_colon(tongue)} {tongue.money(amount)}" for label, amount in amounts if amount
    )


def _acquitted(acquittal: Acquittal, tongue: Tongue) -> str:
    day = tongue.short_date(acquittal.on)
    if acquittal.credited:
        said = tongue.choose(f"Soldé le {day} par règlement et avoir", f"Settled on {day} by payment and credit note")
    else:
        french = [_METHODS[method] if method else "votre crédit" for method in acquittal.methods]
        said = tongue.choose(
            f"Acquitté le {day} par {_listed(french, 'et')}",
            f"Paid on {day} by {_listed([ENGLISH[name] for name in french], 'and')}",
        )
    return " / ".join(said)


def _listed(names: list[str], last: str) -> str:
    """``a``, ``a et b``, ``a, b et c``."""
    *before, end = names
    return f"{', '.join(before)} {last} {end}" if before else end


def _present(*texts: str) -> list[str]:
    return [text for text in texts if text.strip()]
