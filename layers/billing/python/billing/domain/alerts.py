"""Alerts: who is told of an alarm, when, and when not: cool-down, grouping, quiet hours, maintenance, recovery.

An alarm that nobody was told of yet, because it must wait, is a line held by its service. When its time has come and it
still rings it is told; that is what keeps a counted or silenced alarm from being lost.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final, NamedTuple

from billing.domain.alarm_words import in_words, number
from billing.domain.canonical import LATER
from billing.domain.dates import PARIS
from billing.domain.errors import MaintenanceWindowInvalid, MaintenanceWindowOver
from billing.domain.indicators import COMPOSITES, INDICATORS
from billing.domain.parking import FRENCH_REASONS, PARKED, RELEASED, ParkReason
from billing.domain.watch import Service

MAX_MAINTENANCE: Final = timedelta(hours=24)
MAX_PAYLOAD: Final = 200_000  # characters; SNS takes 256 KB, an item 400 KB
MAX_LINES: Final = 20  # in one message, and in one transaction
GROUPED_FOR: Final = timedelta(minutes=5)
CRITICAL_GROUPED_FOR: Final = timedelta(minutes=2)
DAY_BEGINS, DAY_ENDS = time(8), time(20)  # in Paris, Monday to Friday
_WEEK_END: Final = 5
_SHOWN_PLACES: Final = 2  # of a value: CloudWatch gives sixteen digits of a ratio
_VALUE = re.compile(r"\[(-?[0-9.]+(?:E-?[0-9]+)?) \(")
_ALARM_KIND = re.compile(r"(Warning|Critical)Alarm$")
HEARTBEAT: Final = "alert-heartbeat"
FORECAST: Final = "forecast"


class AlertSeverity(StrEnum):
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return list(AlertSeverity).index(self)


class Channel(StrEnum):
    SLACK = "slack"
    EMAIL = "email"
    SMS = "sms"


CHANNELS: Final = {
    AlertSeverity.INFO: (Channel.SLACK,),
    AlertSeverity.WARNING: (Channel.SLACK, Channel.EMAIL),
    AlertSeverity.CRITICAL: (Channel.SLACK, Channel.EMAIL, Channel.SMS),
}
COOL_DOWN: Final = {
    AlertSeverity.INFO: timedelta(0),
    AlertSeverity.WARNING: timedelta(hours=1),
    AlertSeverity.CRITICAL: timedelta(minutes=15),
}


class Kind(StrEnum):
    ALARM = "alarm"
    RECOVERY = "recovery"
    DEPLOYMENT = "deployment"
    FORECAST = "forecast"
    OTHER = "other"


class Fate(StrEnum):
    """What became of an alert."""

    TOLD = "told"
    COUNTED = "counted"  # within the cool-down of the last one that was told
    GROUPED = "grouped"  # waits for others of its service
    QUIET = "quiet"  # waits for the morning
    MAINTENANCE = "maintenance"  # waits for the end of the window
    OUTDATED = "outdated"  # a later change of the same alarm came first
    KEPT = "kept"  # nothing to tell: nobody had heard that it rang


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a message of the topic says. ``subject`` is the indicator, whose two alarms are one trouble."""

    kind: Kind
    subject: str
    severity: AlertSeverity
    service: Service
    at: datetime
    says: str
    value: str = ""  # with its unit, when it is known
    environment: str = ""
    runbook: str = ""
    tenants: tuple[str, ...] = field(default=(), metadata=LATER)  # whom it is about, when it is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A message as it came, and what became of it. Never changed."""

    message_id: str
    received_at: datetime
    signal: Signal
    fate: Fate
    notice_id: str = ""
    incident_number: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmLevel:
    """One of an indicator's alarms. ``told``: the channels that heard of the present ringing."""

    severity: AlertSeverity
    ringing: bool = False
    changed_at: datetime | None = None
    told_at: datetime | None = None
    told: tuple[Channel, ...] = ()
    counted: int = 0

    def cools_until(self) -> datetime | None:
        return self.told_at + COOL_DOWN[self.severity] if self.told_at else None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmWatch:
    subject: str
    version: int = 0
    levels: tuple[AlarmLevel, ...] = ()
    incident_number: str = ""  # the last one

    def level(self, severity: AlertSeverity) -> AlarmLevel:
        return next((one for one in self.levels if one.severity is severity), AlarmLevel(severity=severity))

    def with_level(self, level: AlarmLevel) -> AlarmWatch:
        others = tuple(one for one in self.levels if one.severity is not level.severity)
        return replace(self, levels=(*others, level))

    @property
    def rings(self) -> bool:
        return any(one.ringing for one in self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldLine:
    """What waits to be told. ``recovered_at``: it was over before anybody heard of it. ``silenced``: its time came
    during a maintenance."""

    signal: Signal
    reason: Fate
    release_at: datetime
    channels: tuple[Channel, ...]
    incident_number: str = ""
    recovered_at: datetime | None = None
    silenced: bool = False

    @property
    def key(self) -> tuple[str, AlertSeverity, Kind]:
        return self.signal.subject, self.signal.severity, self.signal.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceWatch:
    """``window_until``: what rings until then is told in one message, unless it is worse than what opened it."""

    service: Service
    version: int = 0
    window_until: datetime | None = None
    window_severity: AlertSeverity = AlertSeverity.INFO
    held: tuple[HeldLine, ...] = ()

    @property
    def release_at(self) -> datetime | None:
        return min((line.release_at for line in self.held), default=None)

    def hold(self, line: HeldLine) -> ServiceWatch:
        return replace(self, held=(*(one for one in self.held if one.key != line.key), line))

    def silenced_until(self, at: datetime) -> ServiceWatch:
        """What only a maintenance keeps waiting waits until then, and nothing else does."""
        held = tuple(
            replace(one, release_at=at) if one.silenced or one.reason is Fate.MAINTENANCE else one for one in self.held
        )
        return replace(self, held=held)

    def without(self, lines: Iterable[HeldLine]) -> ServiceWatch:
        gone = {one.key for one in lines}
        return replace(self, held=tuple(one for one in self.held if one.key not in gone))

    def groups(self, severity: AlertSeverity, at: datetime) -> bool:
        return self.window_until is not None and at < self.window_until and severity.rank <= self.window_severity.rank

    def opened(self, severity: AlertSeverity, at: datetime) -> ServiceWatch:
        lasting = CRITICAL_GROUPED_FOR if severity is AlertSeverity.CRITICAL else GROUPED_FOR
        return replace(self, window_until=at + lasting, window_severity=severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceWindow:
    """``services`` empty: all of them. ``ended_by``: who ended it before its time, or took it back."""

    window_id: str
    starts_at: datetime
    ends_at: datetime
    services: tuple[Service, ...]
    reason: str
    created_by: str
    created_at: datetime
    ended_at: datetime | None = None
    ended_by: str = ""

    def covers(self, service: Service, at: datetime) -> bool:
        return self.starts_at <= at < self.ends_at and (not self.services or service in self.services)

    def stands(self, at: datetime) -> bool:
        return self.ended_at is None and at < self.ends_at

    def ended(self, by: str, at: datetime) -> MaintenanceWindow:
        """Over now; one that has not begun never lasts. Raises: MaintenanceWindowOver."""
        if not self.stands(at):
            raise MaintenanceWindowOver
        return replace(self, ends_at=max(at, self.starts_at), ended_at=at, ended_by=by)


def planned_window(
    window_id: str,
    *,
    starts_at: datetime,
    ends_at: datetime,
    services: tuple[Service, ...],
    reason: str,
    by: str,
    at: datetime,
) -> MaintenanceWindow:
    """Raises: MaintenanceWindowInvalid, for one that is over, is none, or silences for longer than a day."""
    if ends_at <= max(starts_at, at):
        raise MaintenanceWindowInvalid(
            "La fin doit suivre le début, et être à venir.", "The end must follow the start, and be ahead."
        )
    if ends_at - starts_at > MAX_MAINTENANCE:
        raise MaintenanceWindowInvalid(
            "Une maintenance fait taire 24 heures au plus.", "A maintenance silences for 24 hours at most."
        )
    return MaintenanceWindow(
        window_id=window_id,
        starts_at=starts_at,
        ends_at=ends_at,
        services=services,
        reason=reason,
        created_by=by,
        created_at=at,
    )


def silenced_until(service: Service, windows: Iterable[MaintenanceWindow], at: datetime) -> datetime | None:
    """The end of the maintenance that covers a service now."""
    return max((one.ends_at for one in windows if one.covers(service, at)), default=None)


def is_quiet(at: datetime) -> bool:
    """Night or week-end in Paris."""
    local = at.astimezone(PARIS)
    return local.weekday() >= _WEEK_END or not DAY_BEGINS <= local.time() < DAY_ENDS


def next_morning(at: datetime) -> datetime:
    """When the next working day begins, as a civil time: clocks may change in between."""
    local = at.astimezone(PARIS)
    day = local.date() if local.time() < DAY_BEGINS else local.date() + timedelta(days=1)
    while day.weekday() >= _WEEK_END:
        day += timedelta(days=1)
    return datetime.combine(day, DAY_BEGINS, PARIS).astimezone(at.tzinfo)


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  # claimed: a run that died holding it is passed over until ``next_at``
    SENT = "sent"
    FAILED = "failed"
    UNUSED = "unused"  # nobody is named in the secret for this channel


# After the first, second… failure of a channel.
RETRY_AFTER: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60))
MAX_ATTEMPTS: Final = len(RETRY_AFTER) + 1
LEASE: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What people are told, in words. ``sms`` is short."""

    notice_id: str
    created_at: datetime
    severity: AlertSeverity
    title: str
    lines: tuple[str, ...]
    sms: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeDelivery:
    """``reached``: fingerprints of the recipients who have it, so that a retry goes to the others only."""

    notice_id: str
    channel: Channel
    version: int = 1
    state: DeliveryState = DeliveryState.WAITING
    attempts: int = 0
    next_at: datetime | None = None
    reached: tuple[str, ...] = ()
    error: str = ""  # a class of error, never a text of a third party

    def claimed(self, at: datetime) -> NoticeDelivery:
        return replace(
            self,
            version=self.version + 1,
            state=DeliveryState.SENDING,
            attempts=self.attempts + 1,
            next_at=at + LEASE,
        )

    def ended(self, sent: Sent, at: datetime) -> NoticeDelivery:
        """After an attempt: sent, unused, to be tried again, or given up."""
        reached = tuple(sorted({*self.reached, *sent.reached}))
        again = None
        if sent.unused:
            state = DeliveryState.UNUSED
        elif not sent.error:
            state = DeliveryState.SENT
        elif self.attempts >= MAX_ATTEMPTS:
            state = DeliveryState.FAILED
        else:
            state, again = DeliveryState.WAITING, at + RETRY_AFTER[self.attempts - 1]
        return replace(self, version=self.version + 1, state=state, next_at=again, reached=reached, error=sent.error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one attempt of a channel."""

    reached: tuple[str, ...] = ()
    error: str = ""
    unused: bool = False


