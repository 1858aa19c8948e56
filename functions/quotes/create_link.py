"""POST /v1/quotes/{quote_id}/links — make a public link to a quote."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.quotes import QuoteLinkResponse, quote_link_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.settings import portal_quotes_url
from billing.usecases.quotes import create_quote_link

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/<quote_id>/links",
    operation_id="createQuoteLink",
    tags=["quotes"],
    description="For whoever holds it: read, download, accept or decline. Shown once; only a hash of it is kept. "
    "It leads to a page of a site or app, which reads the operations of `portal` with the token at its end.",
    responses=documented(201, QuoteLinkResponse, "The link", versioned=True, refused={409: "`quote-not-sent`"}),
)
def create_link(quote_id: QuoteId, idempotency_key: IdempotencyKey) -> Response[str]:
    once = idempotent(app, idempotency_key, quote_link_answer)
    quote, token = create_quote_link(caller(app), quote_id, once=once, quotes=table.quotes(), clock=clock, ids=ids)
    return respond(quote_link_answer(quote, url=f"{portal_quotes_url()}/{token.text}"))


handler = entry_point(app)
