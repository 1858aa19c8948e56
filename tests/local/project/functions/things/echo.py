"""Answers with what it was given."""

import json
import os

from shared_words import GREETING

calls = 0


def handler(event, context):
    global calls
    calls += 1
    if event.get("raw"):
        return event["raw"]
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "x-greeting": GREETING},
        "cookies": ["a=1; Secure", "b=2"],
        "body": json.dumps(
            {
                "event": event,
                "pid": os.getpid(),
                "calls": calls,
                "environment": dict(os.environ),
                "function": context.function_name,
                "arn": context.invoked_function_arn,
                "remaining": context.get_remaining_time_in_millis(),
                "request_id": context.aws_request_id,
            }
        ),
    }
