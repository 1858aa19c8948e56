"""POST /v1/customers/{customer_id}/check-vat-number — ask VIES whether a customer's VAT number exists."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.customers import CustomerResponse, customer_answer
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.vat_numbers import vat_numbers
from billing.usecases.customers import check_customer_vat_number

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/check-vat-number",
    operation_id="checkCustomerVatNumber",
    tags=["customers"],
    description="The answer is kept with its date and its consultation number. When VIES does not answer the number "
    "stays `unverified`, and can be asked again.",
    responses=documented(200, CustomerResponse, "The customer, with what is known of its VAT number", versioned=True),
)
def check_vat_number(customer_id: CustomerId, idempotency_key: IdempotencyKey) -> Response[str]:
    customer = check_customer_vat_number(
        caller(app),
        customer_id,
        once=idempotent(app, idempotency_key, customer_answer),
        customers=table.customers(),
        companies=table.companies(),
        register=vat_numbers(),
        clock=clock,
        ids=ids,
    )
    return respond(customer_answer(customer))


handler = entry_point(app)
