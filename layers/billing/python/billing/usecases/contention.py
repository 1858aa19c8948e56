"""Writers of one resource that wait for each other, so that a person whose request names no version sees no refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from billing.domain.errors import BillingError, Busy, StaleVersion
from billing.ports.clock import Clock, Ids

BUDGET_SECONDS = 20.0  # below API Gateway's 30 s
FIRST_PAUSE_SECONDS = 0.004
LONGEST_PAUSE_SECONDS = 0.25
T = TypeVar("T")


def judged_anew(attempt: Callable[[], T], *, clock: Clock, ids: Ids, exhausted: type[BillingError] = Busy) -> T:
    """Attempt again, after a jittered pause, each time another writer came first.

    Every attempt reads what it judges by: what the other wrote may forbid it now. The pause grows, so that many leave
    each other room, and shrinks again towards the end of the budget: who waited longest is not passed by who came last.

    Raises: what the attempt refuses, and ``exhausted`` once the budget of a request is spent.
    """
    started = clock.monotonic()
    pause = FIRST_PAUSE_SECONDS
    while True:
        try:
            return attempt()
        except StaleVersion as stale:
            left = 1 - (clock.monotonic() - started) / BUDGET_SECONDS
            if left < 0:
                raise exhausted from stale
        clock.sleep(min(pause, max(LONGEST_PAUSE_SECONDS * left, FIRST_PAUSE_SECONDS)) * ids.jitter())
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
