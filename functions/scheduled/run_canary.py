"""Every five minutes — do from outside what companies do, and once an hour issue, mail, pay and credit an invoice."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import canary
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count, logger
from billing.usecases import canary as usecases
from billing.usecases.visits import StepFailed


def run_canary(event: dict[str, Any]) -> dict[str, Any]:
    account = canary.account()
    if account is None:
        return {"state": "without an account"}
    try:
        walked = usecases.run_canary(
            account, issues=event.get("issues") is True, api=canary.public_api(), clock=clock, ids=ids
        )
    except StepFailed as failed:
        count("CanaryFailed")
        logger.error("canary failed", step=failed.step, why=failed.why)
        return {"state": "failed", "step": failed.step, "why": failed.why}
    count("CanaryPassed")
    if event.get("issues") is True:
        count("CanaryIssued")
    return {"state": "passed", "milliseconds": {name: round(took * 1000) for name, took in walked.seconds.items()}}


handler = task_point(run_canary)
