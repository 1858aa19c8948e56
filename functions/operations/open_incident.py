"""POST /v1/operations/incidents — open an incident that no alarm opened."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentResponse, OpenIncidentRequest, opened_incident_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.incidents import open_incident

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/incidents",
    operation_id="openIncident",
    tags=["operations"],
    responses=documented(201, IncidentResponse, "The incident, with its number and its deadline", created=True),
)
def open_one(body: Annotated[OpenIncidentRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    by = operator(app)
    incident = open_incident(
        by=by,
        severity=body.severity,
        title=body.title,
        service=body.service,
        environment=body.environment,
        once=idempotent_of(by, app, idempotency_key, opened_incident_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(opened_incident_answer(incident))


handler = entry_point(app)
