"""POST /v1/invoices/{invoice_id}/reminders/hold — note a promise to pay or a dispute: nothing goes out by itself."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.reminders import HoldReminderRequest, RemindersResponse, reminders_answer
from billing.domain.reminders import HoldReason
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import hold_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/reminders/hold",
    operation_id="holdReminder",
    tags=["reminders"],
    description="After a promise that was not kept, the level that is due goes out.",
    responses=documented(200, RemindersResponse, "What was sent and comes next"),
)
def hold(
    invoice_id: InvoiceId, body: Annotated[HoldReminderRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shown = hold_reminder(
        caller(app),
        invoice_id,
        reason=HoldReason(body.reason),
        until=body.until,
        once=idempotent(app, idempotency_key, reminders_answer),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(reminders_answer(shown))


handler = entry_point(app)
