"""Every minute — start again the requests that have no outcome, and give up visibly on hopeless ones."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.settings import workflow_restart_after_seconds
from billing.runtime.table import bulk_jobs, deliveries, verifications, workflow_requests
from billing.runtime.workflows import workflows
from billing.usecases import workflows as usecases


def restart_workflows(_event: dict[str, Any]) -> dict[str, int]:
    restarted, abandoned = usecases.restart_workflows(
        workflow_restart_after_seconds(),
        requests=workflow_requests(),
        workflows=workflows(),
        deliveries=deliveries(),
        verifications=verifications(),
        bulk_jobs=bulk_jobs(),
        clock=clock,
        ids=ids,
    )
    if restarted:
        count("WorkflowRestarted", restarted)
    if abandoned:
        count("WorkflowAbandoned", abandoned)
    return {"restarted": restarted, "abandoned": abandoned}


handler = task_point(restart_workflows)
