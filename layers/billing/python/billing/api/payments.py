"""The answer to a payment: the invoice as it stands, and what the law says of cash."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from billing.api.answers import answer
from billing.api.invoices import InvoiceResponse, InvoiceWarningResponse, invoice_fields
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import PaidInvoice
from billing.domain.thresholds import cash_limit_minor
from billing.domain.warnings import Notice, WarningCode
from billing.ports.idempotency import Answer


class InvoicePaymentResponse(InvoiceResponse):
    """The invoice after the payment; the warnings are the payment's and do not undo it."""

    payment_id: Annotated[str, Field(description="Of the payment that was recorded, to read, reverse or refund it")]

    @classmethod
    def of_payment(cls, paid: PaidInvoice, method: PaymentMethod, *, today: date) -> InvoicePaymentResponse:
        of_payment = {"payment_id": paid.payment_id, "warnings": payment_warnings(paid.invoice, method)}
        return cls(**invoice_fields(paid.invoice, today) | of_payment)


def payment_answer(paid: PaidInvoice, *, method: PaymentMethod, today: date) -> Answer:
    return answer(201, InvoicePaymentResponse.of_payment(paid, method, today=today), version=paid.invoice.version)


def payment_warnings(invoice: IssuedInvoice, method: PaymentMethod) -> list[InvoiceWarningResponse]:
    """Per debt, whatever part of it is paid in cash."""
    if method is not PaymentMethod.CASH or invoice.ledger.total_minor <= cash_limit_minor(invoice.document.buyer):
        return []
    return [InvoiceWarningResponse.of(Notice(code=WarningCode.CASH_ABOVE_LIMIT, pointer="/method"))]
