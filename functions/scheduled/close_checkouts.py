"""Every minute — close the pages whose invoice, or whose account, is not what it was, and settle those that ended."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import checkouts, stripe, table
from billing.runtime.clock import clock, ids
from billing.runtime.links import link_secrets
from billing.runtime.observability import count
from billing.usecases.checkouts import close_due_checkouts


def close_checkouts(_event: dict[str, Any]) -> dict[str, int]:
    run = close_due_checkouts(
        site=checkouts.site(),
        checkouts=table.checkouts(),
        connections=table.stripe_connections(),
        stripe=stripe.gateway(),
        secrets=link_secrets(),
        clock=clock,
        ids=ids,
    )
    for name, value in (("CheckoutClosed", run.closed), ("CheckoutNotClosed", run.failed)):
        if value:
            count(name, value)
    return {"closed": run.closed, "failed": run.failed}


handler = task_point(close_checkouts)
