"""Alerts, what they are judged by, the notices that people get, incidents and maintenance windows: of no tenant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import SCHEMA_VERSION, Item, compress, decompress, dump, item, load, load_all, text
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.alerts import (
    AlarmWatch,
    Alert,
    MaintenanceWindow,
    Notice,
    NoticeDelivery,
    ServiceWatch,
)
from billing.domain.dates import civil_date
from billing.domain.errors import StaleVersion
from billing.domain.incidents import Incident, IncidentSeries
from billing.domain.parking import ParkedTenant
from billing.domain.watch import Service
from billing.ports.alerts import KeptAlert, Step
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest

WINDOWS_READ = 100
TENANTS_READ = 100
_MOST_CHANNELS = 10


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


class AlertDesk:
    """Port AlertDesk."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def alert(self, message_id: str) -> KeptAlert | None:
        stored = self._table.get(keys.ops_alert(message_id))
        if stored is None:
            return None
        return KeptAlert(alert=load(Alert, text(stored, "body")), payload=decompress(stored, "payload"))

    def alarms(self, subjects: Sequence[str]) -> dict[str, AlarmWatch]:
        found = self._table.batch([keys.ops_alarm(one) for one in subjects])
        held = {one: found.get(keys.ops_alarm(one)) for one in subjects}
        return {
            one: load(AlarmWatch, text(stored, "body")) if stored else AlarmWatch(subject=one)
            for one, stored in held.items()
        }

    def service(self, service: Service) -> ServiceWatch:
        stored = self._table.get(keys.ops_service(service.value))
        return load(ServiceWatch, text(stored, "body")) if stored else ServiceWatch(service=service)

    def services(self, services: Sequence[Service]) -> list[ServiceWatch]:
        found = self._table.batch([keys.ops_service(one.value) for one in services])
        held = [(one, found.get(keys.ops_service(one.value))) for one in services]
        return [
            load(ServiceWatch, text(stored, "body")) if stored else ServiceWatch(service=one) for one, stored in held
        ]

    def incidents(self, numbers: Sequence[str]) -> dict[str, Incident]:
        found = self._table.batch([keys.ops_incident(one) for one in numbers])
        loaded = [load(Incident, text(stored, "body")) for stored in found.values()]
        return {one.number: one for one in loaded}

    def incident(self, number: str, once: IdempotentRequest) -> Incident | None:
        stored = self._table.get_once(keys.ops_incident(number), once)
        return load(Incident, text(stored, "body")) if stored else None

    def parked_tenant(self, tenant_id: str, once: IdempotentRequest | None = None) -> ParkedTenant | None:
        stored = self._table.get_once(keys.ops_tenant(tenant_id), once)
        return load(ParkedTenant, text(stored, "body")) if stored else None

    def parked_tenants(self) -> tuple[ParkedTenant, ...]:
        summaries: list[str] = []
        page = PageRequest(limit=TENANTS_READ)
        while True:
            rows, position = self._table.page("ByStatus", keys.ops_tenants_parked(), page, base_key=keys.ops_tenant)
            summaries += (row.summary for row in rows)
            if position is None:
                return load_all(ParkedTenant, summaries)
            page = replace(page, position=position)

    def series(self, year: int) -> IncidentSeries:
        stored = self._table.get(keys.ops_incident_series(year))
        return load(IncidentSeries, text(stored, "body")) if stored else IncidentSeries(year=year)

    def maintenance(self, at: datetime) -> tuple[MaintenanceWindow, ...]:
        partition = keys.ops_maintenance(at, "").pk
        found, _ = self._table.query(partition, low=keys.outbox_order(at), high=keys.HIGHEST, limit=WINDOWS_READ)
        windows = load_all(MaintenanceWindow, [text(stored, "body") for stored in found])
        return tuple(one for one in windows if one.stands(at))

    def planned(self, window_id: str, once: IdempotentRequest | None) -> MaintenanceWindow | None:
        stored = self._table.get_once(keys.ops_maintenance_window(window_id), once)
        return load(MaintenanceWindow, text(stored, "body")) if stored else None

    def apply(self, step: Step, *, once: IdempotentRequest | None = None, answered: object = None) -> None:
        first = [self._table.answered(keys.ops_idempotency(once.operation, once.key), once, answered)] if once else []
        self._table.write(None, *first, *self._writes(step))

    def notice(self, notice_id: str) -> tuple[Notice, tuple[NoticeDelivery, ...]] | None:
        head = keys.ops_notice(notice_id)
        found, _ = self._table.query(head.pk, low="CHANNEL#", high=head.sk, limit=_MOST_CHANNELS)
        heads = [stored for stored in found if text(stored, "sk") == head.sk]
        if not heads:
            return None
        deliveries = [text(stored, "body") for stored in found if text(stored, "sk") != head.sk]
        return load(Notice, text(heads[0], "body")), load_all(NoticeDelivery, deliveries)

    def save_delivery(self, delivery: NoticeDelivery) -> None:
        self._table.write(None, self._versioned(_delivery_item(delivery), delivery))

    def due_notices(self, before: datetime, limit: int) -> list[str]:
        return list(dict.fromkeys(self._due(keys.ops_notices_due(), before, limit)))

    def due_services(self, before: datetime, limit: int) -> list[Service]:
        return [Service(one) for one in self._due(keys.ops_services_due(), before, limit)]

    def due_incidents(self, before: datetime, limit: int) -> list[str]:
        return self._due(keys.ops_incidents_due(), before, limit)

    def list_alerts(self, year: int, page: PageRequest) -> Page[Alert]:
        rows, position = self._table.page(
            "Listing", keys.ops_alerts(year), page, base_key=keys.ops_alert, forward=False
        )
        return Page(items=load_all(Alert, [row.summary for row in rows]), position=position)

    def list_incident_alerts(self, number: str, page: PageRequest) -> Page[Alert]:
        rows, position = self._table.page(
            "ByStatus", keys.ops_incident_alerts(number), page, base_key=keys.ops_alert, forward=False
        )
        return Page(items=load_all(Alert, [row.summary for row in rows]), position=position)

    def list_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        rows, position = self._table.page(
            "Listing", keys.ops_incidents(year), page, base_key=keys.ops_incident, forward=False
        )
        return Page(items=load_all(Incident, [row.summary for row in rows]), position=position)

    def list_open_incidents(self, page: PageRequest) -> Page[Incident]:
        rows, position = self._table.page("ByStatus", keys.ops_incidents_open(), page, base_key=keys.ops_incident)
        return Page(items=load_all(Incident, [row.summary for row in rows]), position=position)

    def list_closed_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        rows, position = self._table.page(
            "ByStatus", keys.ops_incidents_closed(year), page, base_key=keys.ops_incident, forward=False
        )
        return Page(items=load_all(Incident, [row.summary for row in rows]), position=position)

    def _due(self, partition: str, before: datetime, limit: int) -> list[str]:
        found, _ = self._table.due(partition, keys.outbox_order(before), limit)
        return [keys.ops_named(key) for key in found]

    def _writes(self, step: Step) -> Iterator[Write]:
        if step.kept is not None:
            yield self._table.create(_alert_item(step.kept), refuse_with(StaleVersion))
        for alarm in step.alarms:
            yield self._versioned(_item(keys.ops_alarm(alarm.subject), "ops_alarm", alarm), alarm)
        for service in step.services:
            yield self._versioned(_service_item(service), service)
        for incident in step.incidents:
            yield self._versioned(_incident_item(incident), incident)
        if step.series is not None:
            series = step.series
            yield self._versioned(_item(keys.ops_incident_series(series.year), "ops_incident_series", series), series)
        for notice, deliveries in step.notices:
            yield self._table.create(
                _plain(keys.ops_notice(notice.notice_id), "ops_notice", notice), refuse_with(StaleVersion)
            )
            for delivery in deliveries:
                yield self._versioned(_delivery_item(delivery), delivery)
        yield from self._window_writes(step)
        for tenant in step.tenants:
            yield self._versioned(_tenant_item(tenant), tenant)

    def _window_writes(self, step: Step) -> Iterator[Write]:
        for window in step.windows:
            key = keys.ops_maintenance(window.ends_at, window.window_id)
            yield self._table.create(_plain(key, "ops_maintenance", window), refuse_with(StaleVersion))
            name = keys.ops_maintenance_window(window.window_id)
            yield self._table.create(_plain(name, "ops_maintenance_planned", window), refuse_with(StaleVersion))
        for ended in step.ended:
            key = keys.ops_maintenance(ended.stood.ends_at, ended.window.window_id)
            content = _plain(key, "ops_maintenance", ended.window, ended=True)
            once = self._table.put(content, only_if="attribute_exists(pk) AND attribute_not_exists(ended)")
            yield Write("Put", once, refuse_with(StaleVersion))

    def _versioned(self, content: Item, value: _Versioned) -> Write:
        if value.version == 1:
            return self._table.create(content, refuse_with(StaleVersion))
        return self._table.replace(content, expected_version=value.version - 1, refused=refuse_with(StaleVersion))


