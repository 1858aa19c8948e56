"""Incidents, alerts and maintenance windows in requests and answers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Self

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import Field

from billing.api.answers import Reply, Request, answer
from billing.api.fields import Instant, Percentage, Text
from billing.api.paging import PageReply
from billing.domain.alerts import Alert, AlertSeverity, Fate, Kind, MaintenanceWindow
from billing.domain.dead_letters import LetterDecision, LetterQueue, LetterRecord, LetterState
from billing.domain.incidents import Incident, IncidentFacts, IncidentSeverity
from billing.domain.money import format_decimal
from billing.domain.parking import ParkedTenant, ParkReason
from billing.domain.watch import Service
from billing.ports.idempotency import Answer

MARKDOWN = "text/markdown"
_NUMBER = "^ZB-2[0-9]{3}-[0-9]{3,9}$"
_TENANT = "^ten_[0-9a-f]{32}$"
_NOTE, _FOUND = 2000, 5000
LetterId = Annotated[
    str, Path(pattern="^[0-9A-Za-z_-]{1,100}$", description="As the queue named it, or the event of Stripe")
]
LettersOfYear = Annotated[int | None, Query(ge=2020, le=2999, description="In Europe/Paris")]
TenantId = Annotated[str, Path(pattern=_TENANT)]
IncidentNumber = Annotated[str, Path(pattern=_NUMBER, description="`ZB-{year}-{NNN}`")]
OfIncident = Annotated[str | None, Query(pattern=_NUMBER, description="Only the alerts of this incident")]
Year = Annotated[int | None, Query(ge=2020, le=2999, description="In Europe/Paris; this year by default")]


class OpenIncidentRequest(Request):
    title: Annotated[str, Text(200, min_length=1)]
    severity: IncidentSeverity
    service: Service
    environment: Annotated[str, Text(60), Field(description="Name of the stack")] = ""


class NoteIncidentRequest(Request):
    """What is said replaces what was known; what is left out stays."""

    note: Annotated[str, Text(_NOTE, lines=True), Field(description="An entry of the timeline")] = ""
    severity: Annotated[
        IncidentSeverity | None, Field(description="Its time counts from its opening, whenever this is said")
    ] = None
    tenants: Annotated[
        list[Annotated[str, Field(pattern=_TENANT)]] | None,
        Field(max_length=200, description="Companies that it touched"),
    ] = None
    documents: Annotated[
        list[Annotated[str, Text(60, min_length=1)]] | None,
        Field(max_length=500, description="Numbers or ids of documents that it touched"),
    ] = None
    error_rate_before: Annotated[Percentage | None, Field(description="Percent")] = None
    error_rate_after: Annotated[Percentage | None, Field(description="Percent")] = None
    reproduction: Annotated[str, Text(_FOUND, lines=True)] | None = None
    analysis: Annotated[str, Text(_FOUND, lines=True), Field(description="Preliminary analysis")] | None = None
    corrective_actions: Annotated[str, Text(_FOUND, lines=True)] | None = None
    cause: Annotated[str, Text(_FOUND, lines=True)] | None = None

    def found(self, known: IncidentFacts) -> IncidentFacts:
        """What is known with what this says."""
        told: dict[str, Any] = {
            name: getattr(self, name)
            for name in ("reproduction", "analysis", "corrective_actions", "cause")
            if getattr(self, name) is not None
        }
        told |= {
            name: format_decimal(getattr(self, name))
            for name in ("error_rate_before", "error_rate_after")
            if getattr(self, name) is not None
        }
        told |= {
            name: tuple(dict.fromkeys(getattr(self, name)))
            for name in ("tenants", "documents")
            if getattr(self, name) is not None
        }
        return replace(known, **told)


class CloseIncidentRequest(Request):
    cause: Annotated[str, Text(_FOUND, lines=True), Field(description="Unless it was written before")] = ""


class PlanMaintenanceRequest(Request):
    starts_at: Instant
    ends_at: Annotated[Instant, Field(description="24 hours after its start at most")]
    services: Annotated[
        list[Service], Field(max_length=len(Service), description="Those that keep silent; all of them when empty")
    ]
    reason: Annotated[str, Text(200, min_length=1)]


class AlertResponse(Reply):
    message_id: str
    received_at: datetime
    kind: Kind
    severity: AlertSeverity
    service: Service
    indicator: Annotated[str, Field(description="Whose two alarms are one trouble")]
    says: str
    value: Annotated[str | None, Field(description="As it was when it rang, with its unit")]
    fate: Annotated[Fate, Field(description="What became of it: told, or why not at once")]
    incident_number: str | None
    runbook: str | None

    @classmethod
    def of(cls, alert: Alert) -> Self:
        signal = alert.signal
        return cls(
            message_id=alert.message_id,
            received_at=alert.received_at,
            kind=signal.kind,
            severity=signal.severity,
            service=signal.service,
            indicator=signal.subject,
            says=signal.says,
            value=signal.value or None,
            fate=alert.fate,
            incident_number=alert.incident_number or None,
            runbook=signal.runbook or None,
        )


class IncidentRowResponse(Reply):
    incident_number: str
    severity: IncidentSeverity
    title: str
    service: Service
    environment: str | None
    indicator: Annotated[str | None, Field(description="Whose alarm opened it; null when a person did")]
    open: bool
    opened_at: datetime
    opened_by: Annotated[str, Field(description="`alarm`, or the name of an operator")]
    deadline: Annotated[datetime, Field(description="Until when it is to be solved, by its severity")]
    times_rung: int
    times_reopened: int
    closed_at: datetime | None
    closed_by: str | None
    approver: Annotated[str | None, Field(description="Whose approval of its closing stands")]
    approved_at: datetime | None

    @classmethod
    def of(cls, incident: Incident) -> Self:
        return cls(**_row(incident))


class TimelineEntryResponse(Reply):
    at: datetime
    by: Annotated[str, Field(description="`alarm`, or the name of an operator")]
    text: str


class IncidentResponse(IncidentRowResponse):
    timeline: list[TimelineEntryResponse]
    tenants: list[str]
    documents: list[str]
    error_rate_before: Annotated[str | None, Field(description="Percent")]
    error_rate_after: Annotated[str | None, Field(description="Percent")]
    reproduction: str | None
    analysis: str | None
    corrective_actions: str | None
    cause: str | None

    @classmethod
    def of(cls, incident: Incident) -> Self:
        return cls(**_row(incident), **_found(incident))


class IncidentFileResponse(IncidentResponse):
    alerts: Annotated[list[AlertResponse], Field(description="The latest ones; GET /v1/operations/alerts has them all")]

    @classmethod
    def with_alerts(cls, incident: Incident, alerts: tuple[Alert, ...]) -> Self:
        shown = [AlertResponse.of(alert) for alert in alerts]
        return cls(**_row(incident), **_found(incident), alerts=shown)


class IncidentPageResponse(PageReply):
    items: list[IncidentRowResponse]


class AlertPageResponse(PageReply):
    items: list[AlertResponse]


class MaintenanceWindowResponse(Reply):
    window_id: str
    starts_at: datetime
    ends_at: datetime
    services: Annotated[list[Service], Field(description="All of them when empty")]
    reason: str
    created_by: str
    created_at: datetime
    ended_at: Annotated[datetime | None, Field(description="When somebody ended it before its time, or took it back")]
    ended_by: str | None

    @classmethod
    def of(cls, window: MaintenanceWindow) -> Self:
        return cls(
            window_id=window.window_id,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            services=list(window.services),
            reason=window.reason,
            created_by=window.created_by,
            created_at=window.created_at,
            ended_at=window.ended_at,
            ended_by=window.ended_by or None,
        )


class MaintenanceWindowListResponse(Reply):
    items: list[MaintenanceWindowResponse]


class DecideDeadLetterRequest(Request):
    decision: LetterDecision
    note: Annotated[str, Text(_NOTE, min_length=1, lines=True), Field(description="What was found, and what was done")]


class DeadLetterResponse(Reply):
    letter_id: str
    queue: LetterQueue
    about: Annotated[str | None, Field(description="Function, topic or event of Stripe; null when it says none")]
    reason: Annotated[str | None, Field(description="Why it was given up: a code")]
    sent_at: datetime
    state: Annotated[LetterState, Field(description="`left`: every replay failed, an operator decides")]
    attempts: Annotated[int, Field(description="Replays made, since the last decision")]
    next_attempt_at: datetime | None
    error: Annotated[str | None, Field(description="Class of the error that the last replay met")]
    ended_at: datetime | None
    decision: LetterDecision | None
    decided_by: str | None
    note: str | None

    @classmethod
    def of(cls, record: LetterRecord) -> Self:
        return cls(
            letter_id=record.letter_id,
            queue=record.queue,
            about=record.about or None,
            reason=record.reason or None,
            sent_at=record.sent_at,
            state=record.state,
            attempts=record.attempts,
            next_attempt_at=record.next_at,
            error=record.error or None,
            ended_at=record.ended_at,
            decision=record.decision,
            decided_by=record.decided_by or None,
            note=record.note or None,
        )


class DeadLetterPageResponse(PageReply):
    items: list[DeadLetterResponse]


class ReleaseParkedTenantRequest(Request):
    note: Annotated[str, Text(_NOTE, min_length=1, lines=True), Field(description="What was found, and what was done")]


class ParkedTenantResponse(Reply):
    tenant_id: str
    reason: Annotated[ParkReason, Field(description="Which invariant did not hold")]
    parked_at: datetime
    released_at: Annotated[datetime | None, Field(description="Null while it is parked")]
    released_by: str | None
    note: str | None

    @classmethod
    def of(cls, parked: ParkedTenant) -> Self:
        return cls(
            tenant_id=parked.tenant_id,
            reason=parked.reason,
            parked_at=parked.parked_at,
            released_at=parked.released_at,
            released_by=parked.released_by or None,
            note=parked.note or None,
        )


class ParkedTenantListResponse(Reply):
    items: list[ParkedTenantResponse]


def incident_answer(incident: Incident) -> Answer:
    return answer(200, IncidentResponse.of(incident))


def opened_incident_answer(incident: Incident) -> Answer:
    location = f"/v1/operations/incidents/{incident.number}"
    return answer(201, IncidentResponse.of(incident), location=location)


def planned_window_answer(window: MaintenanceWindow) -> Answer:
    return answer(201, MaintenanceWindowResponse.of(window))


def ended_window_answer(window: MaintenanceWindow) -> Answer:
    return answer(200, MaintenanceWindowResponse.of(window))


def released_tenant_answer(released: ParkedTenant) -> Answer:
    return answer(200, ParkedTenantResponse.of(released))


def decided_letter_answer(record: LetterRecord) -> Answer:
    return answer(200, DeadLetterResponse.of(record))


def documented_markdown(description: str) -> dict[int, OpenAPIResponse]:
    return {200: OpenAPIResponse(description=description, content={MARKDOWN: {"schema": {"type": "string"}}})}


def respond_markdown(text: str, name: str) -> Response[str]:
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{name}"'}
    return Response(status_code=200, content_type=f"{MARKDOWN}; charset=utf-8", body=text, headers=headers)


def _row(incident: Incident) -> dict[str, Any]:
    return {
        "incident_number": incident.number,
        "severity": incident.severity,
        "title": incident.title,
        "service": incident.service,
        "environment": incident.environment or None,
        "indicator": incident.subject or None,
        "open": incident.is_open,
        "opened_at": incident.opened_at,
        "opened_by": incident.opened_by,
        "deadline": incident.deadline,
        "times_rung": incident.rang,
        "times_reopened": incident.reopened,
        "closed_at": incident.closed_at,
        "closed_by": incident.closed_by or None,
        "approver": incident.approver or None,
        "approved_at": incident.approved_at,
    }


def _found(incident: Incident) -> dict[str, Any]:
    facts = incident.facts
    return {
        "timeline": [TimelineEntryResponse(at=entry.at, by=entry.by, text=entry.text) for entry in incident.timeline],
        "tenants": list(facts.tenants),
        "documents": list(facts.documents),
        "error_rate_before": facts.error_rate_before or None,
        "error_rate_after": facts.error_rate_after or None,
        "reproduction": facts.reproduction or None,
        "analysis": facts.analysis or None,
        "corrective_actions": facts.corrective_actions or None,
        "cause": facts.cause or None,
    }
