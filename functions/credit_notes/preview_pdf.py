"""POST /v1/invoices/{invoice_id}/credit-notes/preview-pdf — see a credit note as the PDF it would be issued as."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented_pdf, respond_pdf
from billing.api.credit_notes import PreviewCreditNotePdfRequest
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import renderer
from billing.usecases.previews import preview_credit_note_pdf

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/credit-notes/preview-pdf",
    operation_id="previewCreditNotePdf",
    tags=["credit_notes"],
    description="Drawn as if it were issued now, marked « BROUILLON », without number or XML. Nothing is saved.",
    responses=documented_pdf(
        "The pages",
        refused={409: "`credit-exceeds-remaining`, `invoice-not-issued`, `company-not-described`"},
    ),
)
def preview_pdf(invoice_id: InvoiceId, body: Annotated[PreviewCreditNotePdfRequest, Body()]) -> Response[str]:
    drawn = preview_credit_note_pdf(
        caller(app),
        invoice_id,
        body.wanted(),
        credit_notes=table.credit_notes(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond_pdf(drawn)


handler = entry_point(app)
