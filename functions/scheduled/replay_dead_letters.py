"""Every five minutes — replay dead letters within limits, and discard what was replayed or dropped."""

from typing import Any

from billing.api.entry import task_point
from billing.runtime import dead_letters, table
from billing.runtime.clock import clock
from billing.runtime.observability import count
from billing.usecases import dead_letters as usecases


def replay_dead_letters(_event: dict[str, Any]) -> dict[str, int]:
    run = usecases.replay_dead_letters(
        queues=dead_letters.queues(), book=table.letter_book(), replays=dead_letters.replays(), clock=clock
    )
    for name, value in (
        ("DeadLetterReplayed", run.replayed),
        ("DeadLetterReplayFailed", run.failed),
        ("DeadLetterLeft", run.left),
    ):
        if value:
            count(name, value)
    return {"replayed": run.replayed, "failed": run.failed, "left": run.left}


handler = task_point(replay_dead_letters)
