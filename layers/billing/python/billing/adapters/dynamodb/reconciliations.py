"""Reports of days at Stripe: one item for each account and day; accounts wait in the outbox by the day that is due."""

from __future__ import annotations

from datetime import date, timedelta

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, counted_text, dump, item, load, load_all, text
from billing.adapters.dynamodb.table import EventWrite, Table, Write, refuse_with
from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.reconciliation import Reconciliation
from billing.domain.stripe_payment import DayBooking, PaperRefund
from billing.ports.paging import Page, PageRequest

STRIPE_DAY = "stripe_day"
STRIPE_DAY_DUE = "stripe_day_due"


def due_write(table: Table, tenant_id: str, account_id: str, day: date) -> Write:
    """Part of a transaction: the account is due once a day is over. A day too early is only looked at once more."""
    key = keys.stripe_day_due(tenant_id, account_id)
    content = item(
        pk=key.pk,
        sk=key.sk,
        entity=STRIPE_DAY_DUE,
        schema_version=SCHEMA_VERSION,
        tenant_id=tenant_id,
        outbox_pk=keys.stripe_days_due(tenant_id),
        outbox_sk=f"{day.isoformat()}#{account_id}",
    )
    only_if, values = "attribute_not_exists(pk) OR entity = :entity", {":entity": STRIPE_DAY_DUE}
    return Write("Put", table.put(content, only_if=only_if, values=values), refuse_with(StaleVersion))


class Reconciliations:
    """Port Reconciliations."""

    shards = keys.OUTBOX_SHARDS

    def __init__(self, table: Table) -> None:
        self._table = table

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str], ...], str | None]:
        found, position = self._table.due(
            keys.stripe_days_due_in(shard), f"{day.isoformat()}#{keys.HIGHEST}", limit, after=after
        )
        return tuple(keys.stripe_day_due_of(key) for key in found), position

    def due_since(self, tenant_id: str, account_id: str) -> date | None:
        stored = self._table.get(keys.stripe_day_due(tenant_id, account_id))
        return date.fromisoformat(text(stored, "outbox_sk").partition("#")[0]) if stored else None

    def due_again(
        self, night: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str, date], ...], str | None]:
        partition = keys.stripe_days_again_in(shard)
        found, position = self._table.due(partition, f"{night.isoformat()}#{keys.HIGHEST}", limit, after=after)
        return tuple(keys.stripe_day_of(key) for key in found), position

    def stored(self, tenant_id: str, account_id: str, day: date) -> Reconciliation | None:
        stored = self._table.get(keys.stripe_day(tenant_id, account_id, day))
        return load(Reconciliation, text(stored, "body")) if stored else None

    def sources(self, tenant_id: str, source_ids: tuple[str, ...]) -> dict[str, str]:
        wanted = {keys.stripe_source(tenant_id, source_id): source_id for source_id in source_ids}
        found = self._table.batch(list(wanted)) if wanted else {}
        return {wanted[key]: text(stored, "payment_intent_id") for key, stored in found.items()}

    def booked(
        self, tenant_id: str, account_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[DayBooking, ...], str | None]:
        found, position = self._table.query(
            keys.stripe_booked_on(tenant_id, day),
            low=f"{account_id}#",
            high=f"{account_id}#{keys.HIGHEST}",
            limit=limit,
            after=after,
        )
        return tuple(load(DayBooking, text(stored, "body")) for stored in found), position

    def on_paper(
        self, tenant_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[PaperRefund, ...], str | None]:
        partition = keys.refunded_on_paper_on(tenant_id, day)
        found, position = self._table.query(partition, low="BY#", high=f"BY#{keys.HIGHEST}", limit=limit, after=after)
        return tuple(load(PaperRefund, text(stored, "body")) for stored in found), position

    def save(self, report: Reconciliation, *, event: Event | None = None, counts: tuple[str, ...] = ()) -> None:
        tenant_id = report.tenant_id
        key = keys.stripe_day(tenant_id, report.account_id, report.day)
        body = dump(report)
        content = item(
            pk=key.pk,
            sk=key.sk,
            entity=STRIPE_DAY,
            schema_version=SCHEMA_VERSION,
            tenant_id=tenant_id,
            version=report.version,
            body=body,
            summary=body,
            counted=counted_text(counts),
            listing_pk=keys.stripe_days(tenant_id),
            listing_sk=keys.dated(report.day, report.account_id),
            outbox_pk=keys.stripe_days_again(tenant_id) if report.again_on else None,
            outbox_sk=keys.dated(report.again_on, f"{report.day}@{report.account_id}") if report.again_on else None,
        )
        stale = refuse_with(StaleVersion)
        # A run that died before its first page was saved leaves nothing.
        written = (
            self._table.create(content, stale)
            if report.version == 1
            else self._table.replace(content, expected_version=report.version - 1, refused=stale)
        )
        told: tuple[EventWrite, ...] = ()
        if event is not None:
            told = (self._table.event(keys.stripe_connection_event(tenant_id, event.event_id), tenant_id, event),)
        self._table.write(None, written, *told)

    def looked_at(self, tenant_id: str, account_id: str, day: date) -> None:
        self._table.write(None, due_write(self._table, tenant_id, account_id, day + timedelta(days=1)))

    def list(self, caller: Caller, page: PageRequest) -> Page[Reconciliation]:
        self._table.trust(caller)
        rows, position = self._table.page(
            "Listing",
            keys.stripe_days(caller.tenant_id),
            page,
            base_key=lambda resource_id: keys.stripe_day_named(caller.tenant_id, resource_id),
            forward=False,
        )
        return Page(items=load_all(Reconciliation, [row.summary for row in rows]), position=position)
