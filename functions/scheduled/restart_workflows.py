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
from billing.usecases.turns import Turns


def restart_workflows(_event: dict[str, Any]) -> dict[str, int]:
    turns, restarted, abandoned, again = Turns(), 0, 0, 0
    with turns.one():
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
    with turns.one():
        again = attempt_deliveries_again(left_alone=left_alone(), deliveries=deliveries(), clock=clock, ids=ids)
    for name, value in (
        ("WorkflowRestarted", restarted),
        ("WorkflowAbandoned", abandoned),
        ("DeliveryAttemptedAgain", again),
    ):
        if value:
            count(name, value)
    turns.end()
    return {"restarted": restarted, "abandoned": abandoned, "again": again}


handler = task_point(restart_workflows)
