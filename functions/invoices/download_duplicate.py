"""GET /v1/invoices/{invoice_id}/marked-duplicate — get a short-lived address of a marked duplicate."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import renderer
from billing.usecases.marked_duplicates import download_invoice_duplicate

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>/marked-duplicate",
    operation_id="downloadInvoiceDuplicate",
    tags=["invoices"],
    description="Its pages marked « DUPLICATA », with the day and the means of payment once it is settled. Without "
    "XML: the stored original stays the invoice, and is never changed.",
    responses=documented(
        200, InvoiceDownloadResponse, "Where to download the duplicate", refused={409: "`invoice-not-issued`"}
    ),
)
def download_duplicate(invoice_id: InvoiceId) -> Response[str]:
    link = download_invoice_duplicate(
        caller(app),
        invoice_id,
        invoices=table.invoices(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
