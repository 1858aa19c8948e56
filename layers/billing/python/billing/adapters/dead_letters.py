"""Queues of dead letters in Amazon SQS, and what replays a letter: a function of AWS Lambda, or Stripe's queue."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as BotoConnectionError

from billing.domain.dead_letters import UNREADABLE, DeadLetter, LetterQueue
from billing.domain.errors import DependencyUnavailable
from billing.ports.dead_letters import ReplayFailed

_LARGEST_RECEIVE: Final = 10
_HIDDEN_SECONDS: Final = 600  # longer than a run
_RECORDS_AT_ONCE: Final = 25
_EMPTY_PAGES: Final = 20  # a stream may answer with none and go on
RECORDS_GONE: Final = "RecordsGone"  # the stream keeps them for a day
NO_FUNCTION: Final = "FunctionUnknown"


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (BotoConnectionError, HTTPClientError, ClientError) as error:
        raise DependencyUnavailable from error


class SqsDeadLetters:
    """Port DeadLetters."""

    def __init__(self, client: Any, url: str, queue: LetterQueue) -> None:
        self._client = client
        self._url = url
        self._queue = queue

    def receive(self, limit: int) -> tuple[DeadLetter, ...]:
        found: dict[str, DeadLetter] = {}
        while len(found) < limit:
            with _reached():
                answer = self._client.receive_message(
                    QueueUrl=self._url,
                    MaxNumberOfMessages=min(_LARGEST_RECEIVE, limit - len(found)),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    WaitTimeSeconds=1,
                    MessageAttributeNames=["All"],
                    MessageSystemAttributeNames=["SentTimestamp"],
                )
            messages = answer.get("Messages", [])
            if not messages:
                break
            found |= {one.letter_id: one for one in map(self._letter, messages)}
        return tuple(found.values())

    def show(self, letter: DeadLetter) -> None:
        with _reached():
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
            )

    def discard(self, letter: DeadLetter) -> None:
        with _reached():
            self._client.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def _letter(self, message: Mapping[str, Any]) -> DeadLetter:
        sent = int(message["Attributes"]["SentTimestamp"])
        attributes = message.get("MessageAttributes", {})
        letter = DeadLetter(
            letter_id=message["MessageId"],
            queue=self._queue,
            receipt=message["ReceiptHandle"],
            sent_at=datetime.fromtimestamp(sent / 1000, UTC),
            text=message["Body"],
            attributes={name: value.get("StringValue", "") for name, value in attributes.items()},
        )
        # Queued again, an event of Stripe that fails again comes as another message: it is the same letter, which was
        # replayed, and the sweep of the inbox goes on with it.
        named = self._queue is LetterQueue.STRIPE_EVENTS and letter.about
        return replace(letter, letter_id=letter.about) if named else letter


class LambdaReplays:
    """Port Replays. ``subscribers``: the function of each topic, by ARN; ``queue_event`` takes the id of an event."""

    def __init__(
        self,
        functions: Any,
        streams: Any,
        *,
        subscribers: Mapping[str, str],
        queue_event: Callable[[str], object],
    ) -> None:
        self._functions = functions
        self._streams = streams
        self._subscribers = subscribers
        self._queue_event = queue_event

    def replay(self, letter: DeadLetter) -> None:
        try:
            if letter.queue is LetterQueue.STRIPE_EVENTS:
                self._queue_event(letter.about)
            elif letter.queue is LetterQueue.STREAMS:
                self._replay_records(letter.content)
            else:
                self._replay_event(letter)
        except DependencyUnavailable as error:
            raise ReplayFailed(type(error).__name__) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ReplayFailed(UNREADABLE) from error

    def _replay_event(self, letter: DeadLetter) -> None:
        content = letter.content
        target = letter.attributes.get("TARGET_ARN", "")
        if target in self._subscribers:  # a rule or a schedule that could not reach its topic
            message = {"TopicArn": target, "MessageId": letter.letter_id, "Message": letter.text}
            self._invoke(self._subscribers[target], {"Records": [{"EventSource": "aws:sns", "Sns": message}]})
        elif letter.topic_arn:
            sent = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": "", "Sns": content}
            event = content if "Records" in content else {"Records": [sent]}
            self._invoke(self._subscribers.get(letter.topic_arn, ""), event)
        else:
            self._invoke(target, content)

    def _replay_records(self, content: Mapping[str, Any]) -> None:
        function, place = content["requestContext"]["functionArn"], content["DDBStreamBatchInfo"]
        records = [one for one in self._records(place) if "NewImage" in one["dynamodb"]]
        for first in range(0, len(records), _RECORDS_AT_ONCE):
            self._invoke(function, {"Records": records[first : first + _RECORDS_AT_ONCE]})

    def _records(self, place: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
        """Those of the batch, and others that came between them: each reader knows its own."""
        first, last = int(place["startSequenceNumber"]), int(place["endSequenceNumber"])
        found: list[dict[str, Any]] = []
        try:
            iterator: str | None = self._streams.get_shard_iterator(
                StreamArn=place["streamArn"],
                ShardId=place["shardId"],
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=place["startSequenceNumber"],
            )["ShardIterator"]
            for _ in range(_EMPTY_PAGES):
                if iterator is None:
                    break
                answer = self._streams.get_records(ShardIterator=iterator)
                wanted = (one for one in answer["Records"] if first <= _number(one) <= last)
                found += (_as_event(one, place["streamArn"]) for one in wanted)
                if any(_number(one) >= last for one in answer["Records"]):
                    break
                iterator = answer.get("NextShardIterator")
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            gone = code in {"TrimmedDataAccessException", "ResourceNotFoundException"}
            raise ReplayFailed(RECORDS_GONE if gone else code) from error
        if not found:
            raise ReplayFailed(RECORDS_GONE)
        return found

    def _invoke(self, function_arn: str, event: Mapping[str, Any]) -> None:
        if not function_arn:
            raise ReplayFailed(NO_FUNCTION)
        try:
            answer = self._functions.invoke(FunctionName=function_arn, Payload=json.dumps(event).encode())
            content = json.loads(answer["Payload"].read() or b"null")
        except (BotoConnectionError, HTTPClientError) as error:
            raise DependencyUnavailable from error
        except ClientError as error:
            raise ReplayFailed(error.response["Error"]["Code"]) from error
        if "FunctionError" in answer:
            raise ReplayFailed(str((content or {}).get("errorType", "Unhandled")))
        if isinstance(content, dict) and content.get("batchItemFailures"):
            raise ReplayFailed("BatchItemFailures")


def _number(record: Mapping[str, Any]) -> int:
    return int(record["dynamodb"]["SequenceNumber"])


def _as_event(record: Mapping[str, Any], stream_arn: str) -> dict[str, Any]:
    """As Lambda hands it to a function."""
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    return {**record, "dynamodb": _plain(change), "eventSourceARN": stream_arn}


def _plain(value: Any) -> Any:
    """The SDK gives bytes; an event carries them in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(held) for held in value]
    return value
