"""GET /v1/operations/alerts — list what rang, of a year or of an incident."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import AlertPageResponse, AlertResponse, OfIncident, Year
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, operator_pages
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.alerts import list_alerts

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/alerts",
    operation_id="listAlerts",
    tags=["operations"],
    description="Latest first. `year` says nothing when an incident is named.",
    responses=documented(200, AlertPageResponse, "A page of alerts"),
)
def list_page(
    *,
    incident_number: OfIncident = None,
    year: Year = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    operator(app)
    year = year or clock.today().year
    book = operator_pages(app, incident_number=incident_number, year=year)
    page = list_alerts(year, incident_number or "", book.request(limit, page_token), desk=table.alert_desk())
    rows = [AlertResponse.of(alert) for alert in page.items]
    return respond(answer(200, AlertPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