class KnownAlarm(NamedTuple):
    """Of an alarm of the template: what it watches, in words from where it rings; ``unit`` is empty without a value."""

    subject: str
    service: Service
    says: str
    unit: str


_ALARMS: Final = {
    indicator.alarm_name(severity): KnownAlarm(
        indicator.name, indicator.service, in_words(indicator, level), indicator.unit
    )
    for indicator in INDICATORS
    for severity, level in indicator.levels()
} | {one.alarm_name: KnownAlarm(one.name, one.service, one.says, "") for one in COMPOSITES}


def known_alarm(name: str) -> KnownAlarm | None:
    """By the logical id that ends the name of an alarm of CloudWatch."""
    return _ALARMS.get(name)


def is_heartbeat(text: str) -> bool:
    return _parsed(text).get("kind") == HEARTBEAT


def signal_of(text: str, at: datetime) -> Signal:
    """What a message says: an alarm of CloudWatch, a deployment, or something else, which is told too."""
    told = _parsed(text)
    if told.get("kind") == FORECAST:
        return _forecast_signal(told, at)
    if told.get("kind") in {PARKED, RELEASED}:
        return _tenant_signal(told, at)
    if isinstance(told.get("AlarmName"), str) and isinstance(told.get("NewStateValue"), str):
        return _alarm_signal(told, at)
    if isinstance(told.get("detail-type"), str) and isinstance(told.get("detail"), dict):
        return _deployment_signal(told, at)
    return _other(at, "Message inattendu sur le sujet des alertes ; il est conservé tel quel.")


