"""Every minute — start again the requests that have no outcome, give up visibly on hopeless ones, and open the next
attempt of deliveries that failed and that time may have healed.
"""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.runtime.settings import workflow_restart_after_seconds
from billing.runtime.table import bulk_jobs, deliveries, left_alone, verifications, workflow_requests
from billing.runtime.workflows import workflows
from billing.usecases import workflows as usecases
from billing.usecases.deliveries import attempt_deliveries_again


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
    again = attempt_deliveries_again(left_alone=left_alone(), deliveries=deliveries(), clock=clock, ids=ids)
    if again:
        count("DeliveryAttemptedAgain", again)
    return {"restarted": restarted, "abandoned": abandoned, "again": again}


handler = task_point(restart_workflows)
