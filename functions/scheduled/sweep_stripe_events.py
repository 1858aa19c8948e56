"""Every five minutes — put into the queue again what Stripe told and what has not ended.

An operator who settled what had parked some calls it with their ids: ``{"take_up": ["evt_…"]}`` (docs/runbook.md).
"""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import stripe_queue, table
from billing.runtime.clock import clock
from billing.runtime.observability import count
from billing.usecases import stripe_inbox as usecases


def sweep_stripe_events(event: dict[str, Any]) -> dict[str, int]:
    inbox, queue = table.stripe_inbox(), stripe_queue.event_queue()
    if event.get("take_up"):
        sweep = usecases.take_up_stripe_events(event["take_up"], inbox=inbox, queue=queue, clock=clock)
    else:
        sweep = usecases.sweep_stripe_events(inbox=inbox, queue=queue, clock=clock)
        if sweep.queued:
            count("StripeEventQueuedAgain", sweep.queued)
    return {"queued": sweep.queued, "parked": sweep.parked}


handler = task_point(sweep_stripe_events)
