"""Numbers are dense and the chain unbroken under any interleaving of issue attempts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from billing.domain.access import Caller
from billing.domain.errors import IssueDateTooEarly
from billing.domain.numbering import NumberPattern, Series, SeriesState, allocate
from billing.domain.verification import ChainPosition, check_page
from billing.ports.repositories import SeriesMoved
from tests import factories
from tests.fakes.clock import MORNING
from tests.fakes.repositories import FakeRepositories, fake_repositories
from tests.properties.strategies import examined

UNTOUCHED = SeriesState.untouched(Series.INVOICE)
DAYS = [date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 1), date(2027, 1, 2)]


def _issuer(held: FakeRepositories, caller: Caller, index: int, day: date) -> Iterator[None]:
    """One request: reads the series, then tries until its number is taken; another may run at each pause."""
    draft = factories.draft(caller.tenant_id, f"inv_{index:03d}")
    held.invoices.create(caller, draft, event=factories.event(f"evt_c{index}"), once=factories.once(f"c{index}"))
    state = held.verifications.series_heads(caller)[0]
    while True:
        yield
        on = max(day, state.last_date or day)
        invoice, allocation, _ = factories.issued_after(state, draft, on=on)
        try:
            held.invoices.issue(
                caller,
                invoice,
                draft=draft,
                allocation=allocation,
                event=factories.event(f"evt_i{index}"),
                delivery=factories.delivery_request(caller.tenant_id, draft.invoice_id),
                once=factories.once(f"i{index}", operation="issueInvoice"),
            )
        except SeriesMoved as moved:
            state = moved.state
        else:
            return


@examined
@given(st.lists(st.sampled_from(DAYS), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_any_interleaving_gives_dense_numbers_and_a_chain_that_proves_itself(days: list[date], random: Random) -> None:
    held, caller = fake_repositories(), factories.caller()
    held.memberships.found(factories.membership(caller), at=MORNING)
    running = [_issuer(held, caller, index, day) for index, day in enumerate(days)]

    while running:
        turn = random.choice(running)
        if next(turn, "ended") == "ended":
            running.remove(turn)

    target = held.verifications.series_heads(caller)[0]
    for limit in (1, 3, 100):
        position, ranks = ChainPosition(), []
        while page := held.verifications.page(caller.tenant_id, position, target, limit=limit):
            position, findings = check_page(position, page)
            assert findings == ()
            ranks += [(item.year, item.rank) for item in page]
        assert len(ranks) == len(days)
        assert (position.year, position.rank, position.last_hash) == (target.year, target.last_rank, target.last_hash)
        for year in {year for year, _ in ranks}:
            assert [rank for of, rank in ranks if of == year] == list(
                range(1, len([r for r in ranks if r[0] == year]) + 1)
            )


@examined
@given(st.lists(st.dates(date(2026, 1, 1), date(2030, 12, 31)), max_size=25))
def test_ranks_are_dense_within_each_year_and_dates_never_fall(days: list[date]) -> None:
    state, taken = UNTOUCHED, []
    for day in days:
        try:
            allocation = allocate(state, NumberPattern("F{year}-{00001}"), day)
        except IssueDateTooEarly:
            assert state.last_date is not None
            assert day < state.last_date
            continue
        taken.append(allocation)
        state = allocation.state_after("x")
        month = [one for one in taken if (one.year, one.issue_date.month) == (day.year, day.month)]
        assert state.numbered_in_month_of(day) == len(month)

    dates = [allocation.issue_date for allocation in taken]
    assert dates == sorted(dates)
    assert len({allocation.number for allocation in taken}) == len(taken)
    for year in {allocation.year for allocation in taken}:
        ranks = [allocation.rank for allocation in taken if allocation.year == year]
        assert ranks == list(range(1, len(ranks) + 1))


# Few signs and short pieces: masks that meet are then as common as masks that do not.
SHORT_MASKS = st.from_regex(r"F?[012]{0,2}\{year\}[-01]{0,2}\{0{0,3}1\}[01]{0,2}", fullmatch=True).map(NumberPattern)
YEARS = (*range(2024, 2030), 1, 100, 1202, 2000, 2011, 2102)


def _prints(pattern: NumberPattern, number: str) -> bool:
    """Whether some year and rank give this number: every way to cut it is tried."""
    cuts = ((start, year_end) for start in range(len(number)) for year_end in [start + 4])
    return any(
        year.isdigit() and rank.isdigit() and int(rank) > 0 and pattern.format(int(year), int(rank)) == number
        for start, year_end in cuts
        for rank_start in range(year_end, len(number))
        for rank_end in range(rank_start + 1, len(number) + 1)
        for year, rank in [(number[start:year_end], number[rank_start:rank_end])]
    )


@examined
@given(SHORT_MASKS, SHORT_MASKS)
def test_two_masks_share_a_number_if_and_only_if_both_print_one(mine: NumberPattern, theirs: NumberPattern) -> None:
    shared = mine.shared_number(theirs)

    if shared is not None:
        assert _prints(mine, shared)
        assert _prints(theirs, shared)
    else:
        printed, others = (
            {pattern.format(year, rank) for year in YEARS for rank in range(1, 130)} for pattern in (mine, theirs)
        )
        assert printed.isdisjoint(others)
        assert not any(_prints(theirs, mine.format(year, rank)) for year in (2026, 2101) for rank in (1, 10, 11, 101))


@examined
@given(
    st.from_regex(
        r"[A-Za-z0-9+\-_/]{0,8}\{year\}[A-Za-z0-9+\-_/]{0,6}\{0{0,7}1\}[A-Za-z0-9+\-_/]{0,5}", fullmatch=True
    ),
    st.tuples(st.integers(2000, 9999), st.integers(1, 10**9)),
    st.tuples(st.integers(2000, 9999), st.integers(1, 10**9)),
)
def test_one_mask_never_prints_one_number_twice(mask: str, one: tuple[int, int], other: tuple[int, int]) -> None:
    pattern = NumberPattern(mask)

    assert (pattern.format(*one) == pattern.format(*other)) is (one == other)
