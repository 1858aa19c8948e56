"""Before calls move to new versions — let them do a company's work, and tell the deployment whether they may."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import canary, releases
from billing.runtime.clock import clock, ids
from billing.runtime.observability import logger
from billing.usecases.releases import check_release as try_release
from billing.usecases.visits import StepFailed


def check_release(event: dict[str, Any]) -> dict[str, Any]:
    """CodeDeploy hears the end, whatever it is: without a word it would wait for an hour."""
    ended: dict[str, Any] = {"state": "failed"}
    try:
        ended = _tried()
    finally:
        passed = ended["state"] == "passed"
        releases.deployments().report(event["DeploymentId"], event["LifecycleEventHookExecutionId"], passed=passed)
    return ended


def _tried() -> dict[str, Any]:
    account = canary.account()
    if account is None:
        logger.error("release refused", step="sign_in", why="the canary has no account")
        return {"state": "without an account"}
    try:
        seconds = try_release(
            account,
            release=releases.release(),
            tried=releases.released_api(),
            live=canary.public_api(),
            clock=clock,
            ids=ids,
        )
    except StepFailed as failed:
        logger.error("release refused", step=failed.step, why=failed.why)
        return {"state": "failed", "step": failed.step, "why": failed.why}
    return {"state": "passed", "milliseconds": {name: round(took * 1000) for name, took in seconds.items()}}


handler = task_point(check_release)
