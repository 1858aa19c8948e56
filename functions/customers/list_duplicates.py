"""GET /v1/customers/{customer_id}/duplicates — customers that may be the same one."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.customers import DuplicateCustomerResponse, DuplicateCustomersResponse
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.customers import find_duplicate_customers

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>/duplicates",
    operation_id="listCustomerDuplicates",
    tags=["customers"],
    description="Others of the same SIREN, VAT number or e-mail, or of a name written alike; at most twenty by each.",
    responses=documented(200, DuplicateCustomersResponse, "Customers that may be the same, the likeliest first"),
)
def list_duplicates(customer_id: CustomerId) -> Response[str]:
    found = find_duplicate_customers(caller(app), customer_id, customers=table.customers())
    shown = [DuplicateCustomerResponse.of_duplicate(one) for one in found]
    return respond(answer(200, DuplicateCustomersResponse(items=shown)))


handler = entry_point(app)
