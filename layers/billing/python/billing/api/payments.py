"""The answer to a payment: the invoice as it stands, and what the law says of cash."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.api.invoices import InvoiceResponse, invoice_fields
from billing.api.language import Language
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import PaymentMethod
from billing.domain.money import to_major
from billing.domain.parties import CustomerKind
from billing.domain.typography import NO_BREAK_SPACE, format_number
from billing.ports.idempotency import Answer

# Code monétaire et financier D112-3: per debt, whatever part of it is paid in cash.
CASH_LIMIT_MINOR = 1_000_00
CASH_LIMIT_NON_RESIDENT_CONSUMER_MINOR = 15_000_00


class WarningCode(StrEnum):
    CASH_ABOVE_LIMIT = "cash-above-limit"


class WarningResponse(Reply):
    code: WarningCode
    detail: str


class InvoicePaymentResponse(InvoiceResponse):
    """The invoice after the payment; the warnings do not undo it."""

    warnings: Annotated[list[WarningResponse], Field(description="What to check with the customer")]

    @classmethod
    def of_payment(
        cls, invoice: IssuedInvoice, method: PaymentMethod, *, today: date, language: Language
    ) -> InvoicePaymentResponse:
        return cls(**invoice_fields(invoice, today), warnings=payment_warnings(invoice, method, language))


def payment_answer(invoice: IssuedInvoice, *, method: PaymentMethod, today: date, language: Language) -> Answer:
    shown = InvoicePaymentResponse.of_payment(invoice, method, today=today, language=language)
    return answer(201, shown, version=invoice.version)


def payment_warnings(invoice: IssuedInvoice, method: PaymentMethod, language: Language) -> list[WarningResponse]:
    buyer = invoice.document.buyer
    abroad = buyer.kind is CustomerKind.INDIVIDUAL and buyer.billing_address.country_code != "FR"
    limit = CASH_LIMIT_NON_RESIDENT_CONSUMER_MINOR if abroad else CASH_LIMIT_MINOR
    if method is not PaymentMethod.CASH or invoice.ledger.total_minor <= limit:
        return []
    euros = to_major(limit).to_integral_value()
    detail = (
        f"A debt above €{euros:,} may not be paid in cash (CMF art. D112-3)."
        if language is Language.ENGLISH
        else f"Une dette de plus de {format_number(euros)}{NO_BREAK_SPACE}€ ne peut pas être payée en espèces "
        "(CMF, art. D112-3)."
    )
    return [WarningResponse(code=WarningCode.CASH_ABOVE_LIMIT, detail=detail)]
