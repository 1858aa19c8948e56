"""POST /v1/invoices/{invoice_id}/reminders/release — let the plan go on for an invoice."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.reminders import RemindersResponse, reminders_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import release_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/reminders/release",
    operation_id="releaseReminder",
    tags=["reminders"],
    description="Levels whose day passed meanwhile are passed over.",
    responses=documented(200, RemindersResponse, "What was sent and comes next"),
)
def release(invoice_id: InvoiceId, idempotency_key: IdempotencyKey) -> Response[str]:
    shown = release_reminder(
        caller(app),
        invoice_id,
        once=idempotent(app, idempotency_key, reminders_answer),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(reminders_answer(shown))


handler = entry_point(app)
