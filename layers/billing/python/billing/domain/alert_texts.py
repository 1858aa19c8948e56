"""What people are told of alarms and incidents, in French and in few words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing.domain.alerts import AlertSeverity, HeldLine, Kind, Notice
from billing.domain.incidents import FRENCH_SEVERITY, Incident, in_paris
from billing.domain.watch import SERVICES

_LABELS = {AlertSeverity.INFO: "INFO", AlertSeverity.WARNING: "ATTENTION", AlertSeverity.CRITICAL: "CRITIQUE"}
RECOVERED = "RÉTABLI"
_SMS_LENGTH = 300


def notice_of(notice_id: str, lines: Sequence[HeldLine], deadlines: dict[str, datetime], at: datetime) -> Notice:
    """One message for all of the lines, which are of one service. ``deadlines``: of their incidents, by number."""
    ringing = [line for line in lines if _rings(line)]
    worst = max((line.signal.severity for line in ringing or lines), key=lambda one: one.rank)
    label = _LABELS[worst] if ringing or lines[0].signal.kind not in {Kind.ALARM, Kind.RECOVERY} else RECOVERED
    first = lines[0].signal
    where = SERVICES[first.service]
    if len(lines) == 1:
        subject = f"{where} : {first.says.partition(' : ')[0]}" if _is_alarm(lines[0]) else first.says
    else:
        subject = f"{where} : {len(lines)} alarmes" + (f", dont {len(ringing)} en cours" if ringing else " rétablies")
    environment = f"[{first.environment}] " if first.environment else ""
    told: list[str] = []
    for line in lines:
        told += _told(line, deadlines)
    numbers = sorted({line.incident_number for line in lines if line.incident_number})
    sms = f"{environment}{label} {subject}" + (f" – incident {', '.join(numbers)}" if numbers else "")
    return Notice(
        notice_id=notice_id,
        created_at=at,
        severity=worst,
        title=f"{environment}{label} – {subject}",
        lines=tuple(told),
        sms=sms[:_SMS_LENGTH],
    )


def is_recovery(notice: Notice) -> bool:
    """Whether all that it tells is over."""
    return f"{RECOVERED} – " in notice.title


def deadline_notice(notice_id: str, incident: Incident, share: int, severity: AlertSeverity, at: datetime) -> Notice:
    """The time of an incident is nearly over, or over."""
    says = "le délai est dépassé" if share >= 100 else f"{share} % du délai est passé"
    title = f"Incident {incident.number} : {says}"
    return Notice(
        notice_id=notice_id,
        created_at=at,
        severity=severity,
        title=title,
        lines=(
            incident.title,
            f"Gravité {FRENCH_SEVERITY[incident.severity]}, service {SERVICES[incident.service]}.",
            f"Ouvert le {in_paris(incident.opened_at)} (heure de Paris).",
            f"À résoudre avant le {in_paris(incident.deadline)}.",
        ),
        sms=f"{title} – {incident.title}"[:_SMS_LENGTH],
    )


def _rings(line: HeldLine) -> bool:
    return line.signal.kind is Kind.ALARM and line.recovered_at is None


def _is_alarm(line: HeldLine) -> bool:
    return line.signal.kind in {Kind.ALARM, Kind.RECOVERY}


def _told(line: HeldLine, deadlines: dict[str, datetime]) -> list[str]:
    signal = line.signal
    if signal.kind is Kind.RECOVERY:
        told = [f"Rétabli depuis le {in_paris(signal.at)} : {signal.says}."]
    elif line.recovered_at is not None:
        told = [
            f"A sonné le {in_paris(signal.at)}, rétabli le {in_paris(line.recovered_at)} : {signal.says}.",
        ]
    elif signal.kind is Kind.ALARM:
        told = [f"{signal.says}."]
        told.append(
            (f"Valeur relevée : {signal.value}, le " if signal.value else "Depuis le ")
            + f"{in_paris(signal.at)} (heure de Paris)."
        )
    else:
        told = [f"{signal.says}."]
    if _is_alarm(line):
        told.append(f"Service : {SERVICES[signal.service]}. Gravité : {_LABELS[signal.severity].lower()}.")
    if line.incident_number:
        deadline = deadlines.get(line.incident_number)
        until = f", à résoudre avant le {in_paris(deadline)}" if deadline and _rings(line) else ""
        told.append(f"Incident {line.incident_number}{until}.")
    if signal.runbook and _rings(line):
        told.append(f"Que faire : {signal.runbook}")
    return told
