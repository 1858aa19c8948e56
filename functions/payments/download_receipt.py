"""GET /v1/payments/{payment_id}/receipt — get a short-lived address of the receipt of a payment."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import PaymentId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import receipt_renderer
from billing.usecases.receipts import download_payment_receipt

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/payments/<payment_id>/receipt",
    operation_id="downloadPaymentReceipt",
    tags=["payments"],
    description="A PDF/A-3b, drawn when first asked for and the same bytes from then on. After a reversal, or a refund "
    "that the payment counts (`refunded_minor`), another one says so. A refund that a credit note recorded is said by "
    "that note.",
    responses=documented(200, InvoiceDownloadResponse, "Where to download the receipt"),
)
def download_receipt(payment_id: PaymentId) -> Response[str]:
    link = download_payment_receipt(
        caller(app),
        payment_id,
        payments=table.payments(),
        companies=table.companies(),
        documents=documents(),
        renderer=receipt_renderer(),
        clock=clock,
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
