"""POST /v1/payments — record a payment of a customer over one or several invoices."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customer_payments import PaymentResponse, RecordPaymentRequest, recorded_payment_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.payments import PaymentInput, record_payment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/payments",
    operation_id="recordPayment",
    tags=["payments"],
    description="One atomic step over up to twenty invoices of the customer. An invoice never gets more than it is "
    "owed, whoever pays at the same time; what is left over is refused or, as asked, kept as the customer's credit.",
    responses=documented(
        201,
        PaymentResponse,
        "The recorded payment",
        versioned=True,
        created=True,
        refused={409: "`payment-exceeds-balance`, `payment-in-progress`, `cash-above-limit` or `invoice-not-issued`"},
    ),
)
def record(body: Annotated[RecordPaymentRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    payment = record_payment(
        caller(app),
        body.customer_id,
        PaymentInput(
            amount_minor=body.amount_minor,
            method=body.method,
            paid_on=body.paid_on,
            reference=body.reference,
            confirm_cash_above_limit=body.confirm_cash_above_limit,
            confirm_payment_in_progress=body.confirm_payment_in_progress,
        ),
        tuple(allocation.wanted() for allocation in body.allocations),
        body.excess,
        once=idempotent(app, idempotency_key, recorded_payment_answer),
        payments=table.payments(),
        clock=clock,
        ids=ids,
    )
    count("PaymentRecorded")
    return respond(recorded_payment_answer(payment))


handler = entry_point(app)
