"""Incidents ``ZB-{year}-{NNN}``: opened by an alarm or a person, closed when it is over and its cause written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from billing.domain.alerts import AlertSeverity, Signal, is_quiet, next_morning
from billing.domain.dates import PARIS
from billing.domain.errors import IncidentNotClosable, IncidentTimelineFull
from billing.domain.watch import SERVICES, Service

REOPENED_WITHIN: Final = timedelta(hours=1)
WARNED_AT: Final = (75, 100)  # percent of the time to its deadline
# An incident is one item: what alarms add by themselves stops before what people may write.
MAX_AUTOMATIC_ENTRIES: Final = 120
MAX_ENTRIES: Final = 200
MAX_ENTRIES_BYTES: Final = 200_000
# What closing takes is still written when people may add no more notes.
MAX_RECORDS: Final = 300
ALARM: Final = "alarm"


class IncidentSeverity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        return list(IncidentSeverity).index(self)


DEADLINES: Final = {
    IncidentSeverity.CRITICAL: timedelta(hours=4),
    IncidentSeverity.HIGH: timedelta(hours=24),
    IncidentSeverity.MEDIUM: timedelta(days=7),
    IncidentSeverity.LOW: timedelta(days=30),
}
OF_ALERT: Final = {
    AlertSeverity.CRITICAL: IncidentSeverity.CRITICAL,
    AlertSeverity.WARNING: IncidentSeverity.MEDIUM,
}
# Who hears of its deadline.
AS_ALERT: Final = {
    IncidentSeverity.CRITICAL: AlertSeverity.CRITICAL,
    IncidentSeverity.HIGH: AlertSeverity.WARNING,
    IncidentSeverity.MEDIUM: AlertSeverity.WARNING,
    IncidentSeverity.LOW: AlertSeverity.WARNING,
}
APPROVED: Final = frozenset({IncidentSeverity.CRITICAL, IncidentSeverity.HIGH})  # closing them takes an approval
APPROVED_ALONE_AFTER: Final = timedelta(hours=24)  # where nobody else is there


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    at: datetime
    by: str  # ``alarm``, or the id of an operator
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFacts:
    """What people find out. Empty: not known yet. Rates are percent, as exact decimals in text."""

    tenants: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    error_rate_before: str = ""
    error_rate_after: str = ""
    reproduction: str = ""
    analysis: str = ""
    corrective_actions: str = ""
    cause: str = ""


FRENCH_FACTS: Final = {
    "tenants": "sociétés touchées",
    "documents": "documents touchés",
    "error_rate_before": "taux d'erreur avant",
    "error_rate_after": "taux d'erreur après",
    "reproduction": "reproduction",
    "analysis": "analyse préliminaire",
    "corrective_actions": "actions correctives",
    "cause": "cause",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentSeries:
    """The last number of a year; moves in the transaction of the incident that takes it."""

    year: int
    version: int = 0
    last: int = 0

    def next(self) -> IncidentSeries:
        return replace(self, last=self.last + 1)

    @property
    def number(self) -> str:
        return f"ZB-{self.year}-{self.last:03d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``subject``: the indicator whose alarm opened it, empty for a person's. ``warned``: of which part of its time.
    ``was_grave``: it was critical or high before it was graded lower. ``approver``: whose approval stands."""

    number: str
    version: int = 0
    severity: IncidentSeverity
    title: str
    service: Service
    environment: str
    subject: str
    opened_at: datetime
    opened_by: str
    deadline: datetime
    timeline: tuple[TimelineEntry, ...]
    facts: IncidentFacts = IncidentFacts()
    rang: int = 0
    warned: int = 0
    reopened: int = 0
    closed_at: datetime | None = None
    closed_by: str = ""
    was_grave: bool = False
    approver: str = ""
    approved_at: datetime | None = None

    @property
    def asks_approval(self) -> bool:
        return self.was_grave or self.severity in APPROVED

    @property
    def year(self) -> int:
        return int(self.number.split("-")[1])

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def due_at(self) -> datetime | None:
        """When people are warned of its deadline; at night of those that can wait, in the morning."""
        left = [percent for percent in WARNED_AT if percent > self.warned]
        if not self.is_open or not left:
            return None
        at = self.opened_from + (self.deadline - self.opened_from) * left[0] / 100
        waits = AS_ALERT[self.severity] is not AlertSeverity.CRITICAL
        return next_morning(at) if waits and is_quiet(at) else at

    @property
    def opened_from(self) -> datetime:
        return self.deadline - DEADLINES[self.severity]

    def summarised(self) -> Incident:
        """What a list shows: without its timeline and what people found."""
        return replace(self, timeline=(), facts=IncidentFacts())

    def noted(self, by: str, text: str, at: datetime) -> Incident:
        """Raises: IncidentTimelineFull, for a person's note."""
        if by == ALARM and len(self.timeline) >= MAX_AUTOMATIC_ENTRIES:
            return self
        written = sum(len(entry.text.encode()) for entry in self.timeline) + len(text.encode())
        if len(self.timeline) >= MAX_ENTRIES or written > MAX_ENTRIES_BYTES:
            raise IncidentTimelineFull
        return self._recorded(by, text, at)

    def found(self, facts: IncidentFacts, by: str, at: datetime) -> Incident:
        """What is known now, and in the timeline who wrote which of it. Raises: IncidentTimelineFull."""
        changed = [words for name, words in FRENCH_FACTS.items() if getattr(facts, name) != getattr(self.facts, name)]
        if not changed:
            return self
        told = replace(self._recorded(by, f"Renseigné : {', '.join(changed)}", at), facts=facts)
        return told if facts.cause == self.facts.cause else told.unapproved()

    def _recorded(self, by: str, text: str, at: datetime) -> Incident:
        if len(self.timeline) >= MAX_RECORDS:
            raise IncidentTimelineFull
        return replace(self, timeline=(*self.timeline, TimelineEntry(at=at, by=by, text=text)))

    def rung(self, signal: Signal, at: datetime) -> Incident:
        """It rings (again): as bad as the worst of its alarms, open when it closed within the hour."""
        severity = min(self.severity, OF_ALERT[signal.severity], key=lambda one: one.rank)
        changed = replace(self.unapproved(), rang=self.rang + 1)
        if not self.is_open:
            changed = replace(changed, closed_at=None, closed_by="", reopened=self.reopened + 1).judged(severity, at)
        elif severity is not self.severity:
            changed = changed.judged(severity, at)
        return changed.noted(ALARM, f"L'alarme sonne : {signal.says}{_valued(signal)}", at)

    def reopens(self, at: datetime) -> bool:
        return self.closed_at is not None and at - self.closed_at <= REOPENED_WITHIN

    def calmed(self, signal: Signal, at: datetime) -> Incident:
        return self.noted(ALARM, f"L'alarme ne sonne plus : {signal.says}", at)

    def graded(self, severity: IncidentSeverity, by: str, at: datetime) -> Incident:
        """A person says how bad it is: its time counts from its opening."""
        if severity is self.severity:
            return self
        changed = self.judged(severity, self.opened_from)
        return changed.noted(by, f"Gravité : {FRENCH_SEVERITY[severity]}", at)

    def judged(self, severity: IncidentSeverity, since: datetime) -> Incident:
        """As bad as this, with its time counted anew. What was approved was approved of another gravity."""
        return replace(
            self.unapproved(),
            severity=severity,
            deadline=since + DEADLINES[severity],
            warned=0,
            was_grave=self.asks_approval,
        )

    def unapproved(self) -> Incident:
        return replace(self, approver="", approved_at=None)

    def warned_now(self, at: datetime) -> tuple[Incident, int]:
        """Warned of every part of its time that is over, and of which one people hear."""
        share = max(
            (percent for percent in WARNED_AT if at >= self.opened_from + DEADLINES[self.severity] * percent / 100),
            default=WARNED_AT[0],
        )
        return replace(self, warned=share), share

    def approved(self, by: str, at: datetime, *, rings: bool) -> Incident:
        """Its closing, by somebody else than who closes it; whoever approved keeps the time of it.

        Raises: IncidentNotClosable, which says what is missing.
        """
        self._refuse_unready(rings=rings)
        if not self.asks_approval:
            raise IncidentNotClosable(
                "Seul un incident critique ou élevé s'approuve : clôturez celui-ci.",
                "Only a critical or high incident is approved: close this one.",
            )
        if self.approver == by:
            return self
        return replace(self._recorded(by, "Clôture approuvée", at), approver=by, approved_at=at)

    def closed(self, by: str, at: datetime, *, rings: bool) -> Incident:
        """Raises: IncidentNotClosable, which says what is missing."""
        self._refuse_unready(rings=rings)
        if self.asks_approval and self.approved_at is None:
            raise IncidentNotClosable(
                "Un incident critique ou élevé attend qu'un autre opérateur approuve sa clôture.",
                "A critical or high incident waits until another operator approves its closing.",
            )
        alone = self.approver == by
        if alone and self.approved_at is not None and at - self.approved_at < APPROVED_ALONE_AFTER:
            raise IncidentNotClosable(
                "Qui approuve ne clôture pas : un autre opérateur, ou vous-même 24 heures après votre approbation.",
                "Who approves does not close: another operator does, or you 24 hours after your approval.",
            )
        closed = self._recorded(by, "Incident clos, sans second regard" if alone else "Incident clos", at)
        return replace(closed, closed_at=at, closed_by=by)

    def _refuse_unready(self, *, rings: bool) -> None:
        if not self.is_open:
            raise IncidentNotClosable("L'incident est déjà clos.", "The incident is closed already.")
        if rings:
            raise IncidentNotClosable("Son alarme sonne encore.", "Its alarm is still ringing.")
        if not self.facts.cause.strip():
            raise IncidentNotClosable("La cause n'est pas écrite.", "The cause is not written.")


