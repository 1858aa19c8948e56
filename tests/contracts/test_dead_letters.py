"""The book of dead letters over the fake and the table."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.adapters.dynamodb.dead_letters import LetterBook as TableLetterBook
from billing.adapters.dynamodb.table import Table
from billing.domain.dead_letters import DeadLetter, LetterDecision, LetterQueue, LetterRecord, LetterState
from billing.domain.errors import IdempotencyKeyReused, StaleVersion
from billing.ports.dead_letters import LetterBook
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import PageRequest
from tests.engines import billing_table_definition
from tests.fakes.clock import FakeClock, FakeIds
from tests.fakes.dead_letters import FakeLetterBook

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture(params=["fakes", pytest.param("dynamodb", marks=pytest.mark.engine)])
def book(request: pytest.FixtureRequest) -> LetterBook:
    if request.param == "fakes":
        return FakeLetterBook()
    client = request.getfixturevalue("dynamodb")
    name = f"letters-{uuid.uuid4().hex[:8]}"
    client.create_table(TableName=name, **billing_table_definition())
    return TableLetterBook(Table(client, name, clock=FakeClock(), ids=FakeIds()))


def record(letter_id: str, *, minutes: int = 0) -> LetterRecord:
    letter = DeadLetter(
        letter_id=letter_id,
        queue=LetterQueue.STRIPE_EVENTS,
        receipt="r",
        sent_at=NOW + timedelta(minutes=minutes),
        text='{"event_id": "evt_1"}',
        attributes={},
    )
    return LetterRecord.of(letter)


def request(key: str, fingerprint: str = "f") -> IdempotentRequest:
    return IdempotentRequest(
        operation="decideDeadLetter",
        key=key,
        fingerprint=fingerprint,
        answer_of=lambda _: Answer(status=200, body="{}"),
    )


def test_a_record_comes_back_as_it_was_written_and_moves_by_versions(book: LetterBook) -> None:
    first = record("m1")
    assert book.letter("m1") is None
    book.save(first)
    with pytest.raises(StaleVersion):
        book.save(first)
    begun = first.begun(NOW)
    book.save(begun)

    assert book.letter("m1") == begun
    with pytest.raises(StaleVersion):
        book.save(replace(first, version=2))


def test_those_that_wait_are_listed_from_the_oldest_and_all_of_a_year_from_the_latest(book: LetterBook) -> None:
    for number in range(3):
        book.save(record(f"m{number}", minutes=number))
    ended = record("m1", minutes=1).ended(LetterState.REPLAYED, NOW)
    book.save(ended)

    assert [one.letter_id for one in book.list_open(PageRequest()).items] == ["m0", "m2"]
    first = book.list_all(2026, PageRequest(limit=2))
    second = book.list_all(2026, PageRequest(limit=2, position=first.position))
    assert [one.letter_id for one in (*first.items, *second.items)] == ["m2", "m1", "m0"]
    assert first.items[1] == ended
    assert book.list_all(2025, PageRequest()).items == ()


def test_a_decision_is_answered_once(book: LetterBook) -> None:
    first = record("m1")
    book.save(first)
    decided = first.decided(LetterDecision.DROP, "alix", "Vu", NOW)
    book.save(decided, once=request("k"))

    with pytest.raises(AlreadyAnswered):
        book.letter("m1", request("k"))
    with pytest.raises(IdempotencyKeyReused):
        book.letter("m1", request("k", "other"))
    assert book.letter("m1", request("other")) == decided
