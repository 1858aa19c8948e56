"""Number series and their starts. A start is an item of its own: issuing never rewrites it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, item, number, text
from billing.adapters.dynamodb.companies import from_item as company_from_item
from billing.adapters.dynamodb.invoices import series_from_item, series_to_item
from billing.adapters.dynamodb.table import Table, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import SeriesAlreadyStarted
from billing.domain.events import Event
from billing.domain.numbering import Series, SeriesStart, SeriesState
from billing.ports.idempotency import IdempotentRequest
from billing.ports.series import SeriesBook


def start_to_item(tenant_id: str, start: SeriesStart) -> Item:
    key = keys.series_start(tenant_id, start.series.value)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity="series_start",
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        last_rank=start.last_rank,
        last_date=start.last_date.isoformat(),
        last_number=start.last_number,
    )


def start_from_item(series: Series, stored: Item | None) -> SeriesStart | None:
    if stored is None:
        return None
    return SeriesStart(
        series=series,
        last_rank=number(stored, "last_rank"),
        last_date=date.fromisoformat(text(stored, "last_date")),
        last_number=text(stored, "last_number"),
    )


class SeriesRecords:
    """Port SeriesRecords."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def read(self, caller: Caller, *, once: IdempotentRequest | None = None) -> SeriesBook:
        company_key = keys.company(caller.tenant_id)
        heads = {series: keys.series(caller.tenant_id, series.value) for series in Series}
        starts = {series: keys.series_start(caller.tenant_id, series.value) for series in Series}
        found = self._table.read(caller, company_key, *heads.values(), *starts.values(), once=once)
        company = found.get(company_key)
        states = (
            replace(
                series_from_item(series, found.get(heads[series])),
                start=start_from_item(series, found.get(starts[series])),
            )
            for series in Series
        )
        return SeriesBook(company=company_from_item(company) if company else None, states=tuple(states))

    def start(
        self, caller: Caller, start: SeriesStart, *, answered: SeriesState, event: Event, once: IdempotentRequest
    ) -> None:
        tenant_id = caller.tenant_id
        refused = refuse_with(SeriesAlreadyStarted)
        self._table.write(
            caller,
            self._table.create(series_to_item(tenant_id, start.state()), refused),
            self._table.create(start_to_item(tenant_id, start), refused),
            self._table.event(keys.company_event(tenant_id, event.event_id), tenant_id, event),
            once=once,
            answered=answered,
        )
