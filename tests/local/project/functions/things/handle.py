"""Notes each errand it is given in the table, by the number of times it was received, and reports the hard ones."""

import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["THINGS_TABLE_NAME"])
queue = boto3.client("sqs")


def handler(event: dict[str, Any], _context: Any) -> Any:
    failures = []
    for record in event["Records"]:
        errand = json.loads(record["body"])
        times = int(record["attributes"]["ApproximateReceiveCount"])
        if errand.get("follows"):
            following = json.dumps({"name": errand["follows"]})
            queue.send_message(QueueUrl=os.environ["ERRANDS_QUEUE_URL"], MessageBody=following)
        if times <= errand.get("fails", 0):
            failures.append({"itemIdentifier": record["messageId"]})
            continue
        table.put_item(Item={"pk": f"errand-{errand['name']}", "times": times, "arn": record["eventSourceARN"]})
    return {"batchItemFailures": failures}
