"""GET /v1/products/search — find products by the beginnings of words, numbers and amounts."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import Text
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.products import ProductPageResponse, ProductRowResponse
from billing.runtime import table
from billing.usecases.search import search_products

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/products/search",
    operation_id="searchProducts",
    tags=["products"],
    description="By name, reference or price; archived ones among them. Each term must begin a word, whatever its "
    "accents and capitals. A page may be short of its limit and still have a next one.",
    responses=documented(200, ProductPageResponse, "A page of products"),
)
def search(
    q: Annotated[str, Text(100, min_length=1), Query(examples=["conception"])],
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    member = caller(app)
    book = pages(app, member, q=q)
    page = search_products(member, q, book.request(limit, page_token), search=table.search())
    rows = [ProductRowResponse.of(row) for row in page.items]
    return respond(answer(200, ProductPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
