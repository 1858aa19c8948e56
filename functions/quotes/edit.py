"""PUT /v1/quotes/{quote_id} — write a draft anew."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.quotes import EditQuoteRequest, QuoteResponse, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.quotes import QuoteInput, edit_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/quotes/<quote_id>",
    operation_id="editQuote",
    tags=["quotes"],
    description="The whole content is replaced. A quote that was sent does not change: it gets a new version.",
    responses=documented(
        200, QuoteResponse, "The draft with its totals", versioned=True, refused={409: "`quote-already-sent`"}
    ),
)
def edit(quote_id: QuoteId, body: Annotated[EditQuoteRequest, Body()], if_match: IfMatch) -> Response[str]:
    quote = edit_quote(
        caller(app),
        quote_id,
        QuoteInput(draft=draft_input(body), valid_until=body.valid_until),
        expected_version=expected_version(if_match),
        quotes=table.quotes(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(quote_answer(quote, today=clock.today(), now=clock.now()))


handler = entry_point(app)