def _plain(key: keys.Key, entity: str, value: object, **more: str | int | bytes | None) -> Item:
    return item(pk=key.pk, sk=key.sk, entity=entity, schema_version=SCHEMA_VERSION, body=dump(value), **more)


def _item(key: keys.Key, entity: str, value: _Versioned, **more: str | int | bytes | None) -> Item:
    return _plain(key, entity, value, version=value.version, **more)


def _alert_item(kept: KeptAlert) -> Item:
    alert = kept.alert
    order = f"{keys.outbox_order(alert.received_at)}#{alert.message_id}"
    return _plain(
        keys.ops_alert(alert.message_id),
        "ops_alert",
        alert,
        payload=compress(kept.payload),
        listing_pk=keys.ops_alerts(civil_date(alert.received_at).year),
        listing_sk=order,
        status_pk=keys.ops_incident_alerts(alert.incident_number) if alert.incident_number else None,
        status_sk=order if alert.incident_number else None,
        summary=dump(alert),
    )


def _service_item(service: ServiceWatch) -> Item:
    at = service.release_at
    return _item(
        keys.ops_service(service.service.value),
        "ops_service",
        service,
        outbox_pk=keys.ops_services_due() if at else None,
        outbox_sk=keys.outbox_order(at) if at else None,
    )


