"""POST /v1/customers/{customer_id}/credit/refund — give a customer's credit back in money."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customer_payments import CustomerCreditResponse, RefundCustomerCreditRequest, customer_credit_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.payments import RefundInput, refund_customer_credit

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/credit/refund",
    operation_id="refundCustomerCredit",
    tags=["customers"],
    responses=documented(
        200, CustomerCreditResponse, "The credit afterwards", refused={409: "`customer-credit-exceeded`"}
    ),
)
def refund_credit(
    customer_id: CustomerId, body: Annotated[RefundCustomerCreditRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    credit = refund_customer_credit(
        caller(app),
        customer_id,
        RefundInput(
            amount_minor=body.amount_minor,
            method=body.method,
            refunded_on=body.refunded_on,
            reference=body.reference,
        ),
        once=idempotent(app, idempotency_key, customer_credit_answer),
        payments=table.payments(),
        clock=clock,
        ids=ids,
    )
    return respond(customer_credit_answer(credit))


handler = entry_point(app)
