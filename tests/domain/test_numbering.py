"""One unbroken chronological sequence per series (CGI annex II art. 242 nonies A, I, 7°)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.domain.errors import IssueDateTooEarly
from billing.domain.numbering import (
    DEFAULT_PATTERNS,
    GENESIS_HASH,
    NumberPattern,
    Series,
    SeriesState,
    allocate,
)

DEFAULT = DEFAULT_PATTERNS[Series.INVOICE]
UNTOUCHED = SeriesState.untouched(Series.INVOICE)
AT_41 = SeriesState(series=Series.INVOICE, year=2026, last_rank=41, last_date=date(2026, 11, 20), last_hash="a" * 64)


@pytest.mark.parametrize(
    ("series", "number"), [("invoice", "F2026-00007"), ("credit_note", "A2026-00007"), ("quote", "D2026-00007")]
)
def test_each_series_has_its_default_mask(series: str, number: str) -> None:
    assert DEFAULT_PATTERNS[Series(series)].format(2026, 7) == number


@pytest.mark.parametrize(
    ("mask", "number"),
    [
        ("F{year}-{00001}", "F2026-00042"),
        ("F{year}-{1}", "F2026-42"),
        ("{year}{0001}", "20260042"),
        ("FA/{year}/{001}/B", "FA/2026/042/B"),
        ("a+b_{year}-{01}", "a+b_2026-42"),
    ],
)
def test_a_mask_writes_year_and_padded_rank(mask: str, number: str) -> None:
    assert NumberPattern(mask).format(2026, 42) == number


def test_a_rank_wider_than_its_padding_is_written_whole() -> None:
    assert NumberPattern("F{year}-{001}").format(2026, 12_345) == "F2026-12345"


@pytest.mark.parametrize(
    "mask",
    [
        "",
        "F-00001",
        "F{year}",
        "{00001}",
        "{00001}{year}",
        "F{year}-{00000}",
        "F{year}-{00002}",
        "F{year}-{}",
        "F{year}-{00001}-{00001}",
        "F{year}{year}-{1}",
        "F{month}{year}-{1}",
        "F {year}-{00001}",
        "F.{year}-{00001}",
        "É{year}-{00001}",
        "F{year}-{00001}\n",
        "F#{year}-{00001}",
        "X" * 22 + "{year}{1}",
        "F{year}-{" + "0" * 40 + "1}",
    ],
)
def test_a_mask_that_could_print_a_bad_number_is_refused(mask: str) -> None:
    with pytest.raises(ValueError, match="number"):
        NumberPattern(mask)


def test_a_number_has_at_most_35_characters() -> None:  # BR-FR-01
    longest = NumberPattern("X" * 21 + "{year}{1}")

    assert len(longest.format(9999, 10**10 - 1)) == 35


@pytest.mark.parametrize(
    ("mask", "other"),
    [
        ("F{year}-{00001}", "F{year}-{1}"),
        ("F{year}-1{1}", "F{year}-{1}"),
        ("F{year}{01}", "F{year}0{1}"),
        ("F{year}{1}", "F2026{year}{1}"),
        ("F{year}/{1}0", "F{year}/{001}"),
        ("F{year}-{000000000001}", "F{year}-00{0000000001}"),
    ],
)
def test_masks_that_print_one_number_both_are_told_by_it(mask: str, other: str) -> None:
    for one, two in ((mask, other), (other, mask)):
        assert NumberPattern(one).shared_number(NumberPattern(two)) is not None


@pytest.mark.parametrize(
    ("mask", "other"),
    [
        ("F{year}-{00001}", "A{year}-{00001}"),
        ("F{year}-{00001}", "F{year}/{00001}"),
        ("F{year}-{1}", "F{year}-0{1}"),  # a rank has no zero before it beyond its padding
        ("F{year}-{001}", "F{year}-000{1}A"),
        ("F{year}-{00001}", "F{year}-0000{01}"),
        ("F{year}/{001}1", "F{year}/000{1}"),  # they would meet at the rank 0, which nothing takes
        ("F{year}{1}", "F{year}0{1}"),
        ("F{year}-{000000000001}", "F{year}-1{1}"),  # no rank has twelve digits of its own
        ("FA{year}-{1}", "F{year}-{1}"),
    ],
)
def test_masks_that_never_meet_share_no_number(mask: str, other: str) -> None:
    for one, two in ((mask, other), (other, mask)):
        assert NumberPattern(one).shared_number(NumberPattern(two)) is None


def test_the_first_number_follows_nothing() -> None:
    allocation = allocate(UNTOUCHED, DEFAULT, date(2026, 11, 23))

    assert (allocation.year, allocation.rank, allocation.number) == (2026, 1, "F2026-00001")
    assert allocation.previous.last_hash == GENESIS_HASH
    assert allocation.opens_year


def test_the_next_number_follows_the_last() -> None:
    allocation = allocate(AT_41, DEFAULT, date(2026, 11, 20))

    assert (allocation.rank, allocation.number, allocation.previous) == (42, "F2026-00042", AT_41)
    assert not allocation.opens_year


@pytest.mark.parametrize("day", [date(2027, 1, 1), date(2028, 2, 29)])
def test_a_new_year_restarts_at_one(day: date) -> None:
    allocation = allocate(AT_41, DEFAULT, day)

    assert (allocation.year, allocation.rank, allocation.number) == (day.year, 1, f"F{day.year}-00001")
    assert allocation.opens_year


def test_a_date_before_the_last_one_is_refused() -> None:
    with pytest.raises(IssueDateTooEarly) as refused:
        allocate(AT_41, DEFAULT, date(2026, 11, 19))

    assert "2026-11-20" in refused.value.detail_en
    assert "20/11/2026" in refused.value.detail_fr


def test_the_old_year_stays_closed_once_the_new_one_is_open() -> None:
    opened = replace(AT_41, year=2027, last_rank=1, last_date=date(2027, 1, 1))

    with pytest.raises(IssueDateTooEarly):
        allocate(opened, DEFAULT, date(2026, 12, 31))


def test_a_new_mask_goes_on_where_the_old_one_stood() -> None:
    assert allocate(AT_41, NumberPattern("FAC{year}{001}"), date(2026, 12, 1)).number == "FAC2026042"


@pytest.mark.parametrize(("previous", "day", "opening"), [
    (None, date(2026, 11, 24), 0),
    (replace(AT_41, month_opening=30), date(2026, 11, 24), 30),
    (AT_41, date(2026, 11, 24), None),
    (AT_41, date(2026, 12, 1), 41),
    (AT_41, date(2027, 1, 1), 0),
    (AT_41, date(2027, 11, 20), 0),
])  # fmt: skip
def test_a_series_knows_where_its_month_began(previous: SeriesState | None, day: date, opening: int | None) -> None:
    allocation = allocate(previous or SeriesState.untouched(Series.INVOICE), DEFAULT_PATTERNS[Series.INVOICE], day)

    state = allocation.state_after("b" * 64)

    assert (state.last_rank, state.last_date, state.month_opening) == (allocation.rank, day, opening)
    assert state.numbered_in_month_of(day) == (None if opening is None else allocation.rank - opening)
    assert state.numbered_in_month_of(day + timedelta(days=31)) == 0
