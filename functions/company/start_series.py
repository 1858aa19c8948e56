"""POST /v1/company/series — go on after the last number used in another tool."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.series import StartCompanySeriesRequest, StartedSeriesResponse, started_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.series import start_company_series

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/company/series",
    operation_id="startCompanySeries",
    tags=["company"],
    description="Once per series, and before its first document here. The next document takes the rank after "
    "`last_rank` while the year lasts, and its date is never before `last_date`.",
    responses=documented(
        201, StartedSeriesResponse, "Where the series goes on from", refused={409: "`series-already-started`"}
    ),
)
def start_series(body: Annotated[StartCompanySeriesRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    state = start_company_series(
        caller(app),
        body.start(),
        once=idempotent(app, idempotency_key, started_answer),
        series=table.series(),
        clock=clock,
        ids=ids,
    )
    return respond(started_answer(state))


handler = entry_point(app)
