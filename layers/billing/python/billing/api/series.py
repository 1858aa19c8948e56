"""Number series in requests and answers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field, StrictInt

from billing.api.answers import Reply, Request, answer
from billing.api.fields import IsoDate, Text
from billing.domain.errors import CompanyNotDescribed
from billing.domain.numbering import MAX_SEQUENCE, Series, SeriesStart, SeriesState
from billing.domain.parties import CompanyDescription
from billing.domain.series import next_number, pattern_of
from billing.ports.idempotency import Answer
from billing.ports.series import SeriesBook


class StartCompanySeriesRequest(Request):
    """Where the series stood in the other tool."""

    series: Series
    last_rank: Annotated[
        StrictInt, Field(ge=1, lt=MAX_SEQUENCE, description="Rank of the last number used, within its year")
    ]
    last_date: Annotated[IsoDate, Field(description="Date of the last document; its year is the one that goes on")]
    last_number: Annotated[str, Text(35, min_length=1), Field(examples=["FA-2026-0125"])]

    def start(self) -> SeriesStart:
        return SeriesStart(
            series=self.series, last_rank=self.last_rank, last_date=self.last_date, last_number=self.last_number
        )


class SeriesStartResponse(Reply):
    last_rank: int
    last_date: date
    last_number: str

    @classmethod
    def of(cls, start: SeriesStart) -> SeriesStartResponse:
        return cls(last_rank=start.last_rank, last_date=start.last_date, last_number=start.last_number)


class CompanySeriesResponse(Reply):
    series: Series
    pattern: str
    year: Annotated[int | None, Field(description="The year that is open; null before the first document")]
    last_rank: int
    last_date: date | None
    next_number: Annotated[str, Field(description="What a document issued today would be called")]
    start: Annotated[SeriesStartResponse | None, Field(description="Where it goes on from; null when it began here")]

    @classmethod
    def of(cls, state: SeriesState, company: CompanyDescription, today: date) -> CompanySeriesResponse:
        return cls(
            series=state.series,
            pattern=pattern_of(company, state.series).text,
            year=state.year or None,
            last_rank=state.last_rank,
            last_date=state.last_date,
            next_number=next_number(company, state, today),
            start=SeriesStartResponse.of(state.start) if state.start else None,
        )


class CompanySeriesListResponse(Reply):
    items: list[CompanySeriesResponse]

    @classmethod
    def of(cls, book: SeriesBook, today: date) -> CompanySeriesListResponse:
        """Raises: CompanyNotDescribed."""
        if book.company is None:
            raise CompanyNotDescribed
        described = book.company.description
        return cls(items=[CompanySeriesResponse.of(state, described, today) for state in book.states])


class StartedSeriesResponse(Reply):
    """Where the series goes on from."""

    series: Series
    last_rank: int
    last_date: date
    last_number: str


def started_answer(state: SeriesState) -> Answer:
    assert state.start is not None  # noqa: S101 - held by SeriesStart.state
    start = state.start
    shown = StartedSeriesResponse(
        series=state.series, last_rank=start.last_rank, last_date=start.last_date, last_number=start.last_number
    )
    return answer(201, shown)
