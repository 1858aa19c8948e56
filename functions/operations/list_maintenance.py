"""GET /v1/operations/maintenance-windows — list maintenance that has not ended."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import MaintenanceWindowListResponse, MaintenanceWindowResponse
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock
from billing.usecases.alerts import list_maintenance

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/operations/maintenance-windows",
    operation_id="listMaintenance",
    tags=["operations"],
    description="The next to end first; a hundred at most.",
    responses=documented(200, MaintenanceWindowListResponse, "The windows"),
)
def list_windows() -> Response[str]:
    operator(app)
    windows = list_maintenance(desk=table.alert_desk(), clock=clock)
    rows = [MaintenanceWindowResponse.of(window) for window in windows]
    return respond(answer(200, MaintenanceWindowListResponse(items=rows)))


handler = entry_point(app)
