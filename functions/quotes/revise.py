"""POST /v1/quotes/{quote_id}/revise — open a new version of a sent quote."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import QuoteResponse, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import revise_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/revise",
    operation_id="reviseQuote",
    tags=["quotes"],
    description="The same number, a draft again. The earlier version can be read by its links, and no longer accepted.",
    responses=documented(
        200,
        QuoteResponse,
        "The draft of the next version",
        versioned=True,
        refused={409: "`quote-not-sent`, `quote-already-answered`"},
    ),
)
def revise(quote_id: QuoteId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(quote_answer, today=clock.today(), now=clock.now())
    quote = revise_quote(
        caller(app),
        quote_id,
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
