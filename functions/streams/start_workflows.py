"""The table's stream — start the workflow that each new request asks for.

Records come in order. The first that fails ends the batch: Lambda hands it again, with all that follow.
"""

from typing import Any

from billing.api.entry import task_point
from billing.domain.errors import DependencyUnavailable
from billing.runtime.clock import clock
from billing.runtime.observability import count, logger
from billing.runtime.table import open_request, workflow_requests
from billing.runtime.workflows import workflows
from billing.usecases.workflows import start_workflow


def start_workflows(event: dict[str, Any]) -> dict[str, Any]:
    for record in event["Records"]:
        if record["eventName"] != "INSERT":
            continue
        request = open_request(record["dynamodb"]["NewImage"])
        if request is None:
            continue
        try:
            start_workflow(request, requests=workflow_requests(), workflows=workflows(), clock=clock)
        except DependencyUnavailable:
            logger.warning("workflow not started", tenant_id=request.tenant_id, correlation_id=request.correlation_id)
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
        count("WorkflowStarted")
    return {"batchItemFailures": []}


handler = task_point(start_workflows)
