"""How the product and what it depends on are doing."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing.ports.delivery import HealthProbes, Probe

ESSENTIAL = frozenset({"table"})


class HealthStatus(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"  # something waits: invoices can still be issued
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    status: HealthStatus
    probes: tuple[Probe, ...]


def read_health(*, probes: HealthProbes) -> Health:
    seen = probes.run()
    failing = {probe.name for probe in seen if not probe.healthy}
    if failing & ESSENTIAL:
        status = HealthStatus.UNHEALTHY
    else:
        status = HealthStatus.DEGRADED if failing else HealthStatus.HEALTHY
    return Health(status=status, probes=seen)
