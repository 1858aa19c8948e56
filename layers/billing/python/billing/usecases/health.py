"""How the product and what it depends on are doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing.domain.incidents import Incident
from billing.ports.alerts import AlertDesk
from billing.ports.delivery import HealthProbes, Probe
from billing.ports.paging import PageRequest

ESSENTIAL = frozenset({"table"})
SHOWN_INCIDENTS = 20


class HealthStatus(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"  # something waits: invoices can still be issued
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``incidents``: the oldest of those that are open; unknown while the table cannot be read."""

    status: HealthStatus
    probes: tuple[Probe, ...]
    incidents: tuple[Incident, ...] = ()


def read_health(*, probes: HealthProbes, desk: AlertDesk) -> Health:
    seen = probes.run()
    failing = {probe.name for probe in seen if not probe.healthy}
    if failing & ESSENTIAL:
        return Health(status=HealthStatus.UNHEALTHY, probes=seen)
    incidents = desk.list_open_incidents(PageRequest(limit=SHOWN_INCIDENTS)).items
    status = HealthStatus.DEGRADED if failing else HealthStatus.HEALTHY
    return Health(status=status, probes=seen, incidents=tuple(incidents))
