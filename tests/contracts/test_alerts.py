"""Alerts and incidents over the fake and the table: kept once, judged by one at a time, found when they are due."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.adapters.dynamodb.alerts import AlertDesk as TableAlertDesk
from billing.adapters.dynamodb.table import Table
from billing.domain.alerts import AlarmLevel, AlertSeverity, Channel, MaintenanceWindow, Sent
from billing.domain.errors import IdempotencyKeyReused, StaleVersion
from billing.domain.parking import ParkReason
from billing.domain.watch import Service
from billing.ports.alerts import AlertDesk, EndedWindow, Step
from billing.ports.idempotency import AlreadyAnswered, Answer, IdempotentRequest
from billing.ports.paging import PageRequest
from billing.usecases.alerts import receive_alert
from billing.usecases.parking import park_tenant, release_parked_tenant
from local.ring import alarm_message
from tests.engines import billing_table_definition
from tests.fakes.alerts import FakeAlertDesk
from tests.fakes.clock import FakeClock, FakeIds

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=40)
CRITICAL = "ApiErrorsCriticalAlarm"


@pytest.fixture(params=["fakes", pytest.param("dynamodb", marks=pytest.mark.engine)])
def desk(request: pytest.FixtureRequest) -> AlertDesk:
    """Of a table of its own: alerts belong to no tenant that would keep tests apart."""
    if request.param == "fakes":
        return FakeAlertDesk()
    client = request.getfixturevalue("dynamodb")
    name = f"alerts-{uuid.uuid4().hex[:8]}"
    client.create_table(TableName=name, **billing_table_definition())
    return TableAlertDesk(Table(client, name, clock=FakeClock(), ids=FakeIds()))


IDS = FakeIds()


def ring(desk: AlertDesk, name: str = CRITICAL, message_id: str = "m1", at: datetime = NOW) -> str:
    alert = receive_alert(message_id, alarm_message(name, at), desk=desk, clock=FakeClock(at), ids=IDS)
    return alert.notice_id


def test_an_alert_is_kept_with_its_message(desk: AlertDesk) -> None:
    ring(desk)

    kept = desk.alert("m1")
    assert kept is not None
    assert kept.payload == alarm_message(CRITICAL, NOW)
    assert kept.alert.incident_number == "ZB-2026-001"
    assert desk.alert("m2") is None
    assert desk.list_alerts(2026, PageRequest()).items == (kept.alert,)
    assert desk.list_alerts(2025, PageRequest()).items == ()


def test_the_parked_are_listed_from_the_longest_until_they_are_released(desk: AlertDesk) -> None:
    for place, tenant_id in enumerate(("ten_b", "ten_a")):
        at = FakeClock(NOW + timedelta(minutes=place))
        assert park_tenant(tenant_id, ParkReason.LEDGER_DIFFERS, desk=desk, clock=at, ids=IDS)
        assert not park_tenant(tenant_id, ParkReason.CHAIN_HEAD_DIFFERS, desk=desk, clock=at, ids=IDS)

    first, second = desk.parked_tenants()
    assert (first.tenant_id, second.tenant_id) == ("ten_b", "ten_a")
    assert desk.parked_tenant("ten_b") == first
    assert desk.parked_tenant("ten_c") is None

    once = request("release-key")
    release_parked_tenant("ten_b", by="alix", note="Vu", once=once, desk=desk, clock=FakeClock(LATER), ids=IDS)
    assert [one.tenant_id for one in desk.parked_tenants()] == ["ten_a"]
    with pytest.raises(AlreadyAnswered):
        release_parked_tenant("ten_b", by="alix", note="Vu", once=once, desk=desk, clock=FakeClock(LATER), ids=IDS)
    released = desk.parked_tenant("ten_b")
    assert released is not None
    assert (released.version, released.released_by, released.is_parked) == (2, "alix", False)
    incidents = desk.incidents(["ZB-2026-001", "ZB-2026-002"])
    assert [one.facts.tenants for one in incidents.values()] == [("ten_b",), ("ten_a",)]


def test_what_it_is_judged_by_comes_back_as_it_was_written(desk: AlertDesk) -> None:
    ring(desk)

    assert desk.alarms(["Other"])["Other"].version == 0
    watch = desk.alarms(["ApiErrors"])["ApiErrors"]
    level = AlarmLevel(severity=AlertSeverity.CRITICAL, ringing=True, changed_at=NOW, told_at=NOW, told=tuple(Channel))
    assert (watch.version, watch.levels, watch.incident_number) == (1, (level,), "ZB-2026-001")
    assert desk.service(Service.API).window_until == NOW + timedelta(minutes=2)
    assert desk.service(Service.MAIL).version == 0


def test_one_of_two_writers_is_first_and_nothing_of_the_other_stays(desk: AlertDesk) -> None:
    ring(desk)
    incident = desk.incidents(["ZB-2026-001"])["ZB-2026-001"]
    series = desk.series(2026)
    stale = Step(incidents=(replace(incident, version=1),), series=replace(series.next(), version=2))

    with pytest.raises(StaleVersion):
        desk.apply(stale)
    assert desk.series(2026) == series
    desk.apply(Step(incidents=(replace(incident, version=2, title="Autre"),)))
    assert desk.incidents(["ZB-2026-001", "ZB-2026-002"])["ZB-2026-001"].title == "Autre"


def test_many_alarms_at_once_take_dense_numbers_and_one_incident_each(desk: AlertDesk) -> None:
    names = ["ApiErrors", "StripeDeadLetters", "ChainHeadDiffers"]

    def one(place: int) -> None:
        ring(desk, f"{names[place % 3]}CriticalAlarm", f"m{place}")

    with ThreadPoolExecutor(9) as threads:
        for done in [threads.submit(one, place) for place in range(9)]:
            done.result()

    found = desk.list_incidents(2026, PageRequest()).items
    assert [incident.number for incident in found] == ["ZB-2026-003", "ZB-2026-002", "ZB-2026-001"]
    assert sum(incident.rang for incident in found) == 9
    assert len(desk.list_alerts(2026, PageRequest()).items) == 9


def test_open_incidents_are_listed_until_they_close(desk: AlertDesk) -> None:
    for place, name in enumerate(("ApiErrors", "StripeDeadLetters", "ChainHeadDiffers")):
        ring(desk, f"{name}CriticalAlarm", f"m{place}", NOW + timedelta(minutes=place))
    first = desk.list_open_incidents(PageRequest(limit=2))

    assert [one.number for one in first.items] == ["ZB-2026-001", "ZB-2026-002"]
    assert first.items[0].timeline == ()
    rest = desk.list_open_incidents(PageRequest(limit=2, position=first.position))
    assert [one.number for one in rest.items] == ["ZB-2026-003"]
    whole = desk.incidents(["ZB-2026-002"])["ZB-2026-002"]
    assert desk.due_incidents(LATER, 10) == ["ZB-2026-001", "ZB-2026-002", "ZB-2026-003"]
    assert desk.due_incidents(NOW + timedelta(hours=3), 10) == ["ZB-2026-001"]
    desk.apply(Step(incidents=(replace(whole, version=whole.version + 1, closed_at=NOW),)))
    assert [one.number for one in desk.list_open_incidents(PageRequest()).items] == ["ZB-2026-001", "ZB-2026-003"]
    assert "ZB-2026-002" not in desk.due_incidents(LATER, 10)
    assert [one.number for one in desk.list_closed_incidents(2026, PageRequest()).items] == ["ZB-2026-002"]
    assert desk.list_closed_incidents(2025, PageRequest()).items == ()


def test_the_alerts_of_an_incident_are_found_latest_first(desk: AlertDesk) -> None:
    for place in range(3):
        ring(desk, message_id=f"m{place}", at=NOW + timedelta(minutes=place))
    ring(desk, "StripeDeadLettersCriticalAlarm", "other")

    first = desk.list_incident_alerts("ZB-2026-001", PageRequest(limit=2))
    assert [one.message_id for one in first.items] == ["m2", "m1"]
    rest = desk.list_incident_alerts("ZB-2026-001", PageRequest(limit=2, position=first.position))
    assert [one.message_id for one in rest.items] == ["m0"]
    assert desk.list_incident_alerts("ZB-2026-009", PageRequest()).items == ()


def request(key: str, fingerprint: str = "f") -> IdempotentRequest:
    return IdempotentRequest(
        operation="noteIncident",
        key=key,
        fingerprint=fingerprint,
        answer_of=lambda title: Answer(status=200, body=f'"{title}"'),
    )


def test_a_request_that_was_answered_has_no_second_effect(desk: AlertDesk) -> None:
    ring(desk)
    incident = desk.incident("ZB-2026-001", request("one"))
    assert incident is not None
    changed = Step(incidents=(replace(incident, version=2, title="Autre"),))
    desk.apply(changed, once=request("one"), answered="Autre")

    with pytest.raises(AlreadyAnswered) as read:
        desk.incident("ZB-2026-001", request("one"))
    with pytest.raises(AlreadyAnswered) as written:
        desk.apply(changed, once=request("one"), answered="Encore")
    assert read.value.answer == written.value.answer == Answer(status=200, body='"Autre"')
    with pytest.raises(IdempotencyKeyReused):
        desk.incident("ZB-2026-001", request("one", "g"))
    assert desk.incident("ZB-2026-009", request("two")) is None
    with pytest.raises(StaleVersion):
        desk.apply(changed, once=request("two"), answered="Encore")
    assert desk.incident("ZB-2026-001", request("two")) == replace(incident, version=2, title="Autre")


def test_a_delivery_is_due_until_it_ended_and_one_run_has_it(desk: AlertDesk) -> None:
    notice_id = ring(desk)
    found = desk.notice(notice_id)
    assert found is not None
    notice, deliveries = found

    assert [one.channel for one in deliveries] == [Channel.EMAIL, Channel.SLACK, Channel.SMS]
    assert (notice.notice_id, desk.notice("ntc_unknown")) == (notice_id, None)
    assert desk.due_notices(NOW, 10) == [notice_id]
    for delivery in deliveries:
        claimed = delivery.claimed(NOW)
        desk.save_delivery(claimed)
        with pytest.raises(StaleVersion):
            desk.save_delivery(delivery.claimed(NOW))
        desk.save_delivery(claimed.ended(Sent(reached=("0f",)), NOW))
    assert desk.due_notices(LATER, 10) == []


def test_a_service_that_holds_something_is_due_when_its_time_has_come(desk: AlertDesk) -> None:
    ring(desk)
    ring(desk, "NetworkLatencyCriticalAlarm", "m2")

    assert desk.due_services(NOW, 10) == []
    assert desk.due_services(NOW + timedelta(minutes=2), 10) == [Service.API]


def test_maintenance_that_has_not_ended_is_found(desk: AlertDesk) -> None:
    windows = [
        MaintenanceWindow(
            window_id=f"mnt_{place}",
            starts_at=NOW + timedelta(hours=place),
            ends_at=NOW + timedelta(hours=place + 1),
            services=(Service.API,),
            reason="Migration",
            created_by="somebody",
            created_at=NOW,
        )
        for place in range(3)
    ]
    for window in windows:
        desk.apply(Step(windows=(window,)))

    assert desk.maintenance(NOW + timedelta(hours=1, minutes=1)) == (windows[1], windows[2])
    assert desk.planned("mnt_0", None) == windows[0]
    assert desk.planned("mnt_9", request("one")) is None
    ended = EndedWindow(stood=windows[2], window=windows[2].ended("somebody", NOW))
    desk.apply(Step(ended=(ended,)), once=request("one"), answered="Terminée")
    assert desk.maintenance(NOW) == (windows[0], windows[1])
    with pytest.raises(StaleVersion):
        desk.apply(Step(ended=(ended,)))
    with pytest.raises(AlreadyAnswered):
        desk.planned("mnt_2", request("one"))
    assert desk.planned("mnt_2", request("two")) is not None


def test_services_are_read_together(desk: AlertDesk) -> None:
    ring(desk)

    assert desk.services([Service.MAIL, Service.API]) == [desk.service(Service.MAIL), desk.service(Service.API)]
    assert [one.version for one in desk.services([Service.MAIL, Service.API])] == [0, 1]
