"""GET /v1/reminders/plan — read what is sent of unpaid invoices, and when."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.reminders import ReminderPlanResponse, reminder_plan_answer
from billing.runtime import table
from billing.usecases.reminders import read_reminder_plan

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/reminders/plan",
    operation_id="readReminderPlan",
    tags=["reminders"],
    description="Until it is saved: the usual plan, switched off.",
    responses=documented(200, ReminderPlanResponse, "The plan", versioned=True),
)
def read_plan() -> Response[str]:
    return respond(reminder_plan_answer(read_reminder_plan(caller(app), reminders=table.reminders())))


handler = entry_point(app)
