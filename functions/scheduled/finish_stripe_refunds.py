"""Every ten minutes — finish the refunds that nobody waits for any more, and the payments that no event ended; write to
companies whose disputes are nearly due.
"""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import stripe_desk
from billing.runtime.observability import count
from billing.usecases import disputes, stripe_refunds, stripe_settling


def finish_stripe_refunds(_event: dict[str, Any]) -> dict[str, int]:
    desk = stripe_desk.desk()
    try:
        settled = stripe_settling.settle_waiting_checkouts(desk=desk)
    finally:
        try:
            sweep = stripe_refunds.finish_stripe_refunds(desk=desk)
        finally:
            reminded = disputes.remind_of_disputes(desk=desk)
    failed = sweep.failed + settled.failed
    if failed:
        count("StripeRefundUnfinished", failed)
    return {"finished": sweep.finished, "settled": settled.ended, "failed": failed, "reminded": reminded}


handler = task_point(finish_stripe_refunds)
