"""Rings an alarm of the template on the running local cloud, where no CloudWatch is: its message on the topic."""

from __future__ import annotations

import json
from datetime import datetime

from billing.domain.alerts import known_alarm
from local.layout import STACK_NAME, Layout
from local.provision import client

TOPIC = "AlertsTopic"


class UnknownAlarmError(Exception):
    """The template has no alarm of that name."""


def ring(layout: Layout, name: str, *, state: str, at: datetime) -> None:
    """``state`` is ALARM or OK. Raises: UnknownAlarmError."""
    if known_alarm(name) is None:
        raise UnknownAlarmError(f"no alarm is called {name}: docs/runbook.md has a heading for each")
    sns = client("sns", layout.ministack_url)
    [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if TOPIC in one["TopicArn"]]
    sns.publish(TopicArn=topic, Message=alarm_message(name, at, state=state, stack=STACK_NAME))


def alarm_message(
    name: str,
    at: datetime,
    *,
    state: str = "ALARM",
    value: str = "7.3",
    reason: str = "",
    stack: str = "zenbilling-prod",
) -> str:
    """As CloudWatch writes it to a topic. ``reason``: in its words, where there is no value that crossed a limit."""
    crossed = (
        f"Threshold Crossed: 1 out of the last 1 datapoints [{value} (27/11/26 09:00:00)] was greater than or "
        "equal to the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
    )
    return json.dumps(
        {
            "AlarmName": f"{stack}-{name}",
            "AlarmDescription": f"Ce qui est mesuré. docs/runbook.md#{name.lower()}",
            "AWSAccountId": "123456789012",
            "NewStateValue": state,
            "NewStateReason": reason or crossed,
            "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Region": "EU (Paris)",
            "OldStateValue": "OK" if state == "ALARM" else "ALARM",
            "Trigger": {"MetricName": "5xx", "Namespace": "AWS/ApiGateway"},
        }
    )
