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
from billing.domain.checkout import LEAST_MINOR, CheckoutAttempt, CheckoutBook, WhyNotOnline, why_not_online
from billing.domain.dates import civil_date, format_french
from billing.domain.document_names import name_of
from billing.domain.invoice import DocumentType, IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry, PaymentMethod, is_overdue
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_words import method_words
from billing.domain.typography import amount_words
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
    KEPT_AS_CREDIT = "kept_as_credit"  # not for this invoice any more: the customer has it with the company
    CANCELLED = "cancelled"  # a payment that turned out not to be one


_KINDS = {
    EntryKind.PAYMENT: PortalMovementKind.PAYMENT,
    EntryKind.CREDIT: PortalMovementKind.CREDIT,
    EntryKind.REFUND: PortalMovementKind.GIVEN_BACK,
    EntryKind.REFUND_RETURNED: PortalMovementKind.PAYMENT,  # the bank sent it back: it is paid again
    EntryKind.RELEASE: PortalMovementKind.KEPT_AS_CREDIT,
    EntryKind.REVERSAL: PortalMovementKind.CANCELLED,
}
_MEANS = {
    PaymentMethod.TRANSFER: ("par virement", "by bank transfer"),
    PaymentMethod.CHEQUE: ("par chèque", "by cheque"),
    PaymentMethod.CASH: ("en espèces", "in cash"),
    PaymentMethod.CARD: ("par carte bancaire", "by card"),
    PaymentMethod.DIRECT_DEBIT: ("par prélèvement", "by direct debit"),
}
_FROM_CREDIT = ("avec votre crédit", "from your credit")


def _words(entry: LedgerEntry) -> tuple[str, str]:
    french, english = _MEANS[entry.method] if entry.method else ("", "")
    match entry.kind:
        case EntryKind.PAYMENT:
            french, english = (french, english) if entry.method else _FROM_CREDIT
            return f"Payé {french}.", f"Paid {english}."
        case EntryKind.CREDIT:
            return "Avoir sur cette facture.", "Credit note on this invoice."
        case EntryKind.REFUND:
            return f"Remboursé {french}".rstrip() + ".", f"Refunded {english}".rstrip() + "."
        case EntryKind.REFUND_RETURNED:
            return (
                "Le remboursement est revenu : cette somme est de nouveau payée.",
                "The refund came back: this amount is paid again.",
            )
        case EntryKind.RELEASE:
            return (
                "Cette somme n'est plus due sur cette facture : elle est à votre crédit auprès de l'entreprise.",
                "This amount is not owed on this invoice any more: you have it as credit with the company.",
            )
        case EntryKind.REVERSAL:
            return (
                "Le paiement n'a pas abouti : cette somme est de nouveau à payer.",
                "The payment did not come through: this amount is to be paid again.",
            )


class PortalMovementResponse(Reply):
    """What was paid or credited, or is owed again; no reference and no note of the company."""

    date: date
    kind: PortalMovementKind
    amount_minor: int
    method: Annotated[PaymentMethod | None, Field(description="Null where no money moved, or credit paid")]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, entry: LedgerEntry) -> PortalMovementResponse:
        french, english = _words(entry)
        return cls(
            date=entry.entry_date,
            kind=_KINDS[entry.kind],
            amount_minor=entry.amount_minor,
            method=entry.method,
            detail_fr=french,
            detail_en=english,
        )


class PortalOnlinePaidResponse(Reply):
    """A payment made on the page of Stripe, whatever became of the invoice since."""

    paid_on: date
    amount_minor: int
    method: Annotated[str, Field(description="Stripe's type of the means of payment", examples=["card"])]
    given_back_minor: Annotated[int, Field(description="Of it, what the customer has back by the same means")]
    given_back_on: date | None
    coming_back_minor: Annotated[int, Field(description="Of it, what is being given back")]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, paid: CheckoutAttempt, invoice: IssuedInvoice) -> PortalOnlinePaidResponse:
        french, english = _told(paid, invoice)
        return cls(
            paid_on=civil_date(paid.ended_at or paid.opened_at),
            amount_minor=paid.amount_minor,
            method=paid.method,
            given_back_minor=paid.given_back_minor,
            given_back_on=civil_date(paid.given_back_at) if paid.given_back_at else None,
            coming_back_minor=paid.coming_back_minor,
            detail_fr=french,
            detail_en=english,
        )


def _told(paid: CheckoutAttempt, invoice: IssuedInvoice) -> tuple[str, str]:
    """Taken on, by which means; given back on, being given back, or with the company."""
    means, day, currency = method_words(paid.method), civil_date(paid.ended_at or paid.opened_at), paid.currency
    amount, english = amount_words(paid.amount_minor, currency)
    told = [
        (
            f"{amount} payés en ligne le {format_french(day)} ({means.french}).",
            f"{english} paid online on {day.isoformat()} ({means.english}).",
        ),
    ]
    if paid.given_back_minor and paid.given_back_at:
        amount, english = amount_words(paid.given_back_minor, currency)
        day = civil_date(paid.given_back_at)
        told.append(
            (
                f"{amount} remboursés le {format_french(day)}, par le même moyen.",
                f"{english} refunded on {day.isoformat()}, by the same means.",
            )
        )
    if paid.coming_back_minor:
        amount, english = amount_words(paid.coming_back_minor, currency)
        told.append(
            (
                f"Remboursement de {amount} en cours, par le même moyen : il arrive en quelques jours ouvrés.",
                f"{english} are being refunded by the same means: they arrive within a few working days.",
            )
        )
    left = paid.amount_minor - paid.given_back_minor - paid.coming_back_minor
    if left > 0 and invoice.ledger.kept_minor <= 0:
        amount, english = amount_words(left, currency)
        told.append(
            (
                f"La facture ne retient plus {amount} : l'entreprise les a à votre crédit, ou les rend autrement.",
                f"The invoice keeps {english} no more: the company has it as your credit, or gives it back otherwise.",
            )
        )
    return " ".join(one[0] for one in told), " ".join(one[1] for one in told)


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
    paid_online: Annotated[
        list[PortalOnlinePaidResponse],
        Field(description="Oldest first, the last twenty; also what the invoice does not keep any more"),
    ]
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
            paid_online=[PortalOnlinePaidResponse.of(one, invoice) for one in opened.checkouts.paid],
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
