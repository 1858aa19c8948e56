"""Every minute — post to the endpoints of webhooks what is due, many at once."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import webhooks
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.table import webhooks as stored
from billing.usecases.webhooks import send_due_webhooks


def send_webhooks(_event: dict[str, Any]) -> dict[str, int]:
    run = send_due_webhooks(
        webhooks=stored(), secrets=webhooks.secrets(), sender=webhooks.sender(), clock=clock, ids=ids
    )
    for name, value in (
        ("WebhookDelivered", run.delivered),
        ("WebhookFailed", run.failed),
        ("WebhookDead", run.dead),
        ("WebhookEndpointDisabled", run.disabled),
    ):
        if value:
            count(name, value)
    return {"delivered": run.delivered, "failed": run.failed, "dead": run.dead}


handler = task_point(send_webhooks)
