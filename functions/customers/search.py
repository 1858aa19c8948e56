"""GET /v1/customers/search — find customers by the beginnings of words."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.customers import CustomerPageResponse, CustomerRowResponse
from billing.api.entry import entry_point
from billing.api.fields import Text
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.customers import search_customers

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/search",
    operation_id="searchCustomers",
    tags=["customers"],
    description="Each word typed must begin a word of the name, contact, city or an identifier, whatever its accents "
    "and capitals. A page may be short of its limit and still have a next one.",
    responses=documented(200, CustomerPageResponse, "A page of customers"),
)
def search(
    q: Annotated[str, Text(100, min_length=1), Query(examples=["epic march"])],
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, q=q)
    page = search_customers(member, q, book.request(limit, page_token), customers=table.customers())
    rows = [CustomerRowResponse.of(row) for row in page.items]
    return respond(answer(200, CustomerPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
