"""POST /v1/invoices/{invoice_id}/credit-notes/preview — see a credit note before it is issued."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.credit_notes import CreditNotePreviewResponse, PreviewCreditNoteRequest
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.credit_notes import preview_credit_note

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/credit-notes/preview",
    operation_id="previewCreditNote",
    tags=["credit_notes"],
    description="Its lines, VAT and settlement as they would be now. Nothing is saved, no number is taken.",
    responses=documented(
        200,
        CreditNotePreviewResponse,
        "The credit note as it would be",
        refused={409: "`credit-exceeds-remaining` or `invoice-not-issued`"},
    ),
)
def preview(invoice_id: InvoiceId, body: Annotated[PreviewCreditNoteRequest, Body()]) -> Response[str]:
    seen = preview_credit_note(caller(app), invoice_id, body.wanted(), credit_notes=table.credit_notes())
    return respond(answer(200, CreditNotePreviewResponse.of_preview(seen)))


handler = entry_point(app)
