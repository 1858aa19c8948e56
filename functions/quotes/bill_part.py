"""POST /v1/quotes/{quote_id}/parts — invoice a share of an accepted quote."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, created_invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import BillQuotePartRequest
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import bill_quote_part

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/parts",
    operation_id="billQuotePart",
    tags=["quotes"],
    description="A draft; what follows deducts it.",
    responses=documented(
        201,
        InvoiceResponse,
        "The draft invoice",
        versioned=True,
        created=True,
        refused={409: "`quote-not-accepted`, `quote-already-invoiced`, `quote-part-open`"},
    ),
)
def bill_part(
    quote_id: QuoteId, body: Annotated[BillQuotePartRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(created_invoice_answer, today=clock.today())
    draft = bill_quote_part(
        caller(app),
        quote_id,
        body.share(),
        retention_percent=body.retention_percent,
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(draft))


handler = entry_point(app)
