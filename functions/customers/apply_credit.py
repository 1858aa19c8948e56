"""POST /v1/customers/{customer_id}/credit/apply — pay invoices from the customer's credit."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customer_payments import ApplyCustomerCreditRequest, PaymentResponse, recorded_payment_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.payments import apply_customer_credit

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/credit/apply",
    operation_id="applyCustomerCredit",
    tags=["customers"],
    description="A payment without a method; it can be reversed like any other.",
    responses=documented(
        201,
        PaymentResponse,
        "The payment made from the credit",
        versioned=True,
        created=True,
        refused={
            409: "`customer-credit-exceeded`, `payment-exceeds-balance`, `payment-in-progress` or `invoice-not-issued`"
        },
    ),
)
def apply_credit(
    customer_id: CustomerId, body: Annotated[ApplyCustomerCreditRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    payment = apply_customer_credit(
        caller(app),
        customer_id,
        tuple(allocation.wanted() for allocation in body.allocations),
        confirm_payment_in_progress=body.confirm_payment_in_progress,
        once=idempotent(app, idempotency_key, recorded_payment_answer),
        payments=table.payments(),
        clock=clock,
        ids=ids,
    )
    return respond(recorded_payment_answer(payment))


handler = entry_point(app)
