"""POST /v1/products/{product_id}/restore — offer an archived product again."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import ProductId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.products import ProductResponse, product_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.products import restore_product

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/products/<product_id>/restore",
    operation_id="restoreProduct",
    tags=["products"],
    description="Restoring twice changes nothing.",
    responses=documented(200, ProductResponse, "The product", versioned=True),
)
def restore(product_id: ProductId, idempotency_key: IdempotencyKey) -> Response[str]:
    product = restore_product(
        caller(app),
        product_id,
        once=idempotent(app, idempotency_key, product_answer),
        products=table.products(),
        clock=clock,
        ids=ids,
    )
    return respond(product_answer(product))


handler = entry_point(app)
