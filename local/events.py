"""The process that calls functions by itself: consumers of table streams and of queues, and schedules.

Usage: ``python -m local.events <layout>``.
"""

from __future__ import annotations

import heapq
import logging
import signal
import sys
import threading
import time
from datetime import datetime
from typing import Final

from yaml import YAMLError

from local.clock import LocalClock
from local.layout import Layout
from local.pool_client import PoolClient, PoolUnreachableError
from local.provision import client
from local.queues import QueuePump, SqsQueue
from local.schedules import parse_expression, scheduled_event
from local.stack import Schedule, Stack, read_stack, wait_for_resources
from local.streams import Checkpoint, Consumer, EngineStream, StreamPump
from local.template import TemplateError

_WATCH_SECONDS: Final = 1.0
_CLOCK_SECONDS: Final = 0.5  # how soon a schedule notices that the clock was set
_log = logging.getLogger(__name__)


class Scheduler:
    """Runs each schedule when it is due by the local clock, once where the clock was set past several times.

    What was due while nothing ran is not made up for.
    """

    def __init__(self, schedules: tuple[Schedule, ...], layout: Layout) -> None:
        self._layout = layout
        self._clock = LocalClock(layout.clock_file)
        started = self._clock.now()
        self._plans = [
            (schedule, parse_expression(schedule.expression, schedule.timezone, start=started))
            for schedule in schedules
        ]

    def run(self, stopped: threading.Event) -> None:
        now = self._clock.now()
        due: list[tuple[datetime, int]] = []
        for index, (_, expression) in enumerate(self._plans):
            first = expression.after(now)
            if first is not None:
                due.append((first, index))
        heapq.heapify(due)
        while due:
            instant, index = heapq.heappop(due)
            while (wait := (instant - self._clock.now()).total_seconds()) > 0:
                if stopped.wait(min(wait, _CLOCK_SECONDS)):
                    return
            if stopped.is_set():
                return
            schedule, expression = self._plans[index]
            threading.Thread(target=self._fire, args=(schedule,), daemon=True).start()
            following = expression.after(max(instant, self._clock.now()))
            if following is not None:
                heapq.heappush(due, (following, index))

    def _fire(self, schedule: Schedule) -> None:
        pool = PoolClient(self._layout)
        body = scheduled_event(schedule, self._clock.now()).encode()
        for attempt in range(min(schedule.retries, 5) + 1):
            try:
                answer, is_error = pool.invoke(schedule.function, body)
            except PoolUnreachableError as error:
                answer, is_error = str(error), True
            if not is_error:
                return
            _log.warning("the schedule %s failed: %s", schedule.name, answer)
            time.sleep(2**attempt)


def start(layout: Layout, stack: Stack, stopped: threading.Event) -> list[threading.Thread]:
    data = layout.database.parent
    pumps = []
    for table in sorted({consumer.table for consumer in stack.consumers}):
        settings = [consumer for consumer in stack.consumers if consumer.table == table]
        stream = EngineStream(client("dynamodbstreams", layout.dynamodb_url), settings[0].stream_arn)
        consumers = []
        for one in settings:
            checkpoint = Checkpoint(data / f"stream-{one.name}.json")
            if checkpoint.load() is None:
                checkpoint.save(0 if one.from_start else stream.newest())
            consumers.append(
                Consumer(one, PoolClient(layout), _DeadLetters(layout), checkpoint, shard_id=stream.shard_id())
            )
        pumps.append(
            StreamPump(
                table,
                stream,
                consumers,
                database=layout.database if layout.engine.is_file() else None,
                status=layout.run / f"stream-{settings[0].name}.json",
            )
        )
    runners = [pump.run for pump in pumps]
    for queue in stack.queue_consumers:
        receiving = threading.Lock()
        for _ in range(queue.concurrency):
            received = SqsQueue(client("sqs", layout.ministack_url), queue.queue_arn)
            runners.append(QueuePump(queue, received, PoolClient(layout), receiving=receiving).run)
    if stack.schedules:
        runners.append(Scheduler(stack.schedules, layout).run)
    threads = [threading.Thread(target=runner, args=(stopped,), daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    return threads


class _DeadLetters:
    """Puts a message into a queue named by its ARN."""

    def __init__(self, layout: Layout) -> None:
        self._sqs = client("sqs", layout.ministack_url)

    def __call__(self, queue_arn: str, message: str) -> None:
        queue = self._sqs.get_queue_url(QueueName=queue_arn.rpartition(":")[2])["QueueUrl"]
        self._sqs.send_message(QueueUrl=queue, MessageBody=message)


def main(arguments: list[str]) -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    layout = Layout.from_json(arguments[0])
    leaving = threading.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: leaving.set())
    wait_for_resources(layout)
    while not leaving.is_set():
        stopped = threading.Event()
        stack = read_stack(layout)
        threads = start(layout, stack, stopped)
        while not leaving.wait(_WATCH_SECONDS):
            try:
                changed = read_stack(layout) if _has_changed(layout) else stack
            except (TemplateError, YAMLError, OSError, KeyError, ValueError):
                _log.exception("the change of the template is not followed")
                continue
            if _sources(changed) != _sources(stack):
                break
        stopped.set()
        for thread in threads:
            thread.join(timeout=2)


def _sources(stack: Stack) -> tuple[object, ...]:
    return stack.consumers, stack.queue_consumers, stack.schedules


_seen: dict[str, int] = {}


def _has_changed(layout: Layout) -> bool:
    times = {str(path): path.stat().st_mtime_ns for path in (layout.template_file, layout.resources_file)}
    if times == _seen:
        return False
    _seen.update(times)
    return True


if __name__ == "__main__":
    main(sys.argv[1:])
