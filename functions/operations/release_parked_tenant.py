"""POST /v1/operations/parked-tenants/{tenant_id}/release — let what runs by itself take up a company again."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import operator
from billing.api.operations import (
    ParkedTenantResponse,
    ReleaseParkedTenantRequest,
    TenantId,
    released_tenant_answer,
)
from billing.api.preconditions import IdempotencyKey, idempotent_of
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.parking import release_parked_tenant

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/operations/parked-tenants/<tenant_id>/release",
    operation_id="releaseParkedTenant",
    tags=["operations"],
    description="What waited is made up for by the next runs, and the incident can be closed. A company whose books "
    "still contradict themselves is parked again as soon as that is found.",
    responses=documented(
        200, ParkedTenantResponse, "The released company", refused={409: "`tenant-not-parked`: it was released before"}
    ),
)
def release(
    tenant_id: TenantId, body: Annotated[ReleaseParkedTenantRequest, Body()], idempotency_key: IdempotencyKey
) -> Response[str]:
    by = operator(app)
    released = release_parked_tenant(
        tenant_id,
        by=by,
        note=body.note,
        once=idempotent_of(by, app, idempotency_key, released_tenant_answer),
        desk=table.alert_desk(),
        clock=clock,
        ids=ids,
    )
    return respond(released_tenant_answer(released))


handler = entry_point(app)
