"""GET /v1/payments/{payment_id} — read a payment."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.customer_payments import PaymentResponse, read_payment_answer
from billing.api.entry import entry_point
from billing.api.fields import PaymentId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.payments import read_payment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments/<payment_id>",
    operation_id="readPayment",
    tags=["payments"],
    responses=documented(200, PaymentResponse, "The payment", versioned=True),
)
def read(payment_id: PaymentId) -> Response[str]:
    return respond(read_payment_answer(read_payment(caller(app), payment_id, payments=table.payments())))


handler = entry_point(app)
