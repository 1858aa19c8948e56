"""GET /v1/quotes/{quote_id}/timeline — read what happened to a quote."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceEventResponse, InvoiceTimelineResponse
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, pages
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.quotes import read_quote_timeline

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/<quote_id>/timeline",
    operation_id="readQuoteTimeline",
    tags=["quotes"],
    responses=documented(200, InvoiceTimelineResponse, "A page of events, oldest first"),
)
def read_timeline(quote_id: QuoteId, limit: Limit = DEFAULT_LIMIT, page_token: PageToken = None) -> Response[str]:
    member = caller(app)
    book = pages(app, member, quote_id=quote_id)
    page = read_quote_timeline(member, quote_id, book.request(limit, page_token), quotes=table.quotes())
    events = [InvoiceEventResponse.of(event) for event in page.items]
    return respond(answer(200, InvoiceTimelineResponse(items=events, next_page_token=book.token(page.position))))


handler = entry_point(app)
