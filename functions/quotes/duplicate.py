"""POST /v1/quotes/{quote_id}/duplicate — write a draft like an existing quote."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import QuoteResponse, created_quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import duplicate_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/duplicate",
    operation_id="duplicateQuote",
    tags=["quotes"],
    description="Lines, prices, terms and texts are taken over; dates are not.",
    responses=documented(201, QuoteResponse, "The new draft", versioned=True, created=True),
)
def duplicate(quote_id: QuoteId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(created_quote_answer, today=clock.today(), now=clock.now())
    quote = duplicate_quote(
        caller(app),
        quote_id,
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
