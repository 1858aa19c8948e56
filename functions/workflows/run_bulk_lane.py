"""Task of the bulk workflow — work on the documents of one lane for as long as a call may last."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime.clock import clock, ids
from billing.runtime.settings import portal_invoices_url
from billing.runtime.table import bulk_jobs, customers, invoices, quotes
from billing.usecases import bulk_jobs as usecases


def run_bulk_lane(event: dict[str, Any]) -> dict[str, Any]:
    progress = usecases.run_bulk_lane(
        event["tenant_id"],
        event["bulk_job_id"],
        run=event["run"],
        lane=event["lane"],
        bulk_jobs=bulk_jobs(),
        invoices=invoices(),
        quotes=quotes(),
        customers=customers(),
        clock=clock,
        ids=ids,
        payment_page=portal_invoices_url(),
    )
    return {"done": progress.done, "waiting": progress.waiting}


handler = task_point(run_bulk_lane)
