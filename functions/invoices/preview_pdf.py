"""POST /v1/invoices/preview-pdf — see a draft as the PDF it would be issued as, without saving it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented_pdf, respond_pdf
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.invoices import PreviewInvoicePdfRequest
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import renderer
from billing.usecases.previews import preview_invoice_pdf

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/preview-pdf",
    operation_id="previewInvoicePdf",
    tags=["invoices"],
    description="Drawn as if it were issued today, marked « BROUILLON », without number, XML or payment code. What "
    "would be refused at issue is refused here, by the same fields.",
    responses=documented_pdf(
        "The pages",
        refused={
            404: "`unknown-reference`: something it names does not exist",
            409: "`company-not-described`, `invoice-already-issued`, `quote-amounts-fixed`",
        },
    ),
)
def preview_pdf(body: Annotated[PreviewInvoicePdfRequest, Body()]) -> Response[str]:
    drawn = preview_invoice_pdf(
        caller(app),
        draft_input(body),
        editing=body.invoice_id,
        invoices=table.invoices(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond_pdf(drawn)


handler = entry_point(app)
