"""GET /v1/products — list the catalogue by name."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.products import ProductPageResponse, ProductRowResponse
from billing.runtime import table
from billing.usecases.products import list_products

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/products",
    operation_id="listProducts",
    tags=["products"],
    responses=documented(200, ProductPageResponse, "A page of products"),
)
def list_page(
    *,
    archived: Annotated[bool, Query(description="true: only archived products")] = False,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, archived=archived)
    page = list_products(member, book.request(limit, page_token), archived=archived, products=table.products())
    rows = [ProductRowResponse.of(row) for row in page.items]
    return respond(answer(200, ProductPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
