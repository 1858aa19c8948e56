"""The transfer that a banking app reads from a QR code: EPC069-12, version 002 of the European Payments Council."""

from __future__ import annotations

from billing.domain.currency import EURO
from billing.domain.invoice import DocumentType, InvoiceDocument

_LONGEST_NAME = 70
_LARGEST_MINOR = 99_999_999_999
_ASKING = frozenset({DocumentType.INVOICE, DocumentType.CORRECTIVE, DocumentType.DEPOSIT})


def transfer_code(document: InvoiceDocument) -> str | None:
    """What the code of a document holds; None when it asks for no transfer in euros to a known account."""
    seller, amount_minor = document.seller, document.payable_minor
    asks = document.document_type in _ASKING and document.paid is None and document.currency == EURO
    if not asks or seller.iban is None or not 0 < amount_minor <= _LARGEST_MINOR:
        return None
    name = " ".join(seller.legal_name.split())[:_LONGEST_NAME]
    amount = f"EUR{amount_minor // 100}.{amount_minor % 100:02d}"
    # Service tag, version, UTF-8, SEPA transfer, BIC, name, IBAN, amount, purpose, structured and free reference.
    return "\n".join(("BCD", "002", "1", "SCT", seller.bic or "", name, seller.iban, amount, "", "", document.number))
