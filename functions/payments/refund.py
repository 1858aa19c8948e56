"""POST /v1/payments/{payment_id}/refund — give money of a payment back, by Stripe where it came from there."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customer_payments import PaymentResponse, RefundPaymentRequest, read_payment_answer
from billing.api.entry import entry_point
from billing.api.fields import PaymentId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import stripe_desk, table
from billing.runtime.clock import clock, ids
from billing.usecases.payments import RefundInput
from billing.usecases.stripe_refunds import StripeRefundInput, refund_by_its_means

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/payments/<payment_id>/refund",
    operation_id="refundPayment",
    tags=["payments"],
    description="The invoices that it settled last are owed again. What the payment left as credit is refunded as the "
    "customer's credit. A payment that came through Stripe is refunded by Stripe, of what became credit too (what the "
    "invoice keeps of it goes first, and is owed again: settle it from the credit), unless you name the means by which "
    "you gave it back yourself; asked again under the same key, it goes on where it was.",
    responses=documented(
        200,
        PaymentResponse,
        "The payment with its refund",
        versioned=True,
        refused={
            409: "`refund-exceeds-payment`, `payment-reversed`, `payment-from-credit` (reverse it), "
            "`refund-refused` (by Stripe), or `payment-disputed`"
        },
    ),
)
def refund(
    payment_id: PaymentId, body: Annotated[RefundPaymentRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    payment = refund_by_its_means(
        caller(app),
        payment_id,
        RefundInput(
            amount_minor=body.amount_minor,
            method=body.method,
            refunded_on=body.refunded_on,
            reference=body.reference,
            confirm_disputed=body.confirm_disputed,
        ),
        StripeRefundInput(reason=body.reason, credit_note_id=body.credit_note_id or ""),
        once=idempotent(app, idempotency_key, read_payment_answer),
        payments=table.payments(),
        invoices=table.invoices(),
        stripe=stripe_desk.desk,
        clock=clock,
        ids=ids,
    )
    return respond(read_payment_answer(payment))


handler = entry_point(app)
