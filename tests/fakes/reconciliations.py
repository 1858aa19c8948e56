"""Fake of the port Reconciliations."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TypeVar, cast

from billing.domain.access import Caller
from billing.domain.errors import StaleVersion
from billing.domain.events import Event
from billing.domain.reconciliation import Reconciliation
from billing.domain.stripe_payment import DayBooking, PaperRefund
from billing.ports.paging import Page, PageRequest
from tests.fakes.store import SHARDS, Store, paged, shard_of

T = TypeVar("T")


def _page_of(found: dict[str, T], limit: int, after: str | None) -> tuple[tuple[T, ...], str | None]:
    rest = sorted(name for name in found if after is None or name > after)
    page = rest[:limit]
    return tuple(found[name] for name in page), page[-1] if len(rest) > limit else None


class FakeReconciliations:
    """Port Reconciliations."""

    shards = SHARDS

    def __init__(self, store: Store) -> None:
        self._store = store

    def due(
        self, day: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str], ...], str | None]:
        with self._store.lock:
            found = sorted(
                (due.isoformat(), key)
                for key, due in self._store.stripe_days_due.items()
                if due <= day and shard_of(key[0]) == shard
            )
        rest = [(order, key) for order, key in found if after is None or f"{order}|{key}" > after]
        page = rest[:limit]
        position = f"{page[-1][0]}|{page[-1][1]}" if len(rest) > limit else None
        return tuple(key for _, key in page), position

    def due_since(self, tenant_id: str, account_id: str) -> date | None:
        with self._store.lock:
            return self._store.stripe_days_due.get((tenant_id, account_id))

    def due_again(
        self, night: date, *, shard: int, limit: int, after: str | None = None
    ) -> tuple[tuple[tuple[str, str, date], ...], str | None]:
        with self._store.lock:
            found = sorted(
                (report.again_on.isoformat(), key[2].isoformat(), key)
                for key, report in self._store.stripe_days.items()
                if report.again_on and report.again_on <= night and shard_of(key[0]) == shard
            )
        rest = [(f"{again_on}|{day}|{key}", key) for again_on, day, key in found]
        rest = [(order, key) for order, key in rest if after is None or order > after]
        page = rest[:limit]
        return tuple(key for _, key in page), page[-1][0] if len(rest) > limit else None

    def stored(self, tenant_id: str, account_id: str, day: date) -> Reconciliation | None:
        with self._store.lock:
            return self._store.stripe_days.get((tenant_id, account_id, day))

    def sources(self, tenant_id: str, source_ids: tuple[str, ...]) -> dict[str, str]:
        with self._store.lock:
            return {
                source_id: record.payment_intent_id
                for (owner, _), record in self._store.stripe_payments.items()
                for source_id in record.sources
                if owner == tenant_id and source_id in source_ids
            }

    def booked(
        self, tenant_id: str, account_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[DayBooking, ...], str | None]:
        with self._store.lock:
            found = {
                source_id: one
                for (owner, booked_on, account, source_id), one in self._store.stripe_booked.items()
                if (owner, booked_on, account) == (tenant_id, day, account_id)
            }
        return _page_of(found, limit, after)

    def on_paper(
        self, tenant_id: str, day: date, *, limit: int, after: str | None = None
    ) -> tuple[tuple[PaperRefund, ...], str | None]:
        with self._store.lock:
            found = {
                subject: one
                for (owner, said_on, subject), one in self._store.on_paper.items()
                if (owner, said_on) == (tenant_id, day)
            }
        return _page_of(found, limit, after)

    def save(self, report: Reconciliation, *, event: Event | None = None, counts: tuple[str, ...] = ()) -> None:
        key = (report.tenant_id, report.account_id, report.day)
        with self._store.lock:
            stored = self._store.stripe_days.get(key)
            if (stored.version if stored else 0) != report.version - 1:
                raise StaleVersion
            self._store.stripe_days[key] = report
            self._store.counted.update(counts)
            if event is not None:
                self._store.record(report.tenant_id, "STRIPE", event)

    def looked_at(self, tenant_id: str, account_id: str, day: date) -> None:
        with self._store.lock:
            self._store.stripe_days_due[tenant_id, account_id] = day + timedelta(days=1)

    def list(self, caller: Caller, page: PageRequest) -> Page[Reconciliation]:
        with self._store.lock:
            self._store.check(caller)
            rows: list[tuple[str, object]] = [
                (f"{day.isoformat()}#{account_id}", report)
                for (tenant_id, account_id, day), report in self._store.stripe_days.items()
                if tenant_id == caller.tenant_id
            ]
        return cast("Page[Reconciliation]", paged(rows, page, forward=False))
