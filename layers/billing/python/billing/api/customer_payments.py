"""Payments of customers over their invoices, and the credit that they hold."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.api.credit_notes import hold_in_order
from billing.api.fields import (
    CREDIT_NOTE_ID,
    AmountMinor,
    ConfirmCash,
    ConfirmDisputed,
    ConfirmInProgress,
    CustomerReference,
    InvoiceReference,
    IsoDate,
    Text,
)
from billing.api.paging import PageReply
from billing.domain.customer_credit import CreditEntryKind, CustomerCredit, CustomerCreditEntry
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import (
    MAX_ALLOCATIONS,
    Allocation,
    Payment,
    PaymentExcess,
    PaymentRefund,
    PaymentState,
    RefundCause,
    WantedAllocation,
)
from billing.domain.typography import agreeing, amount_words
from billing.ports.idempotency import Answer
from billing.ports.payments import PaymentQuery, PaymentSummary


class PaymentAllocationRequest(Request):
    invoice_id: InvoiceReference
    amount_minor: Annotated[
        AmountMinor | None,
        Field(
            description="Cents for this invoice. Left out: what is payable now, without a retention of guarantee,"
            " as far as the money goes"
        ),
    ] = None

    def wanted(self) -> WantedAllocation:
        return WantedAllocation(invoice_id=self.invoice_id, amount_minor=self.amount_minor)


class RecordPaymentRequest(Request):
    """What came in, and the invoices it settles, in this order."""

    customer_id: CustomerReference
    amount_minor: AmountMinor
    method: PaymentMethod
    paid_on: Annotated[IsoDate | None, Field(description="Today unless said")] = None
    reference: Annotated[str, Text(100)] = ""
    allocations: Annotated[list[PaymentAllocationRequest], Field(max_length=MAX_ALLOCATIONS)] = Field(
        default_factory=list
    )
    excess: Annotated[
        PaymentExcess, Field(description="What exceeds the invoices is refused, or kept as the customer's credit")
    ] = PaymentExcess.REFUSE
    confirm_cash_above_limit: ConfirmCash = False
    confirm_payment_in_progress: ConfirmInProgress = False


class ReversePaymentRequest(Request):
    reason: Annotated[str, Text(300, min_length=1), Field(examples=["Chèque impayé"])]


class MoneyBackRequest(Request):
    amount_minor: AmountMinor
    method: PaymentMethod = PaymentMethod.TRANSFER
    refunded_on: Annotated[IsoDate | None, Field(description="Today unless said")] = None
    reference: Annotated[str, Text(100)] = ""


class RefundPaymentRequest(Request):
    """A refund that a credit note recorded already moves no invoice again: the payment's own `refunded_minor` does not
    count it, `GET /v1/payments/{payment_id}/online` shows it.
    """

    amount_minor: AmountMinor
    method: Annotated[
        PaymentMethod | None,
        Field(
            description="How you gave it back. Left out, a payment that came through Stripe is refunded by Stripe, any"
            " other is recorded as refunded by transfer. Named for one that came through Stripe, the refund is"
            " recorded and Stripe makes none"
        ),
    ] = None
    refunded_on: Annotated[
        IsoDate | None,
        Field(description="Today unless said; only of what you gave back; no earlier than `paid_on` of the payment"),
    ] = None
    reference: Annotated[str, Text(100), Field(description="Only of what you gave back yourself")] = ""
    reason: Annotated[
        str, Text(300), Field(examples=["Geste commercial"], description="Your own, kept with the refund")
    ] = ""
    credit_note_id: Annotated[
        str | None,
        Field(
            pattern=CREDIT_NOTE_ID,
            description="Of a payment that came through Stripe: the credit note that says why, or refunded it already",
        ),
    ] = None
    confirm_disputed: ConfirmDisputed = False


class RefundCustomerCreditRequest(MoneyBackRequest):
    pass


class ApplyCustomerCreditRequest(Request):
    """The invoices that the customer's credit pays, in this order."""

    allocations: Annotated[list[PaymentAllocationRequest], Field(min_length=1, max_length=MAX_ALLOCATIONS)]
    confirm_payment_in_progress: ConfirmInProgress = False


