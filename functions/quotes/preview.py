"""POST /v1/quotes/preview — compute the totals of a quote without saving it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.invoices import InvoicePreviewResponse
from billing.api.problems import install
from billing.api.quotes import PreviewQuoteRequest
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.quotes import QuoteInput, preview_quote

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/preview",
    operation_id="previewQuote",
    tags=["quotes"],
    description="The same calculator as the document itself.",
    responses=documented(
        200,
        InvoicePreviewResponse,
        "Totals, line by line and by VAT rate, and warnings",
        refused={404: "`unknown-reference`: something it names does not exist"},
    ),
)
def preview(body: Annotated[PreviewQuoteRequest, Body()]) -> Response[str]:
    wanted = QuoteInput(draft=draft_input(body), valid_until=body.valid_until)
    shown = preview_quote(caller(app), wanted, invoices=table.invoices(), clock=clock)
    return respond(
        answer(200, InvoicePreviewResponse.of_preview(shown.totals, shown.content.particulars, shown.warnings))
    )


handler = entry_point(app)
