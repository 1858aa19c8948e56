"""DELETE /v1/webhook-endpoints/{endpoint_id} — have events no longer sent to an address."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, no_content
from billing.api.entry import entry_point
from billing.api.fields import WebhookEndpointId
from billing.api.identity import caller
from billing.api.preconditions import IfMatch, expected_version
from billing.api.problems import install
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.webhooks import delete_webhook_endpoint

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.delete(
    "/v1/webhook-endpoints/<endpoint_id>",
    operation_id="deleteWebhookEndpoint",
    tags=["webhook_endpoints"],
    description="What was still to be sent to it is cancelled.",
    responses=documented(204, None, "The endpoint is gone"),
)
def delete(endpoint_id: WebhookEndpointId, if_match: IfMatch) -> Response[str]:
    delete_webhook_endpoint(
        caller(app),
        endpoint_id,
        expected_version=expected_version(if_match),
        webhooks=table.webhooks(),
        clock=clock,
        ids=ids,
    )
    return no_content()


handler = entry_point(app)
