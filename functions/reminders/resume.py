"""POST /v1/customers/{customer_id}/reminders/resume — remind a customer again."""

from functools import partial

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.reminders import ReminderPauseResponse, reminder_pause_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import resume_reminder

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/customers/<customer_id>/reminders/resume",
    operation_id="resumeReminder",
    tags=["reminders"],
    description="Levels whose day passes meanwhile are passed over.",
    responses=documented(200, ReminderPauseResponse, "Paused or not"),
)
def resume(customer_id: CustomerId, idempotency_key: IdempotencyKey) -> Response[str]:
    shape = partial(reminder_pause_answer, today=clock.today())
    paused = resume_reminder(
        caller(app),
        customer_id,
        once=idempotent(app, idempotency_key, shape),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(shape(paused))


handler = entry_point(app)
