"""GET /v1/quotes/{quote_id}/pdf — get a short-lived address of the stored PDF."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.quotes import download_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/<quote_id>/pdf",
    operation_id="downloadQuote",
    tags=["quotes"],
    description="While it is being made the answer is a 409 of type `/problems/pdf-not-ready`.",
    responses=documented(
        200,
        InvoiceDownloadResponse,
        "Where to download the PDF",
        refused={409: "`quote-not-sent`, or `pdf-not-ready` for a moment"},
    ),
)
def download(quote_id: QuoteId) -> Response[str]:
    link = download_quote(caller(app), quote_id, quotes=table.quotes(), documents=documents(), clock=clock)
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
