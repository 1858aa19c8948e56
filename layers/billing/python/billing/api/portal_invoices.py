"""An invoice as the holder of its link sees it, and the links themselves."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.api.fields import AmountMinor
from billing.api.invoices import InvoiceMentionResponse, InvoiceTotalsResponse
from billing.api.quotes import PortalSellerResponse
from billing.domain.checkout import (
    LEAST_MINOR,
    CheckoutAttempt,
    CheckoutBook,
    PaperRefundStanding,
    WhyNotOnline,
    why_not_online,
)
from billing.domain.dates import civil_date, format_french
from billing.domain.document_names import name_of
from billing.domain.invoice import DocumentType, IssuedInvoice
from billing.domain.invoice_links import InvoiceLinkBook
from billing.domain.ledger import EntryKind, InvoiceStatus, LedgerEntry, PaymentMethod, is_overdue
from billing.domain.stripe_connection import StripeConnection
from billing.domain.stripe_words import answer_words, explain_refused_payment, method_words
from billing.domain.typography import agreeing, amount_words
from billing.ports.idempotency import Answer
from billing.ports.invoice_links import SharedInvoice
from billing.ports.stripe import NO_ACCESS


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
    TO_BE_GIVEN_BACK = "to_be_given_back"  # a credit note says so, and Stripe has not done it yet
    KEPT_AS_CREDIT = "kept_as_credit"  # not for this invoice any more: it was put to the customer's credit
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


_TOLD = {
    EntryKind.CREDIT: ("Avoir sur cette facture.", "Credit note on this invoice."),
    EntryKind.REFUND_RETURNED: (
        "Le remboursement est revenu : cette somme est de nouveau payée.",
        "The refund came back: this amount is paid again.",
    ),
    EntryKind.RELEASE: (
        "Cette somme n'est plus due sur cette facture : elle a été portée à votre crédit auprès de l'entreprise.",
        "This amount is not owed on this invoice any more: it was put to your credit with the company.",
    ),
    EntryKind.REVERSAL: (
        "Le paiement n'a pas abouti : cette somme est de nouveau à payer.",
        "The payment did not come through: this amount is to be paid again.",
    ),
}
_CONTESTED = (
    "Rendu par votre banque, auprès de laquelle ce paiement a été contesté.",
    "Given back by your bank, with which this payment was contested.",
)


def _words(entry: LedgerEntry) -> tuple[str, str]:
    french, english = _MEANS[entry.method] if entry.method else ("", "")
    if entry.kind is EntryKind.PAYMENT:
        french, english = (french, english) if entry.method else _FROM_CREDIT
        return f"Payé {french}.", f"Paid {english}."
    if entry.kind is EntryKind.REFUND:
        if entry.contested:
            return _CONTESTED
        return f"Remboursé {french}".rstrip() + ".", f"Refunded {english}".rstrip() + "."
    return _TOLD[entry.kind]


def _awaited_words(entry: LedgerEntry, awaited_minor: int, currency: str) -> tuple[str, str]:
    means = _MEANS[entry.method] if entry.method else ("", "")
    amount, english = amount_words(awaited_minor, currency)
    been = agreeing(awaited_minor, "ne vous a pas encore été rendu", "ne vous ont pas encore été rendus")
    return (
        f"{f'À rembourser {means[0]}'.rstrip()} : {amount} {been}.",
        f"{f'To be refunded {means[1]}'.rstrip()}: {english} have not been given back to you yet.",
    )


def _released_words(entry: LedgerEntry, back_minor: int, currency: str) -> tuple[str, str]:
    """Of credit that a note left, and that the customer has back in part or whole."""
    if back_minor == entry.amount_minor:
        return (
            "Cette somme n'est plus due sur cette facture : elle vous a été rendue.",
            "This amount is not owed on this invoice any more: it was given back to you.",
        )
    (french, english), (amount, in_english) = _TOLD[EntryKind.RELEASE], amount_words(back_minor, currency)
    return f"{french} Vous en avez reçu {amount} depuis.", f"{english} You were given back {in_english} of it since."


class PortalMovementResponse(Reply):
    """What was paid or credited, or is owed again; no reference and no note of the company."""

    date: date
    kind: PortalMovementKind
    amount_minor: int
    method: Annotated[
        PaymentMethod | None, Field(description="Null where no money moved, credit paid, or the means are several")
    ]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(
        cls, entry: LedgerEntry, standing: PaperRefundStanding | None, *, currency: str, back_minor: int = 0
    ) -> PortalMovementResponse:
        """``standing``: of a refund that a credit note recorded, what became of it.

        ``back_minor``: of what one left as credit, what the customer has back since.
        """
        awaited_minor = standing.awaited_minor if standing else 0
        kind = PortalMovementKind.TO_BE_GIVEN_BACK if awaited_minor else _KINDS[entry.kind]
        if standing is not None:
            entry = replace(entry, method=standing.method, contested=standing.contested)
        if awaited_minor:
            french, english = _awaited_words(entry, awaited_minor, currency)
        elif back_minor:
            french, english = _released_words(entry, back_minor, currency)
            kind = PortalMovementKind.GIVEN_BACK if back_minor == entry.amount_minor else kind
        else:
            french, english = _words(entry)
        return cls(
            date=entry.entry_date,
            kind=kind,
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
    given_back_otherwise_minor: Annotated[int, Field(description="Of it, what the company gave back by other means")]
    to_be_given_back_minor: Annotated[int, Field(description="Of it, what a credit note gives back and nobody did")]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, parts: _Parts, invoice: IssuedInvoice, credited: tuple[int, int]) -> PortalOnlinePaidResponse:
        paid = parts.paid
        french, english = _told(parts, invoice, *credited)
        return cls(
            paid_on=civil_date(paid.paid_at),
            amount_minor=paid.amount_minor,
            method=paid.method,
            given_back_minor=paid.given_back_minor,
            given_back_on=civil_date(paid.given_back_at) if paid.given_back_at else None,
            coming_back_minor=paid.coming_back_minor,
            given_back_otherwise_minor=parts.otherwise_minor,
            to_be_given_back_minor=parts.awaited_minor,
            detail_fr=french,
            detail_en=english,
        )


def _paid_online(
    invoice: IssuedInvoice, book: CheckoutBook, on_paper: Collection[PaperRefundStanding]
) -> list[PortalOnlinePaidResponse]:
    """What credit notes say is given back and is not even on its way is said of the payments that still keep it."""
    awaited = sum(one.awaited_minor for one in on_paper)
    left = max(awaited - sum(one.coming_back_minor for one in book.paid), 0)
    parts = []
    for paid in book.paid:
        otherwise = sum(one.amount_minor for one in book.elsewhere_of(paid.payment_intent_id or ""))
        # What a payment left as credit of the customer is no matter of the notes that give back.
        part = min(left, max(min(paid.kept_minor - otherwise, paid.settled_minor), 0))
        left -= part
        parts.append(_Parts(paid, otherwise, part))
    credited = _credited(invoice, parts, sum(one.as_recorded_minor for one in on_paper))
    return [PortalOnlinePaidResponse.of(part, invoice, given) for part, given in zip(parts, credited, strict=True)]


@dataclass(frozen=True, slots=True)
class _Parts:
    """Of a payment: what was given back by other means, and what is to be given back by the same."""

    paid: CheckoutAttempt
    otherwise_minor: int
    awaited_minor: int

    @property
    def left_minor(self) -> int:
        return max(self.paid.kept_minor - self.otherwise_minor - self.awaited_minor, 0)


def _credited(invoice: IssuedInvoice, parts: list[_Parts], given_back_minor: int) -> list[tuple[int, int]]:
    """Of each payment what the company has and this invoice does not keep: from its first day, and since a note.

    What else was paid may be what the invoice keeps, and what notes gave back: only what is sure is said.
    ``given_back_minor``: by notes, by means that they alone name.
    """
    kept = min(max(invoice.ledger.kept_minor, 0), sum(one.paid.settled_minor for one in parts))
    beyond = max(sum(one.left_minor for one in parts) - kept - given_back_minor, 0)
    first = []
    for one in parts:
        first.append(min(one.left_minor, one.paid.credited_minor, beyond))
        beyond -= first[-1]
    since = []
    for one, before in zip(reversed(parts), reversed(first), strict=True):  # what came last is given back first
        since.append(min(one.left_minor - before, beyond))
        beyond -= since[-1]
    return list(zip(first, reversed(since), strict=True))


def _told(parts: _Parts, invoice: IssuedInvoice, credited_minor: int, released_minor: int) -> tuple[str, str]:
    """Taken on, by which means; given back on, being given back, to be given back, or with the company.

    ``credited_minor``: what was too much when it came; ``released_minor``: what a credit note made of it since.
    """
    paid = parts.paid
    means, day, currency = method_words(paid.method), civil_date(paid.paid_at), paid.currency
    amount, english = amount_words(paid.amount_minor, currency)
    was_paid = agreeing(paid.amount_minor, "payé", "payés")
    told = [
        (
            f"{amount} {was_paid} en ligne le {format_french(day)} ({means.french}).",
            f"{english} paid online on {day.isoformat()} ({means.english}).",
        ),
    ]
    if paid.given_back_minor and paid.given_back_at:
        amount, english = amount_words(paid.given_back_minor, currency)
        day, refunded = civil_date(paid.given_back_at), agreeing(paid.given_back_minor, "remboursé", "remboursés")
        told.append(
            (
                f"{amount} {refunded} le {format_french(day)}, par le même moyen.",
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
    if parts.otherwise_minor:
        amount, english = amount_words(parts.otherwise_minor, currency)
        refunded = agreeing(parts.otherwise_minor, "remboursé", "remboursés")
        told.append((f"{amount} {refunded} par un autre moyen.", f"{english} refunded by other means."))
    if parts.awaited_minor:
        amount, english = amount_words(parts.awaited_minor, currency)
        owed = agreeing(parts.awaited_minor, "est", "sont")
        told.append(
            (
                f"{amount} {owed} à vous rembourser par le même moyen : l'entreprise ne l'a pas encore fait.",
                f"{english} are to be refunded by the same means: the company has not done it yet.",
            )
        )
    told += _credit_words(invoice, credited_minor, released_minor, currency)
    return " ".join(one[0] for one in told), " ".join(one[1] for one in told)


def _credit_held(amount_minor: int) -> str:
    one = "l'entreprise l'a à votre crédit, ou le rend autrement"
    return agreeing(amount_minor, one, "l'entreprise les a à votre crédit, ou les rend autrement")


def _credit_words(
    invoice: IssuedInvoice, credited_minor: int, released_minor: int, currency: str
) -> list[tuple[str, str]]:
    if invoice.ledger.kept_minor <= 0 and credited_minor + released_minor:
        amount, english = amount_words(credited_minor + released_minor, currency)
        held = _credit_held(credited_minor + released_minor)
        return [
            (
                f"La facture ne retient plus {amount} : {held}.",
                f"The invoice keeps {english} no more: the company has it as your credit, or gives it back otherwise.",
            )
        ]
    told = []
    if credited_minor:
        amount, english = amount_words(credited_minor, currency)
        owed = agreeing(credited_minor, "n'était plus dû", "n'étaient plus dus")
        told.append(
            (
                f"{amount} {owed} : {_credit_held(credited_minor)}.",
                f"{english} were not owed any more: the company has it as your credit, or gives it back otherwise.",
            )
        )
    if released_minor:
        amount, english = amount_words(released_minor, currency)
        owed = agreeing(released_minor, "n'est plus dû", "ne sont plus dus")
        told.append(
            (
                f"{amount} {owed}, par un avoir : {_credit_held(released_minor)}.",
                f"{english} are owed no more, by a credit note: the company has it as your credit, or gives it back.",
            )
        )
    return told


class PortalOnlineRefusedResponse(Reply):
    """A payment that the customer confirmed on the page of Stripe, and a bank refused afterwards."""

    confirmed_on: date
    refused_on: date
    amount_minor: int
    method: Annotated[str, Field(description="Stripe's type of the means of payment", examples=["sepa_debit"])]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, refused: CheckoutAttempt, *, payable_minor: int, online: bool) -> PortalOnlineRefusedResponse:
        day = civil_date(refused.in_progress_since)
        amount = amount_words(refused.amount_minor, refused.currency)
        said = explain_refused_payment(refused.failure_code, refused.method, day=day, amount=amount)
        french, english = "", ""
        if online:
            french, english = " Vous pouvez payer à nouveau.", " You can pay again."
        elif payable_minor > 0:
            french = " La facture reste à payer."
            english = " The invoice is still to be paid."
        return cls(
            confirmed_on=day,
            refused_on=civil_date(refused.ended_at or refused.in_progress_since),
            amount_minor=refused.amount_minor,
            method=refused.method,
            detail_fr=f"{said.french}{french}",
            detail_en=f"{said.english}{english}",
        )


def _refused_online(book: CheckoutBook, *, payable_minor: int, online: bool) -> list[PortalOnlineRefusedResponse]:
    # Of a payment that could not be read any more, nobody knows what its bank said.
    return [
        PortalOnlineRefusedResponse.of(one, payable_minor=payable_minor, online=online)
        for one in book.refused
        if one.failure_code != NO_ACCESS
    ]


_PAGE_OPEN = (
    "Une page de paiement est ouverte. Si vous venez d'y payer, la confirmation arrive dans la minute.",
    "A page to pay is open. If you have just paid on it, the confirmation arrives within a minute.",
)


class OnlinePaymentResponse(Reply):
    possible: bool
    why_not: WhyNotOnline | None
    why_not_fr: str | None
    why_not_en: str | None
    partial_allowed: Annotated[bool, Field(description="Less than what is left may be paid")]
    least_minor: Annotated[int, Field(description="The smallest amount")]
    processing_minor: Annotated[int | None, Field(description="Confirmed by the customer, not yet by the bank")]
    page_opened_at: Annotated[
        datetime | None,
        Field(description="Since when a page to pay is open; it may have been paid just now"),
    ]
    detail_fr: Annotated[str | None, Field(description="What to know before paying")]
    detail_en: str | None

    @classmethod
    def of(
        cls, invoice: IssuedInvoice, connection: StripeConnection, book: CheckoutBook, payable_minor: int
    ) -> OnlinePaymentResponse:
        why_not = why_not_online(invoice, connection, book, payable_minor=payable_minor)
        live = book.live if why_not is WhyNotOnline.IN_PROGRESS else None
        words = _why_not_words(why_not, invoice, live) if why_not else (None, None)
        page = book.closable if why_not is None else None
        detail = _PAGE_OPEN if page else (None, None)
        return cls(
            possible=why_not is None,
            why_not=why_not,
            why_not_fr=words[0],
            why_not_en=words[1],
            partial_allowed=why_not is None and connection.allows_partial_payments,
            least_minor=LEAST_MINOR,
            processing_minor=live.amount_minor if live else None,
            page_opened_at=page.opened_at if page else None,
            detail_fr=detail[0],
            detail_en=detail[1],
        )


def _why_not_words(why_not: WhyNotOnline, invoice: IssuedInvoice, live: CheckoutAttempt | None) -> tuple[str, str]:
    match why_not:
        case WhyNotOnline.NOTHING_LEFT:
            return "Il n'y a rien à payer.", "There is nothing to pay."
        case WhyNotOnline.NOT_ACCEPTED:
            return (
                "Cette facture ne se paie pas en ligne : payez par un autre moyen qu'elle indique.",
                "This invoice is not paid online: pay by another means that it names.",
            )
        case WhyNotOnline.BELOW_MINIMUM:
            least, english = amount_words(LEAST_MINOR, invoice.document.currency)
            return (
                f"Le paiement en ligne commence à {least} : payez par un autre moyen indiqué sur la facture.",
                f"Paying online begins at {english}: pay by another means that the invoice names.",
            )
        case WhyNotOnline.IN_PROGRESS:
            french, english = answer_words(live.method if live else "")
            return f"Votre paiement est en cours : {french}.", f"Your payment is in progress: {english}."


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
    refused_online: Annotated[
        list[PortalOnlineRefusedResponse],
        Field(description="Oldest first: confirmed online, and refused by a bank afterwards"),
    ]
    pdf_ready: bool

    @classmethod
    def of_shared(cls, opened: SharedInvoice, today: date) -> PortalInvoiceResponse:
        invoice = opened.issued
        document, ledger = invoice.document, invoice.ledger
        totals = InvoiceTotalsResponse.of(invoice.totals, document.particulars)
        payable_minor = invoice.payable_minor(today)
        book, on_paper = opened.checkouts, opened.checkouts.paper_refunds(opened.entries)
        back = book.released_back(opened.entries)
        online = OnlinePaymentResponse.of(invoice, opened.connection, book, payable_minor)
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
            movements=[
                PortalMovementResponse.of(
                    entry,
                    on_paper.get(entry.entry_id),
                    currency=document.currency,
                    back_minor=back.get(entry.entry_id, 0),
                )
                for entry in opened.entries
            ],
            online_payment=online,
            paid_online=_paid_online(invoice, book, on_paper.values()),
            refused_online=_refused_online(book, payable_minor=payable_minor, online=online.possible),
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
