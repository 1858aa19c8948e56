"""The queue that Stripe's events are processed from, in Amazon SQS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.errors import DependencyUnavailable

_RETRYABLE = frozenset({"RequestThrottled", "ThrottlingException", "ServiceUnavailable", "InternalFailure"})


class SqsStripeEventQueue:
    """Port StripeEventQueue. A message holds the id of an event, and nothing else."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def put(self, event_ids: Sequence[str]) -> None:
        entries = [
            {"Id": str(place), "MessageBody": json.dumps({"event_id": event_id})}
            for place, event_id in enumerate(event_ids)
        ]
        try:
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            if error.response["Error"]["Code"] in _RETRYABLE:
                raise DependencyUnavailable from error
            raise
        if answer.get("Failed"):
            raise DependencyUnavailable
