"""POST /v1/operations/maintenance-windows — tell nobody of some services for a while."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import MaintenanceWindowResponse, PlanMaintenanceRequest, planned_window_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.alerts import plan_maintenance

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/maintenance-windows",
    operation_id="planMaintenance",
    tags=["operations"],
    description="What rings meanwhile is kept and opens no incident; what still rings at its end is told then. It is "
    "ended earlier, or taken back, by `endMaintenance`.",
    responses=documented(
        201, MaintenanceWindowResponse, "The window", refused={422: "`maintenance-window-invalid`: its times"}
    ),
)
def plan(body: Annotated[PlanMaintenanceRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    by = operator(app)
    window = plan_maintenance(
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        services=tuple(dict.fromkeys(body.services)),
        reason=body.reason,
        by=by,
        once=idempotent_of(by, app, idempotency_key, planned_window_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(planned_window_answer(window))


handler = entry_point(app)