def _delivery_item(delivery: NoticeDelivery) -> Item:
    at = delivery.next_at
    return _item(
        keys.ops_delivery(delivery.notice_id, delivery.channel.value),
        "ops_notice_delivery",
        delivery,
        outbox_pk=keys.ops_notices_due() if at else None,
        outbox_sk=keys.outbox_order(at) if at else None,
    )


def _incident_item(incident: Incident) -> Item:
    at = incident.due_at
    return _item(
        keys.ops_incident(incident.number),
        "ops_incident",
        incident,
        listing_pk=keys.ops_incidents(incident.year),
        listing_sk=_ranked(incident.number),
        status_pk=keys.ops_incidents_open() if incident.is_open else keys.ops_incidents_closed(incident.year),
        status_sk=_ranked(incident.number),
        summary=dump(incident.summarised()),
        outbox_pk=keys.ops_incidents_due() if at else None,
        outbox_sk=keys.outbox_order(at) if at else None,
    )


def _tenant_item(tenant: ParkedTenant) -> Item:
    order = f"{keys.outbox_order(tenant.parked_at)}#{tenant.tenant_id}"
    return _item(
        keys.ops_tenant(tenant.tenant_id),
        "ops_parked_tenant",
        tenant,
        status_pk=keys.ops_tenants_parked() if tenant.is_parked else None,
        status_sk=order if tenant.is_parked else None,
        summary=dump(tenant),
    )


def _ranked(number: str) -> str:
    """In the order of their numbers, also beyond 999."""
    _, year, rank = number.split("-")
    return f"{year}#{int(rank):0{keys.RANK_WIDTH}d}"
