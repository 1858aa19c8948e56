"""The table's stream — give each new event its place in its company's feed.

Records come in order. Those of a tenant that cannot be reached come again, with all that follow; the others keep the
place they have.
"""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.runtime.table import event_feed, is_business_event, unplaced_event
from billing.usecases import events as usecases


def place_events(event: dict[str, Any]) -> dict[str, Any]:
    records = {
        record["dynamodb"]["SequenceNumber"]: unplaced_event(record["dynamodb"]["NewImage"])
        for record in event["Records"]
        if record["eventName"] == "INSERT" and is_business_event(record["dynamodb"]["NewImage"])
    }
    placement = usecases.place_events(list(records.values()), feed=event_feed(), clock=clock, ids=ids)
    if placement.placed:
        count("EventPlaced", placement.placed)
    if not placement.left:
        return {"batchItemFailures": []}
    logger.warning("events not placed", events=len(placement.left))
    first = next(number for number, one in records.items() if one in placement.left)
    return {"batchItemFailures": [{"itemIdentifier": first}]}


handler = task_point(place_events)
