"""Writes the thing of the path."""

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["THINGS_TABLE_NAME"])


def handler(event: dict[str, Any], _context: Any) -> Any:
    thing = {"pk": event["pathParameters"]["thing_id"], **json.loads(event["body"])}
    table.put_item(Item=thing)
    return {"statusCode": 201, "body": json.dumps(thing)}