FRENCH_SEVERITY: Final = {
    IncidentSeverity.CRITICAL: "critique",
    IncidentSeverity.HIGH: "élevée",
    IncidentSeverity.MEDIUM: "moyenne",
    IncidentSeverity.LOW: "faible",
}


def opened_by_alarm(number: str, signal: Signal, at: datetime) -> Incident:
    severity = OF_ALERT[signal.severity]
    opened = Incident(
        number=number,
        severity=severity,
        title=signal.says,
        service=signal.service,
        environment=signal.environment,
        subject=signal.subject,
        opened_at=at,
        opened_by=ALARM,
        deadline=at + DEADLINES[severity],
        timeline=(),
        facts=IncidentFacts(tenants=signal.tenants),
    )
    return opened.rung(signal, at)


def _valued(signal: Signal) -> str:
    return f" (valeur relevée : {signal.value})" if signal.value else ""


def in_paris(at: datetime) -> str:
    return at.astimezone(PARIS).strftime("%d/%m/%Y à %H:%M")


def post_mortem(incident: Incident) -> str:
    """The anomaly sheet of an incident, in Markdown."""
    facts = incident.facts
    state = "ouvert" if incident.is_open else "clos"
    general = [
        ("Numéro", incident.number),
        ("Titre", incident.title),
        ("Gravité", FRENCH_SEVERITY[incident.severity]),
        ("État", state),
        ("Service touché", SERVICES[incident.service]),
        ("Ouvert le", in_paris(incident.opened_at)),
        ("Ouvert par", "une alarme" if incident.opened_by == ALARM else incident.opened_by),
        ("À résoudre avant le", in_paris(incident.deadline)),
        ("Clos le", in_paris(incident.closed_at) if incident.closed_at else "—"),
        ("Clos par", _cell(incident.closed_by)),
        ("Approuvé par", _approval(incident)),
        ("Réouvertures", str(incident.reopened)),
    ]
    impact = [
        ("Sociétés touchées", _counted(facts.tenants, none="aucune connue")),
        ("Documents touchés", _counted(facts.documents, none="aucun connu")),
        ("Taux d'erreur avant", _cell(facts.error_rate_before and f"{facts.error_rate_before} %")),
        ("Taux d'erreur après", _cell(facts.error_rate_after and f"{facts.error_rate_after} %")),
        ("Sonneries de l'alarme", str(incident.rang)),
        ("Durée", _lasting(incident)),
    ]
    journal = [
        f"- {in_paris(entry.at)} — {'alarme' if entry.by == ALARM else entry.by} : {_line(entry.text)}"
        for entry in incident.timeline
    ]
    parts = [
        f"# Fiche d'anomalie {incident.number}",
        "## Informations générales\n\n" + _table(general),
        "## Reproduction\n\n" + _said(facts.reproduction),
        "## Environnement\n\n"
        + _table([("Environnement", _cell(incident.environment)), ("Indicateur", _cell(incident.subject))]),
        "## Journaux\n\n" + "\n".join(journal),
        "## Chiffres d'impact\n\n" + _table(impact),
        "## Analyse\n\n### Analyse préliminaire\n\n" + _said(facts.analysis) + "\n\n### Cause\n\n" + _said(facts.cause),
        "## Actions correctives\n\n" + _said(facts.corrective_actions),
    ]
    return "\n\n".join(parts) + "\n"


def _table(rows: list[tuple[str, str]]) -> str:
    return "\n".join(
        ["| | |", "|---|---|", *(f"| {name} | {_line(value).replace('|', chr(92) + '|')} |" for name, value in rows)]
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return text or "—"


def _approval(incident: Incident) -> str:
    if incident.approved_at is None:
        return "—"
    alone = ", sans second regard" if incident.closed_by == incident.approver else ""
    return f"{incident.approver}, le {in_paris(incident.approved_at)}{alone}"


def _said(text: str) -> str:
    return text.strip() or "À compléter."


def _counted(named: tuple[str, ...], *, none: str) -> str:
    return f"{len(named)} ({', '.join(named)})" if named else none


def _lasting(incident: Incident) -> str:
    if incident.closed_at is None:
        return "en cours"
    minutes = int((incident.closed_at - incident.opened_at).total_seconds()) // 60
    return f"{minutes // 60} h {minutes % 60:02d} min"
