"""GET /v1/webhook-endpoints/{endpoint_id} — read an endpoint of webhooks."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import WebhookEndpointId
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.webhook_endpoints import WebhookEndpointResponse, webhook_endpoint_answer
from billing.runtime import table
from billing.usecases.webhooks import read_webhook_endpoint

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/webhook-endpoints/<endpoint_id>",
    operation_id="readWebhookEndpoint",
    tags=["webhook_endpoints"],
    responses=documented(200, WebhookEndpointResponse, "The endpoint, without its secret", versioned=True),
)
def read(endpoint_id: WebhookEndpointId) -> Response[str]:
    endpoint = read_webhook_endpoint(caller(app), endpoint_id, webhooks=table.webhooks())
    return respond(webhook_endpoint_answer(endpoint))


handler = entry_point(app)
