"""GET /v1/quotes/{quote_id} — read a quote, its current version."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.quotes import QuoteResponse, quote_answer
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.quotes import read_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/<quote_id>",
    operation_id="readQuote",
    tags=["quotes"],
    responses=documented(200, QuoteResponse, "The quote", versioned=True),
)
def read(quote_id: QuoteId) -> Response[str]:
    quote = read_quote(caller(app), quote_id, quotes=table.quotes())
    return respond(quote_answer(quote, today=clock.today(), now=clock.now()))


handler = entry_point(app)
