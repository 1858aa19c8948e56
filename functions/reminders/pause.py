"""POST /v1/customers/{customer_id}/reminders/pause — remind a customer of nothing by itself for a while."""

from functools import partial
from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.reminders import PauseReminderRequest, ReminderPauseResponse, reminder_pause_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import pause_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/reminders/pause",
    operation_id="pauseReminder",
    tags=["reminders"],
    description="Levels whose day passes meanwhile are passed over.",
    responses=documented(200, ReminderPauseResponse, "Paused or not"),
)
def pause(
    customer_id: CustomerId, body: Annotated[PauseReminderRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    shape = partial(reminder_pause_answer, today=clock.today())
    paused = pause_reminder(
        caller(app),
        customer_id,
        until=body.until,
        once=idempotent(app, idempotency_key, shape),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(paused))


handler = entry_point(app)
