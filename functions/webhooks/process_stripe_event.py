"""The queue of Stripe's events — bring what each tells into the ledger, once.

What cannot be done now comes again, alone; after five times it is a dead letter, and the sweep still has it. A fault of
ours fails the function once the others had their turn: they come again too, and are done already.
"""

from typing import Any

from billing.api.entry import task_point
from billing.api.stripe_events import queued_event_id
from billing.domain.errors import BillingError
from billing.domain.stripe_inbox import InboxState
from billing.runtime import stripe_desk
from billing.runtime.observability import count, logger
from billing.usecases.stripe_events import process_stripe_event as process
from billing.usecases.turns import Turns


def process_stripe_event(event: dict[str, Any]) -> dict[str, Any]:
    turns, failed = Turns(), []
    for record in event["Records"]:
        with turns.one():
            if not _processed(queued_event_id(record["body"])):
                failed.append(record["messageId"])
    turns.end()
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _processed(event_id: str) -> bool:
    try:
        ended = process(event_id, desk=stripe_desk.desk())
    except BillingError as error:
        logger.warning("event not processed", event_id=event_id, error=type(error).__name__)
        count("StripeEventFailed")
        return False
    if ended.state is InboxState.PARKED:
        logger.warning("event parked", event_id=event_id, reason=ended.reason, subject=ended.subject)
    elif ended.state is InboxState.IGNORED and ended.reason is not None:
        logger.info("event ignored", event_id=event_id, reason=ended.reason, subject=ended.subject)
    return True


handler = task_point(process_stripe_event)
