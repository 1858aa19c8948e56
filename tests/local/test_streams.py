"""Event source mapping semantics: order, partial failure, bisection, retries, dead letters, checkpoints."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local.pool_client import PoolUnreachableError
from local.stack import StreamConsumer
from local.streams import Checkpoint, Consumer, Record, trim

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Calls = list[list[int]]


def record(number: int, *, wanted: bool = True, age: float = 0) -> Record:
    return {
        "eventName": "INSERT" if wanted else "REMOVE",
        "dynamodb": {"SequenceNumber": str(number), "ApproximateCreationDateTime": NOW.timestamp() - age},
    }


class Setting:
    """A consumer whose function answers as the test says."""

    def __init__(self, directory: Path, answer: Callable[[list[int]], Any], **settings: Any) -> None:
        self.calls: Calls = []
        self.letters: list[dict[str, Any]] = []
        self.slept: list[float] = []
        self.checkpoint = Checkpoint(directory / "checkpoint.json")
        self._answer = answer
        defaults: dict[str, Any] = {
            "name": "source",
            "function": "f",
            "table": "t",
            "stream_arn": "arn",
            "filters": ({"eventName": ["INSERT"]},),
            "reports_failures": True,
            "dead_letters": "arn:aws:sqs:eu-west-3:000000000000:letters",
        }
        self.consumer = Consumer(
            StreamConsumer(**{**defaults, **settings}),
            self._invoke,
            lambda _queue, message: self.letters.append(json.loads(message)),
            self.checkpoint,
            sleep=self.slept.append,
            now=lambda: NOW,
        )

    def _invoke(self, _function: str, event: Mapping[str, Any]) -> tuple[Any, bool]:
        numbers = [int(entry["dynamodb"]["SequenceNumber"]) for entry in event["Records"]]
        self.calls.append(numbers)
        answer = self._answer(numbers)
        if isinstance(answer, Exception):
            raise answer
        return (None, True) if answer == "error" else (answer, False)


def failing(*numbers: int) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": str(number)} for number in numbers]}


def test_batches_are_in_order_and_no_larger_than_asked(tmp_path: Path) -> None:
    setting = Setting(tmp_path, lambda _: None, batch_size=2)

    setting.consumer.feed([record(number) for number in range(8, 13)])

    assert setting.calls == [[8, 9], [10, 11], [12]]
    assert setting.checkpoint.load() == 12


def test_filtered_records_are_passed_without_a_call(tmp_path: Path) -> None:
    setting = Setting(tmp_path, lambda _: None)

    setting.consumer.feed([record(1, wanted=False), record(2), record(3, wanted=False)])

    assert setting.calls == [[2]]
    assert setting.checkpoint.load() == 3


def test_partial_failure_goes_on_from_the_first_failed_record(tmp_path: Path) -> None:
    tries = iter([failing(12, 11), None])
    setting = Setting(tmp_path, lambda _: next(tries))

    setting.consumer.feed([record(10), record(11), record(12)])

    assert setting.calls == [[10, 11, 12], [11, 12]]
    assert setting.letters == []


def test_unknown_identifier_fails_the_whole_batch(tmp_path: Path) -> None:
    tries = iter([failing(99), None])
    setting = Setting(tmp_path, lambda _: next(tries))

    setting.consumer.feed([record(1), record(2)])

    assert setting.calls == [[1, 2], [1, 2]]


def test_bisection_isolates_the_poisoned_record_and_the_others_are_done(tmp_path: Path) -> None:
    setting = Setting(tmp_path, lambda numbers: "error" if 3 in numbers else None, bisects=True, maximum_retries=4)

    setting.consumer.feed([record(number) for number in range(1, 6)])

    succeeded = [number for call in setting.calls if 3 not in call for number in call]
    assert succeeded == [1, 2, 4, 5]
    assert [(letter["DDBStreamBatchInfo"]["startSequenceNumber"]) for letter in setting.letters] == ["3"]
    assert setting.checkpoint.load() == 5


def test_dead_letter_names_the_records_once_retries_are_used_up(tmp_path: Path) -> None:
    setting = Setting(tmp_path, lambda _: "error", maximum_retries=2)

    setting.consumer.feed([record(7), record(8)])

    assert setting.calls == [[7, 8]] * 3
    (letter,) = setting.letters
    assert letter["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert letter["DDBStreamBatchInfo"]["startSequenceNumber"] == "7"
    assert letter["DDBStreamBatchInfo"]["endSequenceNumber"] == "8"
    assert setting.checkpoint.load() == 8


def test_too_old_record_is_given_up_without_a_call(tmp_path: Path) -> None:
    setting = Setting(tmp_path, lambda _: None, maximum_age_seconds=60)

    setting.consumer.feed([record(1, age=61), record(2, age=59)])

    assert setting.calls == [[2]]
    assert [letter["requestContext"]["condition"] for letter in setting.letters] == ["RecordAgeExceeded"]


def test_unreachable_pool_costs_no_attempt(tmp_path: Path) -> None:
    tries = iter([PoolUnreachableError()] * 50 + [None])
    setting = Setting(tmp_path, lambda _: next(tries), maximum_retries=0)

    setting.consumer.feed([record(1)])

    assert len(setting.calls) == 51
    assert setting.letters == []


def test_checkpoint_is_written_after_success_only(tmp_path: Path) -> None:
    seen: list[int | None] = []
    setting = Setting(tmp_path, lambda _: seen.append(setting.checkpoint.load()), batch_size=1)

    setting.consumer.feed([record(1), record(2)])

    assert seen == [None, 1]
    assert Checkpoint(tmp_path / "checkpoint.json").load() == 2


@pytest.mark.parametrize(("passed", "kept"), [(0, list(range(1, 13))), (9, [10, 11, 12]), (12, [12]), (99, [12])])
def test_trimming_keeps_what_is_not_passed_and_always_the_newest(tmp_path: Path, passed: int, kept: list[int]) -> None:
    database = tmp_path / "engine.sqlite"
    connection = sqlite3.connect(database)
    connection.execute("CREATE TABLE _stream_records (id INTEGER PRIMARY KEY, table_name TEXT, sequence_number TEXT)")
    rows = [("t", str(number)) for number in range(1, 13)] + [("other", "1")]
    connection.executemany("INSERT INTO _stream_records (table_name, sequence_number) VALUES (?, ?)", rows)
    connection.commit()

    trim(database, "t", passed)

    left = connection.execute("SELECT table_name, sequence_number FROM _stream_records ORDER BY id").fetchall()
    connection.close()
    assert left == [("t", str(number)) for number in kept] + [("other", "1")]
