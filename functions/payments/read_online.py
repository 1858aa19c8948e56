"""GET /v1/payments/{payment_id}/online — see how a payment stands at Stripe."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import PaymentId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.stripe_payments import StripePaymentResponse, stripe_payment_answer
from billing.runtime import table
from billing.usecases.payments import read_payment_online

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments/<payment_id>/online",
    operation_id="readPaymentOnline",
    tags=["payments"],
    description="Refunds on their way, refunds asked for, disputes and until when evidence is due. A payment that did "
    "not come through Stripe has no such page: 404.",
    responses=documented(200, StripePaymentResponse, "The payment at Stripe, as it was last told"),
)
def read_online(payment_id: PaymentId) -> Response[str]:
    record = read_payment_online(
        caller(app), payment_id, payments=table.payments(), stripe_payments=table.stripe_payments()
    )
    return respond(stripe_payment_answer(record))


handler = entry_point(app)
