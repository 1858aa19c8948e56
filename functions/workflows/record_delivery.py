"""Task of the delivery workflow — settle an attempt with its outcome, or with the error that ended it."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.delivery import DeliveryState
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.table import deliveries
from billing.usecases.deliveries import record_invoice_delivery


def record_delivery(event: dict[str, Any]) -> dict[str, Any]:
    outcome = record_invoice_delivery(
        event["tenant_id"],
        event["invoice_id"],
        event["attempt"],
        error=event.get("error"),
        deliveries=deliveries(),
        clock=clock,
        ids=ids,
    )
    if outcome.state in {DeliveryState.FAILED, DeliveryState.UNCONFIRMED}:
        count("MailFailed")
    return {"state": outcome.state.value if outcome.state else None, "error": outcome.error}


handler = task_point(record_delivery)
