"""GET /v1/customers/{customer_id} — read a customer."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.customers import CustomerResponse, customer_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.customers import read_customer

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>",
    operation_id="readCustomer",
    tags=["customers"],
    responses=documented(200, CustomerResponse, "The customer", versioned=True),
)
def read(customer_id: CustomerId) -> Response[str]:
    return respond(customer_answer(read_customer(caller(app), customer_id, customers=table.customers())))


handler = entry_point(app)
