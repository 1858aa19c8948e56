"""Who hears of what, when, and that nothing is lost or told twice."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.domain.alerts import (
    MAX_ATTEMPTS,
    Alert,
    Channel,
    DeliveryState,
    Fate,
    MaintenanceWindow,
    is_quiet,
    next_morning,
)
from billing.domain.errors import IncidentNotClosable, IncidentTimelineFull, MaintenanceWindowOver, NotFound
from billing.domain.incidents import DEADLINES, Incident, IncidentSeverity
from billing.domain.watch import Service
from billing.ports.paging import PageRequest
from billing.usecases import incidents
from billing.usecases.alerts import (
    AlertRun,
    deliver_notice,
    end_maintenance,
    plan_maintenance,
    receive_alert,
    run_alerts,
    warn_of_deadline,
)
from billing.usecases.turns import Turns
from local.ring import alarm_message
from tests.fakes.alerts import FakeAlertDesk, FakeChannel
from tests.fakes.clock import FakeClock, FakeIds

FRIDAY_TEN = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)  # 10:00 in Paris
WARNING, CRITICAL = "ApiErrorsWarningAlarm", "ApiErrorsCriticalAlarm"
OPERATOR, APPROVER = "1f0a2b3c-operator", "astreinte"


class Desk:
    """The router with its channels, at a time that the test says."""

    def __init__(self, now: datetime = FRIDAY_TEN) -> None:
        self.clock = FakeClock(now)
        self.ids = FakeIds()
        self.desk = FakeAlertDesk()
        self.channels = {one: FakeChannel() for one in Channel}
        self.messages = 0
        self.turns = Turns()

    def say(self, name: str, state: str = "ALARM", *, message_id: str = "", at: datetime | None = None) -> Alert:
        self.messages += 1
        text = alarm_message(name, at or self.clock.now(), state=state)
        return self.hear(text, message_id or f"msg-{self.messages}")

    def hear(self, text: str, message_id: str) -> Alert:
        alert = receive_alert(message_id, text, desk=self.desk, clock=self.clock, ids=self.ids)
        if alert.notice_id:
            deliver_notice(alert.notice_id, desk=self.desk, channels=self.channels, clock=self.clock, turns=self.turns)
        return alert

    def run(self, after: timedelta = timedelta(0)) -> AlertRun:
        self.clock.advance(after)
        return run_alerts(desk=self.desk, channels=self.channels, clock=self.clock, ids=self.ids, turns=self.turns)

    def told(self) -> dict[str, int]:
        return {name.value: len(channel.told) for name, channel in self.channels.items()}

    def close(self, number: str, *, by: str = OPERATOR, cause: str = "") -> Incident:
        return incidents.close_incident(number, by=by, cause=cause, desk=self.desk, clock=self.clock, ids=self.ids)

    def approve(self, number: str, by: str = APPROVER) -> Incident:
        return incidents.approve_incident(number, by=by, desk=self.desk, clock=self.clock, ids=self.ids)

    def explain(self, number: str, cause: str = "Disque") -> Incident:
        return self.note(number, found=lambda facts: replace(facts, cause=cause))

    def note(self, number: str, **said: Any) -> Incident:
        return incidents.note_incident(number, by=OPERATOR, **said, desk=self.desk, clock=self.clock, ids=self.ids)

    def end(self, number: str) -> None:
        """Explained by one, approved by another, closed."""
        self.explain(number)
        self.approve(number)
        self.close(number)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_severity_says_who_is_told(desk: Desk) -> None:
    desk.say(WARNING)
    assert desk.told() == {"slack": 1, "email": 1, "sms": 0}
    desk.say("StripeDeadLettersCriticalAlarm")
    assert desk.told() == {"slack": 2, "email": 2, "sms": 1}
    deployed = {"detail-type": "CodeDeploy Deployment State-change Notification", "detail": {"state": "SUCCESS"}}
    desk.hear(json.dumps(deployed), "deployed")
    assert desk.told() == {"slack": 3, "email": 2, "sms": 1}


def test_people_read_what_rings_from_where_how_much_and_what_to_do(desk: Desk) -> None:
    desk.say(CRITICAL)

    (notice,) = desk.channels[Channel.SMS].told
    assert notice.title == "[zenbilling-prod] CRITIQUE – API : Requêtes en erreur de notre fait (5xx)"
    assert notice.lines == (
        "Requêtes en erreur de notre fait (5xx) : 5 % des requêtes ou plus, 2 minutes sur 3.",
        "Valeur relevée : 7,3 % des requêtes, le 27/11/2026 à 10:00 (heure de Paris).",
        "Service : API. Gravité : critique.",
        "Incident ZB-2026-001, à résoudre avant le 27/11/2026 à 14:00.",
        "Que faire : docs/runbook.md#apierrorscriticalalarm",
    )
    assert notice.sms.endswith("incident ZB-2026-001")


def test_a_message_that_comes_twice_is_told_once(desk: Desk) -> None:
    first = desk.say(WARNING, message_id="same")
    again = desk.say(WARNING, message_id="same")

    assert again == first
    assert desk.told() == {"slack": 1, "email": 1, "sms": 0}
    kept = desk.desk.alert("same")
    assert kept is not None
    assert json.loads(kept.payload)["AlarmName"] == f"zenbilling-prod-{WARNING}"


def test_within_its_cool_down_an_alarm_is_counted(desk: Desk) -> None:
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")
    desk.clock.advance(timedelta(minutes=5))
    assert desk.say(CRITICAL).fate is Fate.COUNTED
    assert desk.say(CRITICAL, "OK").fate is Fate.KEPT
    desk.run(timedelta(minutes=30))

    assert len(desk.channels[Channel.SMS].told) == 2  # that it rang, that it was over
    assert desk.desk.incidents(["ZB-2026-001"])["ZB-2026-001"].rang == 2


def test_what_was_counted_and_rings_on_is_told_after_the_cool_down(desk: Desk) -> None:
    desk.say(CRITICAL)
    desk.clock.advance(timedelta(minutes=3))
    desk.say(CRITICAL, "OK")
    desk.say(CRITICAL)
    desk.run(timedelta(minutes=1))
    assert len(desk.channels[Channel.SMS].told) == 2
    desk.run(timedelta(minutes=12))

    assert desk.channels[Channel.SMS].titles[2].startswith("[zenbilling-prod] CRITIQUE")


def test_alarms_of_one_service_at_once_are_one_message(desk: Desk) -> None:
    desk.say(WARNING)
    assert desk.say("ApiLatencyWarningAlarm").fate is Fate.GROUPED
    assert desk.say("NetworkLatencyWarningAlarm").fate is Fate.GROUPED
    assert desk.say("FailedPaymentsWarningAlarm").fate is Fate.TOLD  # of another service
    desk.run(timedelta(minutes=5))

    titles = desk.channels[Channel.EMAIL].titles
    assert len(titles) == 3
    assert titles[2] == "[zenbilling-prod] ATTENTION – API : 2 alarmes, dont 2 en cours"


def test_something_worse_does_not_wait_for_the_group_and_takes_it_along(desk: Desk) -> None:
    desk.say(WARNING)
    desk.say("ApiLatencyWarningAlarm")
    desk.say(CRITICAL)

    assert desk.channels[Channel.SMS].titles == ["[zenbilling-prod] CRITIQUE – API : 2 alarmes, dont 2 en cours"]
    desk.run(timedelta(minutes=10))
    assert len(desk.channels[Channel.SLACK].told) == 2


def test_recovery_is_told_to_those_who_had_heard(desk: Desk) -> None:
    desk.say(WARNING)
    desk.clock.advance(timedelta(minutes=10))
    desk.say(WARNING, "OK")

    assert desk.told() == {"slack": 2, "email": 2, "sms": 0}
    assert desk.channels[Channel.EMAIL].titles[1].startswith("[zenbilling-prod] RÉTABLI – API")
    assert desk.say(WARNING, "OK").fate is Fate.KEPT
    assert desk.told() == {"slack": 2, "email": 2, "sms": 0}


def test_a_state_that_comes_late_changes_nothing(desk: Desk) -> None:
    desk.say(WARNING)
    late = desk.say(WARNING, "OK", at=FRIDAY_TEN - timedelta(seconds=1))

    assert late.fate is Fate.OUTDATED
    assert desk.desk.alarms(["ApiErrors"])["ApiErrors"].rings


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        (datetime(2026, 11, 27, 6, 59, tzinfo=UTC), True),  # 07:59 in Paris
        (datetime(2026, 11, 27, 7, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 27, 19, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 28, 12, 0, tzinfo=UTC), True),  # a Saturday
        (datetime(2026, 7, 27, 6, 0, tzinfo=UTC), False),  # summer: 08:00
    ],
)
def test_quiet_hours_are_those_of_paris(at: datetime, quiet: bool) -> None:
    assert is_quiet(at) is quiet


def test_the_morning_is_a_working_day_whatever_clocks_do() -> None:
    assert next_morning(datetime(2026, 11, 27, 22, 0, tzinfo=UTC)) == datetime(2026, 11, 30, 7, 0, tzinfo=UTC)
    assert next_morning(datetime(2027, 3, 27, 12, 0, tzinfo=UTC)) == datetime(2027, 3, 29, 6, 0, tzinfo=UTC)


def test_a_warning_at_night_waits_for_the_morning_and_critical_ones_do_not() -> None:
    desk = Desk(datetime(2026, 11, 26, 23, 0, tzinfo=UTC))
    assert desk.say(WARNING).fate is Fate.QUIET
    desk.say("FailedPaymentsWarningAlarm")
    desk.clock.advance(timedelta(minutes=20))
    desk.say("FailedPaymentsWarningAlarm", "OK")
    assert desk.told() == {"slack": 0, "email": 0, "sms": 0}
    assert desk.desk.list_open_incidents(PageRequest()).items[0].severity is IncidentSeverity.MEDIUM
    desk.say("StripeDeadLettersCriticalAlarm")
    assert len(desk.channels[Channel.SMS].told) == 1  # and it says of the payments that had recovered
    assert any("rétabli" in line for line in desk.channels[Channel.SMS].told[0].lines)
    desk.clock.set(datetime(2026, 11, 27, 6, 59, tzinfo=UTC))
    desk.run()
    assert not any("API" in title for title in desk.channels[Channel.EMAIL].titles)
    desk.run(timedelta(minutes=1))
    assert desk.channels[Channel.EMAIL].titles[-1].startswith("[zenbilling-prod] ATTENTION – API")


def test_a_warning_that_gets_critical_at_night_is_told_and_is_one_incident() -> None:
    desk = Desk(datetime(2026, 11, 26, 23, 0, tzinfo=UTC))
    desk.say(WARNING)
    desk.clock.advance(timedelta(minutes=5))
    desk.say(CRITICAL)

    assert len(desk.channels[Channel.SMS].told) == 1
    (incident,) = desk.desk.list_incidents(2026, PageRequest()).items
    assert (incident.severity, incident.deadline) == (IncidentSeverity.CRITICAL, desk.clock.now() + timedelta(hours=4))
    desk.clock.set(datetime(2026, 11, 27, 8, 0, tzinfo=UTC))
    assert desk.run().released == 0


def _maintain(desk: Desk, *services: Service, hours: int = 1, after: int = 0) -> str:
    starts = desk.clock.now() + timedelta(hours=after)
    return plan_maintenance(
        starts_at=starts,
        ends_at=starts + timedelta(hours=hours),
        services=services,
        reason="Migration",
        by=OPERATOR,
        desk=desk.desk,
        clock=desk.clock,
        ids=desk.ids,
    ).window_id


def _end(desk: Desk, window_id: str, by: str = OPERATOR) -> MaintenanceWindow:
    return end_maintenance(window_id, by=by, desk=desk.desk, clock=desk.clock, ids=desk.ids)


def test_maintenance_is_silent_kept_and_opens_nothing(desk: Desk) -> None:
    _maintain(desk, Service.API)
    alert = desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")
    desk.say("StripeDeadLettersCriticalAlarm")  # of another service

    assert alert.fate is Fate.MAINTENANCE
    assert [one.fate for one in desk.desk.list_alerts(2026, PageRequest()).items].count(Fate.MAINTENANCE) == 1
    assert len(desk.channels[Channel.SMS].told) == 1
    assert len(desk.desk.list_incidents(2026, PageRequest()).items) == 1
    desk.run(timedelta(hours=2))
    assert len(desk.channels[Channel.SMS].told) == 1


def test_what_rings_at_the_end_of_a_maintenance_is_told_with_its_incident(desk: Desk) -> None:
    _maintain(desk)
    desk.say(CRITICAL)
    desk.run(timedelta(minutes=59))
    assert desk.told()["sms"] == 0
    desk.run(timedelta(minutes=1))

    assert desk.told() == {"slack": 1, "email": 1, "sms": 1}
    assert [one.number for one in desk.desk.list_open_incidents(PageRequest()).items] == ["ZB-2026-001"]


def test_what_waits_waits_on_when_a_maintenance_begins(desk: Desk) -> None:
    desk.say(WARNING)
    desk.say("ApiLatencyWarningAlarm")
    _maintain(desk, Service.API)
    assert desk.run(timedelta(minutes=5)).released == 0
    assert desk.run(timedelta(minutes=55)).released == 1

    assert len(desk.channels[Channel.EMAIL].told) == 2


def test_what_rings_when_a_maintenance_is_ended_early_is_told_by_the_next_run(desk: Desk) -> None:
    window = _maintain(desk, hours=24)
    desk.say(CRITICAL)
    desk.say("StripeDeadLettersCriticalAlarm")
    desk.say("StripeDeadLettersCriticalAlarm", "OK")
    assert desk.run(timedelta(minutes=10)).released == 0
    ended = _end(desk, window)
    assert (ended.ends_at, ended.ended_at, ended.ended_by) == (desk.clock.now(), desk.clock.now(), OPERATOR)
    assert desk.run().released == 1

    assert desk.told() == {"slack": 1, "email": 1, "sms": 1}
    assert [one.number for one in desk.desk.list_open_incidents(PageRequest()).items] == ["ZB-2026-001"]
    assert desk.say("StripeDeadLettersCriticalAlarm").fate is Fate.TOLD  # nothing is silenced any more


def test_what_another_window_silences_too_waits_for_its_end(desk: Desk) -> None:
    short, long = _maintain(desk, Service.API, hours=2), _maintain(desk, hours=5)
    desk.say(CRITICAL)
    desk.say("StripeDeadLettersCriticalAlarm")
    _end(desk, long)
    desk.run()
    assert [one.split(" – ")[1].split(" :")[0] for one in desk.channels[Channel.SMS].titles] == ["Paiements"]
    desk.run(timedelta(minutes=119))
    assert desk.told()["sms"] == 1
    desk.run(timedelta(minutes=1))

    assert desk.told()["sms"] == 2
    with pytest.raises(MaintenanceWindowOver):
        _end(desk, short)


def test_what_waited_for_the_group_or_the_cool_down_is_told_when_its_maintenance_is_ended(desk: Desk) -> None:
    desk.say(WARNING)
    desk.say("ApiLatencyWarningAlarm")  # grouped for five minutes
    window = _maintain(desk, Service.API, hours=3)
    assert desk.run(timedelta(minutes=5)).released == 0
    _end(desk, window)

    assert desk.run().released == 1
    assert len(desk.channels[Channel.EMAIL].told) == 2


def test_what_waits_for_the_morning_is_not_told_because_a_maintenance_ends() -> None:
    desk = Desk(datetime(2026, 11, 26, 23, 0, tzinfo=UTC))
    desk.say(WARNING)
    _end(desk, _maintain(desk, hours=8))  # to the same minute as the night

    assert desk.run(timedelta(hours=7, minutes=59)).released == 0
    assert desk.run(timedelta(minutes=1)).released == 1


def test_a_maintenance_that_has_not_begun_is_taken_back(desk: Desk) -> None:
    window = _maintain(desk, after=2)
    taken_back = _end(desk, window)

    assert taken_back.ends_at == taken_back.starts_at
    assert desk.desk.maintenance(desk.clock.now()) == ()
    desk.clock.advance(timedelta(hours=2, minutes=30))
    assert desk.say(CRITICAL).fate is Fate.TOLD


def test_a_maintenance_ends_once(desk: Desk) -> None:
    ended, over = _maintain(desk), _maintain(desk)
    _end(desk, ended)
    with pytest.raises(MaintenanceWindowOver):
        _end(desk, ended, "another")
    desk.clock.advance(timedelta(hours=1))
    with pytest.raises(MaintenanceWindowOver):
        _end(desk, over)
    with pytest.raises(NotFound):
        _end(desk, "mnt_unknown")


def _meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """``act`` after the next reading of the windows, before what is judged by them is written."""
    read = desk.desk.maintenance

    def maintenance(at: datetime) -> tuple[MaintenanceWindow, ...]:
        found = read(at)
        monkeypatch.setattr(desk.desk, "maintenance", read)
        act()
        return found

    monkeypatch.setattr(desk.desk, "maintenance", maintenance)


def test_an_alarm_that_is_judged_while_its_maintenance_is_ended_is_judged_anew(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = _maintain(desk, hours=24)
    _meanwhile(desk, monkeypatch, lambda: _end(desk, window))

    assert desk.say(CRITICAL).fate is Fate.TOLD


def test_windows_that_end_at_once_leave_nothing_waiting_for_one_of_them(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = _maintain(desk, hours=2), _maintain(desk, Service.API, hours=24)
    desk.say(CRITICAL)
    _meanwhile(desk, monkeypatch, lambda: _end(desk, second))
    _end(desk, first)

    assert desk.run().released == 1


def test_of_two_who_end_a_window_at_once_one_does(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    window = _maintain(desk)
    _meanwhile(desk, monkeypatch, lambda: _end(desk, window, "another"))

    with pytest.raises(MaintenanceWindowOver):
        _end(desk, window)


def test_what_was_counted_and_is_over_is_not_told(desk: Desk) -> None:
    desk.say(CRITICAL)
    desk.clock.advance(timedelta(minutes=3))
    desk.say(CRITICAL, "OK")
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")

    assert desk.run(timedelta(hours=1)).released == 0


@pytest.mark.parametrize("broken", list(Channel))
@pytest.mark.parametrize("how", ["down", "breaks"])
def test_a_channel_that_is_down_keeps_no_other_waiting_and_is_tried_again(broken: Channel, how: str) -> None:
    desk = Desk()
    setattr(desk.channels[broken], how, True)
    alert = desk.say(CRITICAL)

    assert desk.told() == {one.value: int(one is not broken) for one in Channel}
    with pytest.raises(RuntimeError, match="broken") if how == "breaks" else nullcontext():
        desk.turns.end()
    setattr(desk.channels[broken], how, False)
    desk.run(timedelta(minutes=1))
    assert desk.told() == dict.fromkeys(Channel, 1)
    found = desk.desk.notice(alert.notice_id)
    assert found is not None
    assert {one.state for one in found[1]} == {DeliveryState.SENT}


def test_what_cannot_be_read_keeps_no_other_from_its_turn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for channel in desk.channels.values():
        channel.down = True
    desk.say(WARNING)
    desk.say("StripeDeadLettersCriticalAlarm")
    for channel in desk.channels.values():
        channel.down = False
    read, (broken, _) = desk.desk.notice, desk.desk.due_notices(desk.clock.now() + timedelta(hours=1), 50)

    def notice(notice_id: str) -> object:
        if notice_id == broken:
            raise ValueError("a body that no version reads")
        return read(notice_id)

    monkeypatch.setattr(desk.desk, "notice", notice)
    desk.run(timedelta(hours=1))

    assert desk.told()["slack"] == 1
    with pytest.raises(ValueError, match="no version reads"):
        desk.turns.end()


def test_a_channel_is_given_up_after_its_tries(desk: Desk) -> None:
    desk.channels[Channel.SLACK].down = True
    desk.say(WARNING)
    runs = [desk.run(timedelta(hours=1)) for _ in range(10)]

    assert sum(one.failed for one in runs) == MAX_ATTEMPTS - 1
    assert sum(one.given_up for one in runs) == 1


def test_two_runs_at_once_tell_once(desk: Desk) -> None:
    alert = receive_alert("m", alarm_message(CRITICAL, FRIDAY_TEN), desk=desk.desk, clock=desk.clock, ids=desk.ids)
    gate = threading.Barrier(4)

    def deliver() -> None:
        gate.wait()
        deliver_notice(alert.notice_id, desk=desk.desk, channels=desk.channels, clock=desk.clock, turns=desk.turns)

    with ThreadPoolExecutor(4) as threads:
        for one in [threads.submit(deliver) for _ in range(4)]:
            one.result()

    assert desk.told() == dict.fromkeys(Channel, 1)


def test_who_died_holding_a_delivery_is_followed_by_another_after_the_lease(desk: Desk) -> None:
    alert = receive_alert("m", alarm_message(CRITICAL, FRIDAY_TEN), desk=desk.desk, clock=desk.clock, ids=desk.ids)
    found = desk.desk.notice(alert.notice_id)
    assert found is not None
    for delivery in found[1]:
        desk.desk.save_delivery(delivery.claimed(desk.clock.now()))
    desk.run(timedelta(minutes=1))
    assert desk.told()["sms"] == 0
    desk.run(timedelta(minutes=1))

    assert desk.told() == dict.fromkeys(Channel, 1)


def test_numbers_are_dense_whoever_opens_and_an_alarm_has_one_incident(desk: Desk) -> None:
    names = ["ApiErrors", "StripeDeadLetters", "ChainHeadDiffers", "LedgerVerificationFailed"]
    gate = threading.Barrier(12)

    def ring(place: int) -> None:
        name = f"{names[place % 4]}CriticalAlarm"
        gate.wait()
        receive_alert(
            f"m{place}", alarm_message(name, FRIDAY_TEN), desk=desk.desk, clock=FakeClock(FRIDAY_TEN), ids=desk.ids
        )

    with ThreadPoolExecutor(12) as threads:
        for one in [threads.submit(ring, place) for place in range(12)]:
            one.result()

    found = desk.desk.list_incidents(2026, PageRequest()).items
    assert sorted(one.number for one in found) == [f"ZB-2026-00{rank}" for rank in range(1, 5)]
    assert sum(one.rang for one in found) == 12


def test_an_incident_closes_when_its_alarm_is_over_and_a_person_said_why(desk: Desk) -> None:
    desk.say(CRITICAL)
    number = "ZB-2026-001"
    for ending in (desk.close, desk.approve):
        with pytest.raises(IncidentNotClosable, match="ringing"):
            ending(number)
    desk.say(CRITICAL, "OK")
    for ending in (desk.close, desk.approve):
        with pytest.raises(IncidentNotClosable, match="cause"):
            ending(number)
    desk.explain(number)
    with pytest.raises(IncidentNotClosable, match="another operator approves"):
        desk.close(number)
    desk.approve(number)
    closed = desk.close(number)
    for ending in (desk.close, desk.approve):
        with pytest.raises(IncidentNotClosable, match="already"):
            ending(number)

    assert (closed.closed_by, closed.approver) == (OPERATOR, APPROVER)
    assert [(one.by, one.text) for one in closed.timeline[-2:]] == [
        (APPROVER, "Clôture approuvée"),
        (OPERATOR, "Incident clos"),
    ]
    sheet = incidents.read_post_mortem(number, desk=desk.desk)
    assert f"| Approuvé par | {APPROVER}, le 27/11/2026 à 10:00 |" in sheet.splitlines()
    assert desk.desk.list_open_incidents(PageRequest()).items == ()
    with pytest.raises(NotFound):
        desk.close("ZB-2026-002")


@pytest.fixture
def explained(desk: Desk) -> str:
    """A critical incident that is over and explained, and approved by nobody."""
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")
    return desk.explain("ZB-2026-001").number


def test_who_approves_does_not_close(desk: Desk, explained: str) -> None:
    desk.approve(explained)
    with pytest.raises(IncidentNotClosable, match="does not close"):
        desk.close(explained, by=APPROVER)
    desk.approve(explained, OPERATOR)

    assert desk.close(explained, by=APPROVER).approver == OPERATOR


def test_who_is_alone_closes_a_day_after_their_approval_and_the_sheet_says_so(desk: Desk, explained: str) -> None:
    desk.approve(explained, OPERATOR)
    desk.clock.advance(timedelta(hours=12))
    desk.approve(explained, OPERATOR)  # again: the day is counted from the first time
    desk.clock.advance(timedelta(hours=11, minutes=59))
    with pytest.raises(IncidentNotClosable, match="24 hours"):
        desk.close(explained)
    desk.clock.advance(timedelta(minutes=1))
    closed = desk.close(explained)

    assert closed.timeline[-1].text == "Incident clos, sans second regard"
    sheet = incidents.read_post_mortem(explained, desk=desk.desk)
    assert f"| Approuvé par | {OPERATOR}, le 27/11/2026 à 10:00, sans second regard |" in sheet.splitlines()


def _ring_again(desk: Desk, _: str) -> None:
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")


@pytest.mark.parametrize(
    "change",
    [
        _ring_again,
        lambda desk, number: desk.note(number, severity=IncidentSeverity.HIGH),
        lambda desk, number: desk.note(number, severity=IncidentSeverity.LOW),
        lambda desk, number: desk.explain(number, "Une autre cause"),
    ],
    ids=["rings", "high", "low", "cause"],
)
def test_an_approval_is_void_when_what_was_approved_changes(
    desk: Desk, explained: str, change: Callable[[Desk, str], object]
) -> None:
    """Also when it is graded lower: what was critical is closed by two."""
    desk.approve(explained)
    desk.note(explained, text="Rien de neuf", found=lambda facts: replace(facts, analysis="Vu"))
    assert desk.desk.incidents([explained])[explained].approver == APPROVER
    change(desk, explained)

    assert desk.desk.incidents([explained])[explained].approver == ""
    with pytest.raises(IncidentNotClosable, match="approves"):
        desk.close(explained)
    desk.approve(explained)
    with pytest.raises(IncidentNotClosable, match="approves"):
        desk.close(explained, cause="Écrite en clôturant")
    assert desk.close(explained).approver == APPROVER


def test_what_opens_again_is_approved_anew(desk: Desk, explained: str) -> None:
    desk.approve(explained)
    desk.close(explained)
    desk.clock.advance(timedelta(minutes=30))
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")

    with pytest.raises(IncidentNotClosable, match="approves"):
        desk.close(explained)


def test_what_was_never_grave_is_approved_by_nobody(desk: Desk) -> None:
    desk.say(WARNING)
    desk.say(WARNING, "OK")
    number = desk.explain("ZB-2026-001").number
    with pytest.raises(IncidentNotClosable, match="Only"):
        desk.approve(number)

    assert desk.close(number).approver == ""
    assert "| Approuvé par | — |" in incidents.read_post_mortem(number, desk=desk.desk).splitlines()


@pytest.mark.parametrize(("minutes", "number"), [(60, "ZB-2026-001"), (61, "ZB-2026-002")])
def test_it_opens_again_when_its_alarm_rings_within_the_hour(desk: Desk, minutes: int, number: str) -> None:
    desk.say(CRITICAL)
    desk.say(CRITICAL, "OK")
    desk.end("ZB-2026-001")
    desk.clock.advance(timedelta(minutes=minutes))
    alert = desk.say(CRITICAL)

    assert alert.incident_number == number
    (incident,) = desk.desk.list_open_incidents(PageRequest()).items
    assert (incident.number, incident.deadline) == (number, desk.clock.now() + timedelta(hours=4))


def test_people_are_warned_of_a_deadline_at_three_quarters_and_at_its_end_once_each(desk: Desk) -> None:
    desk.say(CRITICAL)
    desk.run(timedelta(hours=2, minutes=59))
    assert len(desk.channels[Channel.SMS].told) == 1
    desk.run(timedelta(minutes=1))
    desk.run(timedelta(minutes=5))
    assert desk.channels[Channel.SMS].titles[1:] == ["Incident ZB-2026-001 : 75 % du délai est passé"]
    desk.run(timedelta(minutes=55))
    desk.run(timedelta(hours=9))
    assert desk.channels[Channel.SMS].titles[2:] == ["Incident ZB-2026-001 : le délai est dépassé"]


def test_nobody_is_warned_too_early_or_of_what_is_closed(desk: Desk) -> None:
    desk.say(CRITICAL)
    given: Any = {"desk": desk.desk, "clock": desk.clock, "ids": desk.ids}

    assert warn_of_deadline("ZB-2026-001", **given) == ""
    assert warn_of_deadline("ZB-2026-009", **given) == ""
    desk.say(CRITICAL, "OK")
    desk.end("ZB-2026-001")
    desk.clock.advance(timedelta(hours=5))
    assert warn_of_deadline("ZB-2026-001", **given) == ""


def test_a_person_opens_grades_notes_and_the_sheet_tells_it(desk: Desk) -> None:
    given: Any = {"desk": desk.desk, "clock": desk.clock, "ids": desk.ids}
    opened = incidents.open_incident(
        by=OPERATOR, severity=IncidentSeverity.LOW, title="Logo | déformé", service=Service.INVOICES, **given
    )
    noted = incidents.note_incident(
        opened.number,
        by=OPERATOR,
        text="Vu sur trois factures",
        severity=IncidentSeverity.HIGH,
        found=lambda facts: replace(facts, documents=("inv_1", "inv_2"), analysis="Le rapport n'est pas gardé."),
        **given,
    )
    assert noted.deadline == opened.opened_at + DEADLINES[IncidentSeverity.HIGH]
    desk.clock.advance(timedelta(hours=1, minutes=5))
    desk.explain(opened.number, "Cadre faux")
    desk.approve(opened.number)
    desk.close(opened.number)

    sheet = incidents.read_post_mortem(opened.number, desk=desk.desk)
    parts = [line for line in sheet.splitlines() if line.startswith("## ")]
    assert parts == [
        "## Informations générales",
        "## Reproduction",
        "## Environnement",
        "## Journaux",
        "## Chiffres d'impact",
        "## Analyse",
        "## Actions correctives",
    ]
    assert "| Titre | Logo \\| déformé |" in sheet
    assert "| Documents touchés | 2 (inv_1, inv_2) |" in sheet
    assert "| Durée | 1 h 05 min |" in sheet
    assert "Cadre faux" in sheet
    assert f"- 27/11/2026 à 10:00 — {OPERATOR} : Vu sur trois factures" in sheet
    assert f"- 27/11/2026 à 11:05 — {OPERATOR} : Renseigné : cause" in sheet
    assert "| Sociétés touchées | aucune connue |" in sheet


@pytest.mark.parametrize(("text", "held"), [("Vu", 199), ("é" * 2000, 49)], ids=["many", "long"])
def test_an_incident_that_takes_no_more_notes_can_still_be_explained_and_closed(
    desk: Desk, text: str, held: int
) -> None:
    given: Any = {"desk": desk.desk, "clock": desk.clock, "ids": desk.ids}
    opened = incidents.open_incident(
        by=OPERATOR, severity=IncidentSeverity.LOW, title="Bavard", service=Service.INVOICES, **given
    )
    for _ in range(held):
        incidents.note_incident(opened.number, by=OPERATOR, text=text, **given)

    with pytest.raises(IncidentTimelineFull):
        incidents.note_incident(opened.number, by=OPERATOR, text=text, **given)
    closed = incidents.close_incident(opened.number, by=OPERATOR, cause="Trop de notes", **given)
    assert len(closed.timeline) == 1 + held + 2
