"""The table's stream — start the workflow that each new request asks for, doubt the page that an entry overtakes, count
the facts that were written to be counted.

Records come in order. The first that fails ends the batch: Lambda hands it again, with all that follow. Stripe is not
asked here: a page in doubt is looked at by ``scheduled.close_checkouts``, however long Stripe takes.
"""

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

from billing.api.entry import task_point
from billing.domain.errors import DependencyUnavailable
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.runtime.table import checkouts, counted_facts, moved_ledger, open_request, workflow_requests
from billing.runtime.workflows import workflows
from billing.usecases.checkouts import doubt_checkout
from billing.usecases.workflows import start_workflow

_counted: deque[str] = deque(maxlen=2_000)  # a batch that Lambda hands this process again is counted once


def start_workflows(event: dict[str, Any]) -> dict[str, Any]:
    facts: Counter[str] = Counter()
    told: list[str] = []
    answer: dict[str, Any] = {"batchItemFailures": []}
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        if record["eventID"] not in _counted:
            facts.update(counted_facts(image))
            told.append(record["eventID"])
        if record["eventName"] != "INSERT":
            continue
        try:
            _follow(image)
        except DependencyUnavailable:
            correlation_id = image.get("correlation_id", {}).get("S", "")
            logger.warning("record not followed", tenant_id=image["tenant_id"]["S"], correlation_id=correlation_id)
            answer = {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
            break
    # At the end, not on the way: a batch that a fault ends has counted nothing, and comes again whole.
    for name, number in facts.items():
        count(name, number)
    _counted.extend(told)
    return answer


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
