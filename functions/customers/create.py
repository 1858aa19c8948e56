"""POST /v1/customers — add a customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customers import CreateCustomerRequest, CustomerResponse, created_customer_answer
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.customers import create_customer

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers",
    operation_id="createCustomer",
    tags=["customers"],
    responses=documented(201, CustomerResponse, "The customer", versioned=True, created=True),
)
def create(body: Annotated[CreateCustomerRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    customer = create_customer(
        caller(app),
        body.description(),
        once=idempotent(app, idempotency_key, created_customer_answer),
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(created_customer_answer(customer))


handler = entry_point(app)
