"""GET /v1/operations/parked-tenants — list the companies that nothing is done for by itself."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import ParkedTenantListResponse, ParkedTenantResponse
from billing.api.problems import install
from billing.runtime import table
from billing.usecases.parking import list_parked_tenants

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/parked-tenants",
    operation_id="listParkedTenants",
    tags=["operations"],
    description="Recurring invoices, reminders and further attempts of deliveries wait for each of them; its people "
    "go on working. Who waits longest comes first.",
    responses=documented(200, ParkedTenantListResponse, "The companies"),
)
def list_tenants() -> Response[str]:
    operator(app)
    rows = [ParkedTenantResponse.of(parked) for parked in list_parked_tenants(desk=table.alert_desk())]
    return respond(answer(200, ParkedTenantListResponse(items=rows)))


handler = entry_point(app)
