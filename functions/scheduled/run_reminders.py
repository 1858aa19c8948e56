"""Every hour — follow the reminder plans: each level of each unpaid invoice once, on its day."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases import reminders as usecases


def run_reminders(_event: dict[str, Any]) -> dict[str, int]:
    result = usecases.run_reminders(
        reminders=table.reminders(),
        invoices=table.invoices(),
        clock=clock,
        ids=ids,
        left_alone=table.left_alone(),
    )
    count("RemindersRun")
    for name, value in (("ReminderRequested", result.requested), ("ReminderUnaddressed", result.unaddressed)):
        if value:
            count(name, value)
    return {"requested": result.requested, "unaddressed": result.unaddressed}


handler = task_point(run_reminders)
