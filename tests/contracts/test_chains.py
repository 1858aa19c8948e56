"""The daily heads of the chains, over the fakes and over the table: each day once, whatever dies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from billing.domain.access import Caller
from billing.domain.chain_head import ChainHead
from billing.domain.errors import DependencyUnavailable, StaleVersion
from billing.domain.feed import FeedHead, PlacedEvent
from billing.ports.chains import Chains
from billing.usecases.chain_heads import ChainHeadDiffers, keep_chain_heads
from billing.usecases.events import place_events
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING, FakeClock, FakeIds
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import FakeDocuments

FAR_AHEAD = MORNING + timedelta(days=4000)


class OfOneTest:
    """Chains whose awaited days are those of two companies: other tests have other stores of documents."""

    def __init__(self, chains: Chains, tenant_ids: set[str]) -> None:
        self._chains = chains
        self._tenant_ids = tenant_ids

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chains, name)

    def awaited(self, *given: Any, **named: Any) -> Any:
        page, after = self._chains.awaited(*given, **named)
        return tuple(one for one in page if one.tenant_id in self._tenant_ids), after


class Chaining:
    """A company whose events are placed at once, on the day that the clock shows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = FakeClock()
        tenants = {world.caller.tenant_id, world.stranger.tenant_id}
        self.heads: Any = OfOneTest(world.repositories.chains, tenants)
        self.documents = FakeDocuments()

    @property
    def tenant_id(self) -> str:
        return self.world.caller.tenant_id

    def moves(self, of: Caller | None = None) -> None:
        """Two events, or one: each gets its place now."""
        feed = self.world.repositories.event_feed
        self.world.add_customer(of=of)
        tenant_id = (of or self.world.caller).tenant_id
        for shard in range(feed.shards):
            after: str | None = ""
            while after is not None:
                page, after = feed.waiting(FAR_AHEAD, shard=shard, limit=100, after=after or None)
                own = [one for one in page if one.tenant_id == tenant_id]
                place_events(own, feed=feed, clock=self.clock, ids=FakeIds())

    def keep(self) -> int:
        self.parked: list[str] = []
        return keep_chain_heads(chains=self.heads, documents=self.documents, clock=self.clock, park=self.parked.append)

    def kept(self, of: Caller | None = None) -> list[ChainHead]:
        tenant_id = (of or self.world.caller).tenant_id
        found = [text for key, text in self.documents.stored.items() if key.startswith(f"{tenant_id}/heads/")]
        return [ChainHead.read(text.decode()) for text in found]

    def awaited(self, before: date) -> list[date]:
        found = []
        for shard in range(self.heads.shards):
            page, _ = self.heads.awaited(before, shard=shard, limit=1000)
            found += [one.day for one in page if one.tenant_id == self.tenant_id]
        return found

    def places(self) -> tuple[PlacedEvent, ...]:
        return self.world.repositories.chains.places(self.tenant_id, after=0, limit=100)


@pytest.fixture
def chaining(world: World) -> Chaining:
    return Chaining(world)


def test_the_head_of_a_day_is_kept_once_the_day_is_over(chaining: Chaining) -> None:
    chaining.moves()
    chaining.moves()
    today = chaining.clock.today()
    stood = chaining.heads.stand(chaining.tenant_id)

    chaining.keep()
    assert chaining.kept() == []  # the day goes on

    chaining.clock.advance(timedelta(days=1))
    chaining.keep()

    [head] = chaining.kept()
    assert (head.day, head.sequence, head.chain_hash) == (today, stood.sequence, stood.chain_hash)
    assert head.chain_hash == chaining.places()[-1].chain_hash
    assert chaining.documents.kept_until[head.key] >= today.replace(year=today.year + 11)
    assert chaining.awaited(today + timedelta(days=2)) == []
    before = dict(chaining.documents.stored)
    chaining.keep()
    assert chaining.documents.stored == before


def test_a_day_without_an_event_has_no_head_and_each_other_has_one(chaining: Chaining) -> None:
    days = []
    for further in (1, 3, 1):
        chaining.moves()
        days.append(chaining.clock.today())
        chaining.clock.advance(timedelta(days=further))
    chaining.moves()

    chaining.keep()

    assert [head.day for head in chaining.kept()] == days
    assert chaining.awaited(chaining.clock.today() + timedelta(days=1)) == [chaining.clock.today()]
    listed = chaining.heads.from_day(chaining.tenant_id, days[1], limit=10)
    assert [head.day for head in listed] == days[1:]
    assert chaining.heads.from_day(chaining.tenant_id, days[0], limit=1) == (chaining.kept()[0],)


def test_each_company_has_its_own_heads(chaining: Chaining) -> None:
    chaining.moves()
    chaining.moves(chaining.world.stranger)
    chaining.clock.advance(timedelta(days=1))

    chaining.keep()

    [own], [theirs] = chaining.kept(), chaining.kept(chaining.world.stranger)
    assert own.chain_hash != theirs.chain_hash
    assert own.tenant_id != theirs.tenant_id


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("at", range(1, 13))
def test_a_run_that_dies_anywhere_leaves_one_head_for_the_day(chaining: Chaining, at: int, after: bool) -> None:
    chaining.moves()
    chaining.clock.advance(timedelta(days=1))
    crash = CrashPoint(at=at, after=after)

    try:
        keep_chain_heads(
            chains=crash.watch(chaining.heads),
            documents=crash.watch(chaining.documents),
            clock=chaining.clock,
            park=list[str]().append,
        )
    except Crashed:
        chaining.moves()  # the chain goes on meanwhile, and the next run comes an hour later
        chaining.clock.advance(timedelta(hours=1))
    chaining.keep()

    [head] = chaining.kept()
    [held] = [one for one in chaining.places() if one.sequence == head.sequence]
    assert head.chain_hash == held.chain_hash
    assert chaining.awaited(chaining.clock.today()) == []


