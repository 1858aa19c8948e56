"""Every ten minutes — finish the refunds that nobody waits for any more, and the payments that no event ended."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import stripe_desk
from billing.runtime.observability import count
from billing.usecases import stripe_refunds, stripe_settling


def finish_stripe_refunds(_event: dict[str, Any]) -> dict[str, int]:
    desk = stripe_desk.desk()
    try:
        settled = stripe_settling.settle_waiting_checkouts(desk=desk)
    finally:
        sweep = stripe_refunds.finish_stripe_refunds(desk=desk)
    failed = sweep.failed + settled.failed
    if failed:
        count("StripeRefundUnfinished", failed)
    return {"finished": sweep.finished, "settled": settled.ended, "failed": failed}


handler = task_point(finish_stripe_refunds)
