"""POST /v1/operations/incidents/{incident_number}/close — close an incident that is over."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import CloseIncidentRequest, IncidentNumber, IncidentResponse, incident_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.incidents import close_incident

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/incidents/<incident_number>/close",
    operation_id="closeIncident",
    tags=["operations"],
    description="Neither of its alarms rings, its cause is written, and another operator approved when it is, or was, "
    "critical or high (`approveIncident`). A cause that is new here was not approved.",
    responses=documented(
        200, IncidentResponse, "The closed incident", refused={409: "`incident-not-closable`: what is missing"}
    ),
)
def close(
    incident_number: IncidentNumber, body: Annotated[CloseIncidentRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    by = operator(app)
    incident = close_incident(
        incident_number,
        by=by,
        cause=body.cause,
        once=idempotent_of(by, app, idempotency_key, incident_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(incident_answer(incident))


handler = entry_point(app)
