"""POST /v1/invoices — write a draft, without a number."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.invoices import CreateInvoiceRequest, InvoiceResponse, created_invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoices import create_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices",
    operation_id="createInvoice",
    tags=["invoices"],
    description="Lines are free or come from the catalogue (`product_id`); what a line leaves out comes from its "
    "product. The company must be described before.",
    responses=documented(201, InvoiceResponse, "The draft with its totals", versioned=True, created=True),
)
def create(body: Annotated[CreateInvoiceRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_invoice_answer, today=clock.today())
    draft = create_invoice(
        caller(app),
        draft_input(body),
        once=idempotent(app, idempotency_key, shape),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(draft))


handler = entry_point(app)
