"""GET /v1/operations/incidents/{incident_number}/post-mortem — the anomaly sheet of an incident."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentNumber, documented_markdown, respond_markdown
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.incidents import read_post_mortem

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/incidents/<incident_number>/post-mortem",
    operation_id="readPostMortem",
    tags=["operations"],
    description="In French, at any time: what is not known yet says so.",
    responses=documented_markdown("The sheet, in Markdown"),
)
def read(incident_number: IncidentNumber) -> Response[str]:
    operator(app)
    sheet = read_post_mortem(incident_number, desk=table.alert_desk())
    return respond_markdown(sheet, f"{incident_number}.md")


handler = entry_point(app)
