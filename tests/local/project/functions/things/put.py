"""Writes the thing of the path."""

import json
import os

import boto3

table = boto3.resource("dynamodb").Table(os.environ["THINGS_TABLE_NAME"])


def handler(event, _context):
    thing = {"pk": event["pathParameters"]["thing_id"], **json.loads(event["body"])}
    table.put_item(Item=thing)
    return {"statusCode": 201, "body": json.dumps(thing)}
