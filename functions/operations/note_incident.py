"""POST /v1/operations/incidents/{incident_number}/notes — write what was seen, found or done."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentNumber, IncidentResponse, NoteIncidentRequest, incident_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.incidents import note_incident

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/incidents/<incident_number>/notes",
    operation_id="noteIncident",
    tags=["operations"],
    description="An entry of the timeline, how bad it is, and what was found: what is left out stays. It takes no "
    "version: two people and an alarm may write at once, and nothing of anybody is lost.",
    responses=documented(
        200,
        IncidentResponse,
        "The incident as it is now",
        refused={409: "`incident-timeline-full`", 422: "`nothing-to-note` when it says so already"},
    ),
)
def note(
    incident_number: IncidentNumber, body: Annotated[NoteIncidentRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    by = operator(app)
    incident = note_incident(
        incident_number,
        by=by,
        text=body.note,
        severity=body.severity,
        found=body.found,
        once=idempotent_of(by, app, idempotency_key, incident_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(incident_answer(incident))


handler = entry_point(app)
