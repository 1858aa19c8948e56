"""GET /v1/portal/quotes/{token} — see the quote that a public link opens."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteToken
from billing.api.problems import install
from billing.api.quotes import PortalQuoteResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.portal import read_portal_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/portal/quotes/<token>",
    operation_id="readPortalQuote",
    tags=["portal"],
    security=[],
    description="Unknown, expired and revoked links are all 404.",
    responses=documented(200, PortalQuoteResponse, "The quote as its customer sees it"),
)
def read_quote(token: QuoteToken) -> Response[str]:
    opened = read_portal_quote(token, quotes=table.quotes(), clock=clock)
    reply = PortalQuoteResponse.of_quote(opened.quote, superseded=opened.superseded, today=clock.today())
    return respond(answer(200, reply))


handler = entry_point(app)
