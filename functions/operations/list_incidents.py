"""GET /v1/operations/incidents — list incidents by state."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import IncidentPageResponse, IncidentRowResponse, Year
from billing.api.paging import DEFAULT_LIMIT, Limit, PageToken, operator_pages
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.incidents import IncidentState, list_incidents

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/incidents",
    operation_id="listIncidents",
    tags=["operations"],
    description="Open ones, of whatever year, the oldest first; closed ones or all of a year, latest first.",
    responses=documented(200, IncidentPageResponse, "A page of incidents"),
)
def list_page(
    *,
    state: Annotated[IncidentState, Query()] = IncidentState.OPEN,
    year: Year = None,
    limit: Limit = DEFAULT_LIMIT,
    page_token: PageToken = None,
) -> Response[str]:
    operator(app)
    year = year or clock.today().year
    book = operator_pages(app, state=state, year=year)
    page = list_incidents(state, year, book.request(limit, page_token), desk=table.alert_desk())
    rows = [IncidentRowResponse.of(incident) for incident in page.items]
    return respond(answer(200, IncidentPageResponse(items=rows, next_page_token=book.token(page.position))))


handler = entry_point(app)
