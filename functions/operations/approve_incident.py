"""POST /v1/operations/incidents/{incident_number}/approve — approve that an incident is closed by somebody else."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentNumber, IncidentResponse, incident_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.incidents import approve_incident

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/incidents/<incident_number>/approve",
    operation_id="approveIncident",
    tags=["operations"],
    description="Of a critical or high one, once neither of its alarms rings and its cause is written. Another "
    "operator closes it, or the same one 24 hours later. Void once it rings again, is graded otherwise or its cause "
    "changes.",
    responses=documented(
        200, IncidentResponse, "The incident as it is now", refused={409: "`incident-not-closable`: what is missing"}
    ),
)
def approve(incident_number: IncidentNumber, idempotency_key: IdempotencyKey) -> Response[str]:
    by = operator(app)
    incident = approve_incident(
        incident_number,
        by=by,
        once=idempotent_of(by, app, idempotency_key, incident_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(incident_answer(incident))


handler = entry_point(app)
