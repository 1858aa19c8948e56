"""What a document is called: its title, and its name within a sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from billing.domain.invoice import DocumentType, InvoiceDocument
from billing.domain.quote import QuoteDocument
from billing.domain.tongue import Tongue

TELLING_TITLES: Final = 3  # the generation of templates from which a title says which situation it is, or the balance


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentName:
    """``title`` stands alone, ``within`` in a French sentence, ``english`` is in lower case.

    ``rank``: of a situation, which must not run into the number of the document.
    """

    title: str
    within: str
    english: str
    rank: int | None = None

    @property
    def joint(self) -> str:
        """What stands between the name and the number of the document."""
        return " " if self.rank is None else ", "

    def titles(self, tongue: Tongue) -> list[str]:
        """The title in each language of a document."""
        return tongue.choose(self.title, f"{self.english[0].upper()}{self.english[1:]}")

    def numbered(self, tongue: Tongue, number: str) -> str:
        """``Facture / Invoice F2026-00001``."""
        return f"{' / '.join(self.titles(tongue))}{self.joint}{number}"


_NAMES = {
    DocumentType.INVOICE: DocumentName(title="Facture", within="la facture", english="invoice"),
    DocumentType.CREDIT_NOTE: DocumentName(title="Avoir", within="l'avoir", english="credit note"),
    DocumentType.CORRECTIVE: DocumentName(
        title="Facture rectificative", within="la facture rectificative", english="corrective invoice"
    ),
    DocumentType.DEPOSIT: DocumentName(
        title="Facture d'acompte", within="la facture d'acompte", english="deposit invoice"
    ),
    DocumentType.DEPOSIT_CREDIT_NOTE: DocumentName(
        title="Avoir sur acompte", within="l'avoir sur acompte", english="credit note on a deposit"
    ),
    DocumentType.QUOTE: DocumentName(title="Devis", within="le devis", english="quote"),
}
_BALANCE = DocumentName(title="Facture de solde", within="la facture de solde", english="final invoice")


def name_of(document: InvoiceDocument | QuoteDocument) -> DocumentName:
    """By its type; of an invoice, what it bills of a quote: a situation, or what deposits and situations left."""
    named = _NAMES[document.document_type]
    if not isinstance(document, InvoiceDocument) or document.document_type is not DocumentType.INVOICE:
        return named
    if document.generation < TELLING_TITLES:
        return named
    if document.situation is not None:
        rank = document.situation.number
        return DocumentName(
            title=f"Facture de situation n° {rank}",
            within=f"la facture de situation n° {rank}",
            english=f"progress invoice no. {rank}",
            rank=rank,
        )
    return _BALANCE if document.preceding else named
