"""A company whose books contradict themselves: left alone by what runs by itself, with an incident, until released."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.domain.alerts import Channel
from billing.domain.errors import IncidentNotClosable, NotFound, NothingToNote, TenantNotParked
from billing.domain.incidents import Incident, IncidentSeverity
from billing.domain.parking import ParkedTenant, ParkReason
from billing.usecases.alerts import run_alerts
from billing.usecases.incidents import approve_incident, close_incident, note_incident
from billing.usecases.parking import list_parked_tenants, park_tenant, release_parked_tenant
from billing.usecases.turns import Turns
from tests.fakes.alerts import FakeAlertDesk, FakeChannel
from tests.fakes.clock import FakeClock, FakeIds

TENANT, OTHER = "ten_a", "ten_b"
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


class Yard:
    def __init__(self) -> None:
        self.clock, self.ids, self.desk = FakeClock(NOW), FakeIds(), FakeAlertDesk()
        self.channels = {one: FakeChannel() for one in Channel}

    def park(self, tenant_id: str = TENANT) -> bool:
        return park_tenant(tenant_id, ParkReason.LEDGER_DIFFERS, desk=self.desk, clock=self.clock, ids=self.ids)

    def release(self, tenant_id: str = TENANT) -> ParkedTenant:
        return release_parked_tenant(
            tenant_id, by="paul", note="Table restaurée", desk=self.desk, clock=self.clock, ids=self.ids
        )

    def parked(self) -> list[str]:
        return [one.tenant_id for one in list_parked_tenants(desk=self.desk)]

    def incident(self, number: str = "ZB-2026-001") -> Incident:
        return self.desk.incidents([number])[number]

    def tell(self) -> None:
        self.clock.advance(timedelta(minutes=3))
        turns = Turns()
        run_alerts(desk=self.desk, channels=self.channels, clock=self.clock, ids=self.ids, turns=turns)
        turns.end()

    def close(self, number: str = "ZB-2026-001") -> Incident:
        with suppress(NothingToNote):
            note_incident(
                number,
                by="paul",
                found=lambda facts: replace(facts, cause="Essai"),
                desk=self.desk,
                clock=self.clock,
                ids=self.ids,
            )
        approve_incident(number, by="claire", desk=self.desk, clock=self.clock, ids=self.ids)
        return close_incident(number, by="paul", desk=self.desk, clock=self.clock, ids=self.ids)


@pytest.fixture
def yard() -> Yard:
    return Yard()


def test_it_is_parked_once_with_a_critical_incident_that_names_it(yard: Yard) -> None:
    assert yard.park()
    assert not yard.park()

    assert yard.parked() == [TENANT]
    incident = yard.incident()
    assert (incident.severity, incident.facts.tenants, incident.rang) == (IncidentSeverity.CRITICAL, (TENANT,), 1)
    yard.tell()
    for channel in Channel:
        [notice] = yard.channels[channel].told
        assert notice.title.startswith("CRITIQUE – Preuve et journal : Société mise à l'écart")
    assert any(TENANT in line for line in yard.channels[Channel.SLACK].told[0].lines)


def test_each_company_has_an_incident_of_its_own(yard: Yard) -> None:
    yard.park()
    yard.park(OTHER)

    assert yard.parked() == [TENANT, OTHER]
    assert yard.incident("ZB-2026-002").facts.tenants == (OTHER,)


def test_its_incident_closes_only_after_its_release_of_which_people_hear(yard: Yard) -> None:
    yard.park()
    yard.tell()
    with pytest.raises(IncidentNotClosable):
        yard.close()

    released = yard.release()
    assert (released.released_by, released.note, yard.parked()) == ("paul", "Table restaurée", [])
    yard.tell()
    assert "RÉTABLI" in yard.channels[Channel.SMS].told[-1].title
    assert not yard.close().is_open


def test_who_is_not_parked_is_not_released(yard: Yard) -> None:
    with pytest.raises(NotFound):
        yard.release()
    yard.park()
    yard.release()
    with pytest.raises(TenantNotParked):
        yard.release()


def test_what_breaks_again_is_parked_again(yard: Yard) -> None:
    yard.park()
    yard.release()
    yard.clock.advance(timedelta(hours=3))

    assert yard.park()
    assert yard.parked() == [TENANT]
    assert yard.incident().rang == 2


def test_two_who_find_it_at_once_open_one_incident(yard: Yard) -> None:
    won: list[bool] = []
    threads = [threading.Thread(target=lambda: won.append(yard.park())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(won) == [False, False, False, True]
    assert yard.desk.series(2026).last == 1
