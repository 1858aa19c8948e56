"""POST /v1/quotes/{quote_id}/convert — turn an accepted quote into a draft invoice."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceResponse, created_invoice_answer
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import convert_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/convert",
    operation_id="convertQuote",
    tags=["quotes"],
    description="All of it exactly as it was accepted or, after deposits and parts, the rest: those are deducted "
    "line by line.",
    responses=documented(
        201,
        InvoiceResponse,
        "The draft invoice",
        versioned=True,
        created=True,
        refused={409: "`quote-not-accepted`, `quote-already-invoiced`, `quote-part-open`"},
    ),
)
def convert(quote_id: QuoteId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_invoice_answer, today=clock.today())
    draft = convert_quote(
        caller(app),
        quote_id,
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(draft))


handler = entry_point(app)
