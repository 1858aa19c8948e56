"""POST /v1/quotes/{quote_id}/answer — record what the customer answered elsewhere."""

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
from billing.api.quotes import QuoteResponse, RecordQuoteAnswerRequest, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import AnswerInput, record_quote_answer

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/answer",
    operation_id="recordQuoteAnswer",
    tags=["quotes"],
    description="A signed copy, a mail, a call. An answer is given once.",
    responses=documented(
        200,
        QuoteResponse,
        "The quote with its answer",
        versioned=True,
        refused={409: "`quote-not-sent`, `quote-expired`, `quote-already-answered`"},
    ),
)
def record_answer(
    quote_id: QuoteId, body: Annotated[RecordQuoteAnswerRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(quote_answer, today=clock.today(), now=clock.now())
    quote = record_quote_answer(
        caller(app),
        quote_id,
        AnswerInput(answer=body.answer, name=body.name, comment=body.comment),
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
