"""GET /v1/events — read what happened, in order."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.change_feed import After, EventPageResponse
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.events import list_events

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/events",
    operation_id="listEvents",
    tags=["events"],
    description="The company's change feed. Every event has its place, without a gap and for ever: whoever goes on "
    "from `last_sequence` misses nothing and sees nothing twice. A page shorter than its limit is the end for now. "
    "Events of one document are in the order in which they happened.",
    responses=documented(200, EventPageResponse, "Events, oldest first"),
)
def list_page(after: After = 0, limit: Limit = DEFAULT_LIMIT) -> Response[str]:
    found = list_events(caller(app), after=after, limit=limit, feed=table.event_feed())
    return respond(answer(200, EventPageResponse.of_page(found, after=after)))


handler = entry_point(app)
