"""POST /v1/operations/maintenance-windows/{window_id}/end — end a maintenance now, or take it back."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import MaintenanceWindowId
from billing.api.identity import operator
from billing.api.operations import MaintenanceWindowResponse, ended_window_answer
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.alerts import end_maintenance

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/maintenance-windows/<window_id>/end",
    operation_id="endMaintenance",
    tags=["operations"],
    description="One that runs ends now, one that is ahead never begins. What rang meanwhile and still rings is told "
    "within a minute, unless another window silences it.",
    responses=documented(
        200, MaintenanceWindowResponse, "The window as it was", refused={409: "`maintenance-window-over`"}
    ),
)
def end(window_id: MaintenanceWindowId, idempotency_key: IdempotencyKey) -> Response[str]:
    by = operator(app)
    window = end_maintenance(
        window_id,
        by=by,
        once=idempotent_of(by, app, idempotency_key, ended_window_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(ended_window_answer(window))


handler = entry_point(app)
