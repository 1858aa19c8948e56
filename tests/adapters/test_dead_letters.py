"""Dead letters over SQS, and their replay: what Lambda and the table's stream say comes out as what it means."""

from __future__ import annotations

import io
import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from billing.adapters.dead_letters import NO_FUNCTION, RECORDS_GONE, LambdaReplays, SqsDeadLetters
from billing.domain.dead_letters import DeadLetter, LetterQueue
from billing.domain.errors import DependencyUnavailable
from billing.ports.dead_letters import ReplayFailed
from local.provision import client as local_client
from tests.engines import billing_table_definition, dynamodb, dynamodb_endpoint

__all__ = ["dynamodb", "dynamodb_endpoint"]

FUNCTION = "arn:aws:lambda:eu-west-3:123456789012:function:zenbilling-streams-place-events"
TOPIC = "arn:aws:sns:eu-west-3:123456789012:zenbilling-MailEventsTopic"


@pytest.fixture
def sqs() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("sqs", region_name="eu-west-3")


def test_letters_are_received_once_hidden_shown_again_and_discarded(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="dead")["QueueUrl"]
    for number in range(12):
        attributes = {"TARGET_ARN": {"DataType": "String", "StringValue": FUNCTION}}
        sqs.send_message(QueueUrl=url, MessageBody=f'{{"number": {number}}}', MessageAttributes=attributes)
    letters = SqsDeadLetters(sqs, url, LetterQueue.EVENTS)

    received = letters.receive(50)
    assert {one.content["number"] for one in received} == set(range(12))
    assert (received[0].about, received[0].queue) == ("zenbilling-streams-place-events", LetterQueue.EVENTS)
    assert abs((received[0].sent_at - datetime.now(UTC)).total_seconds()) < 60
    assert letters.receive(50) == ()

    letters.show(received[0])
    [again] = letters.receive(50)
    assert again.letter_id == received[0].letter_id
    letters.discard(again)
    letters.show(received[1])
    assert [one.letter_id for one in letters.receive(50)] == [received[1].letter_id]
    with pytest.raises(DependencyUnavailable):
        SqsDeadLetters(sqs, f"{url}-gone", LetterQueue.EVENTS).receive(1)


class FakeLambda:
    """Lambda's answers, in its client's own shapes."""

    def __init__(self, answer: object = None, *, fault: str = "", refused: Exception | None = None) -> None:
        self.invoked: list[tuple[str, Any]] = []
        self._answer, self._fault, self._refused = answer, fault, refused

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - boto3's names
        if self._refused:
            raise self._refused
        self.invoked.append((FunctionName, json.loads(Payload)))
        payload = {"errorType": self._fault} if self._fault else self._answer
        said = {"FunctionError": "Unhandled"} if self._fault else {}
        return {"StatusCode": 200, "Payload": io.BytesIO(json.dumps(payload).encode()), **said}


def letter(queue: LetterQueue, content: object, **attributes: str) -> DeadLetter:
    return DeadLetter(
        letter_id="m1",
        queue=queue,
        receipt="r",
        sent_at=datetime(2026, 11, 27, tzinfo=UTC),
        text=json.dumps(content),
        attributes=attributes,
    )


def replays(functions: FakeLambda, *, streams: Any = None, queued: list[str] | None = None) -> LambdaReplays:
    return LambdaReplays(
        functions, streams, subscribers={TOPIC: FUNCTION}, queue_event=(queued if queued is not None else []).append
    )


def test_an_event_of_stripe_is_queued_again() -> None:
    queued: list[str] = []
    replays(FakeLambda(), queued=queued).replay(letter(LetterQueue.STRIPE_EVENTS, {"event_id": "evt_1"}))
    assert queued == ["evt_1"]


@pytest.mark.parametrize("as_invoked", [False, True], ids=["by-the-subscription", "by-the-function"])
def test_a_message_of_a_topic_goes_to_the_function_that_subscribed(as_invoked: bool) -> None:
    message: dict[str, Any] = {"Type": "Notification", "MessageId": "1", "TopicArn": TOPIC, "Message": "{}"}
    content = {"Records": [{"EventSource": "aws:sns", "Sns": message}]} if as_invoked else message
    functions = FakeLambda()

    replays(functions).replay(letter(LetterQueue.EVENTS, content))

    [(function, event)] = functions.invoked
    assert (function, event["Records"][0]["Sns"]) == (FUNCTION, message)


def test_what_could_not_reach_its_topic_goes_to_the_function_that_subscribed() -> None:
    functions = FakeLambda()
    replays(functions).replay(letter(LetterQueue.EVENTS, {"detail-type": "x"}, TARGET_ARN=TOPIC))

    [(function, event)] = functions.invoked
    assert function == FUNCTION
    assert event["Records"][0]["Sns"] == {"TopicArn": TOPIC, "MessageId": "m1", "Message": '{"detail-type": "x"}'}


