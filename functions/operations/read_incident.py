"""GET /v1/operations/incidents/{incident_number} — read an incident with its latest alerts."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentFileResponse, IncidentNumber
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.incidents import read_incident

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/incidents/<incident_number>",
    operation_id="readIncident",
    tags=["operations"],
    responses=documented(200, IncidentFileResponse, "The incident: timeline, what was found, deadline, alerts"),
)
def read(incident_number: IncidentNumber) -> Response[str]:
    operator(app)
    found = read_incident(incident_number, desk=table.alert_desk())
    return respond(answer(200, IncidentFileResponse.with_alerts(found.incident, found.alerts)))


handler = entry_point(app)
