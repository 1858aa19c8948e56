"""GET /v1/customers — list customers by name."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.customers import CustomerPageResponse, CustomerRowResponse
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.customers import list_customers

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers",
    operation_id="listCustomers",
    tags=["customers"],
    responses=documented(200, CustomerPageResponse, "A page of customers"),
)
def list_page(limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member)
    page = list_customers(member, book.request(limit, page_token), customers=table.customers())
    rows = [CustomerRowResponse.of(row) for row in page.items]
    return respond(answer(200, CustomerPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
