"""Notes an event of Stripe whose signature is right."""

import hashlib
import hmac
import json
import os
from typing import Any

import boto3

table = boto3.resource("dynamodb").Table(os.environ["THINGS_TABLE_NAME"])
secrets = boto3.client("secretsmanager")


def handler(event: dict[str, Any], _context: Any) -> Any:
    told = json.loads(secrets.get_secret_value(SecretId=os.environ["STRIPE_WEBHOOK_SECRET_ARN"])["SecretString"])
    (secret,) = told["webhook_secrets"]
    instant, signed, *_ = event["headers"]["stripe-signature"].split(",")
    signature = hmac.new(secret.encode(), f"{instant[2:]}.{event['body']}".encode(), hashlib.sha256).hexdigest()
    if signed != f"v1={signature}":
        return {"statusCode": 400}
    heard = json.loads(event["body"])
    table.put_item(Item={"pk": heard["id"], "kind": heard["type"]})
    return {"statusCode": 200}
