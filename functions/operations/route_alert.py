"""The topic of alerts — keep each alarm and deployment that rings, tell whom it concerns, open its incident."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.alerts import is_heartbeat
from billing.runtime import alert_channels, table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.alerts import deliver_notice, receive_alert
from billing.usecases.turns import Turns


def route_alert(event: dict[str, Any]) -> None:
    desk, turns = table.alert_desk(), Turns()
    for record in event["Records"]:
        text = record["Sns"]["Message"]
        if is_heartbeat(text):
            count("AlertHeartbeat")
            continue
        alert = receive_alert(record["Sns"]["MessageId"], text, desk=desk, clock=clock, ids=ids)
        count("AlertReceived")
        if alert.notice_id:
            channels = alert_channels.channels()
            told = deliver_notice(alert.notice_id, desk=desk, channels=channels, clock=clock, turns=turns)
            if told.failed:
                count("AlertChannelFailed", told.failed)
    turns.end()


handler = task_point(route_alert)
