"""GET /v1/quotes/{quote_id}/billing — read what of a quote was invoiced, and what is left to invoice and to collect."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.quotes import QuoteBillingResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.quotes import read_quote_billing

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/<quote_id>/billing",
    operation_id="readQuoteBilling",
    tags=["quotes"],
    responses=documented(200, QuoteBillingResponse, "What is left", refused={409: "`quote-not-sent`"}),
)
def read_billing(quote_id: QuoteId) -> Response[str]:
    billing = read_quote_billing(caller(app), quote_id, quotes=table.quotes())
    return respond(answer(200, QuoteBillingResponse.of(billing, clock.today())))


handler = entry_point(app)
