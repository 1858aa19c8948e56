"""Quotes: drafts, sent versions, answers, and what the public side shows of them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StrictBool, StrictInt

from billing.api.addresses import AddressResponse
from billing.api.answers import Reply, Request, answer
from billing.api.fields import QUOTE_ID, AmountMinor, EmailAddress, IsoDate, Percentage, RetentionPercent, Text, Version
from billing.api.invoices import (
    InvoiceDeliveryResponse,
    InvoiceMentionResponse,
    InvoiceTotalsResponse,
    InvoiceWarningResponse,
    QuoteDraftFields,
    WrittenReply,
    written_fields,
)
from billing.api.paging import PageReply
from billing.domain.delivery import DeliveryState
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.invoice import MAX_LINES, IssuedInvoice
from billing.domain.money import format_decimal
from billing.domain.parties import CompanyDescription
from billing.domain.quote import PartKind, Quote, QuoteAnswer, QuoteDecision, QuotePart, QuoteStatus
from billing.domain.quote_billing import QuoteBilling, Share
from billing.domain.quote_lines import LineShare
from billing.domain.retention import Reception
from billing.domain.vat import VatCategory
from billing.ports.idempotency import Answer
from billing.ports.quotes import QuoteQuery, QuoteSummary

ValidUntil = Annotated[IsoDate | None, Field(description="Last day of the offer; thirty days unless said")]
Signatory = Annotated[str, Text(120, min_length=2)]
Comment = Annotated[str, Text(1000, lines=True)]


class QuoteDraftRequest(QuoteDraftFields):
    valid_until: ValidUntil = None


class CreateQuoteRequest(QuoteDraftRequest):
    pass


class PreviewQuoteRequest(QuoteDraftRequest):
    pass


class PreviewQuotePdfRequest(QuoteDraftRequest):
    quote_id: Annotated[str | None, Field(pattern=QUOTE_ID, description="The draft that is being edited")] = None


class EditQuoteRequest(QuoteDraftRequest):
    """The whole content anew; what is left out becomes empty."""


class SendQuoteRequest(Request):
    version: Annotated[Version | None, Field(description="Of the draft that is sent; not needed to send again")] = None
    mail: Annotated[StrictBool, Field(description="false: only number and freeze it; send it yourself")] = True
    recipient: Annotated[EmailAddress | None, Field(description="Instead of the customer's own address")] = None


class RecordQuoteAnswerRequest(Request):
    """What the customer answered elsewhere: a signed copy, a mail, a call."""

    answer: QuoteAnswer
    name: Signatory
    comment: Comment = ""


class AnswerPortalQuoteRequest(Request):
    answer: QuoteAnswer
    name: Annotated[Signatory, Field(description="Who answers for the customer")]
    comment: Comment = ""
    document_hash: Annotated[
        str, Field(pattern="^[0-9a-f]{64}$", description="Of the document that was shown: `document_hash`")
    ]


class RecordQuoteReceptionRequest(Request):
    """It takes the place of what was told before; one of the two days at least."""

    received_on: Annotated[IsoDate | None, Field(description="The customer received the work")] = None
    released_on: Annotated[IsoDate | None, Field(description="What was retained was released before its year")] = None

    def reception(self) -> Reception:
        return Reception(received_on=self.received_on, released_on=self.released_on)


class QuoteReceptionResponse(Reply):
    received_on: date | None
    released_on: date | None
    retained_until: Annotated[date | None, Field(description="When what the invoices retain is due")]

    @classmethod
    def of(cls, reception: Reception) -> QuoteReceptionResponse:
        return cls(**{name: getattr(reception, name) for name in cls.model_fields})


class QuoteDecisionResponse(Reply):
    """The answer and its evidence."""

    answer: QuoteAnswer
    name: str
    comment: str
    decided_at: datetime
    ip_address: Annotated[str, Field(description="Where from; empty when a member recorded the answer")]
    recorded_by: Annotated[str, Field(description="The member who recorded it; empty by the public link")]
    document_hash: str
    pdf_sha256: str

    @classmethod
    def of(cls, decision: QuoteDecision) -> QuoteDecisionResponse:
        return cls(**{name: getattr(decision, name) for name in cls.model_fields})


class QuoteCustomerResponse(Reply):
    """On a sent quote, the customer as it was then; a draft only names it."""

    customer_id: str
    name: str
    billing_address: AddressResponse | None = None

    @classmethod
    def of(cls, quote: Quote) -> QuoteCustomerResponse:
        document = quote.document
        address = AddressResponse.of(document.buyer.billing_address) if document else None
        customer_id = document.customer_id if document else quote.content.customer_id
        return cls(customer_id=customer_id, name=quote.customer_name, billing_address=address)


class QuotePartResponse(Reply):
    invoice_id: str
    kind: PartKind
    net_minor: Annotated[int, Field(description="Without VAT")]

    @classmethod
    def of(cls, part: QuotePart) -> QuotePartResponse:
        net_minor = sum(group.net_minor for group in part.groups)
        return cls(invoice_id=part.invoice_id, kind=part.kind, net_minor=net_minor)


class QuoteResponse(InvoiceTotalsResponse, WrittenReply):
    quote_id: str
    version: int
    revision: Annotated[int, Field(description="1 for the first version of the offer")]
    status: QuoteStatus
    number: str | None
    issue_date: date | None
    valid_until: date | None
    customer: QuoteCustomerResponse
    mentions: list[InvoiceMentionResponse]
    warnings: list[InvoiceWarningResponse]
    decision: QuoteDecisionResponse | None
    retention_percent: Annotated[str | None, Field(description="Retention of guarantee on its invoices")]
    reception: QuoteReceptionResponse | None
    parts: Annotated[list[QuotePartResponse], Field(description="The invoices that bill it, in order")]
    open_links: Annotated[int, Field(description="Public links that still open it")]
    delivery: InvoiceDeliveryResponse
    document_hash: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of_quote(cls, quote: Quote, today: date, now: datetime) -> QuoteResponse:
        document = quote.document
        return cls(
            **totals_fields(quote),
            **written_fields(quote.content),
            quote_id=quote.quote_id,
            version=quote.version,
            revision=quote.revision,
            status=quote.status(today),
            number=quote.number,
            issue_date=document.issue_date if document else None,
            valid_until=document.valid_until if document else quote.valid_until,
            customer=QuoteCustomerResponse.of(quote),
            mentions=[InvoiceMentionResponse.of(mention) for mention in document.mentions] if document else [],
            warnings=[InvoiceWarningResponse.of(notice) for notice in quote.warnings],
            decision=QuoteDecisionResponse.of(quote.decision) if quote.decision else None,
            retention_percent=format_decimal(quote.content.retention_percent)
            if quote.content.retention_percent
            else None,
            reception=QuoteReceptionResponse.of(quote.reception) if quote.reception else None,
            parts=[QuotePartResponse.of(part) for part in quote.parts],
            open_links=sum(link.revision == quote.revision and now < link.expires_at for link in quote.links),
            delivery=InvoiceDeliveryResponse.of(quote.delivery),
            document_hash=quote.document_hash or None,
            created_at=quote.created_at,
            updated_at=quote.updated_at,
        )


def totals_fields(quote: Quote) -> dict[str, Any]:
    totals = InvoiceTotalsResponse.of(quote.totals, quote.content.particulars)
    return {name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields}


class BillQuoteDepositRequest(Request):
    """A share of the quote: either a percentage or an amount without VAT, split over its rates."""

    percent: Annotated[Percentage | None, Field(description="Of the whole quote", examples=["30"])] = None
    net_minor: Annotated[AmountMinor | None, Field(description="Cents without VAT")] = None

    def share(self) -> Share:
        """Raises: FieldErrors."""
        if (self.percent is None) == (self.net_minor is None):
            said = "Indiquez soit un pourcentage, soit un montant HT.", "Give either a percentage or an amount."
            raise FieldErrors(tuple(FieldError(f"/{name}", *said) for name in ("percent", "net_minor")))
        return Share(percent=self.percent, net_minor=self.net_minor)


class QuoteLineShareRequest(Request):
    index: Annotated[StrictInt, Field(ge=0, lt=MAX_LINES, description="Of the quote's line, from 0")]
    progress_percent: Annotated[
        Percentage | None,
        Field(description="All the work done so far of this line; the whole line unless said", examples=["60"]),
    ] = None

    def share(self) -> LineShare:
        return LineShare(index=self.index, progress=Decimal(100) if (given := self.progress_percent) is None else given)


class BillQuotePartRequest(Request):
    """A share of the quote, or the progress of the work so far, as a whole or line by line.

    A progress counts what was invoiced before, deposits and parts included: the difference is billed. A line that is
    not named stays where it is.
    """

    percent: Annotated[Percentage | None, Field(description="Of the whole quote", examples=["30"])] = None
    net_minor: Annotated[AmountMinor | None, Field(description="Cents without VAT")] = None
    progress_percent: Annotated[
        Percentage | None, Field(description="All the work done so far, deposits and parts included", examples=["60"])
    ] = None
    lines: Annotated[list[QuoteLineShareRequest] | None, Field(min_length=1, max_length=MAX_LINES)] = None
    retention_percent: Annotated[
        RetentionPercent | None, Field(description="Retention of guarantee; the quote's unless said, 0 for none")
    ] = None

    def share(self) -> Share:
        """Raises: FieldErrors."""
        given = {
            "percent": self.percent,
            "net_minor": self.net_minor,
            "progress_percent": self.progress_percent,
            "lines": self.lines,
        }
        if sum(value is not None for value in given.values()) != 1:
            said = (
                "Indiquez un pourcentage, un montant HT, un avancement ou des lignes, et un seul d'entre eux.",
                "Give a percentage, an amount, a progress or lines, and one of them only.",
            )
            raise FieldErrors(tuple(FieldError(f"/{name}", *said) for name in given))
        return Share(
            percent=self.percent,
            net_minor=self.net_minor,
            progress=self.progress_percent,
            lines=tuple(line.share() for line in self.lines) if self.lines is not None else None,
        )


class QuoteLineBillingResponse(Reply):
    """A line of the quote, in cents without VAT; its share of discounts and charges of the document is in it."""

    index: int
    description: str
    net_minor: Annotated[int, Field(description="What it is worth")]
    progress_percent: Annotated[
        str | None,
        Field(
            description="Work invoiced, less what was credited: 100 when all of it is, and only then; null when the"
            " line is worth nothing. A deposit is no progress until an invoice of the work takes it off"
        ),
    ]
    invoiced_minor: Annotated[int, Field(description="Deposits and parts included, less what was credited")]
    deposit_minor: Annotated[int, Field(description="Of what is invoiced: deposits still ahead of the work")]
    to_invoice_minor: int


class QuoteRemainderResponse(Reply):
    vat_category: VatCategory
    vat_rate: str
    net_minor: int


class QuoteBilledInvoiceResponse(Reply):
    invoice_id: str
    kind: PartKind
    number: Annotated[str | None, Field(description="Null while it is a draft")]
    total_minor: int
    balance_minor: int
    retained_minor: Annotated[int, Field(description="Of the balance: retention of guarantee, not due yet")]


class QuoteBillingResponse(Reply):
    quote_id: str
    currency: str
    total_minor: int
    invoices: list[QuoteBilledInvoiceResponse]
    lines: Annotated[list[QuoteLineBillingResponse], Field(description="Where each line of the quote stands")]
    remaining: Annotated[list[QuoteRemainderResponse], Field(description="Left to invoice, by rate")]
    to_invoice_minor: Annotated[int, Field(description="Left to invoice, with VAT")]
    to_collect_minor: Annotated[int, Field(description="Owed on invoices and left to invoice, with VAT")]
    retained_minor: Annotated[int, Field(description="Owed on invoices, not due yet: retention of guarantee")]
    payable_minor: Annotated[int, Field(description="Owed on invoices less what they retain")]

    @classmethod
    def of(cls, billing: QuoteBilling, today: date) -> QuoteBillingResponse:
        return cls(
            quote_id=billing.quote.quote_id,
            currency=billing.quote.content.particulars.currency,
            total_minor=billing.quote.totals.total_minor,
            invoices=[
                QuoteBilledInvoiceResponse(
                    invoice_id=part.invoice_id,
                    kind=part.kind,
                    number=invoice.document.number if isinstance(invoice, IssuedInvoice) else None,
                    total_minor=invoice.totals.total_minor,
                    balance_minor=invoice.ledger.balance_minor
                    if isinstance(invoice, IssuedInvoice)
                    else invoice.totals.due_minor,
                    retained_minor=invoice.retained_minor(today) if isinstance(invoice, IssuedInvoice) else 0,
                )
                for part in billing.quote.parts
                if (invoice := billing.invoices.get(part.invoice_id)) is not None
            ],
            lines=[
                QuoteLineBillingResponse(
                    index=index,
                    description=item.line.description,
                    net_minor=state.worth_minor,
                    progress_percent=None if (progress := state.progress) is None else format_decimal(progress),
                    invoiced_minor=state.billed_minor,
                    deposit_minor=state.deposit_minor,
                    to_invoice_minor=state.left_minor,
                )
                for index, (item, state) in enumerate(zip(billing.quote.totals.lines, billing.lines, strict=True))
            ],
            remaining=[
                QuoteRemainderResponse(vat_category=vat.category, vat_rate=format_decimal(vat.rate), net_minor=net)
                for vat, net in billing.remaining.items()
            ],
            to_invoice_minor=billing.to_invoice_minor,
            to_collect_minor=billing.to_collect_minor,
            retained_minor=billing.retained_minor(today),
            payable_minor=billing.payable_minor(today),
        )


class QuoteRowResponse(Reply):
    """``list_date`` is the day it was sent, or the day a draft was created."""

    quote_id: str
    status: QuoteStatus
    number: str | None
    revision: int
    list_date: date
    valid_until: date | None
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    delivery_state: DeliveryState

    @classmethod
    def of(cls, row: QuoteSummary, today: date) -> QuoteRowResponse:
        passed = row.status is QuoteStatus.SENT and row.valid_until is not None and row.valid_until < today
        return cls(
            quote_id=row.quote_id,
            status=QuoteStatus.EXPIRED if passed else row.status,
            number=row.number,
            revision=row.revision,
            list_date=row.list_date,
            valid_until=row.valid_until,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            currency=row.currency,
            total_minor=row.total_minor,
            delivery_state=DeliveryState(row.delivery_state),
        )


class QuotePageResponse(PageReply):
    items: list[QuoteRowResponse]


class QuoteLinkResponse(Reply):
    """Shown once: only a hash of it is kept, so a repeated request is answered without it."""

    url: str | None
    expires_at: datetime


class PortalSellerResponse(Reply):
    name: str
    address: AddressResponse
    siren: str
    email: str
    phone: str
    website: str

    @classmethod
    def of(cls, seller: CompanyDescription) -> PortalSellerResponse:
        return cls(
            name=seller.display_name,
            address=AddressResponse.of(seller.address),
            siren=seller.siren,
            email=seller.email,
            phone=seller.phone,
            website=seller.website,
        )


class PortalQuoteResponse(InvoiceTotalsResponse):
    """What the holder of a link sees: the offer, and nothing else of the company or of its customer."""

    number: str
    revision: int
    status: QuoteStatus
    superseded: Annotated[bool, Field(description="A newer version took its place: this one can only be read")]
    issue_date: date
    valid_until: date
    seller: PortalSellerResponse
    customer_name: str
    notes: str
    retention_percent: Annotated[str | None, Field(description="Retention of guarantee on the invoices to come")]
    mentions: list[InvoiceMentionResponse]
    document_hash: Annotated[str, Field(description="To be given back with the answer")]
    pdf_ready: bool
    answered_at: datetime | None
    answered_by: str

    @classmethod
    def of_quote(cls, quote: Quote, *, superseded: bool, today: date) -> PortalQuoteResponse:
        document, decision = quote.frozen, quote.decision
        return cls(
            **totals_fields(quote),
            number=document.number,
            revision=document.revision,
            status=quote.status(today),
            superseded=superseded,
            issue_date=document.issue_date,
            valid_until=document.valid_until,
            seller=PortalSellerResponse.of(document.seller),
            customer_name=document.buyer.name,
            notes=document.notes,
            retention_percent=format_decimal(document.retention_percent) if document.retention_percent else None,
            mentions=[InvoiceMentionResponse.of(mention) for mention in document.mentions],
            document_hash=quote.document_hash,
            pdf_ready=quote.delivery.pdf is not None,
            answered_at=decision.decided_at if decision else None,
            answered_by=decision.name if decision else "",
        )


def quote_answer(quote: Quote, *, today: date, now: datetime) -> Answer:
    return answer(200, QuoteResponse.of_quote(quote, today, now), version=quote.version)


def created_quote_answer(quote: Quote, *, today: date, now: datetime) -> Answer:
    location = f"/v1/quotes/{quote.quote_id}"
    return answer(201, QuoteResponse.of_quote(quote, today, now), version=quote.version, location=location)


def quote_link_answer(quote: Quote, *, url: str | None = None) -> Answer:
    reply = QuoteLinkResponse(url=url, expires_at=quote.links[-1].expires_at)
    return answer(201, reply, version=quote.version)


def quote_query(
    *, status: QuoteStatus | None, customer_id: str | None, from_date: date | None, to_date: date | None, today: date
) -> QuoteQuery:
    """Raises: FieldErrors, for both filters at once, or for dates in reverse."""
    if status is not None and customer_id is not None:
        only_one = "Un seul filtre parmi status et customer_id.", "Only one filter among status and customer_id."
        raise FieldErrors(tuple(FieldError(f"/query/{name}", *only_one) for name in ("status", "customer_id")))
    if from_date is not None and to_date is not None and to_date < from_date:
        reverse = "La date de fin précède la date de début.", "The end date precedes the start date."
        raise FieldErrors((FieldError("/query/to", *reverse),))
    return QuoteQuery(on=today, status=status, customer_id=customer_id, from_date=from_date, to_date=to_date)
