"""Alerts and incidents as they are kept, and the channels that tell people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.alerts import (
    AlarmWatch,
    Alert,
    Channel,
    MaintenanceWindow,
    Notice,
    NoticeDelivery,
    Sent,
    ServiceWatch,
)
from billing.domain.incidents import Incident, IncidentSeries
from billing.domain.parking import ParkedTenant
from billing.domain.watch import Service
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAlert:
    """An alert with the message that it came as."""

    alert: Alert
    payload: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedWindow:
    """A maintenance window that stood, and what it is now."""

    stood: MaintenanceWindow
    window: MaintenanceWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What changes together. Each value is the next version of what was read, version 1 of what was not there."""

    kept: KeptAlert | None = None
    alarms: tuple[AlarmWatch, ...] = ()
    services: tuple[ServiceWatch, ...] = ()
    incidents: tuple[Incident, ...] = ()
    series: IncidentSeries | None = None
    notices: tuple[tuple[Notice, tuple[NoticeDelivery, ...]], ...] = ()
    windows: tuple[MaintenanceWindow, ...] = ()
    ended: tuple[EndedWindow, ...] = ()
    tenants: tuple[ParkedTenant, ...] = ()


class AlertDesk(Protocol):
    def alert(self, message_id: str) -> KeptAlert | None: ...

    def alarms(self, subjects: Sequence[str]) -> dict[str, AlarmWatch]:
        """One request; what was never watched is at version 0."""
        ...

    def service(self, service: Service) -> ServiceWatch: ...

    def services(self, services: Sequence[Service]) -> list[ServiceWatch]:
        """One request."""
        ...

    def incidents(self, numbers: Sequence[str]) -> dict[str, Incident]:
        """Those that exist, one request."""
        ...

    def incident(self, number: str, once: IdempotentRequest) -> Incident | None:
        """One request. Raises: AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def series(self, year: int) -> IncidentSeries: ...

    def maintenance(self, at: datetime) -> tuple[MaintenanceWindow, ...]:
        """Those that have not ended, the next to end first; a hundred at most."""
        ...

    def planned(self, window_id: str, once: IdempotentRequest | None) -> MaintenanceWindow | None:
        """As it was planned, whatever became of it; one request. Raises: AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def apply(self, step: Step, *, once: IdempotentRequest | None = None, answered: object = None) -> None:
        """All of it or nothing. ``answered`` is the result that ``once`` shapes into the stored answer.

        Raises: StaleVersion, when somebody else was first with any of it; AlreadyAnswered, IdempotencyKeyReused.
        """
        ...

    def notice(self, notice_id: str) -> tuple[Notice, tuple[NoticeDelivery, ...]] | None: ...

    def save_delivery(self, delivery: NoticeDelivery) -> None:
        """The next version. Raises: StaleVersion."""
        ...

    def due_notices(self, before: datetime, limit: int) -> list[str]:
        """Ids of notices with a delivery to try, the oldest first."""
        ...

    def due_services(self, before: datetime, limit: int) -> list[Service]:
        """Those that hold a line whose time has come."""
        ...

    def due_incidents(self, before: datetime, limit: int) -> list[str]:
        """Numbers of open ones whose time is nearly or wholly over."""
        ...

    def parked_tenant(self, tenant_id: str, once: IdempotentRequest | None = None) -> ParkedTenant | None:
        """The latest time that it was parked. One request. Raises: AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def parked_tenants(self) -> tuple[ParkedTenant, ...]:
        """Those that are parked now, who waits longest first; one request for a hundred of them."""
        ...

    def list_alerts(self, year: int, page: PageRequest) -> Page[Alert]:
        """Latest first."""
        ...

    def list_incident_alerts(self, number: str, page: PageRequest) -> Page[Alert]:
        """Those that opened an incident or are of it, latest first."""
        ...

    def list_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        """Latest first."""
        ...

    def list_open_incidents(self, page: PageRequest) -> Page[Incident]:
        """The oldest first."""
        ...

    def list_closed_incidents(self, year: int, page: PageRequest) -> Page[Incident]:
        """Opened in that year, latest first."""
        ...


class AlertChannel(Protocol):
    def send(self, notice: Notice, *, reached: frozenset[str]) -> Sent:
        """Tell everybody of this channel who has not heard yet. Never raises for what a third party does."""
        ...


AlertChannels = dict[Channel, AlertChannel]