def _alarm_signal(told: Mapping[str, Any], at: datetime) -> Signal:
    environment, _, name = str(told["AlarmName"]).rpartition("-")
    known = known_alarm(name)
    kind_found = _ALARM_KIND.search(name)
    severity = AlertSeverity.CRITICAL if kind_found and kind_found[1] == "Critical" else AlertSeverity.WARNING
    value = ""
    found = _VALUE.search(str(told.get("NewStateReason", "")))
    if found:
        try:
            value = number(round(Decimal(found[1]), _SHOWN_PLACES))
        except InvalidOperation:
            value = ""
    state = told["NewStateValue"]
    link = str(told.get("AlarmDescription") or "").rpartition(" ")[2]
    if state not in {"ALARM", "OK"}:
        return _other(at, "Une alarme n'a pas assez de données pour juger.", environment=environment)
    return Signal(
        kind=Kind.ALARM if state == "ALARM" else Kind.RECOVERY,
        subject=known.subject if known else _ALARM_KIND.sub("", name) or "Unknown",
        severity=severity,
        service=known.service if known else Service.SUPERVISION,
        at=_instant(told.get("StateChangeTime"), at),
        says=known.says if known else f"Alarme {name}",
        value=f"{value} {known.unit}" if known and value else value,
        environment=environment,
        runbook=link if "#" in link else "",
    )


