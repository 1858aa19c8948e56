"""PUT /v1/reminders/plan — say what is sent of unpaid invoices, and when; switch it on or off."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.reminders import EditReminderPlanRequest, ReminderPlanResponse, reminder_plan_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.reminders import edit_reminder_plan

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/reminders/plan",
    operation_id="editReminderPlan",
    tags=["reminders"],
    description='For the days to come. `If-Match: "0"` when none was saved yet.',
    responses=documented(200, ReminderPlanResponse, "The plan", versioned=True),
)
def edit_plan(body: Annotated[EditReminderPlanRequest, Body()], if_match: IfMatch) -> Response[str]:
    plan = edit_reminder_plan(
        caller(app),
        active=body.active,
        steps=tuple(step.step() for step in body.steps),
        expected_version=expected_version(if_match),
        reminders=table.reminders(),
        clock=clock,
        ids=ids,
    )
    return respond(reminder_plan_answer(plan))


handler = entry_point(app)
