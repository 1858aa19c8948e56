"""Feeds a table's stream to its consumers, as Lambda's event source mapping does: in order, nothing skipped.

What a consumer has passed is noted on disk only after it succeeded: a record may be delivered twice, never zero times.
"""

from __future__ import annotations

import base64
import json
import logging
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from local.filters import passes
from local.layout import REGION
from local.pool_client import PoolUnreachableError
from local.stack import StreamConsumer

_IDLE_SECONDS: Final = 0.02
_UNSEEN_CHANGE_SECONDS: Final = 1.0
_READ_LIMIT: Final = 1000
_LARGEST_BACKOFF: Final = 5.0
_TRIM_AT: Final = 200
_TRIM_SECONDS: Final = 10.0
_TRIM_SLICE: Final = 500
_KEPT: Final = 1_000  # for whoever looks back: on AWS they stay a day
_log = logging.getLogger(__name__)

Record = dict[str, Any]


class Stream(Protocol):
    """The records of one table, in one total order."""

    def read(self, after: int, limit: int) -> list[Record]:
        """Records after a sequence number, as Lambda hands them to functions."""

    def newest(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a consumer is, across restarts."""

    path: Path

    def load(self) -> int | None:
        try:
            return int(json.loads(self.path.read_text(encoding="utf-8"))["sequence_number"])
        except FileNotFoundError:
            return None

    def save(self, sequence_number: int) -> None:
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(json.dumps({"sequence_number": sequence_number}), encoding="utf-8")
        temporary.replace(self.path)


def sequence(record: Record) -> int:
    """Compared as numbers: as texts 10 comes before 9."""
    return int(record["dynamodb"]["SequenceNumber"])


class Consumer:
    """One event source mapping."""

    def __init__(
        self,
        settings: StreamConsumer,
        invoke: Callable[[str, Mapping[str, Any]], tuple[Any, bool]],  # as PoolClient
        send_dead_letter: Callable[[str, str], None],
        checkpoint: Checkpoint,
        *,
        shard_id: str = "",
        sleep: Callable[[float], object] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._invoke = invoke
        self._send_dead_letter = send_dead_letter
        self._checkpoint = checkpoint
        self._shard_id = shard_id
        self._sleep = sleep
        self._now = now
        self.position = checkpoint.load()

    def feed(self, records: Sequence[Record]) -> None:
        """Returns once every record is handled, refused by the filter, or given up. The position is past them."""
        batch: list[Record] = []
        for record in records:
            if passes(record, self._settings.filters):
                batch.append(record)
            if len(batch) == self._settings.batch_size:
                self._deliver(batch)
                self._pass(sequence(record))
                batch = []
        if batch:
            self._deliver(batch)
        if records:
            self._pass(sequence(records[-1]))

    def _pass(self, sequence_number: int) -> None:
        self._checkpoint.save(sequence_number)
        self.position = sequence_number

    def _deliver(self, batch: list[Record], attempts: int = 0) -> None:
        while batch:
            batch = [record for record in batch if not self._too_old(record)]
            if not batch:
                return
            failed_from = self._attempt(batch)
            if failed_from is None:
                return
            done, batch = batch[:failed_from], batch[failed_from:]
            if done:
                self._pass(sequence(done[-1]))
                attempts = 0
            attempts += 1
            if self._settings.maximum_retries >= 0 and attempts > self._settings.maximum_retries:
                self._give_up(batch, "RetryAttemptsExhausted", attempts)
                return
            self._sleep(min(0.1 * 2 ** min(attempts, 10), _LARGEST_BACKOFF))
            if self._settings.bisects and failed_from == 0 and len(batch) > 1:
                half = (len(batch) + 1) // 2
                self._deliver(batch[:half], attempts)
                self._pass(sequence(batch[half - 1]))
                batch = batch[half:]

    def _attempt(self, batch: Sequence[Record]) -> int | None:
        """The index of the first record to try again, none when all are done."""
        answer, is_error = self._call({"Records": list(batch)})
        if is_error:
            return 0
        if not self._settings.reports_failures or not answer:
            return None
        failures = answer.get("batchItemFailures") or []
        if not failures:
            return None
        numbers = {str(sequence(record)): index for index, record in enumerate(batch)}
        # As Lambda: the lowest one named is where it starts again; a name it does not know fails the whole batch.
        return min((numbers.get(str(failure.get("itemIdentifier")), 0) for failure in failures), default=0)

    def _call(self, event: Mapping[str, Any]) -> tuple[Any, bool]:
        while True:
            try:
                return self._invoke(self._settings.function, event)
            except PoolUnreachableError:
                self._sleep(0.1)  # no attempt of the function: Lambda itself is never away

    def _too_old(self, record: Record) -> bool:
        limit = self._settings.maximum_age_seconds
        age = self._now().timestamp() - float(record["dynamodb"].get("ApproximateCreationDateTime", 0))
        if limit < 0 or age <= limit:
            return False
        self._give_up([record], "RecordAgeExceeded", 0)
        return True

    def _give_up(self, batch: Sequence[Record], condition: str, attempts: int) -> None:
        """The dead letter says where the records are, as Lambda's does; it does not carry them."""
        _log.error("%s: %d record(s) given up: %s", self._settings.name, len(batch), condition)
        if self._settings.dead_letters is None:
            return
        letter = {
            "requestContext": {
                "requestId": str(uuid.uuid4()),
                "functionArn": self._settings.function,
                "condition": condition,
                "approximateInvokeCount": attempts,
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0",
            "timestamp": self._now().isoformat(),
            "DDBStreamBatchInfo": {
                "shardId": self._shard_id,
                "startSequenceNumber": batch[0]["dynamodb"]["SequenceNumber"],
                "endSequenceNumber": batch[-1]["dynamodb"]["SequenceNumber"],
                "batchSize": len(batch),
                "streamArn": self._settings.stream_arn,
            },
        }
        self._send_dead_letter(self._settings.dead_letters, json.dumps(letter))


class EngineStream:
    """A table's stream read through the DynamoDB Streams API."""

    def __init__(self, client: Any, stream_arn: str) -> None:
        self._client = client
        self._arn = stream_arn
        self._iterator: str | None = None
        self._iterator_position: int | None = None

    def read(self, after: int, limit: int) -> list[Record]:
        if self._iterator is None or self._iterator_position != after:
            self._iterator = self._iterator_after(after)
        answer = self._client.get_records(ShardIterator=self._iterator, Limit=limit)
        self._iterator = answer.get("NextShardIterator")
        records = [_as_lambda_record(record, self._arn) for record in answer["Records"]]
        records = [record for record in records if sequence(record) > after]
        self._iterator_position = sequence(records[-1]) if records else after
        return records

    def newest(self) -> int:
        shards = self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]
        ends = [shard["SequenceNumberRange"].get("EndingSequenceNumber") for shard in shards]
        return max((int(end) for end in ends if end), default=0)

    def shard_id(self) -> str:
        """Of the only one there is."""
        return str(self._client.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"][0]["ShardId"])

    def _iterator_after(self, after: int) -> str:
        shard = self.shard_id()
        place = (
            {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": str(after)}
            if after
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        return str(self._client.get_shard_iterator(StreamArn=self._arn, ShardId=shard, **place)["ShardIterator"])


def _as_lambda_record(record: Mapping[str, Any], stream_arn: str) -> Record:
    change = dict(record["dynamodb"])
    change["ApproximateCreationDateTime"] = change["ApproximateCreationDateTime"].timestamp()
    images = {name: _as_json(change[name]) for name in ("Keys", "NewImage", "OldImage") if name in change}
    return {**record, "awsRegion": REGION, "dynamodb": {**change, **images}, "eventSourceARN": stream_arn}


def _as_json(value: Any) -> Any:
    """The SDK gives bytes; Lambda's event carries them in base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return {key: _as_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_json(item) for item in value]
    return value


class ChangeBell:
    """Tells cheaply whether anything was written: SQLite counts the commits of others."""

    def __init__(self, database: Path | None) -> None:
        self._database = database
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._asked = 0.0

    def rang(self) -> bool:
        """True when something may be new. Without a file to watch, true at a modest rate."""
        now = time.monotonic()
        if now - self._asked > _UNSEEN_CHANGE_SECONDS or self._database is None:
            self._asked = now
            return True
        try:
            if self._connection is None:
                self._connection = sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, isolation_level=None)
            version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        except sqlite3.Error:
            self._connection = None
            return True
        changed, self._version = version != self._version, version
        if changed:
            self._asked = now
        return changed


class StreamPump:
    """Feeds the consumers of one table, and trims what all of them have passed."""

    def __init__(
        self, table: str, stream: Stream, consumers: Sequence[Consumer], *, database: Path | None, status: Path
    ) -> None:
        self._table = table
        self._stream = stream
        self._consumers = consumers
        self._database = database
        self._status = status
        self._bell = ChangeBell(database)
        self._trimmed = 0
        self._trimmed_at = time.monotonic()

    def run(self, stopped: threading.Event) -> None:
        pause = _IDLE_SECONDS if self._database else 0.1
        while not stopped.is_set():
            try:
                moved = self.step() if self._bell.rang() else False
                self._trim_now_and_then()
            except (BotoCoreError, ClientError, sqlite3.Error) as error:
                _log.warning("the stream of %s cannot be read for the moment: %s", self._table, error)
                moved, pause_now = False, 0.2
            else:
                pause_now = pause
            if not moved:
                stopped.wait(pause_now)

    def step(self) -> bool:
        """Feeds once what is new. Whether anything was."""
        moved = False
        for consumer in self._consumers:
            records = self._stream.read(consumer.position or 0, _READ_LIMIT)
            if records:
                consumer.feed(records)
                moved = True
        if moved:
            self._tell()
        return moved

    def _tell(self) -> None:
        behind = {"consumer": self._status.stem.removeprefix("stream-"), "position": self._position()}
        temporary = self._status.with_suffix(".tmp")
        temporary.write_text(json.dumps(behind), encoding="utf-8")
        temporary.replace(self._status)

    def _position(self) -> int:
        return min((consumer.position or 0 for consumer in self._consumers), default=0)

    def _trim_now_and_then(self) -> None:
        old = self._position() - _KEPT
        passed = old - self._trimmed
        due = time.monotonic() - self._trimmed_at > _TRIM_SECONDS
        if self._database is not None and (passed >= _TRIM_AT or (passed > 0 and due)):
            self._trimmed = trim(self._database, self._table, old)
            self._trimmed_at = time.monotonic()


def trim(database: Path, table: str, passed: int) -> int:
    """Removes records up to ``passed``, always keeping the newest: the engine numbers the next one after it."""
    with closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as connection:
        while True:
            removed = connection.execute(
                "DELETE FROM _stream_records WHERE id IN (SELECT id FROM _stream_records WHERE table_name = ?1 "
                "AND CAST(sequence_number AS INTEGER) <= ?2 AND CAST(sequence_number AS INTEGER) < "
                "(SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1) LIMIT ?3)",
                (table, passed, _TRIM_SLICE),
            ).rowcount
            if removed < _TRIM_SLICE:
                return passed
            time.sleep(0.01)  # writers get their turn
