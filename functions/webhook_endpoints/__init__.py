"""Outgoing webhooks."""

from billing.api.webhook_endpoints import CreateWebhookEndpointRequest
from billing.usecases.webhooks import EndpointInput


def endpoint_input(body: CreateWebhookEndpointRequest) -> EndpointInput:
    return EndpointInput(
        url=body.url,
        event_types=tuple(one.value for one in body.event_types),
        description=body.description,
        enabled=body.enabled,
    )
