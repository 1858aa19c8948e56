"""POST /v1/products — add a product."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.products import CreateProductRequest, ProductResponse, created_product_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.products import create_product

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/products",
    operation_id="createProduct",
    tags=["products"],
    responses=documented(
        201,
        ProductResponse,
        "The product",
        versioned=True,
        created=True,
        refused={409: "`product-reference-taken`: another product has this reference"},
    ),
)
def create(body: Annotated[CreateProductRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    product = create_product(
        caller(app),
        body.product(),
        once=idempotent(app, idempotency_key, created_product_answer),
        products=table.products(),
        clock=clock,
        ids=ids,
    )
    return respond(created_product_answer(product))


handler = entry_point(app)
