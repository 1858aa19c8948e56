"""POST /v1/webhook-endpoints — have events sent to an address."""

from typing import Annotated

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from billing.api.answers import documented, respond
from billing.api.entry import entry_point
from billing.api.identity import caller
from billing.api.preconditions import IdempotencyKey, idempotent
from billing.api.problems import install
from billing.api.webhook_endpoints import (
    CreateWebhookEndpointRequest,
    WebhookEndpointResponse,
    created_webhook_endpoint_answer,
)
from billing.runtime import table, webhooks
from billing.runtime.clock import clock, ids
from billing.runtime.webhook_targets import targets
from billing.usecases.webhooks import create_webhook_endpoint
from webhook_endpoints import endpoint_input

app = APIGatewayHttpResolver(enable_validation=True)
install(app)


@app.post(
    "/v1/webhook-endpoints",
    operation_id="createWebhookEndpoint",
    tags=["webhook_endpoints"],
    description="Each event is posted as JSON with `ZenBilling-Signature: t=<unix>,v1=<hex>`: HMAC-SHA256 of "
    "`<t>.<body>` under the secret. Repeats have the same event id; `sequence` tells the order.",
    responses=documented(
        201,
        WebhookEndpointResponse,
        "The endpoint, with its secret",
        versioned=True,
        created=True,
        refused={409: "`webhook-endpoint-limit-reached`"},
    ),
)
def create(body: Annotated[CreateWebhookEndpointRequest, Body()], idempotency_key: IdempotencyKey) -> Response[str]:
    endpoint, secret = create_webhook_endpoint(
        caller(app),
        endpoint_input(body),
        once=idempotent(app, idempotency_key, created_webhook_endpoint_answer),
        webhooks=table.webhooks(),
        secrets=webhooks.secrets(),
        targets=targets(),
        clock=clock,
        ids=ids,
    )
    return respond(created_webhook_endpoint_answer(endpoint, secret))


handler = entry_point(app)
