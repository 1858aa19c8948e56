"""Where the number series of a company stand, and where they go on from for one that comes from another tool."""

from __future__ import annotations

from billing.domain.access import Caller, Permission
from billing.domain.errors import CompanyNotDescribed, FieldError, FieldErrors, SeriesAlreadyStarted
from billing.domain.events import Event, EventType
from billing.domain.numbering import SeriesStart, SeriesState
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.series import SeriesBook, SeriesRecords


def list_company_series(caller: Caller, *, series: SeriesRecords) -> SeriesBook:
    """Raises: CompanyNotDescribed."""
    caller.require(Permission.READ)
    book = series.read(caller)
    if book.company is None:
        raise CompanyNotDescribed
    return book


def start_company_series(
    caller: Caller,
    start: SeriesStart,
    *,
    once: IdempotentRequest,
    series: SeriesRecords,
    clock: Clock,
    ids: Ids,
) -> SeriesState:
    """The series goes on after the last number used elsewhere: once, and before its first document here.

    Raises: Forbidden, CompanyNotDescribed, SeriesAlreadyStarted, FieldErrors.
    """
    caller.require(Permission.MANAGE_COMPANY)
    if start.last_date > clock.today():
        raise FieldErrors((FieldError("/last_date", "Cette date est dans le futur.", "This date is in the future."),))
    book = series.read(caller, once=once)
    if book.company is None:
        raise CompanyNotDescribed
    standing = next(state for state in book.states if state.series is start.series)
    if standing.start is not None or standing.last_date is not None:
        raise SeriesAlreadyStarted
    now = clock.now()
    event = Event(
        event_id=ids.new("evt"),
        event_type=EventType.SERIES_STARTED,
        occurred_at=now,
        actor=caller.user_id,
        data={
            "series": start.series.value,
            "last_rank": start.last_rank,
            "last_date": start.last_date.isoformat(),
        },
    )
    state = start.state()
    series.start(caller, start, answered=state, event=event, once=once)
    return state
