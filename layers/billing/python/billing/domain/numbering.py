"""One unbroken chronological sequence per series (CGI annex II art. 242 nonies A, I, 7°).

A series restarts each calendar year; the year and the rank live in an explicit record, never in the
formatted text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from billing.domain.canonical import LATER
from billing.domain.dates import format_french
from billing.domain.errors import IssueDateTooEarly

NUMBER_FORM = re.compile(r"[A-Za-z0-9+\-_/]{1,35}")  # BR-FR-01, BR-FR-02
_PATTERN_FORM = re.compile(r"(?P<before>[^{}]*)\{year\}(?P<between>[^{}]*)\{(?P<digits>0*1)\}(?P<after>[^{}]*)")
GENESIS_HASH = "0" * 64
MAX_SEQUENCE = 10**10 - 1
_MAX_RANK_DIGITS = len(str(MAX_SEQUENCE))
_DIGITS = "0123456789"


class Series(StrEnum):
    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    QUOTE = "quote"


@dataclass(frozen=True, slots=True)
class NumberPattern:
    """A company's mask: literal text, ``{year}`` and the padded rank ``{00001}``, as in ``F{year}-{00001}``."""

    text: str

    def __post_init__(self) -> None:
        if _PATTERN_FORM.fullmatch(self.text) is None:
            raise ValueError("a number pattern holds {year} then {00001}")
        if NUMBER_FORM.fullmatch(self.format(9999, MAX_SEQUENCE)) is None:
            raise ValueError("a number has at most 35 letters, digits or + - _ /")

    def format(self, year: int, rank: int) -> str:
        form = _PATTERN_FORM.fullmatch(self.text)
        assert form is not None  # noqa: S101 - held by __post_init__
        padding = len(form["digits"])
        return f"{form['before']}{year:04d}{form['between']}{rank:0{padding}d}{form['after']}"

    def shared_number(self, other: NumberPattern) -> str | None:
        """A number that both print, each for a year and a rank of its own; None when there is none."""
        for mine in self._shapes():
            for theirs in other._shapes():
                if len(mine.places) == len(theirs.places):
                    shared = _in_both(mine, theirs)
                    if shared is not None:
                        return shared
        return None

    def _shapes(self) -> Iterator[_Shape]:
        """What the numbers look like, by width of the rank: it grows beyond its padding."""
        form = _PATTERN_FORM.fullmatch(self.text)
        assert form is not None  # noqa: S101 - held by __post_init__
        padding = len(form["digits"])
        before = (*form["before"], *[_DIGITS] * 4, *form["between"])
        for width in range(padding, max(padding, _MAX_RANK_DIGITS) + 1):
            zeros = max(0, width - _MAX_RANK_DIGITS)
            rank = ["0"] * zeros + [_DIGITS] * (width - zeros)
            if width > padding:
                rank[0] = _DIGITS[1:]
            yield _Shape((*before, *rank, *form["after"]), slice(len(before), len(before) + width))


@dataclass(frozen=True, slots=True)
class _Shape:
    """Numbers of one length: the characters that may stand at each place, and where the rank is."""

    places: tuple[str, ...]
    rank: slice


def _in_both(one: _Shape, other: _Shape) -> str | None:
    """The greatest number of both shapes: if any has two ranks above zero, this one has."""
    common = ["".join(set(mine) & set(theirs)) for mine, theirs in zip(one.places, other.places, strict=True)]
    if not all(common):
        return None
    greatest = "".join(max(characters) for characters in common)
    ranks = (greatest[shape.rank].strip("0") for shape in (one, other))
    return greatest if all(ranks) else None


DEFAULT_PATTERNS = {
    Series.INVOICE: NumberPattern("F{year}-{00001}"),
    Series.CREDIT_NOTE: NumberPattern("A{year}-{00001}"),
    Series.QUOTE: NumberPattern("D{year}-{00001}"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesStart:
    """The last document of a series in the tool that a company comes from: its own first one follows."""

    series: Series
    last_rank: int
    last_date: date
    last_number: str

    def __post_init__(self) -> None:
        if not 1 <= self.last_rank < MAX_SEQUENCE:
            raise ValueError("a series goes on from a rank of its own")

    def state(self) -> SeriesState:
        """Where the series stands before its first document here."""
        return SeriesState(
            series=self.series,
            year=self.last_date.year,
            last_rank=self.last_rank,
            last_date=self.last_date,
            last_hash=GENESIS_HASH,
            start=self,
            month_opening=self.last_rank,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesState:
    """Where a series stands: its open year, last rank, last issue date and last document's hash."""

    series: Series
    year: int
    last_rank: int
    last_date: date | None
    last_hash: str
    start: SeriesStart | None = field(default=None, metadata=LATER)  # where asked for: issuing does without
    # The last rank before the month of the last date; None for what was written before it was kept.
    month_opening: int | None = field(default=None, metadata=LATER)

    @classmethod
    def untouched(cls, series: Series) -> SeriesState:
        return cls(series=series, year=0, last_rank=0, last_date=None, last_hash=GENESIS_HASH)

    def numbered_in_month_of(self, day: date) -> int | None:
        """How many documents of the series are dated in that month, the last one or a later; None: it is not known."""
        if self.last_date is None or _month(self.last_date) != _month(day):
            return 0
        return None if self.month_opening is None else self.last_rank - self.month_opening


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberAllocation:
    """The next number of a series, and what it follows."""

    series: Series
    year: int
    rank: int
    number: str
    issue_date: date
    previous: SeriesState

    @property
    def before_in_month(self) -> int | None:
        """How many documents of the series are dated in the month of this one already; None: it is not known."""
        return self.previous.numbered_in_month_of(self.issue_date)

    @property
    def opens_year(self) -> bool:
        return self.year != self.previous.year

    def state_after(self, document_hash: str) -> SeriesState:
        """Where the series stands once a document took the number."""
        previous = self.previous
        if self.opens_year or previous.last_date is None:
            opening: int | None = 0
        elif _month(previous.last_date) == _month(self.issue_date):
            opening = previous.month_opening
        else:
            opening = previous.last_rank
        return SeriesState(
            series=self.series,
            year=self.year,
            last_rank=self.rank,
            last_date=self.issue_date,
            last_hash=document_hash,
            month_opening=opening,
        )


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def allocate(state: SeriesState, pattern: NumberPattern, issue_date: date) -> NumberAllocation:
    """The number that the next document of the series takes on this date.

    Raises:
        IssueDateTooEarly: numbers and dates must rise together.
    """
    if state.last_date is not None and issue_date < state.last_date:
        raise IssueDateTooEarly(
            f"La dernière facture de la série est datée du {format_french(state.last_date)}.",
            f"The last invoice of the series is dated {state.last_date.isoformat()}.",
        )
    rank = state.last_rank + 1 if issue_date.year == state.year else 1
    return NumberAllocation(
        series=state.series,
        year=issue_date.year,
        rank=rank,
        number=pattern.format(issue_date.year, rank),
        issue_date=issue_date,
        previous=state,
    )
