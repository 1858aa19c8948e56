"""Page views of the web app are counted once and nothing is known of who looked; operators read the sums of days."""

from __future__ import annotations

from datetime import date

from billing.domain.dates import civil_date
from billing.domain.errors import Busy, StaleVersion
from billing.domain.usage import Counts, PageView, Usage, UsagePeriod, Viewer, counted
from billing.ports.clock import Clock, Ids
from billing.ports.usage import UsageBook

ATTEMPTS = 8
_PAUSE_SECONDS = 0.02


def record_usage(view: PageView, viewer: Viewer, *, book: UsageBook, clock: Clock, ids: Ids) -> bool:
    """Whether the view was counted; it is not when its visitor or address had its share of the day.

    Raises: Busy, DependencyUnavailable.
    """
    now = clock.now()
    salt = book.salt(civil_date(now), ids.secret)
    marks = salt.marks(viewer)
    for _ in range(ATTEMPTS):
        found = counted(view, viewer, marks, book.standing(salt.day, marks), at=now, day=salt.day)
        if found is None:
            return False
        try:
            book.count(found)
        except StaleVersion:  # the same visitor looks at two pages at once
            clock.sleep(_PAUSE_SECONDS * ids.jitter())
        else:
            return True
    raise Busy


def read_usage(first: date | None, last: date | None, *, book: UsageBook, clock: Clock) -> Usage:
    """Raises: FieldErrors, for a period that cannot be asked for."""
    period = UsagePeriod.of(first, last, today=clock.today())
    known = book.days(period.first, period.last)
    total = Counts()
    for counts in known.values():
        total = total.plus(counts)
    return Usage(period=period, days=tuple((day, known.get(day, Counts())) for day in period.days), total=total)
