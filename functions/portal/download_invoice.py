"""GET /v1/portal/invoices/{token}/pdf — get a short-lived address of the PDF."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceToken
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.portal_invoices import download_portal_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/portal/invoices/<token>/pdf",
    operation_id="downloadPortalInvoice",
    tags=["portal"],
    security=[],
    responses=documented(
        200, InvoiceDownloadResponse, "Where to download the PDF", refused={409: "`pdf-not-ready` for a moment"}
    ),
)
def download_invoice(token: InvoiceToken) -> Response[str]:
    link = download_portal_invoice(token, links=table.invoice_links(), documents=documents(), clock=clock)
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