class PaymentAllocationResponse(Reply):
    invoice_id: str
    invoice_number: str
    amount_minor: int

    @classmethod
    def of(cls, allocation: Allocation) -> PaymentAllocationResponse:
        return cls(
            invoice_id=allocation.invoice_id,
            invoice_number=allocation.number,
            amount_minor=allocation.amount_minor,
        )


def _owed_again(part: Allocation, currency: str) -> tuple[str, str]:
    amount, english = amount_words(part.amount_minor, currency)
    owed = agreeing(part.amount_minor, "est de nouveau dû", "sont de nouveau dus")
    taken = agreeing(part.amount_minor, "l'a retiré", "les a retirés")
    return (
        f"{amount} {owed} sur la facture {part.number}, sauf si un avoir {taken} depuis.",
        f"{english} are owed again on the invoice {part.number}, unless a credit note has taken them off since.",
    )


class PaymentRefundResponse(Reply):
    refund_id: str
    amount_minor: int
    method: PaymentMethod
    refunded_on: date
    reference: str
    reason: Annotated[str, Field(description="Yours; of what Stripe was asked for it is with the request (`online`)")]
    allocations: Annotated[list[PaymentAllocationResponse], Field(description="Invoices that are owed again")]
    cause: RefundCause
    from_credit_minor: Annotated[int, Field(description="Taken off the customer's credit")]
    returned_on: Annotated[date | None, Field(description="The bank sent it back: the money is with you again")]
    returned_minor: Annotated[
        int, Field(description="What of it came back: less than all where a lost dispute has the rest")
    ]
    detail_fr: Annotated[str | None, Field(description="What follows, where an invoice is owed again")]
    detail_en: str | None

    @classmethod
    def of(cls, refund: PaymentRefund, payment: Payment) -> PaymentRefundResponse:
        currency, returned_minor = payment.currency, payment.came_back_minor(refund.refund_id)
        returned_on = next((one.returned_on for one in payment.returns if one.refund_id == refund.refund_id), None)
        owed = payment.still_taken_by(refund) if returned_minor < refund.amount_minor else ()
        return cls(
            cause=refund.cause,
            from_credit_minor=refund.from_credit_minor,
            returned_on=returned_on,
            returned_minor=returned_minor,
            detail_fr=" ".join(_owed_again(part, currency)[0] for part in owed) or None,
            detail_en=" ".join(_owed_again(part, currency)[1] for part in owed) or None,
            refund_id=refund.refund_id,
            amount_minor=refund.amount_minor,
            method=refund.method,
            refunded_on=refund.refunded_on,
            reference=refund.reference,
            reason=refund.reason,
            allocations=[PaymentAllocationResponse.of(part) for part in refund.allocations],
        )


class PaymentReversalResponse(Reply):
    reason: str
    reversed_on: date
    reversed_by: str


class PaymentResponse(Reply):
    """Amounts in cents: the allocations and what became credit add up to the payment."""

    payment_id: str
    version: int
    state: PaymentState
    customer_id: str
    customer_name: str
    currency: str
    amount_minor: int
    method: Annotated[PaymentMethod | None, Field(description="Null: paid from the customer's credit")]
    paid_on: date
    reference: str
    allocations: list[PaymentAllocationResponse]
    credited_minor: Annotated[int, Field(description="Kept as the customer's credit")]
    refunded_minor: Annotated[
        int, Field(description="What left besides what credit notes on its invoices recorded as given back")
    ]
    refunds: list[PaymentRefundResponse]
    reversal: PaymentReversalResponse | None
    payment_intent_id: Annotated[str | None, Field(description="At Stripe, when it came through it")]
    fee_minor: Annotated[int | None, Field(description="What Stripe and the platform kept, once it is known")]
    net_minor: Annotated[
        int | None,
        Field(
            description="Of the charge, as Stripe settled it in the currency of the account: the amount less "
            "`fee_minor`. What refunds and disputes took since is not taken off"
        ),
    ]
    recorded_at: datetime
    recorded_by: str

    @classmethod
    def of(cls, payment: Payment) -> PaymentResponse:
        reversal = payment.reversal
        return cls(
            payment_id=payment.payment_id,
            version=payment.version,
            state=payment.state,
            customer_id=payment.customer_id,
            customer_name=payment.customer_name,
            currency=payment.currency,
            amount_minor=payment.amount_minor,
            method=payment.method,
            paid_on=payment.paid_on,
            reference=payment.reference,
            allocations=[PaymentAllocationResponse.of(part) for part in payment.allocations],
            credited_minor=payment.credited_minor,
            refunded_minor=payment.refunded_minor,
            refunds=[PaymentRefundResponse.of(refund, payment) for refund in payment.refunds],
            reversal=PaymentReversalResponse(
                reason=reversal.reason, reversed_on=reversal.reversed_on, reversed_by=reversal.reversed_by
            )
            if reversal
            else None,
            payment_intent_id=payment.payment_intent_id or None,
            fee_minor=payment.fee_minor,
            net_minor=payment.net_minor,
            recorded_at=payment.recorded_at,
            recorded_by=payment.recorded_by,
        )


