"""Incidents that people open, note, close and read. ``by`` is the name of an operator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from billing.domain.alerts import Alert
from billing.domain.dates import civil_date
from billing.domain.errors import NotFound, NothingToNote
from billing.domain.incidents import (
    DEADLINES,
    Incident,
    IncidentFacts,
    IncidentSeverity,
    TimelineEntry,
    post_mortem,
)
from billing.domain.watch import Service
from billing.ports.alerts import AlertDesk, Step
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.usecases.contention import judged_anew

SHOWN_ALERTS = 20


class IncidentState(StrEnum):
    """Which incidents a list shows."""

    OPEN = "open"
    CLOSED = "closed"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFile:
    """An incident with its latest alerts."""

    incident: Incident
    alerts: tuple[Alert, ...]


def open_incident(
    *,
    by: str,
    severity: IncidentSeverity,
    title: str,
    service: Service,
    environment: str = "",
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    """A person's incident takes the next number of the year. Raises: AlreadyAnswered, IdempotencyKeyReused."""

    def attempt() -> Incident:
        now = clock.now()
        series = desk.series(civil_date(now).year).next()
        incident = Incident(
            number=series.number,
            version=1,
            severity=severity,
            title=title,
            service=service,
            environment=environment,
            subject="",
            opened_at=now,
            opened_by=by,
            deadline=now + DEADLINES[severity],
            timeline=(TimelineEntry(at=now, by=by, text="Incident ouvert"),),
        )
        step = Step(incidents=(incident,), series=replace(series, version=series.version + 1))
        desk.apply(step, once=once, answered=incident)
        return incident

    return judged_anew(attempt, clock=clock, ids=ids)


def note_incident(
    number: str,
    *,
    by: str,
    text: str = "",
    severity: IncidentSeverity | None = None,
    found: Callable[[IncidentFacts], IncidentFacts] = lambda facts: facts,
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    """A note, and what is known now. Raises: NotFound, NothingToNote, IncidentTimelineFull, AlreadyAnswered."""

    def change(incident: Incident) -> Incident:
        noted = incident.noted(by, text, clock.now()) if text else incident
        graded = noted.graded(severity, by, clock.now()) if severity else noted
        changed = graded.found(found(graded.facts), by, clock.now())
        if changed == incident:
            raise NothingToNote
        return changed

    return _changed(number, change, once=once, desk=desk, clock=clock, ids=ids)


def close_incident(
    number: str,
    *,
    by: str,
    cause: str = "",
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    """Raises: NotFound, IncidentNotClosable, AlreadyAnswered."""

    def change(incident: Incident) -> Incident:
        rings = _rings(incident, desk)
        if cause:
            incident = incident.found(replace(incident.facts, cause=cause), by, clock.now())
        return incident.closed(by, clock.now(), rings=rings)

    return _changed(number, change, once=once, desk=desk, clock=clock, ids=ids)


def approve_incident(
    number: str, *, by: str, once: IdempotentRequest | None = None, desk: AlertDesk, clock: Clock, ids: Ids
) -> Incident:
    """Its closing is approved until it rings again, is graded otherwise or its cause changes.

    Raises: NotFound, IncidentNotClosable, AlreadyAnswered.
    """

    def change(incident: Incident) -> Incident:
        return incident.approved(by, clock.now(), rings=_rings(incident, desk))

    return _changed(number, change, once=once, desk=desk, clock=clock, ids=ids)


def _rings(incident: Incident, desk: AlertDesk) -> bool:
    return bool(incident.subject) and desk.alarms([incident.subject])[incident.subject].rings


def list_incidents(state: IncidentState, year: int, page: PageRequest, *, desk: AlertDesk) -> Page[Incident]:
    """Open ones of whatever year, the oldest first; others of a year, latest first. Without timeline and facts."""
    if state is IncidentState.OPEN:
        return desk.list_open_incidents(page)
    if state is IncidentState.CLOSED:
        return desk.list_closed_incidents(year, page)
    return desk.list_incidents(year, page)


def read_incident(number: str, *, desk: AlertDesk) -> IncidentFile:
    """With its latest alerts. Raises: NotFound."""
    incident = _stored(number, desk)
    alerts = desk.list_incident_alerts(number, PageRequest(limit=SHOWN_ALERTS))
    return IncidentFile(incident=incident, alerts=alerts.items)


def read_post_mortem(number: str, *, desk: AlertDesk) -> str:
    """Markdown. Raises: NotFound."""
    return post_mortem(_stored(number, desk))


def _stored(number: str, desk: AlertDesk, once: IdempotentRequest | None = None) -> Incident:
    incident = desk.incident(number, once) if once else desk.incidents([number]).get(number)
    if incident is None:
        raise NotFound
    return incident


def _changed(
    number: str,
    change: Callable[[Incident], Incident],
    *,
    once: IdempotentRequest | None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    def attempt() -> Incident:
        incident = _stored(number, desk, once)
        changed = change(incident)
        changed = replace(changed, version=incident.version + 1)
        desk.apply(Step(incidents=(changed,)), once=once, answered=changed)
        return changed

    return judged_anew(attempt, clock=clock, ids=ids)