def test_a_letter_without_its_place_in_the_stream_says_that_nobody_can_read_it() -> None:
    with pytest.raises(ReplayFailed, match="Unreadable"):
        replays(FakeLambda()).replay(letter(LetterQueue.STREAMS, {"requestContext": {"functionArn": FUNCTION}}))


def test_an_event_of_stripe_that_failed_again_is_the_same_letter(sqs: Any) -> None:
    url = sqs.create_queue(QueueName="stripe")["QueueUrl"]
    for _ in range(2):
        sqs.send_message(QueueUrl=url, MessageBody='{"event_id": "evt_1"}')

    [one] = SqsDeadLetters(sqs, url, LetterQueue.STRIPE_EVENTS).receive(50)
    assert (one.letter_id, one.about) == ("evt_1", "evt_1")


def test_a_schedule_runs_its_target_with_its_input() -> None:
    functions = FakeLambda()
    replays(functions).replay(letter(LetterQueue.EVENTS, {"detail": "{}"}, TARGET_ARN=FUNCTION))
    assert functions.invoked == [(FUNCTION, {"detail": "{}"})]


REFUSED = ClientError({"Error": {"Code": "TooManyRequestsException"}}, "Invoke")


@pytest.mark.parametrize(
    ("functions", "error"),
    [
        (FakeLambda(fault="KeyError"), "KeyError"),
        (FakeLambda({"batchItemFailures": [{"itemIdentifier": "1"}]}), "BatchItemFailures"),
        (FakeLambda(refused=REFUSED), "TooManyRequestsException"),
        (FakeLambda(refused=ConnectTimeoutError(endpoint_url="https://lambda")), "DependencyUnavailable"),
    ],
)
def test_a_replay_that_fails_says_as_what(functions: FakeLambda, error: str) -> None:
    with pytest.raises(ReplayFailed) as failed:
        replays(functions).replay(letter(LetterQueue.EVENTS, {}, TARGET_ARN=FUNCTION))
    assert failed.value.error == error


def test_what_no_function_is_named_for_is_not_replayed() -> None:
    other = {"TopicArn": f"{TOPIC}-other", "Message": "{}"}
    with pytest.raises(ReplayFailed, match=NO_FUNCTION):
        replays(FakeLambda()).replay(letter(LetterQueue.EVENTS, other))


@pytest.mark.engine
def test_the_records_of_a_batch_are_read_from_the_stream_and_handed_over_as_lambda_does(
    dynamodb: DynamoDBClient, dynamodb_endpoint: str
) -> None:
    name = f"stream-{uuid.uuid4().hex[:8]}"
    stream = {"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"}
    dynamodb.create_table(TableName=name, **billing_table_definition() | {"StreamSpecification": stream})
    for number in range(4):
        dynamodb.put_item(TableName=name, Item={"pk": {"S": "p"}, "sk": {"S": str(number)}, "b": {"B": b"\x00\x01"}})
    dynamodb.delete_item(TableName=name, Key={"pk": {"S": "p"}, "sk": {"S": "1"}})
    streams = local_client("dynamodbstreams", dynamodb_endpoint)
    arn = str(dynamodb.describe_table(TableName=name)["Table"]["LatestStreamArn"])
    shard = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"][0]["ShardId"]
    place = {"StreamArn": arn, "ShardId": shard}
    records = _records(streams, place)

    def content(first: int, last: int) -> dict[str, Any]:
        numbers = [records[at]["dynamodb"]["SequenceNumber"] for at in (first, last)]
        batch = {"shardId": shard, "streamArn": arn, "startSequenceNumber": numbers[0], "endSequenceNumber": numbers[1]}
        return {"requestContext": {"functionArn": FUNCTION}, "DDBStreamBatchInfo": batch}

    functions = FakeLambda({"batchItemFailures": []})
    replays(functions, streams=streams).replay(letter(LetterQueue.STREAMS, content(1, 4)))

    [(function, event)] = functions.invoked
    assert function == FUNCTION
    handed = [one["dynamodb"]["NewImage"] for one in event["Records"]]
    assert [one["sk"]["S"] for one in handed] == ["1", "2", "3"]  # neither what came before nor the deletion
    assert handed[0]["b"] == {"B": "AAE="}
    assert abs(event["Records"][0]["dynamodb"]["ApproximateCreationDateTime"] - time.time()) < 600  # noqa: TID251

    gone = content(1, 1)
    gone["DDBStreamBatchInfo"] |= {"startSequenceNumber": "9" * 21, "endSequenceNumber": "9" * 21}
    with pytest.raises(ReplayFailed, match=RECORDS_GONE):
        replays(functions, streams=streams).replay(letter(LetterQueue.STREAMS, gone))


def _records(streams: Any, place: dict[str, str]) -> list[dict[str, Any]]:
    iterator = streams.get_shard_iterator(**place, ShardIteratorType="TRIM_HORIZON")["ShardIterator"]
    found: list[dict[str, Any]] = streams.get_records(ShardIterator=iterator)["Records"]
    return found
