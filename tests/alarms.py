"""Messages of the topic of alerts, as CloudWatch writes them."""

from __future__ import annotations

import json
from datetime import datetime


def alarm_message(
    name: str, at: datetime, *, state: str = "ALARM", value: str = "7.3", stack: str = "zenbilling-prod"
) -> str:
    return json.dumps(
        {
            "AlarmName": f"{stack}-{name}",
            "AlarmDescription": f"Ce qui est mesuré. docs/runbook.md#{name.lower()}",
            "AWSAccountId": "123456789012",
            "NewStateValue": state,
            "NewStateReason": (
                f"Threshold Crossed: 1 out of the last 1 datapoints [{value} (27/11/26 09:00:00)] was greater than or "
                "equal to the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition)."
            ),
            "StateChangeTime": at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000",
            "Region": "EU (Paris)",
            "OldStateValue": "OK" if state == "ALARM" else "ALARM",
            "Trigger": {"MetricName": "5xx", "Namespace": "AWS/ApiGateway"},
        }
    )