_FAILED = ("FAILED", "FAILURE", "ROLLBACK_COMPLETE", "STOP")
_ENDED = ("SUCCESS", "COMPLETE")


def _deployment_signal(told: Mapping[str, Any], at: datetime) -> Signal:
    detail = told["detail"]
    status = detail.get("status-details") or {}
    state = str(detail.get("state") or (status.get("status") if isinstance(status, dict) else "") or "").upper()
    name = str(detail.get("application") or str(detail.get("stack-id") or "").partition("/")[2].partition("/")[0])
    if any(part in state for part in _FAILED):
        severity, says = AlertSeverity.WARNING, f"Déploiement en échec : {name} ({state})"
    elif any(part in state for part in _ENDED):
        severity, says = AlertSeverity.INFO, f"Déploiement réussi : {name}"
    else:
        severity, says = AlertSeverity.INFO, f"Déploiement en cours : {name} ({state})"
    return Signal(
        kind=Kind.DEPLOYMENT,
        subject="Deployment",
        severity=severity,
        service=Service.INFRASTRUCTURE,
        at=_instant(told.get("time"), at),
        says=says,
        environment=name,
    )


def _forecast_signal(told: Mapping[str, Any], at: datetime) -> Signal:
    environment, _, name = str(told.get("alarm", "")).rpartition("-")
    known, hours = known_alarm(name), told.get("hours")
    if known is None or not isinstance(hours, int):
        return _other(at, "Une prévision que personne ne comprend ; elle est conservée telle quelle.")
    return Signal(
        kind=Kind.FORECAST,
        subject=f"{known.subject}Forecast",
        severity=AlertSeverity.WARNING,
        service=known.service,
        at=at,
        says=f"Prévision, d'ici {hours} h environ si rien ne change – {known.says}",
        environment=environment,
    )


def _tenant_signal(told: Mapping[str, Any], at: datetime) -> Signal:
    """Critical until it is released: each company is a trouble of its own."""
    tenant_id, reason = told.get("tenant_id"), told.get("reason")
    if not isinstance(tenant_id, str) or reason not in {one.value for one in ParkReason}:
        return _other(at, "Une mise à l'écart que personne ne comprend ; elle est conservée telle quelle.")
    return Signal(
        kind=Kind.ALARM if told["kind"] == PARKED else Kind.RECOVERY,
        subject=f"TenantParked:{tenant_id}",
        severity=AlertSeverity.CRITICAL,
        service=Service.PROOF,
        at=at,
        says=f"Société mise à l'écart : {FRENCH_REASONS[ParkReason(reason)]} ({tenant_id})",
        tenants=(tenant_id,),
    )


def _other(at: datetime, says: str, *, environment: str = "") -> Signal:
    return Signal(
        kind=Kind.OTHER,
        subject="Message",
        severity=AlertSeverity.INFO,
        service=Service.SUPERVISION,
        at=at,
        says=says,
        environment=environment,
    )


def _parsed(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _instant(text: object, otherwise: datetime) -> datetime:
    """``2026-11-23T09:00:05.123+0000`` or with a ``Z``."""
    if not isinstance(text, str):
        return otherwise
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return otherwise
    return parsed if parsed.tzinfo else otherwise
