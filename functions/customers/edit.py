"""PUT /v1/customers/{customer_id} — describe a customer anew."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.customers import CustomerResponse, EditCustomerRequest, customer_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.customers import edit_customer

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/customers/<customer_id>",
    operation_id="editCustomer",
    tags=["customers"],
    description="The whole description is replaced. Issued invoices keep the customer as it was.",
    responses=documented(200, CustomerResponse, "The customer", versioned=True),
)
def edit(customer_id: CustomerId, body: Annotated[EditCustomerRequest, Body()], if_match: IfMatch) -> Response[str]:
    customer = edit_customer(
        caller(app),
        customer_id,
        body.description(),
        expected_version=expected_version(if_match),
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(customer_answer(customer))


handler = entry_point(app)
