"""Every minute — tell the alerts that had to wait, warn of the deadlines of incidents, try failed channels again."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import alert_channels, table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases import alerts as usecases
from billing.usecases.turns import Turns


def run_alerts(_event: dict[str, Any]) -> dict[str, int]:
    turns = Turns()
    run = usecases.run_alerts(
        desk=table.alert_desk(), channels=alert_channels.channels(), clock=clock, ids=ids, turns=turns
    )
    for name, value in (("AlertChannelFailed", run.failed), ("AlertChannelGivenUp", run.given_up)):
        if value:
            count(name, value)
    turns.end()
    return {"delivered": run.delivered, "failed": run.failed, "released": run.released, "warned": run.warned}


handler = task_point(run_alerts)
