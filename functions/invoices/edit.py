"""PUT /v1/invoices/{invoice_id} — write a draft anew."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.drafts import draft_input
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.invoices import EditInvoiceRequest, InvoiceResponse, invoice_answer
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.invoices import edit_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/invoices/<invoice_id>",
    operation_id="editInvoice",
    tags=["invoices"],
    description="The whole content is replaced. An issued invoice never changes: it is corrected by a credit note.",
    responses=documented(
        200,
        InvoiceResponse,
        "The draft with its totals",
        versioned=True,
        refused={409: "`invoice-already-issued`, `quote-amounts-fixed`"},
    ),
)
def edit(invoice_id: InvoiceId, body: Annotated[EditInvoiceRequest, Body()], if_match: IfMatch) -> Response[str]:
    draft = edit_invoice(
        caller(app),
        invoice_id,
        draft_input(body),
        expected_version=expected_version(if_match),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
    )
    return respond(invoice_answer(draft, clock.today()))


handler = entry_point(app)
