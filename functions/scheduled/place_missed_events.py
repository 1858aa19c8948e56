"""Every minute — give their place to the events that the stream's consumer missed."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.table import event_feed
from billing.usecases import events as usecases


def place_missed_events(_event: dict[str, Any]) -> dict[str, int]:
    placed = usecases.place_missed_events(feed=event_feed(), clock=clock, ids=ids)
    if placed:
        count("EventPlacedLate", placed)
    return {"placed": placed}


handler = task_point(place_missed_events)
