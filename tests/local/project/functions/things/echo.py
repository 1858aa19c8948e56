"""Answers with what it was given."""

import json
import os
from typing import Any

from shared_words import GREETING  # type: ignore[import-not-found]


def handler(event: dict[str, Any], context: Any) -> Any:
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json", "x-greeting": GREETING},
        "cookies": ["a=1; Secure", "b=2"],
        "body": json.dumps(
            {
                "event": event,
                "pid": os.getpid(),
                "environment": dict(os.environ),
                "function": context.function_name,
                "arn": context.invoked_function_arn,
                "remaining": context.get_remaining_time_in_millis(),
                "request_id": context.aws_request_id,
            }
        ),
    }
