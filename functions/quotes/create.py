"""POST /v1/quotes — write a draft, without a number."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import CreateQuoteRequest, QuoteResponse, created_quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import QuoteInput, create_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes",
    operation_id="createQuote",
    tags=["quotes"],
    description="Lines as on an invoice: free, or from the catalogue.",
    responses=documented(201, QuoteResponse, "The draft with its totals", versioned=True, created=True),
)
def create(body: Annotated[CreateQuoteRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_quote_answer, today=clock.today(), now=clock.now())
    quote = create_quote(
        caller(app),
        QuoteInput(draft=draft_input(body), valid_until=body.valid_until),
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
