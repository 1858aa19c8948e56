"""Writers of one resource wait for each other: together they leave room, and nobody waits for ever."""

from __future__ import annotations

from typing import Never

import pytest

from billing.domain.errors import Busy, StaleVersion
from billing.usecases.contention import BUDGET_SECONDS, FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, judged_anew
from tests.fakes.clock import FakeClock, FakeIds


def test_who_waited_longest_asks_most_often_and_ends_with_the_budget() -> None:
    clock = FakeClock()

    def passed_by() -> Never:
        raise StaleVersion

    with pytest.raises(Busy):
        judged_anew(passed_by, clock=clock, ids=FakeIds(jitter=1.0))

    pauses = clock.slept
    assert pauses[0] == pauses[-1] == FIRST_PAUSE_SECONDS
    assert LONGEST_PAUSE_SECONDS / 2 < max(pauses) <= LONGEST_PAUSE_SECONDS
    longest = pauses.index(max(pauses))
    assert pauses[longest:] == sorted(pauses[longest:], reverse=True)
    assert BUDGET_SECONDS < sum(pauses) < BUDGET_SECONDS + LONGEST_PAUSE_SECONDS


def test_who_is_passed_by_once_answers_by_what_the_other_wrote() -> None:
    clock, written = FakeClock(), iter([False, True])

    def attempt() -> str:
        if not next(written):
            raise StaleVersion
        return "judged"

    assert judged_anew(attempt, clock=clock, ids=FakeIds()) == "judged"
    assert len(clock.slept) == 1
