"""Starts an execution for each record; poisoned ones are reported."""

import json
import os
from typing import Any

import boto3

workflows = boto3.client("stepfunctions")


def handler(event: dict[str, Any], _context: Any) -> Any:
    failures = []
    for record in event["Records"]:
        thing = record["dynamodb"]["NewImage"]
        if "poison" in thing:
            failures.append({"itemIdentifier": record["dynamodb"]["SequenceNumber"]})
            break
        workflows.start_execution(
            stateMachineArn=os.environ["STATE_MACHINE_ARN"],
            name=thing["pk"]["S"],
            input=json.dumps({"fails": thing.get("fails", {}).get("S"), "name": thing["pk"]["S"]}),
        )
    return {"batchItemFailures": failures}
