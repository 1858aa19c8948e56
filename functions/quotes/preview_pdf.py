"""POST /v1/quotes/preview-pdf — see a quote as the PDF it would be sent as, without saving it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented_pdf, respond_pdf
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.quotes import PreviewQuotePdfRequest
from billing.runtime import table
from billing.runtime.clock import clock
from billing.runtime.documents import documents
from billing.runtime.pdf import renderer
from billing.usecases.previews import preview_quote_pdf
from billing.usecases.quotes import QuoteInput

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/quotes/preview-pdf",
    operation_id="previewQuotePdf",
    tags=["quotes"],
    description="Drawn as if it were sent today, marked « BROUILLON », without number. What would be refused when it "
    "is sent is refused here, by the same fields.",
    responses=documented_pdf(
        "The pages",
        refused={
            404: "`unknown-reference`: something it names does not exist",
            409: "`company-not-described`, `quote-already-sent`",
        },
    ),
)
def preview_pdf(body: Annotated[PreviewQuotePdfRequest, Body()]) -> Response[str]:
    drawn = preview_quote_pdf(
        caller(app),
        QuoteInput(draft=draft_input(body), valid_until=body.valid_until),
        editing=body.quote_id,
        quotes=table.quotes(),
        invoices=table.invoices(),
        documents=documents(),
        renderer=renderer(),
        clock=clock,
    )
    return respond_pdf(drawn)


handler = entry_point(app)
