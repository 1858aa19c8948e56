"""GET /v1/credit-notes/{credit_note_id}/marked-duplicate — get a short-lived address of a marked duplicate."""

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
from billing.runtime.pdf import renderer
from billing.usecases.marked_duplicates import download_credit_note_duplicate

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/credit-notes/<credit_note_id>/marked-duplicate",
    operation_id="downloadCreditNoteDuplicate",
    tags=["credit_notes"],
    description="Its pages marked « DUPLICATA », without XML. The stored original is never changed.",
    responses=documented(200, InvoiceDownloadResponse, "Where to download the duplicate"),
)
def download_duplicate(credit_note_id: CreditNoteId) -> Response[str]:
    link = download_credit_note_duplicate(
        caller(app),
        credit_note_id,
        invoices=table.invoices(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond(answer(200, InvoiceDownloadResponse.of(link)))


handler = entry_point(app)