class PaymentRowResponse(Reply):
    payment_id: str
    state: PaymentState
    paid_on: date
    customer_id: str
    customer_name: str
    currency: str
    amount_minor: int
    method: PaymentMethod | None
    reference: str
    credited_minor: int
    refunded_minor: Annotated[
        int, Field(description="What left besides what credit notes on its invoices recorded as given back")
    ]
    invoice_numbers: list[str]

    @classmethod
    def of(cls, row: PaymentSummary) -> PaymentRowResponse:
        return cls(
            payment_id=row.payment_id,
            state=row.state,
            paid_on=row.paid_on,
            customer_id=row.customer_id,
            customer_name=row.customer_name,
            currency=row.currency,
            amount_minor=row.amount_minor,
            method=row.method,
            reference=row.reference,
            credited_minor=row.credited_minor,
            refunded_minor=row.refunded_minor,
            invoice_numbers=list(row.invoice_numbers),
        )


class PaymentPageResponse(PageReply):
    items: list[PaymentRowResponse]


class CustomerCreditEntryResponse(Reply):
    """One movement; the kind says its direction, the balance is the one after it."""

    entry_id: str
    kind: CreditEntryKind
    amount_minor: int
    balance_minor: int
    source_id: Annotated[str, Field(description="Payment or credit note behind it; empty for a refund of credit")]
    entry_date: date
    method: PaymentMethod | None
    reference: str

    @classmethod
    def of(cls, entry: CustomerCreditEntry) -> CustomerCreditEntryResponse:
        return cls(
            entry_id=entry.entry_id,
            kind=entry.kind,
            amount_minor=entry.amount_minor,
            balance_minor=entry.balance_minor,
            source_id=entry.source_id,
            entry_date=entry.entry_date,
            method=entry.method,
            reference=entry.reference,
        )


class CustomerCreditResponse(Reply):
    customer_id: str
    currency: str = "EUR"
    balance_minor: Annotated[int, Field(description="Cents that the customer has with the company; never below 0")]
    promised_minor: Annotated[
        int,
        Field(description="Of it, what refunds at Stripe that are on their way will take: not spent meanwhile"),
    ]
    available_minor: Annotated[int, Field(description="Of it, what can be applied or refunded now: the rest")]

    @classmethod
    def of_credit(cls, credit: CustomerCredit) -> CustomerCreditResponse:
        return cls(
            customer_id=credit.customer_id,
            balance_minor=credit.balance_minor,
            promised_minor=credit.promised_minor,
            available_minor=credit.free_minor(),
        )


class CustomerCreditPageResponse(CustomerCreditResponse):
    """The balance, and how it came to it, latest first."""

    entries: list[CustomerCreditEntryResponse]
    next_page_token: Annotated[str | None, Field(description="Where the next page starts; null on the last page")] = (
        None
    )


def payment_query(*, customer_id: str | None, from_date: date | None, to_date: date | None) -> PaymentQuery:
    """Raises: FieldErrors, for dates in reverse."""
    hold_in_order(from_date, to_date)
    return PaymentQuery(customer_id=customer_id, from_date=from_date, to_date=to_date)


def read_payment_answer(payment: Payment) -> Answer:
    return answer(200, PaymentResponse.of(payment), version=payment.version)


def recorded_payment_answer(payment: Payment) -> Answer:
    location = f"/v1/payments/{payment.payment_id}"
    return answer(201, PaymentResponse.of(payment), version=payment.version, location=location)


def customer_credit_answer(credit: CustomerCredit) -> Answer:
    return answer(200, CustomerCreditResponse.of_credit(credit))
