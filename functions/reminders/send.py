"""POST /v1/invoices/{invoice_id}/reminders — remind of an unpaid invoice now."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.events import correlation_id
from billing.api.fields import InvoiceId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.reminders import ReminderResponse, SendReminderRequest, reminder_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import send_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/invoices/<invoice_id>/reminders",
    operation_id="sendReminder",
    tags=["reminders"],
    description="Whatever is paused or held by a person. A level that left does not leave again; one that failed may.",
    responses=documented(
        202,
        ReminderResponse,
        "It is on its way",
        refused={
            409: "`nothing-left-to-pay`, `payment-in-progress`, `reminder-already-sent`, `reminder-not-due`, "
            "`recipient-missing`"
        },
    ),
)
def send(
    invoice_id: InvoiceId, body: Annotated[SendReminderRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    reminder = send_reminder(
        caller(app),
        invoice_id,
        body.wanted(),
        correlation_id=correlation_id(app.current_event.raw_event),
        once=idempotent(app, idempotency_key, reminder_answer),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(reminder_answer(reminder))


handler = entry_point(app)
