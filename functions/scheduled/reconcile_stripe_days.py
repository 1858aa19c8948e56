"""Every hour of the night — hold the days that are over at Stripe against the ledger."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import stripe_desk, table
from billing.usecases import reconciliations as usecases


def reconcile_stripe_days(_event: dict[str, Any]) -> dict[str, int]:
    run = usecases.reconcile_stripe_days(reconciliations=table.reconciliations(), desk=stripe_desk.desk())
    return {
        "ended": run.ended,
        "differing": run.differing,
        "repaired": run.repaired,
        "again": run.again,
        "agreed": run.agreed,
    }


handler = task_point(reconcile_stripe_days)
