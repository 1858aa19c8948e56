"""Notes what became of mails in the table."""

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["THINGS_TABLE_NAME"])


def handler(event: dict[str, Any], _context: Any) -> Any:
    for record in event["Records"]:
        message = json.loads(record["Sns"]["Message"])
        delivery = next(
            header["value"] for header in message["mail"]["headers"] if header["name"] == "X-ZenBilling-Delivery"
        )
        table.put_item(Item={"pk": f"{delivery}-{message['eventType']}", "destination": message["mail"]["destination"]})
