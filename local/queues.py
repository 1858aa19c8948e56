"""Feeds a queue to its function, as Lambda's event source mapping does.

What a function handled is deleted, what it failed is left: it is seen again after the queue's visibility timeout, and
moved to the dead-letter queue by SQS itself once it was received too often. A message may be delivered twice, never
zero times, and in no order.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.filters import passes
from local.layout import REGION
from local.pool_client import PoolUnreachableError
from local.stack import QueueConsumer

_LARGEST_RECEIVE: Final = 10
_LONG_POLL_SECONDS: Final = 1  # shorter than Lambda's 20: the process ends within it
_UNREACHABLE_SECONDS: Final = 1.0
_log = logging.getLogger(__name__)

Message = dict[str, Any]


class Queue(Protocol):
    """One queue of SQS."""

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        """Messages as ReceiveMessage gives them, invisible to others from now on."""

    def delete(self, messages: Sequence[Message]) -> None: ...


class SqsQueue:
    """A queue named by its ARN."""

    def __init__(self, sqs: Any, arn: str) -> None:
        self._sqs = sqs
        self._name = arn.rpartition(":")[2]
        self._url = ""

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        if not self._url:
            self._url = self._sqs.get_queue_url(QueueName=self._name)["QueueUrl"]
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=limit,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        found: list[Message] = answer.get("Messages", [])
        return found

    def delete(self, messages: Sequence[Message]) -> None:
        for first in range(0, len(messages), _LARGEST_RECEIVE):
            entries = [
                {"Id": str(index), "ReceiptHandle": message["ReceiptHandle"]}
                for index, message in enumerate(messages[first : first + _LARGEST_RECEIVE])
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


class QueuePump:
    """One poller of one event source mapping. Of several beside each other one waits, the others handle messages."""

    def __init__(
        self,
        settings: QueueConsumer,
        queue: Queue,
        invoke: Callable[[str, Mapping[str, Any]], tuple[Any, bool]],  # as PoolClient
        *,
        receiving: threading.Lock | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``receiving``: held by the one of the mapping's pollers that waits: an idle queue is asked by one only."""
        self._settings = settings
        self._queue = queue
        self._invoke = invoke
        self._receiving = receiving or threading.Lock()
        self._monotonic = monotonic

    def run(self, stopped: threading.Event) -> None:
        while not stopped.is_set():
            try:
                self.turn(stopped)
            except (BotoCoreError, ClientError):
                _log.exception("the queue of %s is not reachable", self._settings.name)
                stopped.wait(_UNREACHABLE_SECONDS)

    def turn(self, stopped: threading.Event | None = None) -> None:
        """Waits for messages once, and hands those to the function that its filter lets pass."""
        batch: list[Message] = []
        unwanted: list[Message] = []
        for message in self._gathered(stopped):
            (batch if passes(_filtered_by(message), self._settings.filters) else unwanted).append(message)
        self._queue.delete(unwanted)
        if not batch:
            return
        event = {"Records": [self._record(message) for message in batch]}
        try:
            answer, is_error = self._invoke(self._settings.function, event)
        except PoolUnreachableError as error:
            answer, is_error = str(error), True
        if is_error:
            _log.warning("%s failed: %s", self._settings.function, answer)
            return
        self._queue.delete(self._handled(batch, answer))

    def _gathered(self, stopped: threading.Event | None) -> list[Message]:
        """A batch: what is there now, or what comes within the batching window after the first."""
        settings = self._settings
        with self._receiving:
            if stopped is not None and stopped.is_set():  # meanwhile
                return []
            found = self._queue.receive(min(settings.batch_size, _LARGEST_RECEIVE), _LONG_POLL_SECONDS)
        deadline = self._monotonic() + settings.window_seconds
        while found and len(found) < settings.batch_size and (left := deadline - self._monotonic()) > 0:
            wanted = min(settings.batch_size - len(found), _LARGEST_RECEIVE)
            found += self._queue.receive(wanted, min(_LONG_POLL_SECONDS, round(left)))
        return found

    def _handled(self, batch: list[Message], answer: Any) -> list[Message]:
        """Without ReportBatchItemFailures all of them; what cannot be understood counts as a failure of all."""
        failures = answer.get("batchItemFailures") if isinstance(answer, Mapping) else None
        if not self._settings.reports_failures or not failures:
            return batch
        known = {message["MessageId"] for message in batch}
        try:
            failed = {failure["itemIdentifier"] for failure in failures}
        except (TypeError, KeyError):
            return []
        if not failed <= known:
            return []
        return [message for message in batch if message["MessageId"] not in failed]

    def _record(self, message: Message) -> dict[str, Any]:
        return {
            "messageId": message["MessageId"],
            "receiptHandle": message["ReceiptHandle"],
            "body": message["Body"],
            "attributes": message.get("Attributes", {}),
            "messageAttributes": {
                name: _attribute(value) for name, value in message.get("MessageAttributes", {}).items()
            },
            "md5OfBody": message.get("MD5OfBody", ""),
            "eventSource": "aws:sqs",
            "eventSourceARN": self._settings.queue_arn,
            "awsRegion": REGION,
        }


def _attribute(value: Mapping[str, Any]) -> dict[str, Any]:
    """As an event spells it."""
    spelled = {"StringValue": "stringValue", "BinaryValue": "binaryValue", "DataType": "dataType"}
    return {spelled[name]: held for name, held in value.items() if name in spelled} | {
        "stringListValues": [],
        "binaryListValues": [],
    }


def _filtered_by(message: Message) -> dict[str, Any]:
    """A filter looks into a body that is JSON."""
    try:
        body = json.loads(message["Body"])
    except ValueError:
        body = message["Body"]
    return {"body": body, "messageId": message["MessageId"], "attributes": message.get("Attributes", {})}
