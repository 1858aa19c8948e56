"""Alerts: each is kept, told by channels that do not wait for each other, and tied to its incident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime

from billing.domain.alert_texts import deadline_notice, notice_of
from billing.domain.alerts import (
    CHANNELS,
    MAX_LINES,
    MAX_PAYLOAD,
    AlarmWatch,
    Alert,
    AlertSeverity,
    Channel,
    DeliveryState,
    Fate,
    HeldLine,
    Kind,
    MaintenanceWindow,
    Notice,
    NoticeDelivery,
    Sent,
    ServiceWatch,
    Signal,
    is_quiet,
    next_morning,
    planned_window,
    signal_of,
    silenced_until,
)
from billing.domain.dates import civil_date
from billing.domain.errors import MaintenanceWindowOver, NotFound, StaleVersion
from billing.domain.incidents import AS_ALERT, OF_ALERT, Incident, IncidentSeries, opened_by_alarm
from billing.domain.parking import ParkedTenant
from billing.domain.watch import Service
from billing.ports.alerts import AlertChannel, AlertDesk, EndedWindow, KeptAlert, Step
from billing.ports.clock import Clock, Ids
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from billing.usecases.contention import judged_anew
from billing.usecases.turns import Turns

DUE_LIMIT = 50
_RUN_SECONDS = 20.0


def receive_alert(message_id: str, text: str, *, desk: AlertDesk, clock: Clock, ids: Ids) -> Alert:
    """What became of a message, which is kept with its text; a message that is known is judged no second time.

    Its notice, if any, stands with a delivery per channel: ``deliver_notice`` sends it.
    """

    def attempt() -> Alert:
        known = desk.alert(message_id)
        if known is not None:
            return known.alert
        return apply_with_alert(message_id, text, desk=desk, now=clock.now(), ids=ids)

    return judged_anew(attempt, clock=clock, ids=ids)


def apply_with_alert(
    message_id: str,
    text: str,
    *,
    tenants: tuple[ParkedTenant, ...] = (),
    once: IdempotentRequest | None = None,
    answered: object = None,
    desk: AlertDesk,
    now: datetime,
    ids: Ids,
) -> Alert:
    """Judge a message and keep what follows, with what it tells of, in one transaction.

    Raises: StaleVersion, AlreadyAnswered, IdempotencyKeyReused.
    """
    judgement = _Judgement(desk=desk, ids=ids, now=now)
    alert = judgement.judge(message_id, signal_of(text, now))
    kept = KeptAlert(alert=alert, payload=text[:MAX_PAYLOAD])
    desk.apply(replace(judgement.step(), kept=kept, tenants=tenants), once=once, answered=answered)
    return alert


def release_held_alerts(service: Service, *, desk: AlertDesk, clock: Clock, ids: Ids) -> str:
    """Tell what a service held and whose time has come; the id of the notice, empty when nothing was to be told."""

    def attempt() -> str:
        judgement = _Judgement(desk=desk, ids=ids, now=clock.now())
        notice_id = judgement.release(service)
        step = judgement.step()
        if step != Step():
            desk.apply(step)
        return notice_id

    return judged_anew(attempt, clock=clock, ids=ids)


def warn_of_deadline(number: str, *, desk: AlertDesk, clock: Clock, ids: Ids) -> str:
    """Tell that the time of an incident is nearly or wholly over, once each; the id of the notice, or nothing."""

    def attempt() -> str:
        now = clock.now()
        incident = desk.incidents([number]).get(number)
        if incident is None or incident.due_at is None or incident.due_at > now:
            return ""
        warned, share = incident.warned_now(now)
        severity = AS_ALERT[incident.severity]
        notice = deadline_notice(ids.new("ntc"), incident, share, severity, now)
        desk.apply(
            Step(
                incidents=(replace(warned, version=warned.version + 1),),
                notices=((notice, _deliveries(notice, CHANNELS[severity], now)),),
            )
        )
        return notice.notice_id

    return judged_anew(attempt, clock=clock, ids=ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """Of one notice: by how many channels it went, and how many attempts failed or were given up."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


