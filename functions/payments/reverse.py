"""POST /v1/payments/{payment_id}/reverse — take a recorded payment back, with its reason."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customer_payments import PaymentResponse, ReversePaymentRequest, read_payment_answer
from billing.api.entry import entry_point
from billing.api.fields import PaymentId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.payments import reverse_payment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/payments/<payment_id>/reverse",
    operation_id="reversePayment",
    tags=["payments"],
    description="The whole payment, by movements the other way: its invoices are owed again, its credit is taken back. "
    "Nothing is deleted.",
    responses=documented(
        200,
        PaymentResponse,
        "The payment, reversed",
        versioned=True,
        refused={
            409: "`payment-reversed`, `payment-by-stripe` (refund it), or `customer-credit-exceeded` when what became "
            "credit was spent, or a refund at Stripe that is on its way needs what this payment left"
        },
    ),
)
def reverse(
    payment_id: PaymentId, body: Annotated[ReversePaymentRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    payment = reverse_payment(
        caller(app),
        payment_id,
        body.reason,
        once=idempotent(app, idempotency_key, read_payment_answer),
        payments=table.payments(),
        clock=clock,
        ids=ids,
    )
    return respond(read_payment_answer(payment))


handler = entry_point(app)
