"""Credit notes: what is asked to be taken back, and the documents that say so."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, StrictBool, StrictInt

from billing.api.answers import Reply, Request, answer
from billing.api.fields import AmountMinor, EmailAddress, Quantity, Text
from billing.api.invoices import (
    InvoiceCustomerResponse,
    InvoiceDeliveryResponse,
    InvoiceMentionResponse,
    InvoiceTotalsResponse,
    InvoiceWarningResponse,
)
from billing.api.paging import PageReply
from billing.api.vat import ExemptionCode, VatCategoryField, VatRateField, vat_treatment
from billing.domain.credit_notes import (
    CreditByLine,
    CreditByVat,
    CreditInFull,
    CreditNoteInput,
    CreditNotePreview,
    CreditScope,
    LineCredit,
    VatCredit,
)
from billing.domain.crediting import CreditSettlement, Excess
from billing.domain.delivery import DeliveryState
from billing.domain.errors import FieldError, FieldErrors
from billing.domain.invoice import MAX_LINES, DocumentType, IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.ports.credit_notes import CreditNoteQuery, CreditNoteSummary
from billing.ports.idempotency import Answer


class CreditNoteMode(StrEnum):
    FULL = "full"
    LINES = "lines"
    AMOUNTS = "amounts"


class CreditNoteLineRequest(Request):
    """Either a quantity or an amount of one line."""

    index: Annotated[StrictInt, Field(ge=0, lt=MAX_LINES, description="Rank of the line on the invoice, from 0")]
    quantity: Annotated[Quantity | None, Field(examples=["1"])] = None
    net_minor: Annotated[AmountMinor | None, Field(description="Cents without VAT")] = None

    def credit(self, pointer: str, errors: list[FieldError]) -> LineCredit | None:
        if (self.quantity is None) == (self.net_minor is None):
            errors.append(
                FieldError(
                    pointer,
                    "Une ligne se crédite par une quantité ou par un montant.",
                    "A line is credited by a quantity or by an amount.",
                )
            )
            return None
        return LineCredit(index=self.index, quantity=self.quantity, net_minor=self.net_minor)


class CreditNoteAmountRequest(Request):
    """Cents without VAT of one VAT treatment of the invoice."""

    vat_category: VatCategoryField = None
    vat_rate: VatRateField = None
    exemption_code: ExemptionCode = None
    net_minor: Annotated[AmountMinor, Field(description="Cents without VAT")]

    def credit(self, pointer: str, errors: list[FieldError]) -> VatCredit | None:
        before = len(errors)
        vat = vat_treatment(self, pointer, errors)
        if vat is None:
            if len(errors) == before:
                errors.append(FieldError(f"{pointer}/vat_rate", "Taux obligatoire.", "A VAT rate is required."))
            return None
        return VatCredit(vat=vat, net_minor=self.net_minor)


class CreditNoteRequest(Request):
    """What is taken back of the invoice, and why."""

    mode: Annotated[CreditNoteMode, Field(description="`full`: whatever remains; or by line; or by VAT treatment")]
    lines: Annotated[list[CreditNoteLineRequest], Field(max_length=MAX_LINES)] = Field(default_factory=list)
    amounts: Annotated[list[CreditNoteAmountRequest], Field(max_length=30)] = Field(default_factory=list)
    reason: Annotated[str, Text(300, min_length=1), Field(examples=["Retour de marchandise"])]
    excess: Annotated[
        Excess,
        Field(
            description="Where goes what exceeds the balance due: the customer's credit, or a refund. The note records "
            "the refund and moves no money: of an invoice paid through Stripe, have Stripe make it by "
            "`POST /v1/payments/{payment_id}/refund` with this note's id"
        ),
    ] = Excess.CUSTOMER_CREDIT
    refund_method: Annotated[
        PaymentMethod | None,
        Field(
            description="Left out: the means of the payment where all that the invoice keeps was paid through Stripe, "
            "else by transfer"
        ),
    ] = None

    def wanted(self) -> CreditNoteInput:
        """Raises: FieldErrors, all at once."""
        errors: list[FieldError] = []
        named = {CreditNoteMode.LINES: self.lines, CreditNoteMode.AMOUNTS: self.amounts}
        for mode, given in named.items():
            if bool(given) != (mode is self.mode):
                errors.append(
                    FieldError(
                        f"/{mode.value}",
                        "Ce champ va avec son mode, et le mode avec lui.",
                        "This field goes with its mode, and the mode with it.",
                    )
                )
        scope = self._scope(errors)
        if errors:
            raise FieldErrors(tuple(errors))
        return CreditNoteInput(scope=scope, reason=self.reason, excess=self.excess, refund_method=self.refund_method)

    def _scope(self, errors: list[FieldError]) -> CreditScope:
        lines = [line.credit(f"/lines/{index}", errors) for index, line in enumerate(self.lines)]
        amounts = [amount.credit(f"/amounts/{index}", errors) for index, amount in enumerate(self.amounts)]
        if self.mode is CreditNoteMode.LINES:
            return CreditByLine(lines=tuple(line for line in lines if line))
        if self.mode is CreditNoteMode.AMOUNTS:
            return CreditByVat(amounts=tuple(amount for amount in amounts if amount))
        return CreditInFull()


class PreviewCreditNoteRequest(CreditNoteRequest):
    pass


class PreviewCreditNotePdfRequest(CreditNoteRequest):
    pass


class IssueCreditNoteRequest(CreditNoteRequest):
    send: Annotated[StrictBool, Field(description="Mail the PDF to the customer as soon as it is there")] = False


class SendCreditNoteRequest(Request):
    recipient: Annotated[EmailAddress | None, Field(description="Instead of the customer's own address")] = None


class CreditNoteSettlementResponse(Reply):
    """How the credit note is settled, in cents: they add up to its total."""

    applied_minor: Annotated[int, Field(description="Set against what was owed on the invoice")]
    customer_credit_minor: Annotated[int, Field(description="Kept as credit of the customer")]
    refunded_minor: int

    @classmethod
    def of(cls, settlement: CreditSettlement) -> CreditNoteSettlementResponse:
        return cls(
            applied_minor=settlement.applied_minor,
            customer_credit_minor=settlement.customer_credit_minor,
            refunded_minor=settlement.refunded_minor,
        )


class CreditNotePreviewResponse(InvoiceTotalsResponse):
    """The credit note as it would be now; nothing is saved."""

    settlement: CreditNoteSettlementResponse
    warnings: list[InvoiceWarningResponse]

    @classmethod
    def of_preview(cls, preview: CreditNotePreview) -> CreditNotePreviewResponse:
        totals = InvoiceTotalsResponse.of(preview.computed.totals)
        return cls(
            **{name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields},
            settlement=CreditNoteSettlementResponse.of(preview.settlement),
            warnings=[InvoiceWarningResponse.of(notice) for notice in preview.warnings],
        )


class CreditNoteResponse(InvoiceTotalsResponse):
    """An issued credit note; amounts are positive."""

    credit_note_id: str
    version: int
    document_type: Annotated[DocumentType, Field(description="381, or 503 of a deposit invoice (UNTDID 1001)")]
    number: str
    issue_date: date
    invoice_id: str
    invoice_number: str
    invoice_date: date
    customer: InvoiceCustomerResponse
    reason: str
    settlement: CreditNoteSettlementResponse
    mentions: list[InvoiceMentionResponse]
    warnings: Annotated[list[InvoiceWarningResponse], Field(description="As things stood when it was issued")]
    delivery: InvoiceDeliveryResponse
    document_hash: str
    previous_hash: Annotated[str, Field(description="Hash of the previous document of the series")]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of_note(cls, note: IssuedInvoice) -> CreditNoteResponse:
        document = note.document
        preceding, settlement = document.preceding[0], document.settlement
        assert settlement is not None  # noqa: S101 - every credit note is settled
        totals = InvoiceTotalsResponse.of(document.totals)
        return cls(
            **{name: getattr(totals, name) for name in InvoiceTotalsResponse.model_fields},
            credit_note_id=note.invoice_id,
            version=note.version,
            document_type=document.document_type,
            number=document.number,
            issue_date=document.issue_date,
            invoice_id=preceding.invoice_id,
            invoice_number=preceding.number,
            invoice_date=preceding.issue_date,
            customer=InvoiceCustomerResponse.of(note),
            reason=document.reason,
            settlement=CreditNoteSettlementResponse.of(settlement),
            mentions=[InvoiceMentionResponse.of(mention) for mention in document.mentions],
            warnings=[InvoiceWarningResponse.of(notice) for notice in note.warnings],
            delivery=InvoiceDeliveryResponse.of(note.delivery),
            document_hash=note.document_hash,
            previous_hash=document.previous_hash,
            created_at=note.created_at,
            updated_at=note.updated_at,
        )


class CreditNoteRowResponse(Reply):
    credit_note_id: str
    number: str
    issue_date: date
    invoice_id: str
    invoice_number: str
    customer_id: str
    customer_name: str
    currency: str
    total_minor: int
    delivery_state: DeliveryState

    @classmethod
    def of(cls, row: CreditNoteSummary) -> CreditNoteRowResponse:
        return cls(
            credit_note_id=row.credit_note_id,
            number=row.number,
            issue_date=row.issue_date,
            invoice_id=row.invoice_id,
            invoice_number=row.invoice_number,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            currency=row.currency,
            total_minor=row.total_minor,
            delivery_state=DeliveryState(row.delivery_state),
        )


class CreditNotePageResponse(PageReply):
    items: list[CreditNoteRowResponse]


def credit_note_answer(note: IssuedInvoice) -> Answer:
    return answer(200, CreditNoteResponse.of_note(note), version=note.version)


def issued_credit_note_answer(note: IssuedInvoice) -> Answer:
    location = f"/v1/credit-notes/{note.invoice_id}"
    return answer(201, CreditNoteResponse.of_note(note), version=note.version, location=location)


def credit_note_query(
    *, customer_id: str | None, invoice_id: str | None, from_date: date | None, to_date: date | None
) -> CreditNoteQuery:
    """Raises: FieldErrors, for both a customer and an invoice, or for dates in reverse."""
    if customer_id is not None and invoice_id is not None:
        raise FieldErrors(
            tuple(
                FieldError(
                    f"/query/{name}",
                    "Un seul filtre parmi customer_id et invoice_id.",
                    "Only one filter among customer_id and invoice_id.",
                )
                for name in ("customer_id", "invoice_id")
            )
        )
    hold_in_order(from_date, to_date)
    return CreditNoteQuery(customer_id=customer_id, invoice_id=invoice_id, from_date=from_date, to_date=to_date)


def hold_in_order(from_date: date | None, to_date: date | None) -> None:
    """Raises: FieldErrors, for dates in reverse."""
    if from_date is not None and to_date is not None and to_date < from_date:
        raise FieldErrors(
            (
                FieldError(
                    "/query/to", "La date de fin précède la date de début.", "The end date precedes the start date."
                ),
            )
        )
