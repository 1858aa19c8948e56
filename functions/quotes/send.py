"""POST /v1/quotes/{quote_id}/send — number, freeze and mail a quote."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import QuoteResponse, SendQuoteRequest, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import send_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/send",
    operation_id="sendQuote",
    tags=["quotes"],
    description="A draft takes its number and is frozen; its mail carries a public link where the customer answers. "
    "A quote that was sent is mailed again, with another link. `delivery` of the quote tells how it goes.",
    responses=documented(
        200,
        QuoteResponse,
        "The quote, its delivery in progress",
        versioned=True,
        refused={409: "`quote-expired`, `recipient-missing`, `delivery-in-progress`"},
    ),
)
def send(
    quote_id: QuoteId, body: Annotated[SendQuoteRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(quote_answer, today=clock.today(), now=clock.now())
    quote = send_quote(
        caller(app),
        quote_id,
        expected_version=body.version,
        mail=body.mail,
        recipient=body.recipient,
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, shape),
        quotes=table.quotes(),
        customers=table.customers(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(quote))


handler = entry_point(app)
