"""GET /v1/products/{product_id} — read a product."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import ProductId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.products import ProductResponse, product_answer
from billing.runtime import table
from billing.usecases.products import read_product

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/products/<product_id>",
    operation_id="readProduct",
    tags=["products"],
    responses=documented(200, ProductResponse, "The product", versioned=True),
)
def read(product_id: ProductId) -> Response[str]:
    return respond(product_answer(read_product(caller(app), product_id, products=table.products())))


handler = entry_point(app)
