"""The topic of alerts — keep each alarm and deployment that rings, tell whom it concerns, open its incident."""

from typing import Any

from billing.api.entry import task_point
from billing.domain.alerts import is_heartbeat
from billing.runtime import alert_channels, table
from billing.runtime.clock import clock, ids
from billing.runtime.observability import count
from billing.usecases.alerts import deliver_notice, receive_alert


def route_alert(event: dict[str, Any]) -> None:
    desk = table.alert_desk()
    for record in event["Records"]:
        text = record["Sns"]["Message"]
        if is_heartbeat(text):
            count("AlertHeartbeat")
            continue
        alert = receive_alert(record["Sns"]["MessageId"], text, desk=desk, clock=clock, ids=ids)
        count("AlertReceived")
        if alert.notice_id:
            told = deliver_notice(alert.notice_id, desk=desk, channels=alert_channels.channels(), clock=clock)
            if told.failed:
                count("AlertChannelFailed", told.failed)


handler = task_point(route_alert)
