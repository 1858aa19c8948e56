"""Every ten minutes — finish the refunds that were asked for and that nobody waits for any more."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import stripe_desk
from billing.runtime.observability import count
from billing.usecases import stripe_refunds as usecases


def finish_stripe_refunds(_event: dict[str, Any]) -> dict[str, int]:
    sweep = usecases.finish_stripe_refunds(desk=stripe_desk.desk())
    if sweep.failed:
        count("StripeRefundUnfinished", sweep.failed)
    return {"finished": sweep.finished, "failed": sweep.failed}


handler = task_point(finish_stripe_refunds)
