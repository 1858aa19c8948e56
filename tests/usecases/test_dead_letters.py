"""Dead letters are replayed within limits, none is lost or replayed for ever, and a person decides what remains."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.domain.dead_letters import (
    REPLAYED_AFTER,
    DeadLetter,
    LetterDecision,
    LetterQueue,
    LetterRecord,
    LetterState,
)
from billing.domain.errors import DeadLetterEnded, DependencyUnavailable, NotFound
from billing.ports.paging import PageRequest
from billing.usecases.dead_letters import (
    DIED,
    FAILURES_PER_FUNCTION,
    REPLAYS_PER_RUN,
    LetterRun,
    decide_dead_letter,
    list_dead_letters,
    replay_dead_letters,
)
from tests.fakes.clock import FakeClock, FakeIds
from tests.fakes.dead_letters import FakeDeadLetters, FakeLetterBook, FakeReplays

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
STACK = "arn:aws:lambda:eu-west-3:123456789012:function:zenbilling"
READER, TASK = "zenbilling-streams-place-events", "zenbilling-scheduled-run-reminders"


def streams(letter_id: str, function: str = READER) -> DeadLetter:
    context = {"functionArn": f"{STACK}{function.removeprefix('zenbilling')}:live", "condition": "RetriesExhausted"}
    return DeadLetter(
        letter_id=letter_id,
        queue=LetterQueue.STREAMS,
        receipt=f"r-{letter_id}",
        sent_at=NOW,
        text=json.dumps({"requestContext": context}),
        attributes={},
    )


def scheduled(letter_id: str) -> DeadLetter:
    attributes = {"TARGET_ARN": f"{STACK}-scheduled-run-reminders", "ERROR_CODE": "AWS.Scheduler.InternalServerError"}
    return replace(streams(letter_id), queue=LetterQueue.EVENTS, text="{}", attributes=attributes)


class Office:
    def __init__(self) -> None:
        self.clock, self.ids = FakeClock(NOW), FakeIds()
        self.queue, self.book, self.replays = FakeDeadLetters(), FakeLetterBook(), FakeReplays()

    def run(self, after: timedelta = timedelta(0)) -> LetterRun:
        self.clock.advance(after)
        return replay_dead_letters(queues=[self.queue], book=self.book, replays=self.replays, clock=self.clock)

    def record(self, letter_id: str = "m1") -> LetterRecord:
        record = self.book.letter(letter_id)
        assert record is not None
        return record

    def decide(self, decision: LetterDecision, letter_id: str = "m1") -> LetterRecord:
        return decide_dead_letter(
            letter_id, decision, by="paul", note="Vu", book=self.book, clock=self.clock, ids=self.ids
        )


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_letter_cools_down_is_replayed_and_leaves_its_queue(office: Office) -> None:
    office.queue.put(streams("m1"))

    office.run()
    assert (office.replays.made, office.queue.hidden) == ([], set())  # alarms see it
    [listed] = list_dead_letters(None, PageRequest(), book=office.book).items
    assert (listed.about, listed.reason, listed.next_at) == (READER, "RetriesExhausted", NOW + REPLAYED_AFTER[0])

    assert office.run(REPLAYED_AFTER[0]).replayed == 1
    assert office.queue.letters == {}
    assert office.record().state is LetterState.REPLAYED
    assert list_dead_letters(None, PageRequest(), book=office.book).items == ()
    assert list_dead_letters(2026, PageRequest(), book=office.book).items == (office.record(),)


def test_after_three_failures_it_is_left_to_a_person_and_stays_in_sight(office: Office) -> None:
    office.queue.put(streams("m1"))
    office.replays.broken = {READER: "KeyError"}
    runs = [office.run(pause) for pause in REPLAYED_AFTER]

    assert [(one.failed, one.left) for one in runs] == [(1, 0), (1, 0), (1, 1)]
    office.replays.broken = {}
    office.run(timedelta(days=3))
    assert len(office.replays.made) == len(REPLAYED_AFTER)
    assert (office.record().state, office.record().error) == (LetterState.LEFT, "KeyError")
    assert office.queue.receive(10) != ()


def test_a_replay_is_not_made_before_its_pause_is_over(office: Office) -> None:
    office.queue.put(streams("m1"))
    office.replays.broken = {READER: "KeyError"}
    office.run(REPLAYED_AFTER[0])
    office.run(REPLAYED_AFTER[1] - timedelta(seconds=1))
    assert len(office.replays.made) == 1
    office.run(timedelta(seconds=1))
    assert len(office.replays.made) == 2


def test_one_broken_function_has_no_more_than_three_tries_in_a_run_and_keeps_no_other_waiting(office: Office) -> None:
    for number in range(FAILURES_PER_FUNCTION + 4):
        office.queue.put(streams(f"a{number}"))
    office.queue.put(scheduled("b"))
    office.replays.broken = {READER: "KeyError"}

    run = office.run(REPLAYED_AFTER[0])

    assert (run.failed, run.replayed) == (FAILURES_PER_FUNCTION, 1)
    assert office.record("b").state is LetterState.REPLAYED
    assert office.queue.hidden == {"b"}


def test_a_run_replays_no_more_than_twenty(office: Office) -> None:
    for number in range(REPLAYS_PER_RUN + 5):
        office.queue.put(streams(f"m{number}"))

    assert office.run(REPLAYED_AFTER[0]).replayed == REPLAYS_PER_RUN
    assert office.run().replayed == 5


def test_what_nobody_can_read_is_left_at_once(office: Office) -> None:
    office.queue.put(replace(streams("m1"), text="no JSON"))
    office.queue.put(replace(streams("m2"), text="[1]"))
    office.queue.put(replace(streams("m3"), queue=LetterQueue.EVENTS, text='{"Records": "x"}'))
    office.run(timedelta(days=1))

    assert office.replays.made == []
    assert {office.record(one).state for one in ("m1", "m2", "m3")} == {LetterState.LEFT}


@pytest.mark.parametrize("decision", LetterDecision)
def test_an_operator_decides_once_what_the_next_run_does(office: Office, decision: LetterDecision) -> None:
    office.queue.put(streams("m1"))
    office.replays.broken = {READER: "KeyError"}
    for pause in REPLAYED_AFTER:
        office.run(pause)
    office.replays.broken = {}

    office.decide(decision)
    office.run()

    assert office.queue.letters == {}
    assert office.record().state.value == {"replay": "replayed", "drop": "dropped"}[decision.value]
    assert (office.record().decided_by, office.record().note) == ("paul", "Vu")
    assert len(office.replays.made) == len(REPLAYED_AFTER) + (decision is LetterDecision.REPLAY)
    with pytest.raises(DeadLetterEnded):
        office.decide(decision)


def test_a_letter_may_be_dropped_before_any_replay(office: Office) -> None:
    office.queue.put(streams("m1"))
    office.run()
    office.decide(LetterDecision.DROP)
    office.run(timedelta(days=1))

    assert office.replays.made == []
    assert office.record().state is LetterState.DROPPED
    with pytest.raises(NotFound):
        office.decide(LetterDecision.DROP, "other")


def test_a_run_that_dies_in_a_replay_has_used_it_up(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.queue.put(streams("m1"))
    monkeypatch.setattr(office.replays, "replay", _die)
    with pytest.raises(KeyboardInterrupt):
        office.run(REPLAYED_AFTER[0])
    monkeypatch.undo()
    office.queue.hidden.clear()  # what it held is in sight again after a while

    assert office.run().replayed == 0
    assert office.record().attempts == 1
    assert office.run(REPLAYED_AFTER[1]).replayed == 1


def test_runs_that_die_in_every_replay_leave_it_to_a_person(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.queue.put(streams("m1"))
    monkeypatch.setattr(office.replays, "replay", _die)
    for pause in REPLAYED_AFTER:
        with pytest.raises(KeyboardInterrupt):
            office.run(pause)
        office.queue.hidden.clear()

    assert office.run(timedelta(days=1)).left == 1
    assert (office.record().state, office.record().error) == (LetterState.LEFT, DIED)


def test_a_run_that_dies_before_it_empties_the_queue_replays_nothing_twice(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.queue.put(streams("m1"))
    monkeypatch.setattr(office.queue, "discard", _unreachable)
    with pytest.raises(DependencyUnavailable):
        office.run(REPLAYED_AFTER[0])
    assert office.record().state is LetterState.REPLAYED
    monkeypatch.undo()
    office.queue.hidden.clear()

    office.run()
    assert (office.replays.made, office.queue.letters) == (["m1"], {})


def test_a_queue_that_cannot_be_reached_keeps_no_other_waiting(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.queue.put(streams("m1"))
    away = FakeDeadLetters()
    monkeypatch.setattr(away, "receive", _unreachable)
    office.clock.advance(REPLAYED_AFTER[0])

    with pytest.raises(DependencyUnavailable):
        replay_dead_letters(queues=[away, office.queue], book=office.book, replays=office.replays, clock=office.clock)
    assert office.replays.made == ["m1"]


def _unreachable(*_: object) -> None:
    raise DependencyUnavailable


def _die(*_: object) -> None:
    raise KeyboardInterrupt
