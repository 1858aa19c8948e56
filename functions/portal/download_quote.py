"""GET /v1/portal/quotes/{token}/pdf — get a short-lived address of the PDF."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import QuoteToken
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.portal import download_portal_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/portal/quotes/<token>/pdf",
    operation_id="downloadPortalQuote",
    tags=["portal"],
    security=[],
    responses=documented(
        200, InvoiceDownloadResponse, "Where to download the PDF", refused={409: "`pdf-not-ready` for a moment"}
    ),
)
def download_quote(token: QuoteToken) -> Response[str]:
    link = download_portal_quote(token, quotes=table.quotes(), documents=documents(), clock=clock)
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
