"""POST /v1/webhook-endpoints/{endpoint_id}/deliveries/{sequence}/replay — send an event to an endpoint again."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.fields import EventSequence, WebhookEndpointId
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.webhook_endpoints import WebhookDeliveryResponse, webhook_delivery_answer
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.webhooks import replay_webhook_endpoint_delivery

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/webhook-endpoints/<endpoint_id>/deliveries/<sequence>/replay",
    operation_id="replayWebhookEndpointDelivery",
    tags=["webhook_endpoints"],
    responses=documented(202, WebhookDeliveryResponse, "It is due now", refused={409: "`webhook-endpoint-disabled`"}),
)
def replay_delivery(
    endpoint_id: WebhookEndpointId, sequence: EventSequence, idempotency_key: IdempotencyKey
) -> Response[str]:
    delivery = replay_webhook_endpoint_delivery(
        caller(app),
        endpoint_id,
        int(sequence),
        once=idempotent(app, idempotency_key, webhook_delivery_answer),
        webhooks=table.webhooks(),
        clock=clock,
        ids=ids,
    )
    return respond(webhook_delivery_answer(delivery))


handler = entry_point(app)
