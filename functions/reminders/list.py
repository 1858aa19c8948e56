"""GET /v1/invoices/{invoice_id}/reminders — list an invoice's reminders and what comes next."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.reminders import RemindersResponse, reminders_answer
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.reminders import list_reminders

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/invoices/<invoice_id>/reminders",
    operation_id="listReminders",
    tags=["reminders"],
    responses=documented(200, RemindersResponse, "At most one a level", refused={409: "`invoice-not-issued`"}),
)
def list_(invoice_id: InvoiceId) -> Response[str]:
    shown = list_reminders(caller(app), invoice_id, reminders=table.reminders(), clock=clock)
    return respond(reminders_answer(shown))


handler = entry_point(app)
