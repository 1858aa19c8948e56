"""That a document is to be drawn and mailed: an item beside it, in the outbox until it is settled."""

from __future__ import annotations

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, dump, item
from billing.domain.delivery import DeliveryRequest

DELIVERY_REQUEST = "delivery_request"


def delivery_to_item(request: DeliveryRequest) -> Item:
    """Unsettled requests are in the outbox; an outcome takes them out, or among those that another attempt follows."""
    key = keys.delivery(request.tenant_id, request.invoice_id, request.attempt)
    waiting = request.outcome is None
    partition, due = keys.outbox(request.tenant_id), request.requested_at
    if request.again_at is not None:
        partition, due = keys.deliveries_again(request.tenant_id), request.again_at
    is_due = waiting or request.again_at is not None
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=DELIVERY_REQUEST,
        schema_version=SCHEMA_VERSION,
        tenant_id=request.tenant_id,
        subject_id=request.invoice_id,
        attempt=request.attempt,
        executions=request.executions,
        correlation_id=request.correlation_id,
        settled=not waiting,
        body=dump(request),
        outbox_pk=partition if is_due else None,
        outbox_sk=keys.outbox_order(due) if is_due else None,
    )
