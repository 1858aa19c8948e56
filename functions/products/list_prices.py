"""GET /v1/products/{product_id}/prices — what a product cost, from when, and who said so."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import ProductId
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.api.products import ProductPricePageResponse, ProductPriceResponse
from billing.runtime import table
from billing.usecases.products import list_product_prices

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/products/<product_id>/prices",
    operation_id="listProductPrices",
    tags=["products"],
    description="Each change of price or VAT, latest first; documents keep the price they were written with.",
    responses=documented(200, ProductPricePageResponse, "A page of prices"),
)
def list_prices(product_id: ProductId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member, product_id=product_id)
    page = list_product_prices(member, product_id, book.request(limit, page_token), products=table.products())
    rows = [ProductPriceResponse.of(price) for price in page.items]
    return respond(answer(200, ProductPricePageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
