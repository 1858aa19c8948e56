"""The table's stream — start the workflow that each new request asks for, and doubt the page that an entry overtakes.

Records come in order. The first that fails ends the batch: Lambda hands it again, with all that follow. Stripe is not
asked here: a page in doubt is looked at by ``scheduled.close_checkouts``, however long Stripe takes.
"""

from collections.abc import Mapping
from typing import Any

from billing.api.entry import task_point
from billing.domain.errors import DependencyUnavailable
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.runtime.table import checkouts, moved_ledger, open_request, workflow_requests
from billing.runtime.workflows import workflows
from billing.usecases.checkouts import doubt_checkout
from billing.usecases.workflows import start_workflow


def start_workflows(event: dict[str, Any]) -> dict[str, Any]:
    for record in event["Records"]:
        if record["eventName"] != "INSERT":
            continue
        image = record["dynamodb"]["NewImage"]
        try:
            _follow(image)
        except DependencyUnavailable:
            correlation_id = image.get("correlation_id", {}).get("S", "")
            logger.warning("record not followed", tenant_id=image["tenant_id"]["S"], correlation_id=correlation_id)
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}


def _follow(image: Mapping[str, Any]) -> None:
    moved = moved_ledger(image)
    if moved is not None:
        if doubt_checkout(moved, checkouts=checkouts(), clock=clock, ids=ids):
            count("CheckoutDoubted")
        return
    request = open_request(image)
    if request is not None:
        start_workflow(request, requests=workflow_requests(), workflows=workflows(), clock=clock)
        count("WorkflowStarted")


handler = task_point(start_workflows)
