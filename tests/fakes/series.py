"""Port SeriesRecords over the store."""

from __future__ import annotations

from dataclasses import replace

from billing.domain.access import Caller
from billing.domain.errors import SeriesAlreadyStarted
from billing.domain.events import Event
from billing.domain.numbering import Series, SeriesStart, SeriesState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.series import SeriesBook
from tests.fakes.store import Store


class FakeSeriesRecords:
    """Port SeriesRecords."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> SeriesBook:
        with self._store.lock:
            self._store.check(caller, once)
            return SeriesBook(
                company=self._store.companies.get(caller.tenant_id),
                states=tuple(state_of(self._store, caller.tenant_id, series) for series in Series),
            )

    def start(
        self, caller: Caller, start: SeriesStart, *, answered: SeriesState, event: Event, once: IdempotentRequest
    ) -> None:
        key = (caller.tenant_id, start.series)
        with self._store.writing(caller, once=once, answered=answered):
            if key in self._store.series or key in self._store.series_starts:
                raise SeriesAlreadyStarted
            self._store.series[key] = replace(start.state(), start=None)
            self._store.series_starts[key] = start
            self._store.record(caller.tenant_id, "company", event)


def state_of(store: Store, tenant_id: str, series: Series) -> SeriesState:
    """Where a series stands, and where it began."""
    state = store.series.get((tenant_id, series)) or SeriesState.untouched(series)
    return replace(state, start=store.series_starts.get((tenant_id, series)))
