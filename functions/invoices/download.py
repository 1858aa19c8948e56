"""GET /v1/invoices/{invoice_id}/pdf — get a short-lived address of the stored PDF."""

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
from billing.usecases.invoices import download_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>/pdf",
    operation_id="downloadInvoice",
    tags=["invoices"],
    description="The bytes that were stored when the invoice was rendered, the same for ever. While they are being "
    "made the answer is a 409 of type `/problems/pdf-not-ready`.",
    responses=documented(
        200,
        InvoiceDownloadResponse,
        "Where to download the PDF",
        refused={409: "`invoice-not-issued`, or `pdf-not-ready` for a moment"},
    ),
)
def download(invoice_id: InvoiceId) -> Response[str]:
    link = download_invoice(caller(app), invoice_id, invoices=table.invoices(), documents=documents(), clock=clock)
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
