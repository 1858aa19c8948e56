"""POST /v1/quotes/{quote_id}/reception — record that the work was received, or what was retained released."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import QuoteResponse, RecordQuoteReceptionRequest, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import record_quote_reception

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/reception",
    operation_id="recordQuoteReception",
    tags=["quotes"],
    description="What its invoices retain is due a year later, or on the day it was released. It can be corrected.",
    responses=documented(
        200,
        QuoteResponse,
        "The quote with its reception",
        versioned=True,
        refused={409: "`quote-not-accepted`"},
    ),
)
def record_reception(
    quote_id: QuoteId, body: Annotated[RecordQuoteReceptionRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(quote_answer, today=clock.today(), now=clock.now())
    quote = record_quote_reception(
        caller(app),
        quote_id,
        body.reception(),
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