def deliver_notice(
    notice_id: str, *, desk: AlertDesk, channels: Mapping[Channel, AlertChannel], clock: Clock, turns: Turns
) -> Delivered:
    """Each channel that is due is claimed, then told, beside the others: none waits for another or fails with it.

    A fault of ours is a failed attempt too, and raised by the ``turns`` of the caller.
    """
    found = desk.notice(notice_id)
    if found is None:
        return Delivered()
    notice, deliveries = found
    due = [one for one in deliveries if one.next_at is not None and one.next_at <= clock.now()]
    if not due:
        return Delivered()
    with ThreadPoolExecutor(max_workers=len(due)) as threads:
        ended = list(threads.map(lambda one: _deliver(notice, one, desk, channels[one.channel], clock, turns), due))
    states = [one.state for one in ended if one is not None]
    return Delivered(
        sent=states.count(DeliveryState.SENT),
        failed=states.count(DeliveryState.WAITING) + states.count(DeliveryState.FAILED),
        given_up=states.count(DeliveryState.FAILED),
    )


def _deliver(
    notice: Notice, delivery: NoticeDelivery, desk: AlertDesk, channel: AlertChannel, clock: Clock, turns: Turns
) -> NoticeDelivery | None:
    """None when another run has it. A run that dies after the claim leaves it to the next, once its lease is over:
    told twice is better than not at all."""
    claimed = delivery.claimed(clock.now())
    try:
        desk.save_delivery(claimed)
    except StaleVersion:
        return None
    sent = Sent(error="Fault")
    with turns.one():
        sent = channel.send(notice, reached=frozenset(claimed.reached))
    ended = claimed.ended(sent, clock.now())
    try:
        desk.save_delivery(ended)
    except StaleVersion:  # the lease was over, and another run took it up
        return None
    return ended


def _deliveries(notice: Notice, channels: Sequence[Channel], at: datetime) -> tuple[NoticeDelivery, ...]:
    return tuple(NoticeDelivery(notice_id=notice.notice_id, channel=one, next_at=at) for one in channels)


