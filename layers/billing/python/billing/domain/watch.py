"""What a watched indicator is: its measure, the limits of each severity, and what an alarm on it is called.

The values stand in ``indicators.py``, and ``make supervision`` writes the alarms of supervision.yaml so. Terms are
CloudWatch's: a datapoint is the value of one period; M of N datapoints make an alarm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """Of an alarm: who is told follows from it."""

    WARNING = "warning"
    CRITICAL = "critical"


class Service(StrEnum):
    """What people would say is broken."""

    API = "api"
    INFRASTRUCTURE = "infrastructure"
    INVOICES = "invoices"
    DATA = "data"
    PAYMENTS = "payments"
    MAIL = "mail"
    WEBHOOKS = "webhooks"
    AUTOMATIONS = "automations"
    PROOF = "proof"
    SUPERVISION = "supervision"


SERVICES: Final = {
    Service.API: "API",
    Service.INFRASTRUCTURE: "Infrastructure",
    Service.INVOICES: "Factures",
    Service.DATA: "Données",
    Service.PAYMENTS: "Paiements",
    Service.MAIL: "E-mails",
    Service.WEBHOOKS: "Webhooks",
    Service.AUTOMATIONS: "Automatismes",
    Service.PROOF: "Preuve et journal",
    Service.SUPERVISION: "Supervision",
}


class Unusual(StrEnum):
    """On which side of what is usual at this hour of the week a figure is worth a look: CloudWatch learns the band."""

    BELOW = "below"
    ABOVE = "above"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Metric:
    """A series of CloudWatch.

    Values of dimensions are text, or ``Ref:Resource`` and ``GetAtt:Resource.Attribute`` of template.yaml;
    ``Ref:Function:alias`` is a function as it is called by an alias.
    """

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()
    statistic: str = "Sum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """The limit from which a datapoint breaches, and how many of how many must."""

    limit: float
    datapoints: int = 1
    periods: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Indicator:
    """One figure that is watched.

    ``expressions`` are metric math by id, the first one decides; without any the only metric does. ``period`` is in
    seconds. ``below`` says that a datapoint breaches below the limit, where others do from the limit up.
    ``unusual`` says that there is no fixed limit: a datapoint breaches beyond a band that is ``limit`` standard
    deviations wide. ``silent_is_bad`` says that missing data breaches. ``topic`` is who is told: alarms on the path of
    alerts itself go around it, and one that only a composite tells of has none.
    """

    name: str
    service: Service
    says: str
    unit: str
    metrics: dict[str, Metric]
    expressions: dict[str, str] = field(default_factory=dict)
    period: int = 60
    warning: Level | None = None
    critical: Level | None = None
    below: bool = False
    unusual: Unusual | None = None
    silent_is_bad: bool = False
    topic: str = "AlertsTopic"

    def levels(self) -> Iterator[tuple[Severity, Level]]:
        if self.warning is not None:
            yield Severity.WARNING, self.warning
        if self.critical is not None:
            yield Severity.CRITICAL, self.critical

    def alarm_name(self, severity: Severity) -> str:
        """The logical id of its alarm, which is the runbook's heading too."""
        return f"{self.name}{severity.value.title()}Alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """What other alarms say together. ``rule`` is CloudWatch's, with the logical ids of alarms for their names."""

    name: str
    service: Service
    says: str
    rule: str
    severity: Severity = Severity.CRITICAL

    @property
    def alarm_name(self) -> str:
        return f"{self.name}{self.severity.value.title()}Alarm"
