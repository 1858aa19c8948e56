"""The outbox: unsettled requests of every tenant, by shard and by when they were last started."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.bulk_jobs import BULK_REQUEST
from billing.adapters.dynamodb.codec import number, text
from billing.adapters.dynamodb.delivery_items import DELIVERY_REQUEST
from billing.adapters.dynamodb.keys import Key
from billing.adapters.dynamodb.table import Table
from billing.adapters.dynamodb.verifications import VERIFICATION_REQUEST
from billing.ports.repositories import OpenRequest

_ENTITIES = frozenset({DELIVERY_REQUEST, VERIFICATION_REQUEST, BULK_REQUEST})


def open_request_from_image(image: Mapping[str, Any]) -> OpenRequest | None:
    """The request of a stored item or stream image; None once it is settled, and of anything else."""
    if text(image, "entity") not in _ENTITIES or image["settled"]["BOOL"]:
        return None
    return OpenRequest(
        entity=text(image, "entity"),
        tenant_id=text(image, "tenant_id"),
        subject_id=text(image, "subject_id"),
        attempt=number(image, "attempt"),
        executions=number(image, "executions"),
        correlation_id=text(image, "correlation_id"),
    )


class WorkflowRequests:
    """Port WorkflowRequests."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def stale(self, before: datetime, *, shard: int, limit: int) -> tuple[OpenRequest, ...]:
        limit_order = keys.outbox_order(before)
        waiting = self._table.outbox(shard, limit_order, limit)
        found = self._table.batch(waiting)
        # The index follows the table a little later: what was settled or started meanwhile is left out.
        unsettled = (found[key] for key in waiting if key in found and "outbox_sk" in found[key])
        requests = (open_request_from_image(item) for item in unsettled if text(item, "outbox_sk") < limit_order)
        return tuple(request for request in requests if request is not None)

    def count_execution(self, request: OpenRequest, *, at: datetime) -> bool:
        return self._table.count(
            _key(request),
            "executions",
            expected=request.executions,
            also={"outbox_sk": keys.outbox_order(at)},
        )


def _key(request: OpenRequest) -> Key:
    if request.entity == DELIVERY_REQUEST:
        return keys.delivery(request.tenant_id, request.subject_id, request.attempt)
    if request.entity == BULK_REQUEST:
        return keys.bulk_run(request.tenant_id, request.subject_id, request.attempt)
    return keys.verification(request.tenant_id, request.subject_id)
