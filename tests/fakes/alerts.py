"""Fakes of the ports AlertDesk and AlertChannel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from billing.domain.alerts import (
    AlarmWatch,
    Alert,
    MaintenanceWindow,
    Notice,
    NoticeDelivery,
    Sent,
    ServiceWatch,
)
from billing.domain.dates import civil_date
from billing.domain.errors import IdempotencyKeyReused, StaleVersion
from billing.domain.incidents import Incident, IncidentSeries
from billing.domain.parking import ParkedTenant
from billing.domain.watch import Service
from billing.ports.alerts import KeptAlert, Step
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.ports.paging import Page, PageRequest
from tests.fakes.store import paged


class FakeAlertDesk:
    """Port AlertDesk."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._held: dict[tuple[str, Any], Any] = {}

    def _of(self, kind: str) -> list[Any]:
        with self._lock:
            return [value for (name, _), value in self._held.items() if name == kind]

    def alert(self, message_id: str) -> KeptAlert | None:
        return self._held.get(("alert", message_id))

    def alarms(self, subjects: Sequence[str]) -> dict[str, AlarmWatch]:
        return {one: self._held.get(("alarm", one), AlarmWatch(subject=one)) for one in subjects}

    def service(self, service: Service) -> ServiceWatch:
        held: ServiceWatch = self._held.get(("service", service), ServiceWatch(service=service))
        return held

    def services(self, services: Sequence[Service]) -> list[ServiceWatch]:
        return [self.service(one) for one in services]

    def incidents(self, numbers: Sequence[str]) -> dict[str, Incident]:
        return {one: self._held["incident", one] for one in numbers if ("incident", one) in self._held}

    def incident(self, number: str, once: IdempotentRequest) -> Incident | None:
        self._check(once)
        return self._held.get(("incident", number))

    def parked_tenant(self, tenant_id: str, once: IdempotentRequest | None = None) -> ParkedTenant | None:
        if once:
            self._check(once)
        return self._held.get(("tenant", tenant_id))

    def parked_tenants(self) -> tuple[ParkedTenant, ...]:
        parked = [one for one in self._of("tenant") if one.is_parked]
        return tuple(sorted(parked, key=lambda one: (one.parked_at, one.tenant_id)))

    def series(self, year: int) -> IncidentSeries:
        held: IncidentSeries = self._held.get(("series", year), IncidentSeries(year=year))
        return held

    def maintenance(self, at: datetime) -> tuple[MaintenanceWindow, ...]:
        found = [one for one in self._of("window") if one.stands(at)]
        return tuple(sorted(found, key=lambda one: one.ends_at))

    def planned(self, window_id: str, once: IdempotentRequest | None) -> MaintenanceWindow | None:
        if once:
            self._check(once)
        return self._held.get(("window", window_id))

    def apply(self, step: Step, *, once: IdempotentRequest | None = None, answered: object = None) -> None:
        wanted: dict[tuple[str, Any], tuple[Any, int]] = {}
        if step.kept:
            wanted["alert", step.kept.alert.message_id] = step.kept, 0
        wanted |= {("alarm", one.subject): (one, one.version - 1) for one in step.alarms}
        wanted |= {("service", one.service): (one, one.version - 1) for one in step.services}
        wanted |= {("incident", one.number): (one, one.version - 1) for one in step.incidents}
        if step.series:
            wanted["series", step.series.year] = step.series, step.series.version - 1
        for notice, deliveries in step.notices:
            wanted["notice", notice.notice_id] = notice, 0
            wanted |= {("delivery", (one.notice_id, one.channel)): (one, one.version - 1) for one in deliveries}
        wanted |= {("window", one.window_id): (one, 0) for one in step.windows}
        wanted |= {("tenant", one.tenant_id): (one, one.version - 1) for one in step.tenants}
        with self._lock:
            if any(self._held.get(("window", one.stood.window_id)) != one.stood for one in step.ended):
                raise StaleVersion
            ended = {("window", one.window.window_id): one.window for one in step.ended}
            if once:
                self._check(once)
                wanted["answer", (once.operation, once.key)] = (once.fingerprint, once.answer_of(answered)), 0
            for key, (_, expected) in wanted.items():
                stored = self._held.get(key)
                if (stored is None) != (expected == 0) or (stored and getattr(stored, "version", 0) != expected):
                    raise StaleVersion
            self._held |= {key: value for key, (value, _) in wanted.items()} | ended

    def notice(self, notice_id: str) -> tuple[Notice, tuple[NoticeDelivery, ...]] | None:
        notice = self._held.get(("notice", notice_id))
        if notice is None:
            return None
        deliveries = [one for one in self._of("delivery") if one.notice_id == notice_id]
        return notice, tuple(sorted(deliveries, key=lambda one: one.channel))

    def save_delivery(self, delivery: NoticeDelivery) -> None:
        with self._lock:
            stored = self._held["delivery", (delivery.notice_id, delivery.channel)]
            if stored.version != delivery.version - 1:
                raise StaleVersion
            self._held["delivery", (delivery.notice_id, delivery.channel)] = delivery

    def due_notices(self, before: datetime, limit: int) -> list[str]:
        return list(dict.fromkeys(one.notice_id for one in self._due("delivery", "next_at", before)))[:limit]

    def due_services(self, before: datetime, limit: int) -> list[Service]:
        return [one.service for one in self._due("service", "release_at", before)][:limit]

    def due_incidents(self, before: datetime, limit: int) -> list[str]:
        return [one.number for one in self._due("incident", "due_at", before)][:limit]

    def list_alerts(self, year: int, page: PageRequest) -> Page[Alert]:
        rows: list[tuple[str, object]] = [
            (f"{one.alert.received_at.isoformat()}#{one.alert.message_id}", one.alert)
            for one in self._of("alert")
            if civil_date(one.alert.received_at).year == year
        ]
        return cast("Page[Alert]", paged(rows, page, forward=False))

    def list_incident_alerts(self, number: str, page: PageRequest) -> Page[Alert]:
        rows: list[tuple[str, object]] = [
            (f"{one.alert.received_at.isoformat()}#{one.alert.message_id}", one.alert)
            for one in self._of("alert")
            if one.alert.incident_number == number
        ]
        return cast("Page[Alert]", paged(rows, page, forward=False))

    def list_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        return self._listed([one for one in self._of("incident") if one.year == year], page, forward=False)

    def list_open_incidents(self, page: PageRequest) -> Page[Incident]:
        return self._listed([one for one in self._of("incident") if one.is_open], page, forward=True)

    def list_closed_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        found = [one for one in self._of("incident") if one.year == year and not one.is_open]
        return self._listed(found, page, forward=False)

    def _check(self, once: IdempotentRequest) -> None:
        known = self._held.get(("answer", (once.operation, once.key)))
        if known is None:
            return
        fingerprint, answer = known
        raise AlreadyAnswered(answer) if fingerprint == once.fingerprint else IdempotencyKeyReused

    def _listed(self, found: list[Incident], page: PageRequest, *, forward: bool) -> Page[Incident]:
        rows: list[tuple[str, object]] = [(_ranked(one.number), one.summarised()) for one in found]
        return cast("Page[Incident]", paged(rows, page, forward=forward))

    def _due(self, kind: str, at: str, before: datetime) -> list[Any]:
        found = [one for one in self._of(kind) if getattr(one, at) is not None and getattr(one, at) <= before]
        return sorted(found, key=lambda one: getattr(one, at))


class FakeChannel:
    """Port AlertChannel: keeps what was told; ``down`` fails, ``breaks`` raises."""

    def __init__(self) -> None:
        self.told: list[Notice] = []
        self.down = False
        self.breaks = False

    @property
    def titles(self) -> list[str]:
        return [one.title for one in self.told]

    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        del reached
        if self.breaks:
            raise RuntimeError("broken")
        if self.down:
            return Sent(error="TimeoutError")
        self.told.append(notice)
        return Sent(reached=("somebody",))


def _ranked(number: str) -> str:
    _, year, rank = number.split("-")
    return f"{year}#{int(rank):010d}"
