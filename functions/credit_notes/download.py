"""GET /v1/credit-notes/{credit_note_id}/pdf — get a short-lived address of the stored PDF."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CreditNoteId
from billing.api.identity import caller
from billing.api.invoices import InvoiceDownloadResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.usecases.credit_notes import download_credit_note

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes/<credit_note_id>/pdf",
    operation_id="downloadCreditNote",
    tags=["credit_notes"],
    description="The bytes that were stored when the credit note was rendered, the same for ever.",
    responses=documented(
        200, InvoiceDownloadResponse, "Where to download the PDF", refused={409: "`pdf-not-ready` for a moment"}
    ),
)
def download(credit_note_id: CreditNoteId) -> Response[str]:
    link = download_credit_note(
        caller(app), credit_note_id, invoices=table.invoices(), documents=documents(), clock=clock
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
