"""Dead letters are replayed by themselves within limits; what remains is an operator's to decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from billing.domain.dead_letters import DeadLetter, LetterDecision, LetterRecord, LetterState
from billing.domain.errors import NotFound, StaleVersion
from billing.ports.clock import Clock, Ids
from billing.ports.dead_letters import DeadLetters, LetterBook, ReplayFailed, Replays
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.usecases.contention import judged_anew
from billing.usecases.turns import Turns

LETTERS_PER_RUN = 50  # of each queue
REPLAYS_PER_RUN = 20
FAILURES_PER_FUNCTION = 3  # in a run: its others wait for the next one
DIED = "ReplayDied"
RUN_BUDGET_SECONDS = 150.0  # a replay may take as long as its function; the run's own function has more


@dataclass(kw_only=True)
class LetterRun:
    """What a run did. ``left``: how many it gave up for a person to decide."""

    replayed: int = 0
    failed: int = 0
    left: int = 0
    failures: Counter[str] = field(default_factory=Counter)


def replay_dead_letters(
    *, queues: Sequence[DeadLetters], book: LetterBook, replays: Replays, clock: Clock
) -> LetterRun:
    """Replay what is due of each queue, the first time after five minutes, three times at most.

    Each replay is counted before it is made, and a letter leaves its queue after its end was written down: two runs at
    once make a replay once, and one that dies loses nothing. What is not replayed stays visible in its queue.

    Raises: the first failure, once every other letter had its turn.
    """
    run = LetterRun()
    turns = Turns()
    deadline = clock.monotonic() + RUN_BUDGET_SECONDS
    for queue in queues:
        kept: list[DeadLetter] = []
        with turns.one():
            for letter in queue.receive(LETTERS_PER_RUN):
                kept.append(letter)
                if clock.monotonic() > deadline:
                    continue
                with turns.one(passed_over=StaleVersion):  # an operator decided, or another run has it
                    if _turn(letter, run, queue=queue, book=book, replays=replays, clock=clock):
                        kept.pop()
        for letter in kept:
            with turns.one():
                queue.show(letter)
    turns.end()
    return run


def _turn(
    letter: DeadLetter,
    run: LetterRun,
    *,
    queue: DeadLetters,
    book: LetterBook,
    replays: Replays,
    clock: Clock,
) -> bool:
    """Whether the letter has left its queue. Raises: StaleVersion, DependencyUnavailable."""
    record = book.letter(letter.letter_id)
    if record is None:
        record = LetterRecord.of(letter)
        book.save(record)
    if record.is_used_up(clock.now()):  # by runs that died in it
        record = record.failed(record.error or DIED)
        book.save(record)
        run.left += 1
    elif record.is_due(clock.now()) and _has_room(run, record.about):
        record = _replayed(letter, record.begun(clock.now()), run, book=book, replays=replays, clock=clock)
    if record.has_ended:
        queue.discard(letter)
    return record.has_ended


def _has_room(run: LetterRun, about: str) -> bool:
    return run.replayed + run.failed < REPLAYS_PER_RUN and run.failures[about] < FAILURES_PER_FUNCTION


def _replayed(
    letter: DeadLetter,
    begun: LetterRecord,
    run: LetterRun,
    *,
    book: LetterBook,
    replays: Replays,
    clock: Clock,
) -> LetterRecord:
    book.save(begun)
    try:
        replays.replay(letter)
    except ReplayFailed as failure:
        ended = begun.failed(failure.error)
        run.failed += 1
        run.failures[begun.about] += 1
        run.left += ended.state is LetterState.LEFT
    else:
        ended = begun.ended(LetterState.REPLAYED, clock.now())
        run.replayed += 1
    book.save(ended)
    return ended


def decide_dead_letter(
    letter_id: str,
    decision: LetterDecision,
    *,
    by: str,
    note: str,
    once: IdempotentRequest | None = None,
    book: LetterBook,
    clock: Clock,
    ids: Ids,
) -> LetterRecord:
    """The next run replays it anew or discards it. Raises: NotFound, DeadLetterEnded, AlreadyAnswered."""

    def attempt() -> LetterRecord:
        record = book.letter(letter_id, once)
        if record is None:
            raise NotFound
        decided = record.decided(decision, by, note, clock.now())
        book.save(decided, once=once)
        return decided

    return judged_anew(attempt, clock=clock, ids=ids)


def list_dead_letters(year: int | None, page: PageRequest, *, book: LetterBook) -> Page[LetterRecord]:
    """Those that wait or are left, the oldest first; with a year, all that were sent in it, latest first."""
    return book.list_all(year, page) if year is not None else book.list_open(page)
