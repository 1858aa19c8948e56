"""What is rendered, mailed and recorded: issued invoices and credit notes, and quotes. The id says which."""

from __future__ import annotations

from enum import Enum

from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.quote import Quote

Deliverable = IssuedInvoice | Quote
QUOTE_PREFIX = "quo_"


class DeliveryFact(Enum):
    """Value: what it is called on an invoice, and on a quote."""

    RENDERED = (EventType.PDF_RENDERED, EventType.QUOTE_PDF_RENDERED)
    SENT = (EventType.INVOICE_SENT, EventType.QUOTE_SENT)
    DELIVERED = (EventType.INVOICE_DELIVERED, EventType.QUOTE_DELIVERED)
    BOUNCED = (EventType.INVOICE_BOUNCED, EventType.QUOTE_BOUNCED)
    FAILED = (EventType.DELIVERY_FAILED, EventType.QUOTE_DELIVERY_FAILED)
    UNCONFIRMED = (EventType.DELIVERY_UNCONFIRMED, EventType.QUOTE_DELIVERY_UNCONFIRMED)

    def of(self, document_id: str) -> EventType:
        return self.value[is_quote_id(document_id)]


def is_quote_id(document_id: str) -> bool:
    return document_id.startswith(QUOTE_PREFIX)


def named(document: Deliverable) -> dict[str, str | int]:
    """How an event names its document."""
    if isinstance(document, Quote):
        return {"quote_id": document.quote_id, "number": document.number or ""}
    return {"invoice_id": document.invoice_id, "number": document.document.number}
