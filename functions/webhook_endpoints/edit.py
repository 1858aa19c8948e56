"""PUT /v1/webhook-endpoints/{endpoint_id} — write an endpoint of webhooks anew, enable or disable it."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import WebhookEndpointId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.api.webhook_endpoints import EditWebhookEndpointRequest, WebhookEndpointResponse, webhook_endpoint_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.webhook_targets import targets
from billing.usecases.webhooks import edit_webhook_endpoint
from webhook_endpoints import endpoint_input

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.put(
    "/v1/webhook-endpoints/<endpoint_id>",
    operation_id="editWebhookEndpoint",
    tags=["webhook_endpoints"],
    responses=documented(200, WebhookEndpointResponse, "The endpoint", versioned=True),
)
def edit(
    endpoint_id: WebhookEndpointId, body: Annotated[EditWebhookEndpointRequest, Body()], if_match: IfMatch
) -> Response[str]:
    endpoint = edit_webhook_endpoint(
        caller(app),
        endpoint_id,
        endpoint_input(body),
        expected_version=expected_version(if_match),
        webhooks=table.webhooks(),
        targets=targets(),
        clock=clock,
        ids=ids,
    )
    return respond(webhook_endpoint_answer(endpoint))


handler = entry_point(app)