class _Judgement:
    """One decision over what stands: collects what changes, to be applied together."""

    def __init__(self, *, desk: AlertDesk, ids: Ids, now: datetime) -> None:
        self._desk = desk
        self._ids = ids
        self._now = now
        self._alarms: dict[str, AlarmWatch] = {}
        self._services: dict[Service, ServiceWatch] = {}
        self._incidents: dict[str, Incident] = {}
        self._changed: set[object] = set()
        self._series: IncidentSeries | None = None
        self._notices: list[tuple[Notice, tuple[NoticeDelivery, ...]]] = []

    def step(self) -> Step:
        return Step(
            alarms=tuple(
                replace(one, version=one.version + 1) for key, one in self._alarms.items() if key in self._changed
            ),
            services=tuple(
                replace(one, version=one.version + 1) for key, one in self._services.items() if key in self._changed
            ),
            incidents=tuple(
                replace(one, version=one.version + 1) for key, one in self._incidents.items() if key in self._changed
            ),
            series=replace(self._series, version=self._series.version + 1) if self._series else None,
            notices=tuple(self._notices),
        )

    def judge(self, message_id: str, signal: Signal) -> Alert:
        alert = Alert(message_id=message_id, received_at=self._now, signal=signal, fate=Fate.KEPT)
        if signal.kind not in {Kind.ALARM, Kind.RECOVERY}:
            line = self._line(signal, Fate.TOLD, CHANNELS[signal.severity])
            return replace(alert, fate=Fate.TOLD, notice_id=self._tell((line,)))
        self._load([signal.subject])
        service = self._service(signal.service)
        level = self._alarms[signal.subject].level(signal.severity)
        if level.changed_at is not None and signal.at < level.changed_at:
            return replace(alert, fate=Fate.OUTDATED)
        if signal.kind is Kind.ALARM:
            return self._ring(alert, service)
        return self._calm(alert, service)

    def _ring(self, alert: Alert, service: ServiceWatch) -> Alert:
        signal = alert.signal
        level = self._alarms[signal.subject].level(signal.severity)
        silenced = silenced_until(signal.service, self._desk.maintenance(self._now), self._now)
        cools_until = level.cools_until()
        if silenced is not None:
            self._set(signal, ringing=True, told=())
            self._hold(service, self._line(signal, Fate.MAINTENANCE, (), release_at=silenced))
            return replace(alert, fate=Fate.MAINTENANCE)
        number = self._incident(signal)
        if cools_until is not None and self._now < cools_until:
            told = level.told if level.ringing else ()
            self._set(signal, ringing=True, told=told, counted=level.counted + 1)
            if not told:  # nobody knows that it rings again: said when the cool-down is over, if it still does
                line = self._line(signal, Fate.COUNTED, CHANNELS[signal.severity], cools_until, number)
                self._hold(service, line)
            return replace(alert, fate=Fate.COUNTED, incident_number=number)
        self._set(signal, ringing=True, told=())
        return self._tell_or_hold(alert, service, CHANNELS[signal.severity], number)

    def _calm(self, alert: Alert, service: ServiceWatch) -> Alert:
        signal = alert.signal
        watch = self._alarms[signal.subject]
        level = watch.level(signal.severity)
        number = self._calm_incident(watch, signal) if level.ringing else ""
        self._set(signal, ringing=False, told=())
        held = next(
            (
                line
                for line in service.held
                if line.key == (signal.subject, signal.severity, Kind.ALARM) and line.recovered_at is None
            ),
            None,
        )
        if held is not None:
            if held.reason in {Fate.QUIET, Fate.GROUPED}:
                self._hold(service, replace(held, recovered_at=signal.at))
            else:
                self._put_service(service.without([held]))
            return replace(alert, fate=Fate.KEPT, incident_number=number)
        if not level.told:
            return replace(alert, fate=Fate.KEPT, incident_number=number)
        return self._tell_or_hold(alert, service, level.told, number)

    def _tell_or_hold(self, alert: Alert, service: ServiceWatch, channels: tuple[Channel, ...], number: str) -> Alert:
        signal = alert.signal
        may_wait = signal.severity is not AlertSeverity.CRITICAL
        if may_wait and is_quiet(self._now):
            line = self._line(signal, Fate.QUIET, channels, next_morning(self._now), number)
        elif service.groups(signal.severity, self._now) and service.window_until is not None:
            line = self._line(signal, Fate.GROUPED, channels, service.window_until, number)
        else:
            line = self._line(signal, Fate.TOLD, channels, None, number)
            # Whoever is woken reads what was waiting too.
            waiting = tuple(
                one for one in service.held if one.reason in {Fate.QUIET, Fate.GROUPED} and one.key != line.key
            )[: MAX_LINES - 1]
            self._load([one.signal.subject for one in waiting])
            self._put_service(service.without([*waiting, line]).opened(signal.severity, self._now))
            notice_id = self._tell((line, *waiting))
            return replace(alert, fate=Fate.TOLD, notice_id=notice_id, incident_number=number)
        self._hold(service, line)
        return replace(alert, fate=line.reason, incident_number=number)

    def release(self, name: Service) -> str:
        service = self._service(name)
        due = [line for line in service.held if line.release_at <= self._now][:MAX_LINES]
        if not due:
            return ""
        self._load([line.signal.subject for line in due])
        silenced = silenced_until(name, self._desk.maintenance(self._now), self._now)
        if silenced is not None:
            for line in due:
                service = service.hold(replace(line, release_at=silenced, silenced=True))
            self._put_service(service)
            return ""
        told = []
        for line in due:
            if line.reason in {Fate.COUNTED, Fate.MAINTENANCE}:  # it rings: a recovery takes the line away
                number = line.incident_number or self._incident(line.signal)
                line = replace(line, incident_number=number, channels=CHANNELS[line.signal.severity])  # noqa: PLW2901
            told.append(line)
        worst = max((line.signal.severity for line in told), key=lambda one: one.rank)
        self._put_service(service.without(due).opened(worst, self._now))
        return self._tell(tuple(told))

    def _tell(self, lines: tuple[HeldLine, ...]) -> str:
        channels = tuple(one for one in Channel if any(one in line.channels for line in lines))
        for line in lines:
            if line.signal.kind is Kind.ALARM and line.recovered_at is None:
                self._set(line.signal, ringing=True, told=channels, told_at=self._now)
        deadlines = {
            number: incident.deadline
            for number in {line.incident_number for line in lines if line.incident_number}
            if (incident := self._one(number)) is not None
        }
        notice = notice_of(self._ids.new("ntc"), lines, deadlines, self._now)
        self._notices.append((notice, _deliveries(notice, channels, self._now)))
        return notice.notice_id

    def _incident(self, signal: Signal) -> str:
        """The incident of a ringing alarm: the one that is open, the one that closed within the hour, or a new one."""
        if signal.severity not in OF_ALERT:
            return ""
        watch = self._alarms[signal.subject]
        standing = self._one(watch.incident_number) if watch.incident_number else None
        if standing is not None and (standing.is_open or standing.reopens(self._now)):
            incident = standing.rung(signal, self._now)
        else:
            series = self._series or self._desk.series(civil_date(self._now).year)
            self._series = series.next()
            incident = opened_by_alarm(self._series.number, signal, self._now)
            self._alarms[signal.subject] = replace(watch, incident_number=incident.number)
        self._incidents[incident.number] = incident
        self._changed |= {incident.number, signal.subject}
        return incident.number

    def _calm_incident(self, watch: AlarmWatch, signal: Signal) -> str:
        incident = self._one(watch.incident_number) if watch.incident_number else None
        if incident is None or not incident.is_open:
            return ""
        self._incidents[incident.number] = incident.calmed(signal, self._now)
        self._changed.add(incident.number)
        return incident.number

    def _one(self, number: str) -> Incident | None:
        if number not in self._incidents:
            self._incidents |= self._desk.incidents([number])
        return self._incidents.get(number)

    def _load(self, subjects: Sequence[str]) -> None:
        missing = sorted({one for one in subjects if one not in self._alarms})
        if missing:
            self._alarms |= self._desk.alarms(missing)

    def _service(self, service: Service) -> ServiceWatch:
        if service not in self._services:
            self._services[service] = self._desk.service(service)
        return self._services[service]

    def _put_service(self, service: ServiceWatch) -> None:
        self._services[service.service] = service
        self._changed.add(service.service)

    def _hold(self, service: ServiceWatch, line: HeldLine) -> None:
        self._put_service(service.hold(line))

    def _set(
        self,
        signal: Signal,
        *,
        ringing: bool,
        told: tuple[Channel, ...],
        told_at: datetime | None = None,
        counted: int = 0,
    ) -> None:
        watch = self._alarms[signal.subject]
        level = watch.level(signal.severity)
        changed_at = max(level.changed_at, signal.at) if level.changed_at else signal.at
        changed = replace(
            level,
            ringing=ringing,
            told=told,
            told_at=told_at or level.told_at,
            counted=counted,
            changed_at=changed_at,
        )
        self._alarms[signal.subject] = watch.with_level(changed)
        self._changed.add(signal.subject)

    def _line(
        self,
        signal: Signal,
        reason: Fate,
        channels: tuple[Channel, ...],
        release_at: datetime | None = None,
        number: str = "",
    ) -> HeldLine:
        return HeldLine(
            signal=signal,
            reason=reason,
            release_at=release_at or self._now,
            channels=channels,
            incident_number=number,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRun:
    delivered: int = 0
    failed: int = 0
    given_up: int = 0
    released: int = 0
    warned: int = 0


def run_alerts(
    *, desk: AlertDesk, channels: Mapping[Channel, AlertChannel], clock: Clock, ids: Ids, turns: Turns
) -> AlertRun:
    """What the clock does: tell what was held, warn of deadlines, try again what failed."""
    now = clock.now()
    released, warned, delivered = [], [], []
    for service in desk.due_services(now, DUE_LIMIT):
        with turns.one():
            released.append(release_held_alerts(service, desk=desk, clock=clock, ids=ids))
    for number in desk.due_incidents(now, DUE_LIMIT):
        with turns.one():
            warned.append(warn_of_deadline(number, desk=desk, clock=clock, ids=ids))
    started = clock.monotonic()
    for notice_id in desk.due_notices(clock.now(), DUE_LIMIT):
        if clock.monotonic() - started > _RUN_SECONDS:  # the next minute goes on
            break
        with turns.one():
            delivered.append(deliver_notice(notice_id, desk=desk, channels=channels, clock=clock, turns=turns))
    return AlertRun(
        delivered=sum(one.sent for one in delivered),
        failed=sum(one.failed for one in delivered),
        given_up=sum(one.given_up for one in delivered),
        released=sum(1 for one in released if one),
        warned=sum(1 for one in warned if one),
    )


def plan_maintenance(
    *,
    starts_at: datetime,
    ends_at: datetime,
    services: tuple[Service, ...],
    reason: str,
    by: str,
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> MaintenanceWindow:
    """Nobody is told of these services meanwhile; what still rings at its end is.

    Raises: MaintenanceWindowInvalid, AlreadyAnswered, IdempotencyKeyReused.
    """
    window = planned_window(
        ids.new("mnt"),
        starts_at=starts_at,
        ends_at=ends_at,
        services=services,
        reason=reason,
        by=by,
        at=clock.now(),
    )
    desk.apply(Step(windows=(window,)), once=once, answered=window)
    return window


def end_maintenance(
    window_id: str,
    *,
    by: str,
    once: IdempotentRequest | None = None,
    desk: AlertDesk,
    clock: Clock,
    ids: Ids,
) -> MaintenanceWindow:
    """It silences nothing from now on: what its services held because of it, and no other window silences, is due.

    Raises: NotFound, MaintenanceWindowOver, AlreadyAnswered, IdempotencyKeyReused.
    """

    def attempt() -> MaintenanceWindow:
        planned = desk.planned(window_id, once)
        if planned is None:
            raise NotFound
        # Before the windows, and written though they hold nothing: who ends another window, or judges an alarm by
        # this one, meanwhile begins anew.
        watched = desk.services(planned.services or tuple(Service))
        now = clock.now()
        standing = desk.maintenance(now)
        window = next((one for one in standing if one.window_id == window_id), None)
        if window is None:
            raise MaintenanceWindowOver
        others = [one for one in standing if one is not window]
        services = tuple(
            replace(one.silenced_until(silenced_until(one.service, others, now) or now), version=one.version + 1)
            for one in watched
        )
        ended = window.ended(by, now)
        step = Step(services=services, ended=(EndedWindow(stood=window, window=ended),))
        desk.apply(step, once=once, answered=ended)
        return ended

    return judged_anew(attempt, clock=clock, ids=ids)


def list_maintenance(*, desk: AlertDesk, clock: Clock) -> tuple[MaintenanceWindow, ...]:
    """What has not ended, the next to end first; a hundred at most."""
    return desk.maintenance(clock.now())


def list_alerts(year: int, number: str, page: PageRequest, *, desk: AlertDesk) -> Page[Alert]:
    """Of an incident, or of a year when no number is given; latest first."""
    return desk.list_incident_alerts(number, page) if number else desk.list_alerts(year, page)
