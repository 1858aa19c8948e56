"""GET /v1/invoices/{invoice_id}/attachments/{attachment_id} — get a short-lived address of a file."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.attachments import AttachmentId
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.attachments import download_invoice_attachment

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>/attachments/<attachment_id>",
    operation_id="downloadInvoiceAttachment",
    tags=["invoices"],
    responses=documented(200, InvoiceDownloadResponse, "Where to download the file"),
)
def download_attachment(invoice_id: InvoiceId, attachment_id: AttachmentId) -> Response[str]:
    link = download_invoice_attachment(
        caller(app),
        invoice_id,
        attachment_id,
        invoices=table.invoices(),
        documents=documents(),
        clock=clock,
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
