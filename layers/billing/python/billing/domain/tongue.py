"""How a document speaks: French, French with English beside it, or English alone for a foreign buyer.

Labels are named by their French text. Amounts, numbers and dates follow the language; the currency is the document's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from billing.domain.currency import EURO
from billing.domain.dates import format_french
from billing.domain.money import to_major
from billing.domain.typography import (
    MINUS,
    NO_BREAK_SPACE,
    format_amount,
    format_decimal_english,
    format_long_date,
    format_number,
    format_percent,
)

_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


class DocumentLanguage(StrEnum):
    FRENCH = "fr"
    FRENCH_AND_ENGLISH = "fr-en"
    ENGLISH = "en"


ENGLISH = {
    # Titles
    "Facture": "Invoice",
    "Avoir": "Credit note",
    "Facture rectificative": "Corrective invoice",
    "Facture d'acompte": "Deposit invoice",
    "Avoir sur acompte": "Credit note on a deposit",
    "Devis": "Quote",
    "Brouillon": "Draft",
    "Duplicata": "Duplicate",
    "Adressé à": "Addressed to",
    "Date du devis": "Quote date",
    "Valable jusqu'au": "Valid until",
    "Total du devis": "Total of the quote",
    "Montant du devis": "Amount of the quote",
    "Conditions": "Terms",
    "Nom et qualité": "Name, capacity",
    "Certification du client pour le taux réduit de TVA": "Customer's certification for the reduced rate of VAT",
    "Nom": "Name",
    # Parties
    "Émetteur": "From",
    "Facturé à": "Billed to",
    "Livré à": "Delivered to",
    "TVA": "VAT",
    "Entrepreneur individuel": "Sole trader (entrepreneur individuel)",
    "Association": "Association",
    "au capital de": "with a share capital of",
    # Facts and references
    "Date d'émission": "Issue date",
    "Livraison ou prestation": "Date of supply",
    "Date d'échéance": "Due date",
    "Date de paiement": "Payment date",
    "Votre commande": "Your order",
    "Facture concernée": "Invoice concerned",
    "du": "of",
    "Votre référence": "Your reference",
    "Contrat": "Contract",
    "Projet": "Project",
    "Période": "Period",
    # Lines
    "Désignation": "Description",
    "Quantité": "Quantity",
    "Unité": "Unit",
    "Prix unitaire HT": "Unit price",
    "Remise": "Discount",
    "Frais": "Charge",
    "Total HT": "Total excl. VAT",
    "À reporter": "Carried forward",
    "Report": "Brought forward",
    # Progress of a quote
    "Avancement des travaux": "Progress of the work",
    "Ouvrage": "Work",
    "Marché HT": "Contract excl. VAT",
    "Avancement": "Progress",
    "Cumul HT": "To date excl. VAT",
    "Déjà facturé HT": "Invoiced before",
    "dont acompte": "of which deposit",
    "Cette facture HT": "This invoice",
    "Total": "Total",
    "Retenue": "Retained",
    "Retenue de garantie": "Retention of guarantee",
    # Totals
    "Total des lignes HT": "Sum of lines",
    "Total TTC": "Total incl. VAT",
    "TVA en euros": "VAT in euros",
    "Déjà réglé": "Already paid",
    "Net à payer": "Amount due",
    "Net à votre crédit": "Amount credited",
    "Acquitté, net à payer": "Paid, amount due",
    "Taux de TVA": "VAT rate",
    "Base HT": "Taxable",
    "Montant de TVA": "VAT amount",
    "Sans TVA": "No VAT",
    # Payment
    "Règlement par virement": "Payment by bank transfer",
    "Virement par QR code": "Transfer by QR code",
    "QR code à l'émission": "QR code once issued",
    "Rien à payer": "Nothing to pay",
    "Reste à payer": "Left to pay",
    "Bon pour accord": "Acceptance",
    "Annule et remplace la facture": "Cancels and replaces invoice",
    "Réglé": "Paid",
    "Avoir déduit": "Credited",
    "votre crédit": "your credit",
    "Règlement": "Payment",
    "Règlement de l'avoir": "Settlement of the credit note",
    "Facture acquittée": "Paid invoice",
    "Motif": "Reason",
    "Échéance": "Due date",
    "Référence": "Reference",
    "Banque": "Bank",
    "Acquitté le": "Paid on",
    "Montant": "Amount",
    "Par": "By",
    "virement": "bank transfer",
    "chèque": "cheque",
    "espèces": "cash",
    "carte bancaire": "card",
    "Notes": "Notes",
    "Conservé à votre crédit": "Kept as your credit",
    "Déduit de la facture": "Deducted from invoice",
    "prélèvement": "direct debit",
    # Mail
    "rien, tout est réglé": "nothing, all is paid",
    "Montant à régler": "Amount to pay",
    "Montant de l'avoir": "Amount of the credit note",
    "Remboursement": "Refund",
    "Référence à rappeler": "Reference to quote",
    "Voir le document": "See the document",
    "Voir la facture": "See the invoice",
    "Payer en ligne": "Pay online",
    "Cordialement,": "Kind regards,",
    # Reminders
    "Échéance proche": "Due soon",
    "Relance": "Reminder",
    "Deuxième relance": "Second reminder",
    "Dernière relance": "Final reminder",
    "Mise en demeure de payer": "Formal notice to pay",
    "Retard": "Days late",
    "Pénalités de retard": "Late payment penalties",
    "Indemnité forfaitaire de recouvrement": "Fixed recovery compensation",
    "Total dû à ce jour": "Total due today",
    # Units
    "unité": "unit",
    "heure": "hour",
    "jour": "day",
    "mois": "month",
    "année": "year",
    "prestation": "service",
    "forfait": "flat rate",
    "tonne": "tonne",
    "litre": "litre",
    "boîte": "box",
    "pièce": "piece",
    "paquet": "pack",
    "carton": "carton",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    language: DocumentLanguage = DocumentLanguage.FRENCH
    currency: str = EURO

    @property
    def is_english(self) -> bool:
        return self.language is DocumentLanguage.ENGLISH

    def lines(self, french: str) -> list[str]:
        """A label in each language of the document; one without a translation stays French."""
        english = ENGLISH.get(french) or _with_number(french)
        if self.is_english:
            return [english]
        both = self.language is DocumentLanguage.FRENCH_AND_ENGLISH and english != french
        return [french, english] if both else [french]

    def say(self, french: str) -> str:
        """A label on one line: ``Facture / Invoice``."""
        return " / ".join(self.lines(french))

    def choose(self, french: str, english: str) -> list[str]:
        """A sentence in each language of the document."""
        if self.language is DocumentLanguage.FRENCH_AND_ENGLISH and english and english != french:
            return [french, english]
        return [english if self.is_english and english else french]

    def number(self, value: Decimal, *, min_decimals: int = 0) -> str:
        if self.is_english:
            return format_decimal_english(value, min_decimals=min_decimals)
        return format_number(value, min_decimals=min_decimals)

    def amount(self, amount_minor: int) -> str:
        """``1 234,56`` or ``1,234.56``."""
        if self.is_english:
            return format_decimal_english(to_major(amount_minor), min_decimals=2)
        return format_amount(amount_minor)

    def money(self, amount_minor: int, currency: str | None = None) -> str:
        """``1 234,56 €``, ``€1,234.56``, ``1 234,56 USD``, ``USD 1,234.56``."""
        code = currency or self.currency
        if not self.is_english:
            return f"{self.amount(amount_minor)}{NO_BREAK_SPACE}{'€' if code == EURO else code}"
        sign, figures = (MINUS, self.amount(-amount_minor)) if amount_minor < 0 else ("", self.amount(amount_minor))
        return f"{sign}€{figures}" if code == EURO else f"{sign}{code}{NO_BREAK_SPACE}{figures}"

    def percent(self, rate: Decimal) -> str:
        return f"{format_decimal_english(rate)}%" if self.is_english else format_percent(rate)

    def short_date(self, day: date) -> str:
        """``23/11/2026``, or ``23 Nov 2026``: no month is taken for a day."""
        if not self.is_english:
            return format_french(day)
        return NO_BREAK_SPACE.join((str(day.day), _MONTHS[day.month - 1][:3], str(day.year)))

    def long_date(self, day: date) -> str:
        if not self.is_english:
            return format_long_date(day)
        return NO_BREAK_SPACE.join((str(day.day), _MONTHS[day.month - 1], str(day.year)))


_DEDUCTED = "Déduit de la facture"


def _with_number(french: str) -> str:
    """A label that ends with the number of a document; anything else stays as it is."""
    return french.replace(_DEDUCTED, ENGLISH[_DEDUCTED]) if french.startswith(_DEDUCTED) else french


FRENCH = Tongue()
