"""What is rendered, mailed and recorded: issued invoices and credit notes, quotes, reminders, notices to the company
itself. The id says which.
"""

from __future__ import annotations

from datetime import date
from enum import Enum

from billing.domain.events import EventType
from billing.domain.invoice import InvoiceDocument, IssuedInvoice
from billing.domain.ledger import InvoiceStatus
from billing.domain.notices import CompanyNotice, is_notice_id
from billing.domain.quote import Quote, QuoteDocument, QuoteStatus
from billing.domain.reminders import Reminder, is_reminder_id

Printable = IssuedInvoice | Quote  # what has a PDF of its own; a reminder carries its invoice's, a notice none
Deliverable = Printable | Reminder | CompanyNotice
QUOTE_PREFIX = "quo_"


class DeliveryFact(Enum):
    """Value: what it is called on an invoice, on a quote, of a reminder, and of a notice."""

    REQUESTED = (
        EventType.DELIVERY_REQUESTED,
        EventType.QUOTE_DELIVERY_REQUESTED,
        EventType.REMINDER_REQUESTED,
        EventType.NOTICE_REQUESTED,
    )
    RENDERED = (
        EventType.PDF_RENDERED,
        EventType.QUOTE_PDF_RENDERED,
        EventType.PDF_RENDERED,
        EventType.PDF_RENDERED,
    )
    SENT = (EventType.INVOICE_SENT, EventType.QUOTE_SENT, EventType.REMINDER_SENT, EventType.NOTICE_SENT)
    DELIVERED = (
        EventType.INVOICE_DELIVERED,
        EventType.QUOTE_DELIVERED,
        EventType.REMINDER_DELIVERED,
        EventType.NOTICE_DELIVERED,
    )
    BOUNCED = (EventType.INVOICE_BOUNCED, EventType.QUOTE_BOUNCED, EventType.REMINDER_BOUNCED, EventType.NOTICE_BOUNCED)
    FAILED = (
        EventType.DELIVERY_FAILED,
        EventType.QUOTE_DELIVERY_FAILED,
        EventType.REMINDER_FAILED,
        EventType.NOTICE_FAILED,
    )
    UNCONFIRMED = (
        EventType.DELIVERY_UNCONFIRMED,
        EventType.QUOTE_DELIVERY_UNCONFIRMED,
        EventType.REMINDER_UNCONFIRMED,
        EventType.NOTICE_UNCONFIRMED,
    )
    DROPPED = (
        EventType.DELIVERY_FAILED,
        EventType.QUOTE_DELIVERY_FAILED,
        EventType.REMINDER_DROPPED,
        EventType.NOTICE_FAILED,
    )

    def of(self, document_id: str) -> EventType:
        on_invoice, on_quote, of_reminder, of_notice = self.value
        if is_notice_id(document_id):
            return of_notice
        if is_quote_id(document_id):
            return on_quote
        return of_reminder if is_reminder_id(document_id) else on_invoice


def is_quote_id(document_id: str) -> bool:
    return document_id.startswith(QUOTE_PREFIX)


def frozen(printable: Printable) -> InvoiceDocument | QuoteDocument:
    """The snapshot that is drawn."""
    return printable.frozen if isinstance(printable, Quote) else printable.document


def is_still_sent(document: Deliverable, today: date) -> bool:
    """Whether it is still right to mail it by itself: not a quote that was answered or has expired meanwhile, nor an
    invoice that was cancelled.
    """
    if isinstance(document, Quote):
        return document.status(today) is QuoteStatus.SENT
    if isinstance(document, IssuedInvoice) and not document.document.document_type.is_credit_note:
        return document.ledger.status is not InvoiceStatus.CANCELLED
    return True


def named(document: Deliverable) -> dict[str, str | int]:
    """How an event names its document; a reminder stands on the timeline of its invoice."""
    if isinstance(document, CompanyNotice):
        return {"kind": document.fact.kind.value, "invoice_id": document.fact.invoice_id}
    if isinstance(document, Reminder):
        return {"invoice_id": document.invoice_id, "level": document.level.value}
    if isinstance(document, Quote):
        return {"quote_id": document.quote_id, "number": document.number or ""}
    return {"invoice_id": document.invoice_id, "number": document.document.number}
