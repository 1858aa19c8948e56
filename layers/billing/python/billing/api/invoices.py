"""Invoices: drafts and issued documents, their lines, totals, deliveries and list rows."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

from pydantic import Field, StrictBool

from billing.api.addresses import AddressResponse
from billing.api.answers import Reply, Request, answer
from billing.api.attachments import InvoiceAttachmentResponse
from billing.api.fields import (
    INVOICE_ID,
    AmountMinor,
    ConfirmCash,
    ConfirmInProgress,
    CustomerReference,
    EmailAddress,
    IsoDate,
    PaymentTermsDays,
    ProductReference,
    Quantity,
    RetentionPercent,
    Text,
    Unit,
    UnitPrice,
    Version,
)
from billing.api.paging import PageReply
from billing.api.particulars import ParticularsFields, ParticularsReply, particulars_fields
from billing.api.payment_in_progress import PaymentInProgressResponse
from billing.api.payment_terms import PaymentTermsRequest, PaymentTermsResponse
from billing.api.vat import (
    AdjustmentRequest,
    AdjustmentResponse,
    ChargeRequest,
    DiscountRequest,
    DiscountResponse,
    ExemptionCode,
    VatCategoryField,
    VatRateField,
    VatSubtotalResponse,
)
from billing.domain.adjustments import MAX_ADJUSTMENTS
from billing.domain.delivery import Delivery, DeliveryState
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.events import Event
from billing.domain.invoice import (
    MAX_LINES,
    DraftInvoice,
    Invoice,
    InvoiceContent,
    InvoiceDocument,
    IssuedInvoice,
    document_warnings,
    vat_in_euros,
)
from billing.domain.ledger import InvoiceStatus, PaymentMethod, is_overdue
from billing.domain.mentions import Mention
from billing.domain.money import format_decimal
from billing.domain.particulars import NONE as NO_PARTICULARS
from billing.domain.particulars import Particulars
from billing.domain.parties import CustomerKind, ProductKind
from billing.domain.process import Contracting, PaidAtIssue
from billing.domain.retention import retained_of
from billing.domain.situation import Situation, SituationLine
from billing.domain.stripe_words import explain_failure
from billing.domain.totals import ComputedLine, Totals
from billing.domain.vat import VatCategory
from billing.domain.warnings import Notice, WarningCode
from billing.ports.delivery import DownloadLink
from billing.ports.idempotency import Answer
from billing.ports.repositories import InvoiceQuery, InvoiceSummary, InvoiceWithCheckouts


class InvoiceLineRequest(Request):
    """What is left out comes from the product, then from defaults."""

    product_id: ProductReference | None = None
    description: Annotated[Annotated[str, Text(200, min_length=1)] | None, Field(examples=["Conception graphique"])] = (
        None
    )
    details: Annotated[str, Text(1000, lines=True)] | None = None
    quantity: Annotated[Quantity, Field(examples=["2.5"])]
    unit: Unit | None = None
    unit_price: Annotated[UnitPrice | None, Field(description="Euros without VAT", examples=["120.00"])] = None
    vat_category: VatCategoryField = None
    vat_rate: VatRateField = None
    exemption_code: ExemptionCode = None
    discount: DiscountRequest | None = None
    kind: Annotated[ProductKind | None, Field(description="Goods or service; the product's, else a service")] = None
    charge: ChargeRequest | None = None


class PaidAtIssueRequest(Request):
    """The whole amount was paid before the invoice: it is issued with nothing due, "Acquitté"."""

    paid_on: IsoDate
    method: PaymentMethod
    reference: Annotated[str, Text(100)] = ""

    def paid(self) -> PaidAtIssue:
        return PaidAtIssue(paid_on=self.paid_on, method=self.method, reference=self.reference)


class PaidAtIssueResponse(Reply):
    paid_on: date
    method: PaymentMethod
    reference: str

    @classmethod
    def of(cls, paid: PaidAtIssue) -> PaidAtIssueResponse:
        return cls(paid_on=paid.paid_on, method=paid.method, reference=paid.reference)


class DraftFields(ParticularsFields):
    """What a person writes on the draft of an invoice or of a quote."""

    customer_id: CustomerReference
    lines: Annotated[list[InvoiceLineRequest], Field(max_length=MAX_LINES)] = Field(default_factory=list)
    discount: DiscountRequest | None = None
    supply_date: IsoDate | None = None
    payment_terms_days: PaymentTermsDays | None = None
    payment_terms: Annotated[PaymentTermsRequest | None, Field(description="Instead of `payment_terms_days`")] = None
    allowances: Annotated[list[AdjustmentRequest], Field(max_length=MAX_ADJUSTMENTS)] = Field(default_factory=list)
    charges: Annotated[list[AdjustmentRequest], Field(max_length=MAX_ADJUSTMENTS)] = Field(default_factory=list)
    purchase_order: Annotated[
        str, Text(50), Field(description="BT-13; the commitment number (engagement) in the public sector")
    ] = ""
    notes: Annotated[str, Text(2000, lines=True), Field(description="Printed on the invoice")] = ""
    private_notes: Annotated[str, Text(2000, lines=True), Field(description="Never printed, never sent")] = ""
    contracting: Annotated[
        Contracting | None, Field(description="Services rendered as a subcontractor (S5) or co-contractor (S6)")
    ] = None


class QuoteDraftFields(DraftFields):
    retention_percent: Annotated[
        RetentionPercent | None,
        Field(description="Retention of guarantee of works, kept on each invoice but deposits", examples=["5"]),
    ] = None


class InvoiceDraftRequest(DraftFields):
    """Dates left out are decided at issue."""

    due_date: IsoDate | None = None
    paid: Annotated[PaidAtIssueRequest | None, Field(description="Paid in full before issue")] = None


class CreateInvoiceRequest(InvoiceDraftRequest):
    pass


class PreviewInvoiceRequest(InvoiceDraftRequest):
    pass


class PreviewInvoicePdfRequest(InvoiceDraftRequest):
    invoice_id: Annotated[
        str | None,
        Field(pattern=INVOICE_ID, description="The draft that is being edited: what it came from stays with it"),
    ] = None


class EditInvoiceRequest(InvoiceDraftRequest):
    """The whole content anew; what is left out becomes empty."""


class IssueInvoiceRequest(Request):
    version: Version
    issue_date: Annotated[IsoDate | None, Field(description="Today unless said; never before the last issue")] = None
    send: Annotated[StrictBool, Field(description="Mail the PDF to the customer as soon as it is there")] = False


class SendInvoiceRequest(Request):
    recipient: Annotated[EmailAddress | None, Field(description="Instead of the customer's own address")] = None


class RecordInvoicePaymentRequest(Request):
    amount_minor: AmountMinor
    method: PaymentMethod
    paid_on: Annotated[IsoDate | None, Field(description="Today unless said")] = None
    reference: Annotated[str, Text(100)] = ""
    confirm_cash_above_limit: ConfirmCash = False
    confirm_payment_in_progress: ConfirmInProgress = False


class InvoiceLineResponse(Reply):
    """A line with its amounts in cents: gross, discount, net."""

    product_id: str | None
    kind: ProductKind
    description: str
    details: str
    quantity: str
    unit: str
    unit_price: str
    vat_category: VatCategory
    vat_rate: str
    exemption_code: str | None
    discount: DiscountResponse | None
    charge: DiscountResponse | None
    gross_minor: int
    discount_minor: int
    charge_minor: int
    net_minor: int

    @classmethod
    def of(cls, computed: ComputedLine) -> InvoiceLineResponse:
        line = computed.line
        return cls(
            product_id=line.product_id,
            kind=line.kind,
            description=line.description,
            details=line.details,
            quantity=format_decimal(line.quantity),
            unit=line.unit,
            unit_price=format_decimal(line.unit_price),
            vat_category=line.vat.category,
            vat_rate=format_decimal(line.vat.rate),
            exemption_code=line.vat.exemption_code,
            discount=DiscountResponse.of(line.discount) if line.discount else None,
            charge=DiscountResponse.of(line.charge) if line.charge else None,
            gross_minor=computed.gross_minor,
            discount_minor=computed.discount_minor,
            charge_minor=computed.charge_minor,
            net_minor=computed.net_minor,
        )


class InvoiceTotalsResponse(Reply):
    """All amounts in cents."""

    currency: str = "EUR"
    lines: list[InvoiceLineResponse]
    vat_breakdown: list[VatSubtotalResponse]
    lines_minor: Annotated[int, Field(description="Sum of the lines without VAT")]
    discount_minor: Annotated[int, Field(description="Discount and allowances on the whole document")]
    charges_minor: Annotated[int, Field(description="Charges on the whole document")]
    net_minor: Annotated[int, Field(description="Total without VAT")]
    vat_minor: int
    vat_euros_minor: Annotated[int | None, Field(description="BT-111: VAT in euros, of another currency")]
    total_minor: Annotated[int, Field(description="Total with VAT")]
    prepaid_minor: int
    due_minor: Annotated[int, Field(description="Due at issue")]

    @classmethod
    def of(cls, totals: Totals, particulars: Particulars = NO_PARTICULARS) -> InvoiceTotalsResponse:
        return cls(
            currency=particulars.currency,
            vat_euros_minor=vat_in_euros(particulars, totals),
            lines=[InvoiceLineResponse.of(line) for line in totals.lines],
            vat_breakdown=[VatSubtotalResponse.of(group) for group in totals.vat_breakdown],
            lines_minor=totals.lines_minor,
            discount_minor=totals.discount_minor,
            charges_minor=totals.charges_minor,
            net_minor=totals.net_minor,
            vat_minor=totals.vat_minor,
            total_minor=totals.total_minor,
            prepaid_minor=totals.prepaid_minor,
            due_minor=totals.due_minor,
        )


class InvoiceWarningResponse(Reply):
    """Never blocking: what the seller should know before, or after, issuing."""

    code: WarningCode
    pointer: Annotated[str, Field(description="Field of the invoice, or of `/company` or `/customer`")]
    detail_fr: str
    detail_en: str

    @classmethod
    def of(cls, notice: Notice) -> InvoiceWarningResponse:
        return cls(code=notice.code, pointer=notice.pointer, detail_fr=notice.detail_fr, detail_en=notice.detail_en)


class InvoicePreviewResponse(InvoiceTotalsResponse):
    warnings: list[InvoiceWarningResponse]

    @classmethod
    def of_preview(
        cls, totals: Totals, particulars: Particulars, warnings: tuple[Notice, ...]
    ) -> InvoicePreviewResponse:
        shown = InvoiceTotalsResponse.of(totals, particulars)
        return cls(
            **{name: getattr(shown, name) for name in InvoiceTotalsResponse.model_fields},
            warnings=[InvoiceWarningResponse.of(notice) for notice in warnings],
        )


class InvoiceCustomerResponse(Reply):
    """On an issued invoice, the customer as it was then; a draft only names it."""

    customer_id: str
    name: str
    kind: CustomerKind | None = None
    contact_name: str = ""
    email: str | None = None
    siren: str | None = None
    siret: str | None = None
    vat_number: str | None = None
    billing_address: AddressResponse | None = None
    delivery_address: AddressResponse | None = None

    @classmethod
    def of(cls, invoice: Invoice) -> InvoiceCustomerResponse:
        if isinstance(invoice, DraftInvoice):
            return cls(customer_id=invoice.content.customer_id, name=invoice.customer_name)
        buyer = invoice.document.buyer
        return cls(
            customer_id=invoice.document.customer_id,
            name=buyer.name,
            kind=buyer.kind,
            contact_name=buyer.contact_name,
            email=buyer.email,
            siren=buyer.siren,
            siret=buyer.siret,
            vat_number=buyer.vat_number,
            billing_address=AddressResponse.of(buyer.billing_address),
            delivery_address=AddressResponse.of(buyer.delivery_address) if buyer.delivery_address else None,
        )


class InvoicePdfResponse(Reply):
    sha256: str
    size_bytes: int


class InvoiceDeliveryResponse(Reply):
    """Where the latest attempt stands; separate from payment."""

    state: DeliveryState
    attempt: int
    in_progress: bool
    error: str
    next_attempt_at: Annotated[
        datetime | None, Field(description="When a failed attempt is followed by another one by itself")
    ]
    pdf: Annotated[InvoicePdfResponse | None, Field(description="Null until the PDF is rendered")]

    @classmethod
    def of(cls, delivery: Delivery) -> InvoiceDeliveryResponse:
        pdf = delivery.pdf
        return cls(
            state=delivery.state,
            attempt=delivery.attempt,
            in_progress=delivery.in_progress,
            error=delivery.error,
            next_attempt_at=delivery.again_at,
            pdf=InvoicePdfResponse(sha256=pdf.sha256, size_bytes=pdf.size_bytes) if pdf else None,
        )


class InvoiceMentionResponse(Reply):
    code: str
    text: str

    @classmethod
    def of(cls, mention: Mention) -> InvoiceMentionResponse:
        return cls(code=mention.code.value, text=mention.text)


class RetentionResponse(Reply):
    """Retention of guarantee: totals and VAT stay in full, and this part of them is paid later. Cents."""

    percent: str
    amount_minor: Annotated[int, Field(description="As printed on the invoice")]
    retained_minor: Annotated[int, Field(description="Of the balance, not due yet")]
    due_date: Annotated[date | None, Field(description="A year after the reception, or the release; null before")]

    @classmethod
    def of(cls, invoice: IssuedInvoice, today: date) -> RetentionResponse | None:
        retention = invoice.document.retention
        if retention is None:
            return None
        return cls(
            percent=format_decimal(retention.percent),
            amount_minor=retention.amount_minor,
            retained_minor=invoice.retained_minor(today),
            due_date=invoice.guarantee_due_date if invoice.retained_until else None,
        )

    @classmethod
    def of_draft(cls, draft: DraftInvoice) -> RetentionResponse | None:
        percent = draft.content.retention_percent
        if percent is None:
            return None
        amount_minor = retained_of(draft.totals.due_minor, percent)
        return cls(
            percent=format_decimal(percent),
            amount_minor=amount_minor,
            retained_minor=amount_minor,
            due_date=draft.retained_until,
        )


class SituationLineResponse(Reply):
    """Cents without VAT."""

    index: Annotated[int | None, Field(description="Of the quote's line, from 0; null: the quote as a whole")]
    label: str
    worth_minor: int
    progress_percent: str
    so_far_minor: Annotated[int, Field(description="Invoiced with this one included")]
    before_minor: Annotated[int, Field(description="Invoiced earlier, deposits included")]
    net_minor: Annotated[int, Field(description="Of this invoice")]
    deposit_minor: Annotated[int, Field(description="Of what is invoiced so far: deposits still ahead of the work")]

    @classmethod
    def of(cls, line: SituationLine) -> SituationLineResponse:
        return cls(
            index=line.index,
            label=line.label,
            worth_minor=line.worth_minor,
            progress_percent=format_decimal(line.progress),
            so_far_minor=line.so_far_minor,
            before_minor=line.before_minor,
            net_minor=line.net_minor,
            deposit_minor=line.deposit_minor,
        )


class SituationResponse(Reply):
    """Cumulative progress of a quote, as frozen with the invoice."""

    number: int
    lines: list[SituationLineResponse]

    @classmethod
    def of(cls, situation: Situation) -> SituationResponse:
        return cls(number=situation.number, lines=[SituationLineResponse.of(line) for line in situation.lines])


class WrittenReply(ParticularsReply):
    """What a person wrote on a document: all of it, so that what is read can be sent back."""

    supply_date: date | None
    payment_terms_days: int | None
    payment_terms: Annotated[
        PaymentTermsResponse | None, Field(description="Of a draft: its own; of an issued invoice: those it is due by")
    ]
    discount: Annotated[DiscountResponse | None, Field(description="On the whole document")]
    allowances: list[AdjustmentResponse]
    charges: list[AdjustmentResponse]
    purchase_order: str
    notes: str
    private_notes: str
    contracting: Contracting | None


def written_fields(content: InvoiceContent) -> dict[str, Any]:
    """The fields of a WrittenReply."""
    return {
        **_of_content(content),
        "supply_date": content.supply_date,
        "payment_terms_days": content.payment_terms_days,
        "discount": DiscountResponse.of(content.discount) if content.discount else None,
        "purchase_order": content.purchase_order,
        "notes": content.notes,
        "private_notes": content.private_notes,
    }


class InvoiceResponse(InvoiceTotalsResponse, WrittenReply):
    """Everything a screen needs, of a draft or of an issued invoice."""

    invoice_id: str
    version: int
    status: InvoiceStatus
    overdue: bool
    number: str | None
    issue_date: date | None
    due_date: date | None
    customer: InvoiceCustomerResponse
    attachments: list[InvoiceAttachmentResponse]
    paid: PaidAtIssueResponse | None
    situation: Annotated[SituationResponse | None, Field(description="Of an invoice by progress of a quote")]
    process_code: Annotated[str | None, Field(description="BT-23, decided at issue", examples=["S1"])]
    vat_due_code: Annotated[str | None, Field(description="BT-8: `5` on debits, `72` on receipt", examples=["72"])]
    billing_code: Annotated[str | None, Field(description="The note BAR", examples=["B2B"])]
    warnings: Annotated[
        list[InvoiceWarningResponse], Field(description="Of a draft: as things stood when it was last written")
    ]
    mentions: list[InvoiceMentionResponse]
    paid_minor: Annotated[
        int,
        Field(description="What was paid and is kept for this invoice: less what was reversed, refunded or released"),
    ]
    credited_minor: Annotated[int, Field(description="Taken back by credit notes")]
    balance_minor: Annotated[int, Field(description="Left to pay")]
    payable_minor: Annotated[int, Field(description="Left to pay, less what is retained for now")]
    retention: RetentionResponse | None
    delivery: InvoiceDeliveryResponse
    document_hash: str | None
    previous_hash: Annotated[str | None, Field(description="Hash of the previous document of the series")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of_invoice(cls, invoice: Invoice, today: date) -> InvoiceResponse:
        return cls(**invoice_fields(invoice, today))


class ReadInvoiceResponse(InvoiceResponse):
    """As an InvoiceResponse, with what is on its way."""

    payment_in_progress: PaymentInProgressResponse | None

    @classmethod
    def of_read(cls, read: InvoiceWithCheckouts, today: date) -> ReadInvoiceResponse:
        online = PaymentInProgressResponse.of_attempt(read.checkouts.in_progress)
        return cls(**invoice_fields(read.invoice, today), payment_in_progress=online)


def invoice_fields(invoice: Invoice, today: date) -> dict[str, Any]:
    """The fields of an InvoiceResponse."""
    held = invoice.document if isinstance(invoice, IssuedInvoice) else invoice.content
    totals = InvoiceTotalsResponse.of(invoice.totals, held.particulars)
    common: dict[str, Any] = {
        **{name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields},
        "invoice_id": invoice.invoice_id,
        "version": invoice.version,
        "customer": InvoiceCustomerResponse.of(invoice),
        "created_at": invoice.created_at,
        "updated_at": invoice.updated_at,
    }
    return common | (_issued(invoice, today) if isinstance(invoice, IssuedInvoice) else _draft(invoice))


def _of_content(content: InvoiceContent | InvoiceDocument) -> dict[str, Any]:
    """What a draft says and an issued document says alike."""
    return {
        **particulars_fields(content.particulars),
        "allowances": [AdjustmentResponse.of(allowance) for allowance in content.allowances],
        "charges": [AdjustmentResponse.of(charge) for charge in content.charges],
        "payment_terms": PaymentTermsResponse.of(content.payment_terms) if content.payment_terms else None,
        "contracting": content.contracting,
    }


def _also(content: InvoiceContent | InvoiceDocument) -> dict[str, Any]:
    """What only an invoice says, as a draft and as an issued document."""
    return {
        "paid": PaidAtIssueResponse.of(content.paid) if content.paid else None,
        "situation": SituationResponse.of(content.situation) if content.situation else None,
    }


def _draft(draft: DraftInvoice) -> dict[str, Any]:
    content = draft.content
    return {
        **written_fields(content),
        **_also(content),
        "attachments": [InvoiceAttachmentResponse.of(attachment) for attachment in draft.attachments],
        "process_code": None,
        "vat_due_code": None,
        "billing_code": None,
        "warnings": [InvoiceWarningResponse.of(notice) for notice in draft.warnings],
        "status": InvoiceStatus.DRAFT,
        "overdue": False,
        "number": None,
        "issue_date": None,
        "due_date": content.due_date,
        "mentions": [],
        "paid_minor": 0,
        "credited_minor": 0,
        "balance_minor": draft.totals.due_minor,
        "payable_minor": draft.totals.due_minor - retained_of(draft.totals.due_minor, draft.content.retention_percent),
        "retention": RetentionResponse.of_draft(draft),
        "delivery": InvoiceDeliveryResponse.of(Delivery()),
        "document_hash": None,
        "previous_hash": None,
    }


def _issued(invoice: IssuedInvoice, today: date) -> dict[str, Any]:
    document, ledger = invoice.document, invoice.ledger
    return {
        **_of_content(document),
        **_also(document),
        "private_notes": invoice.private_notes,
        "attachments": [InvoiceAttachmentResponse.of(attachment) for attachment in document.attachments],
        "process_code": document.codes.process or None,
        "vat_due_code": document.codes.vat_due or None,
        "billing_code": document.codes.billing or None,
        "warnings": [InvoiceWarningResponse.of(notice) for notice in document_warnings(document)],
        "status": ledger.status,
        "overdue": is_overdue(ledger, invoice.due_on, today),
        "number": document.number,
        "issue_date": document.issue_date,
        "supply_date": document.supplied_on,
        "due_date": document.due_date,
        "payment_terms_days": None,
        "discount": DiscountResponse.of(document.document_discount) if document.document_discount else None,
        "purchase_order": document.purchase_order,
        "notes": document.notes,
        "mentions": [InvoiceMentionResponse.of(mention) for mention in document.mentions],
        "paid_minor": max(ledger.kept_minor, 0),
        "credited_minor": ledger.credited_minor,
        "balance_minor": ledger.balance_minor,
        "payable_minor": invoice.payable_minor(today),
        "retention": RetentionResponse.of(invoice, today),
        "delivery": InvoiceDeliveryResponse.of(invoice.delivery),
        "document_hash": invoice.document_hash,
        "previous_hash": document.previous_hash,
    }


class InvoiceRowResponse(Reply):
    """``list_date`` is the issue date, or the day a draft was created."""

    invoice_id: str
    status: InvoiceStatus
    overdue: bool
    number: str | None
    list_date: date
    due_date: date | None
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    balance_minor: int
    retained_minor: Annotated[int, Field(description="Of the balance: retention of guarantee, not due yet")]
    delivery_state: DeliveryState

    @classmethod
    def of(cls, row: InvoiceSummary, today: date) -> InvoiceRowResponse:
        owed = row.status in {InvoiceStatus.ISSUED, InvoiceStatus.PARTIALLY_PAID}
        return cls(
            invoice_id=row.invoice_id,
            status=row.status,
            overdue=owed and row.due_on is not None and row.due_on < today,
            number=row.number,
            list_date=row.list_date,
            due_date=row.due_date,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            currency=row.currency,
            total_minor=row.total_minor,
            balance_minor=row.balance_minor,
            retained_minor=row.retained_on(today),
            delivery_state=DeliveryState(row.delivery_state),
        )


class InvoicePageResponse(PageReply):
    items: list[InvoiceRowResponse]


class InvoiceEventResponse(Reply):
    event_id: str
    event_type: str
    occurred_at: datetime
    actor: Annotated[str, Field(description="Id of the user, or `system`")]
    data: dict[str, str | int]
    detail_fr: Annotated[str | None, Field(description="Why, where `data` has a `failure_code` of Stripe")]
    detail_en: str | None

    @classmethod
    def of(cls, event: Event) -> InvoiceEventResponse:
        code = event.data.get("failure_code")
        why = explain_failure(str(code)) if code else None
        return cls(
            event_id=event.event_id,
            event_type=event.event_type.value,
            occurred_at=event.occurred_at,
            actor=event.actor,
            data=event.data,
            detail_fr=why.french if why else None,
            detail_en=why.english if why else None,
        )


class InvoiceTimelineResponse(PageReply):
    items: list[InvoiceEventResponse]


class InvoiceDownloadResponse(Reply):
    url: Annotated[str, Field(description="Address of the PDF, valid until `expires_at`")]
    expires_at: datetime

    @classmethod
    def of(cls, link: DownloadLink) -> InvoiceDownloadResponse:
        return cls(url=link.url, expires_at=link.expires_at)


def invoice_answer(invoice: Invoice, today: date) -> Answer:
    return answer(200, InvoiceResponse.of_invoice(invoice, today), version=invoice.version)


def read_invoice_answer(read: InvoiceWithCheckouts, today: date) -> Answer:
    return answer(200, ReadInvoiceResponse.of_read(read, today), version=read.invoice.version)


def created_invoice_answer(draft: DraftInvoice, today: date) -> Answer:
    location = f"/v1/invoices/{draft.invoice_id}"
    return answer(201, InvoiceResponse.of_invoice(draft, today), version=draft.version, location=location)


def invoice_query(
    *,
    status: InvoiceStatus | None,
    overdue: bool | None,
    customer_id: str | None,
    from_date: date | None,
    to_date: date | None,
    today: date,
) -> InvoiceQuery:
    """Raises: FieldErrors, for more than one of status, overdue and customer, or for dates in reverse."""
    named = {"status": status, "overdue": overdue or None, "customer_id": customer_id}
    given = [name for name, value in named.items() if value is not None]
    if len(given) > 1:
        raise FieldErrors(
            tuple(
                FieldError(
                    f"/query/{name}",
                    "Un seul filtre parmi status, overdue et customer_id.",
                    "Only one filter among status, overdue and customer_id.",
                )
                for name in given
            )
        )
    if from_date is not None and to_date is not None and to_date < from_date:
        raise FieldErrors(
            (
                FieldError(
                    "/query/to",
                    "La date de fin précède la date de début.",
                    "The end date precedes the start date.",
                ),
            )
        )
    return InvoiceQuery(
        status=status,
        overdue_on=today if overdue else None,
        customer_id=customer_id,
        from_date=from_date,
        to_date=to_date,
    )
