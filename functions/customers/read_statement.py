"""GET /v1/customers/{customer_id}/statement — read a customer's statement of account."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.customer_accounts import CustomerStatementResponse, StatementFrom, StatementTo
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.customer_accounts import read_customer_statement

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>/statement",
    operation_id="readCustomerStatement",
    tags=["customers"],
    description="What was owed before the period, each movement with what is owed after it, and what is overdue today "
    "by age. `from` and `to` are inclusive, at most twelve months apart.",
    responses=documented(200, CustomerStatementResponse, "The statement"),
)
def read_statement(
    customer_id: CustomerId, from_date: StatementFrom = None, to_date: StatementTo = None
) -> Response[str]:
    statement = read_customer_statement(
        caller(app), customer_id, from_date, to_date, accounts=table.customer_accounts(), clock=clock
    )
    return respond(answer(200, CustomerStatementResponse.of(statement)))


handler = entry_point(app)
