"""POST /v1/recurring-invoices/preview — compute totals and next dates without saving."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.invoices import InvoiceTotalsResponse
from billing.api.problems import install
from billing.api.recurring_invoices import PreviewRecurringInvoiceRequest, RecurringInvoicePreviewResponse
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.recurring_invoices import preview_recurring_invoice
from recurring_invoices import recurring_input

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/recurring-invoices/preview",
    operation_id="previewRecurringInvoice",
    tags=["recurring_invoices"],
    responses=documented(
        200,
        RecurringInvoicePreviewResponse,
        "Totals of one invoice, and the next dates",
        refused={404: "`unknown-reference`: something it names does not exist"},
    ),
)
def preview(body: Annotated[PreviewRecurringInvoiceRequest, Body()]) -> Response[str]:
    wanted = recurring_input(body)
    shown = preview_recurring_invoice(caller(app), wanted, invoices=table.invoices(), clock=clock)
    totals = InvoiceTotalsResponse.of(shown.totals, shown.content.particulars)
    reply = RecurringInvoicePreviewResponse.of_preview(totals, wanted.recurrence, wanted.mode, clock.today())
    return respond(answer(200, reply))


handler = entry_point(app)
