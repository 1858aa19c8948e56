"""The queue of Stripe's events — bring what each tells into the ledger, once.

What fails comes again, alone; after five times it is a dead letter, and the sweep still has it.
"""

from typing import Any

from billing.api.entry import task_point
from billing.api.stripe_events import queued_event_id
from billing.domain.stripe_inbox import InboxState
from billing.runtime import stripe_desk
from billing.runtime.observability import count, logger
from billing.usecases.stripe_events import process_stripe_event as process


def process_stripe_event(event: dict[str, Any]) -> dict[str, Any]:
    failed = [record["messageId"] for record in event["Records"] if not _processed(queued_event_id(record["body"]))]
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _processed(event_id: str) -> bool:
    try:
        ended = process(event_id, desk=stripe_desk.desk())
    except Exception as error:  # noqa: BLE001 - one event does not hold up the others of its batch
        logger.exception("event not processed", event_id=event_id, error=type(error).__name__)
        count("StripeEventFailed")
        return False
    if ended.state is InboxState.PARKED:
        logger.warning("event parked", event_id=event_id, reason=ended.reason, subject=ended.subject)
    return True


handler = task_point(process_stripe_event)
