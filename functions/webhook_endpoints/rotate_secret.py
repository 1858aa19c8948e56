"""POST /v1/webhook-endpoints/{endpoint_id}/rotate-secret — a new secret; the old one signs beside it for a day."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import WebhookEndpointId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.webhook_endpoints import WebhookEndpointResponse, webhook_endpoint_answer
from billing.runtime import table, webhooks
from billing.runtime.clock import clock, ids
from billing.usecases.webhooks import rotate_webhook_endpoint_secret

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/webhook-endpoints/<endpoint_id>/rotate-secret",
    operation_id="rotateWebhookEndpointSecret",
    tags=["webhook_endpoints"],
    responses=documented(200, WebhookEndpointResponse, "The endpoint, with its new secret", versioned=True),
)
def rotate_secret(endpoint_id: WebhookEndpointId, idempotency_key: IdempotencyKey) -> Response[str]:
    endpoint, secret = rotate_webhook_endpoint_secret(
        caller(app),
        endpoint_id,
        once=idempotent(app, idempotency_key, webhook_endpoint_answer),
        webhooks=table.webhooks(),
        secrets=webhooks.secrets(),
        clock=clock,
        ids=ids,
    )
    return respond(webhook_endpoint_answer(endpoint, secret))


handler = entry_point(app)
