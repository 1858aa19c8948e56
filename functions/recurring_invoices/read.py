"""GET /v1/recurring-invoices/{recurring_invoice_id} — read a template."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import RecurringInvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.recurring_invoices import RecurringInvoiceResponse, recurring_invoice_answer
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.recurring_invoices import read_recurring_invoice

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/recurring-invoices/<recurring_invoice_id>",
    operation_id="readRecurringInvoice",
    tags=["recurring_invoices"],
    responses=documented(200, RecurringInvoiceResponse, "The template", versioned=True),
)
def read(recurring_invoice_id: RecurringInvoiceId) -> Response[str]:
    recurring = read_recurring_invoice(caller(app), recurring_invoice_id, recurring_invoices=table.recurring_invoices())
    return respond(recurring_invoice_answer(recurring, today=clock.today()))


handler = entry_point(app)
