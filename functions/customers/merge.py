"""POST /v1/customers/{customer_id}/merge — a duplicate becomes this customer."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customers import CustomerResponse, MergeCustomerRequest, customer_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.customer_merges import merge_customer

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/merge",
    operation_id="mergeCustomer",
    tags=["customers"],
    description="The documents, the credit and the pause of reminders of the duplicate are this customer's from now "
    "on, and the duplicate is in no list and no search any more. What this customer lacks (e-mail, telephone, "
    "contacts, addresses, identifiers, notes) comes from the duplicate. Issued documents do not change. The "
    "duplicate's id goes on working wherever a customer is named: it names this one. There is no way back.",
    responses=documented(200, CustomerResponse, "The customer that goes on", versioned=True),
)
def merge(
    customer_id: CustomerId, body: Annotated[MergeCustomerRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    customer = merge_customer(
        caller(app),
        customer_id,
        body.duplicate_id,
        once=idempotent(app, idempotency_key, customer_answer),
        merges=table.customer_merges(),
        clock=clock,
        ids=ids,
    )
    return respond(customer_answer(customer))


handler = entry_point(app)
