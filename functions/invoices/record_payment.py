"""POST /v1/invoices/{invoice_id}/payments — record a payment received outside ZenBilling."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import RecordInvoicePaymentRequest
from billing.api.payments import InvoicePaymentResponse, payment_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.payments import PaymentInput, record_invoice_payment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/payments",
    operation_id="recordInvoicePayment",
    tags=["invoices"],
    description="Status and balance follow from the ledger. A payment never exceeds what is left to pay.",
    responses=documented(
        201,
        InvoicePaymentResponse,
        "The invoice after the payment",
        versioned=True,
        refused={409: "`payment-exceeds-balance`, `payment-in-progress`, `cash-above-limit` or `invoice-not-issued`"},
    ),
)
def record_payment(
    invoice_id: InvoiceId, body: Annotated[RecordInvoicePaymentRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(payment_answer, method=body.method, today=clock.today())
    paid = record_invoice_payment(
        caller(app),
        invoice_id,
        PaymentInput(
            amount_minor=body.amount_minor,
            method=body.method,
            paid_on=body.paid_on,
            reference=body.reference,
            confirm_cash_above_limit=body.confirm_cash_above_limit,
            confirm_payment_in_progress=body.confirm_payment_in_progress,
        ),
        once=idempotent(app, idempotency_key, shape),
        invoices=table.invoices(),
        payments=table.payments(),
        clock=clock,
        ids=ids,
    )
    count("InvoicePaymentRecorded")
    return respond(shape(paid))


handler = entry_point(app)
