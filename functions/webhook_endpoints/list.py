"""GET /v1/webhook-endpoints — list where events are sent."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import answer, documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.problems import install
from billing.api.webhook_endpoints import WebhookEndpointListResponse, WebhookEndpointResponse
from billing.runtime import table
from billing.usecases.webhooks import list_webhook_endpoints

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.get(
    "/v1/webhook-endpoints",
    operation_id="listWebhookEndpoints",
    tags=["webhook_endpoints"],
    responses=documented(200, WebhookEndpointListResponse, "At most ten"),
)
def list_all() -> Response[str]:
    endpoints = list_webhook_endpoints(caller(app), webhooks=table.webhooks())
    items = [WebhookEndpointResponse.of(endpoint) for endpoint in endpoints]
    return respond(answer(200, WebhookEndpointListResponse(items=items)))


handler = entry_point(app)
