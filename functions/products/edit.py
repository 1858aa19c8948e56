"""PUT /v1/products/{product_id} — describe a product anew."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import ProductId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.products import EditProductRequest, ProductResponse, product_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.products import edit_product

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/products/<product_id>",
    operation_id="editProduct",
    tags=["products"],
    description="The whole description is replaced. Documents keep the product as it was when they were written.",
    responses=documented(
        200,
        ProductResponse,
        "The product",
        versioned=True,
        refused={409: "`product-reference-taken`: another product has this reference"},
    ),
)
def edit(product_id: ProductId, body: Annotated[EditProductRequest, Body()], if_match: IfMatch) -> Response[str]:
    product = edit_product(
        caller(app),
        product_id,
        body.product(),
        expected_version=expected_version(if_match),
        products=table.products(),
        clock=clock,
        ids=ids,
    )
    return respond(product_answer(product))


handler = entry_point(app)
