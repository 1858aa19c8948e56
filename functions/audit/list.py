"""GET /v1/audit — read who did what, when, from where."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.change_feed import After, AuditPageResponse
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.paging import DEFAULT_LIMIT, Limit
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.events import list_audit

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/audit",
    operation_id="listAudit",
    tags=["audit"],
    description="For owners and administrators: the change feed with the role and the address behind each event, and "
    "the correlation id of its request. Nobody can change it, us included.",
    responses=documented(200, AuditPageResponse, "Entries, oldest first"),
)
def list_page(after: After = 0, limit: Limit = DEFAULT_LIMIT) -> Response[str]:
    found = list_audit(caller(app), after=after, limit=limit, feed=table.event_feed())
    return respond(answer(200, AuditPageResponse.of_page(found, after=after)))


handler = entry_point(app)
