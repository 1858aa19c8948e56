"""A queue and its function: what is deleted, what comes back, what ends among the dead letters."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from local.pool_client import PoolUnreachableError
from local.queues import Message, QueuePump
from local.stack import QueueConsumer
from local.testing import LocalCloud
from tests.local.steps import aws, until

ARN = "arn:aws:sqs:eu-west-3:000000000000:zenbilling-ErrandsQueue"


@dataclass
class MemoryQueue:
    """Messages are there until they are deleted; what was received is invisible for as long as a test lasts."""

    there: list[Message] = field(default_factory=list)
    received: list[Message] = field(default_factory=list)
    waited: list[int] = field(default_factory=list)

    def receive(self, limit: int, wait_seconds: int) -> list[Message]:
        self.waited.append(wait_seconds)
        given, self.there = self.there[:limit], self.there[limit:]
        self.received += given
        return given

    def delete(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self.received.remove(message)

    @property
    def left(self) -> list[str]:
        return [message["MessageId"] for message in self.received]


def message(number: int, **body: Any) -> Message:
    return {
        "MessageId": f"m{number}",
        "ReceiptHandle": f"r{number}",
        "Body": json.dumps(body),
        "MD5OfBody": "5d",
        "Attributes": {"ApproximateReceiveCount": "1"},
        "MessageAttributes": {"kind": {"StringValue": "errand", "DataType": "String"}},
    }


class Setting:
    def __init__(self, answer: Callable[[list[str]], Any], **settings: Any) -> None:
        self.queue = MemoryQueue()
        self.calls: list[list[dict[str, Any]]] = []
        self._answer = answer
        defaults: dict[str, Any] = {"name": "source", "function": "f", "queue_arn": ARN, "reports_failures": True}
        self.pump = QueuePump(QueueConsumer(**defaults | settings), self.queue, self._invoke, monotonic=lambda: 0.0)

    def _invoke(self, _function: str, event: Mapping[str, Any]) -> tuple[Any, bool]:
        self.calls.append(event["Records"])
        answer = self._answer([record["messageId"] for record in event["Records"]])
        if isinstance(answer, Exception):
            raise answer
        return ({"errorType": "ValueError"}, True) if answer == "error" else (answer, False)


def failing(*names: str) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


def test_a_record_is_what_lambda_hands_over() -> None:
    setting = Setting(lambda _: None)
    setting.queue.there = [message(1, name="pain")]

    setting.pump.turn()

    assert setting.calls == [
        [
            {
                "messageId": "m1",
                "receiptHandle": "r1",
                "body": '{"name": "pain"}',
                "attributes": {"ApproximateReceiveCount": "1"},
                "messageAttributes": {
                    "kind": {
                        "stringValue": "errand",
                        "dataType": "String",
                        "stringListValues": [],
                        "binaryListValues": [],
                    }
                },
                "md5OfBody": "5d",
                "eventSource": "aws:sqs",
                "eventSourceARN": ARN,
                "awsRegion": "eu-west-3",
            }
        ]
    ]
    assert setting.queue.left == []


@pytest.mark.parametrize(
    ("answer", "left"),
    [
        (None, []),
        ({}, []),
        ({"batchItemFailures": []}, []),
        ({"batchItemFailures": None}, []),
        (failing("m2"), ["m2"]),
        (failing("m1", "m3"), ["m1", "m3"]),
        (failing("unknown"), ["m1", "m2", "m3"]),
        (failing(""), ["m1", "m2", "m3"]),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, ["m1", "m2", "m3"]),
        ({"batchItemFailures": [{"item": "m1"}]}, ["m1", "m2", "m3"]),
        ({"batchItemFailures": ["m1"]}, ["m1", "m2", "m3"]),
        ("error", ["m1", "m2", "m3"]),
        (PoolUnreachableError("gone"), ["m1", "m2", "m3"]),
    ],
)
def test_what_failed_is_left_and_the_rest_deleted(answer: Any, left: list[str]) -> None:
    setting = Setting(lambda _: answer)
    setting.queue.there = [message(number) for number in (1, 2, 3)]

    setting.pump.turn()

    assert setting.queue.left == left


def test_failures_of_items_say_nothing_where_the_mapping_does_not_ask_for_them() -> None:
    setting = Setting(lambda _: failing("m1"), reports_failures=False)
    setting.queue.there = [message(1)]

    setting.pump.turn()

    assert setting.queue.left == []


def test_a_batch_is_no_larger_than_asked() -> None:
    setting = Setting(lambda _: None, batch_size=2)
    setting.queue.there = [message(number) for number in range(5)]

    for _ in range(3):
        setting.pump.turn()

    assert [len(call) for call in setting.calls] == [2, 2, 1]


def test_a_window_gathers_more_than_one_receive_can_give() -> None:
    setting = Setting(lambda _: None, batch_size=25, window_seconds=1)
    setting.queue.there = [message(number) for number in range(25)]

    setting.pump.turn()

    assert [len(call) for call in setting.calls] == [25]


def test_nothing_received_calls_nobody() -> None:
    setting = Setting(lambda _: None)

    setting.pump.turn()

    assert setting.calls == []
    assert setting.queue.waited == [1]


def test_what_the_filter_does_not_let_pass_is_deleted() -> None:
    setting = Setting(lambda _: None, filters=({"body": {"kind": ["wanted"]}},))
    setting.queue.there = [message(1, kind="other"), message(2, kind="wanted"), message(3) | {"Body": "no JSON"}]

    setting.pump.turn()

    assert [record["messageId"] for (record,) in setting.calls] == ["m2"]
    assert setting.queue.left == []


def test_of_several_pollers_one_waits_while_all_others_handle_what_they_received() -> None:
    pollers = 3
    waiting = threading.Lock()
    at_once = threading.Barrier(pollers)
    stopped = threading.Event()
    there = [message(number) for number in range(pollers)]
    seen: list[str] = []

    class OneWaits(MemoryQueue):
        def receive(self, limit: int, wait_seconds: int) -> list[Message]:
            assert waiting.acquire(blocking=False), "two wait for the same"
            time.sleep(0.01)
            given = super().receive(limit, wait_seconds)
            waiting.release()
            return given

    def invoke(_function: str, event: Mapping[str, Any]) -> tuple[Any, bool]:
        at_once.wait(10)
        seen.extend(record["messageId"] for record in event["Records"])
        stopped.set()
        return None, False

    queue = OneWaits(there)
    settings = QueueConsumer(name="source", function="f", queue_arn=ARN, batch_size=1)
    receiving = threading.Lock()
    pumps = [QueuePump(settings, queue, invoke, receiving=receiving) for _ in range(pollers)]
    with ThreadPoolExecutor(pollers) as pool:
        runs = [pool.submit(pump.run, stopped) for pump in pumps]
        try:
            for run in runs:
                run.result(20)
        finally:
            stopped.set()

    assert sorted(seen) == ["m0", "m1", "m2"]
    assert (queue.there, queue.left) == ([], [])


def test_a_poller_whose_turn_to_wait_comes_when_all_stop_receives_nothing() -> None:
    setting = Setting(lambda _: None)
    setting.queue.there = [message(1)]
    stopped = threading.Event()
    stopped.set()

    setting.pump.turn(stopped)

    assert (setting.calls, setting.queue.waited) == ([], [])


# On a local cloud


def send(cloud: LocalCloud, **errand: Any) -> None:
    sqs = aws("sqs", cloud.layout.ministack_url)
    url = sqs.get_queue_url(QueueName="zenbilling-ErrandsQueue")["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(errand))


def done(cloud: LocalCloud, name: str) -> Any:
    table = aws("dynamodb", cloud.layout.dynamodb_url)
    return table.get_item(TableName="zenbilling-ThingsTable", Key={"pk": {"S": f"errand-{name}"}}).get("Item")


def lost(cloud: LocalCloud) -> list[str]:
    sqs = aws("sqs", cloud.layout.ministack_url)
    url = sqs.get_queue_url(QueueName="zenbilling-LostErrandsQueue")["QueueUrl"]
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages", [])
    return [json.loads(message["Body"])["name"] for message in found]


@pytest.mark.cloud
def test_a_message_reaches_its_function_which_sends_the_next(cloud: LocalCloud) -> None:
    send(cloud, name="first", follows="second")

    assert until(lambda: done(cloud, "second"))["times"] == {"N": "1"}
    assert done(cloud, "first")["arn"] == {"S": ARN}


@pytest.mark.cloud
def test_what_failed_alone_comes_back_after_its_timeout_and_at_last_is_a_dead_letter(cloud: LocalCloud) -> None:
    send(cloud, name="hard", fails=2)
    send(cloud, name="impossible", fails=99)
    send(cloud, name="easy")

    assert until(lambda: done(cloud, "easy"))["times"] == {"N": "1"}
    assert until(lambda: done(cloud, "hard"))["times"] == {"N": "3"}
    assert until(lambda: lost(cloud)) == ["impossible"]
    assert done(cloud, "impossible") is None