def test_what_a_head_is_is_said_once(chaining: Chaining) -> None:
    chaining.moves()
    first = ChainHead(
        tenant_id=chaining.tenant_id,
        day=chaining.clock.today(),
        sequence=2,
        chain_hash="a" * 64,
        fixed_at=chaining.clock.now(),
    )
    second = replace(first, sequence=3, chain_hash="b" * 64)

    assert chaining.heads.fix(first) == first
    assert chaining.heads.fix(second) == first
    with pytest.raises(StaleVersion):
        chaining.heads.settle(second)
    chaining.heads.settle(first)
    chaining.heads.settle(first)
    assert chaining.heads.fix(second) == first


def test_the_last_head_before_an_instant(chaining: Chaining) -> None:
    fixed: list[datetime] = []
    for _ in range(50):  # more than one look shows
        chaining.moves()
        chaining.clock.advance(timedelta(days=1))
        fixed.append(chaining.clock.now())
        chaining.keep()

    before = [chaining.heads.before(chaining.tenant_id, instant) for instant in (fixed[0], fixed[1], fixed[49])]

    assert before[0] is None
    assert [head and head.fixed_at for head in before[1:]] == [fixed[0], fixed[48]]
    late = ChainHead(
        tenant_id=chaining.tenant_id,
        day=chaining.clock.today(),
        sequence=1,
        chain_hash="c" * 64,
        fixed_at=chaining.clock.now() + timedelta(days=90),
    )
    chaining.moves()
    chaining.heads.settle(chaining.heads.fix(late))  # a head may be fixed long after its day
    assert chaining.heads.before(chaining.tenant_id, late.fixed_at - timedelta(days=60)) != late


def test_heads_that_wait_for_their_object_are_not_shown(chaining: Chaining) -> None:
    chaining.moves()
    today = chaining.clock.today()
    chaining.clock.advance(timedelta(days=1))
    head = ChainHead(
        tenant_id=chaining.tenant_id, day=today, sequence=1, chain_hash="a" * 64, fixed_at=chaining.clock.now()
    )
    later = chaining.clock.now() + timedelta(days=1)

    chaining.heads.fix(head)
    assert (chaining.heads.from_day(head.tenant_id, today, limit=9), chaining.heads.before(head.tenant_id, later)) == (
        (),
        None,
    )

    chaining.heads.settle(head)
    assert (chaining.heads.from_day(head.tenant_id, today, limit=9), chaining.heads.before(head.tenant_id, later)) == (
        (head,),
        head,
    )


@pytest.mark.parametrize("change", ["gone", "another", "chain"])
def test_an_earlier_head_that_is_not_the_locked_one_is_found_the_day_after(chaining: Chaining, change: str) -> None:
    if change == "chain":  # the row and the object agree with each other, and not with the chain
        chaining.moves()
        wrong = ChainHead(
            tenant_id=chaining.tenant_id,
            day=chaining.clock.today(),
            sequence=1,
            chain_hash="b" * 64,
            fixed_at=chaining.clock.now() + timedelta(days=1),
        )
        chaining.heads.fix(wrong)
    else:
        chaining.moves()
    chaining.clock.advance(timedelta(days=1))
    chaining.keep()
    [first] = chaining.kept()
    if change == "gone":
        del chaining.documents.stored[first.key]
    elif change == "another":
        chaining.documents.stored[first.key] = replace(first, chain_hash="c" * 64).text().encode()
    chaining.moves()
    chaining.clock.advance(timedelta(days=1))

    for _ in range(2):  # every hour, until somebody explains it
        with pytest.raises(ChainHeadDiffers):
            chaining.keep()
        assert chaining.parked == [chaining.tenant_id]

    assert chaining.kept()[-1].day == first.day + timedelta(days=1)  # the new head is kept all the same
    assert chaining.awaited(chaining.clock.today()) == [first.day + timedelta(days=1)]


def test_a_company_that_cannot_be_reached_keeps_no_other_waiting(chaining: Chaining) -> None:
    chaining.moves()
    chaining.moves(chaining.world.stranger)
    chaining.clock.advance(timedelta(days=1))

    class Failing(FakeDocuments):
        def put(self, key: str, content: bytes, *, media_type: str, kept_until: date | None = None) -> None:
            if key.startswith(chaining.tenant_id):
                raise DependencyUnavailable
            super().put(key, content, media_type=media_type, kept_until=kept_until)

    chaining.documents = Failing()
    with pytest.raises(DependencyUnavailable):
        chaining.keep()
    assert chaining.kept() == []
    assert len(chaining.kept(chaining.world.stranger)) == 1
    chaining.documents = FakeDocuments()
    chaining.keep()
    assert len(chaining.kept()) == 1


def test_a_chain_that_never_moved_stands_nowhere(chaining: Chaining) -> None:
    assert chaining.heads.stand("ten_nobody") == FeedHead()
    assert chaining.heads.before("ten_nobody", chaining.clock.now()) is None
    assert chaining.heads.places("ten_nobody", after=0, limit=10) == ()
