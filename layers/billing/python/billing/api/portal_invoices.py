"""An invoice as the holder of its link sees it, and the links themselves."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.api.fields import AmountMinor
from billing.api.invoices import InvoiceMentionResponse, InvoiceTotalsResponse
from billing.api.quotes import PortalSellerResponse
from billing.domain.checkout import LEAST_MINOR, CheckoutBook, WhyNotOnline, why_not_online
from billing.domain.document_names import name_of
from billing.domain.invoice import DocumentType, IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry, PaymentMethod, is_overdue
from billing.domain.stripe_connection import StripeConnection
from billing.ports.idempotency import Answer
from billing.ports.invoice_links import SharedInvoice


class InvoiceLinkResponse(Reply):
    """Shown once: only a hash of it is kept, so a repeated request is answered without it."""

    url: str | None
    expires_at: datetime


class InvoiceLinksResponse(Reply):
    open_links: Annotated[int, Field(description="Links that open the invoice")]
    revoked_at: Annotated[datetime | None, Field(description="What was given before opens nothing")]


class PortalMovementKind(StrEnum):
    PAYMENT = "payment"
    CREDIT = "credit"
    GIVEN_BACK = "given_back"


_KINDS = {
    EntryKind.PAYMENT: PortalMovementKind.PAYMENT,
    EntryKind.CREDIT: PortalMovementKind.CREDIT,
    EntryKind.REFUND: PortalMovementKind.GIVEN_BACK,
    EntryKind.REFUND_RETURNED: PortalMovementKind.PAYMENT,  # the bank sent it back: it is paid again
    EntryKind.RELEASE: PortalMovementKind.GIVEN_BACK,
    EntryKind.REVERSAL: PortalMovementKind.GIVEN_BACK,
}


class PortalMovementResponse(Reply):
    """What was paid or credited, or is owed again; no reference and no note of the company."""

    date: date
    kind: PortalMovementKind
    amount_minor: int
    method: PaymentMethod | None

    @classmethod
    def of(cls, entry: LedgerEntry) -> PortalMovementResponse:
        return cls(date=entry.entry_date, kind=_KINDS[entry.kind], amount_minor=entry.amount_minor, method=entry.method)


class OnlinePaymentResponse(Reply):
    possible: bool
    why_not: WhyNotOnline | None
    partial_allowed: Annotated[bool, Field(description="Less than what is left may be paid")]
    least_minor: Annotated[int, Field(description="The smallest amount")]
    processing_minor: Annotated[int | None, Field(description="Confirmed by the customer, not yet by the bank")]

    @classmethod
    def of(
        cls, invoice: IssuedInvoice, connection: StripeConnection, book: CheckoutBook, payable_minor: int
    ) -> OnlinePaymentResponse:
        why_not = why_not_online(invoice, connection, book, payable_minor=payable_minor)
        live = book.live if why_not is WhyNotOnline.IN_PROGRESS else None
        return cls(
            possible=why_not is None,
            why_not=why_not,
            partial_allowed=why_not is None and connection.allows_partial_payments,
            least_minor=LEAST_MINOR,
            processing_minor=live.amount_minor if live else None,
        )


class PortalInvoiceResponse(InvoiceTotalsResponse):
    """What the holder of a link sees: the invoice, what is left of it, and nothing else of the company."""

    number: str
    title: str
    document_type: DocumentType
    status: InvoiceStatus
    overdue: bool
    issue_date: date
    due_date: Annotated[date, Field(description="Of what is left to pay")]
    seller: PortalSellerResponse
    customer_name: str
    purchase_order: str
    notes: str
    mentions: list[InvoiceMentionResponse]
    paid_minor: int
    credited_minor: int
    balance_minor: Annotated[int, Field(description="Left to pay")]
    payable_minor: Annotated[int, Field(description="Left to pay, less what is retained for now")]
    movements: Annotated[list[PortalMovementResponse], Field(description="Oldest first, the last hundred")]
    online_payment: OnlinePaymentResponse
    pdf_ready: bool

    @classmethod
    def of_shared(cls, opened: SharedInvoice, today: date) -> PortalInvoiceResponse:
        invoice = opened.issued
        document, ledger = invoice.document, invoice.ledger
        totals = InvoiceTotalsResponse.of(invoice.totals, document.particulars)
        payable_minor = invoice.payable_minor(today)
        return cls(
            **{name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields},
            number=document.number,
            title=" / ".join(name_of(document).titles(document.particulars.tongue)),
            document_type=document.document_type,
            status=ledger.status,
            overdue=is_overdue(ledger, invoice.due_on, today),
            issue_date=document.issue_date,
            due_date=invoice.due_on,
            seller=PortalSellerResponse.of(document.seller),
            customer_name=document.buyer.name,
            purchase_order=document.purchase_order,
            notes=document.notes,
            mentions=[InvoiceMentionResponse.of(mention) for mention in document.mentions],
            paid_minor=max(ledger.kept_minor, 0),
            credited_minor=ledger.credited_minor,
            balance_minor=ledger.balance_minor,
            payable_minor=payable_minor,
            movements=[PortalMovementResponse.of(entry) for entry in opened.entries],
            online_payment=OnlinePaymentResponse.of(invoice, opened.connection, opened.checkouts, payable_minor),
            pdf_ready=invoice.delivery.pdf is not None,
        )


class PayPortalInvoiceRequest(Request):
    amount_minor: Annotated[
        AmountMinor | None, Field(description="All that is left unless said; less of it where `partial_allowed`")
    ] = None


class PortalCheckoutResponse(Reply):
    """A page of Stripe; whoever comes back from it asks the invoice what became of it."""

    url: str
    amount_minor: int
    currency: str
    expires_at: datetime


def invoice_link_answer(links: InvoiceLinkBook, *, url: str | None = None) -> Answer:
    return answer(201, InvoiceLinkResponse(url=url, expires_at=links.links[-1].expires_at))


def invoice_links_answer(links: InvoiceLinkBook) -> Answer:
    return answer(200, InvoiceLinksResponse(open_links=len(links.links), revoked_at=links.revoked_at))
