"""GET /v1/quotes/{quote_id}/preview-pdf — see a saved draft as the PDF it would be sent as."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented_pdf, respond_pdf
from billing.api.entry import entry_point
from billing.api.fields import QuoteId
from billing.api.identity import caller
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import renderer
from billing.usecases.previews import preview_quote_draft_pdf

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/quotes/<quote_id>/preview-pdf",
    operation_id="previewQuoteDraftPdf",
    tags=["quotes"],
    description="As `POST /v1/quotes/preview-pdf`, of the draft as it is saved.",
    responses=documented_pdf("The pages", refused={409: "`quote-already-sent`, `company-not-described`"}),
)
def preview_draft_pdf(quote_id: QuoteId) -> Response[str]:
    drawn = preview_quote_draft_pdf(
        caller(app),
        quote_id,
        quotes=table.quotes(),
        invoices=table.invoices(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond_pdf(drawn)


handler = entry_point(app)
