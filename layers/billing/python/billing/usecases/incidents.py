"""Incidents that people open, note, close and read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from billing.domain.dates import civil_date
from billing.domain.errors import NotFound
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
from billing.usecases.contention import judged_anew


def open_incident(
    *,
    by: str,
    severity: IncidentSeverity,
    title: str,
    service: Service,
    environment: str = "",
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    """A person's incident takes the next number of the year."""

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
        desk.apply(Step(incidents=(incident,), series=replace(series, version=series.version + 1)))
        return incident

    return judged_anew(attempt, clock=clock, ids=ids)


def note_incident(
    number: str,
    *,
    by: str,
    text: str,
    severity: IncidentSeverity | None = None,
    found: Callable[[IncidentFacts], IncidentFacts] = lambda facts: facts,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> Incident:
    """A note, and what is known now. Raises: NotFound, IncidentTimelineFull."""

    def change(incident: Incident) -> Incident:
        noted = incident.noted(by, text, clock.now()) if text else incident
        graded = noted.graded(severity, by, clock.now()) if severity else noted
        return replace(graded, facts=found(graded.facts))

    return _changed(number, change, desk=desk, clock=clock, ids=ids)


def close_incident(
    number: str, *, by: str, approver: str = "", cause: str = "", desk: AlertDesk, clock: Clock, ids: Ids
) -> Incident:
    """Raises: NotFound, IncidentNotClosable."""

    def change(incident: Incident) -> Incident:
        watched = desk.alarms([incident.subject])[incident.subject] if incident.subject else None
        if cause:
            incident = replace(incident, facts=replace(incident.facts, cause=cause))
        rings = watched is not None and watched.rings
        return incident.closed(by, clock.now(), approver=approver, rings=rings)

    return _changed(number, change, desk=desk, clock=clock, ids=ids)


def read_incident(number: str, *, desk: AlertDesk) -> Incident:
    """Raises: NotFound."""
    incident = desk.incidents([number]).get(number)
    if incident is None:
        raise NotFound
    return incident


def write_post_mortem(number: str, *, desk: AlertDesk) -> str:
    """Markdown. Raises: NotFound."""
    return post_mortem(read_incident(number, desk=desk))


def _changed(
    number: str, change: Callable[[Incident], Incident], *, desk: AlertDesk, clock: Clock, ids: Ids
) -> Incident:
    def attempt() -> Incident:
        incident = read_incident(number, desk=desk)
        changed = change(incident)
        changed = replace(changed, version=incident.version + 1)
        desk.apply(Step(incidents=(changed,)))
        return changed

    return judged_anew(attempt, clock=clock, ids=ids)
