"""POST /v1/invoices/preview — compute the totals of a draft without saving it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.invoices import InvoicePreviewResponse, PreviewInvoiceRequest
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.invoices import preview_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/preview",
    operation_id="previewInvoice",
    tags=["invoices"],
    description="The same calculator as the document itself: what is shown here is what will be issued.",
    responses=documented(
        200,
        InvoicePreviewResponse,
        "Totals, line by line and by VAT rate, and warnings",
        refused={404: "`unknown-reference`: something it names does not exist"},
    ),
)
def preview(body: Annotated[PreviewInvoiceRequest, Body()]) -> Response[str]:
    shown = preview_invoice(caller(app), draft_input(body), invoices=table.invoices(), clock=clock)
    return respond(
        answer(200, InvoicePreviewResponse.of_preview(shown.totals, shown.content.particulars, shown.warnings))
    )


handler = entry_point(app)
