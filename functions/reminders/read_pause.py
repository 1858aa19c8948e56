"""GET /v1/customers/{customer_id}/reminders — read whether a customer is reminded."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import CustomerId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.reminders import ReminderPauseResponse, reminder_pause_answer
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.reminders import read_reminder_pause

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/customers/<customer_id>/reminders",
    operation_id="readReminderPause",
    tags=["reminders"],
    responses=documented(200, ReminderPauseResponse, "Paused or not"),
)
def read_pause(customer_id: CustomerId) -> Response[str]:
    pause = read_reminder_pause(caller(app), customer_id, reminders=table.reminders())
    return respond(reminder_pause_answer(pause, clock.today()))


handler = entry_point(app)
