"""POST /v1/quotes/{quote_id}/revoke-links — close every public link of a quote."""

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
from billing.usecases.quotes import revoke_quote_links

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/revoke-links",
    operation_id="revokeQuoteLinks",
    tags=["quotes"],
    description="Also those of earlier versions. A new one can be made at any time.",
    responses=documented(200, QuoteResponse, "The quote without open links", versioned=True),
)
def revoke_links(quote_id: QuoteId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(quote_answer, today=clock.today(), now=clock.now())
    quote = revoke_quote_links(
        caller(app),
        quote_id,
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
