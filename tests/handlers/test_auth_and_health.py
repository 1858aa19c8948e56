"""Accounts, the token trigger and health through their handlers."""

from __future__ import annotations

import importlib
import json
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.domain.access import Role
from billing.domain.incidents import IncidentSeverity
from billing.domain.watch import Service
from billing.runtime import table
from billing.runtime.settings import PRODUCT_VERSION
from billing.usecases.incidents import open_incident
from operations import read_health
from tests.fakes.alerts import FakeAlertDesk
from tests.fakes.clock import FakeClock, FakeIds
from tests.fakes.delivery import FakeHealthProbes
from tests.fakes.identity import FakeIdentity
from tests.handlers.conftest import Json, Person, answered, invoke, sample

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch) -> FakeIdentity:
    fake = FakeIdentity()
    for operation in ("sign_up", "confirm_email", "resend_code", "sign_in", "refresh_session", "sign_out"):
        monkeypatch.setattr(importlib.import_module(f"auth.{operation}"), "identity", lambda: fake)
    return fake


def call(operation: str, **body: str) -> tuple[int, Json]:
    event = sample(operation)
    if body:
        event["body"] = json.dumps(body)
    answer = answered(invoke(operation, event))
    return answer.status, answer.body


def test_an_account_is_opened_confirmed_and_signed_in(identity: FakeIdentity) -> None:
    opened, said = call("auth/sign_up")
    early, refused = call("auth/sign_in")
    confirmed, _ = call("auth/confirm_email")
    status, session = call("auth/sign_in")
    renewed, after = call("auth/refresh_session", refresh_token=session["refresh_token"].replace(" ", "-"))

    assert (opened, said["next_step"]) == (201, "confirm_email")
    assert (early, refused["type"]) == (403, "/problems/email-not-confirmed")
    assert confirmed == 204
    assert (status, session["token_type"], session["expires_in"]) == (200, "Bearer", 3600)
    assert (renewed, after["type"]) == (401, "/problems/session-ended")


def test_signing_up_founds_a_tenant_of_its_own(identity: FakeIdentity) -> None:
    call("auth/sign_up")

    membership = table.memberships().of_user(next(iter(identity.accounts.values())).user_id)
    assert membership is not None
    assert membership.role is Role.OWNER


def test_accounts_are_refused_clearly(identity: FakeIdentity) -> None:
    call("auth/sign_up")
    taken = call("auth/sign_up")
    wrong = call("auth/confirm_email", email="dirigeante@atelier.exemple.test", code="000000")
    nobody = call("auth/sign_in", email="personne@exemple.test", password="x")

    assert (taken[0], taken[1]["type"]) == (409, "/problems/account-exists")
    assert (wrong[0], wrong[1]["type"]) == (422, "/problems/code-refused")
    assert (nobody[0], nobody[1]["type"]) == (401, "/problems/credentials-refused")


def test_resending_a_code_tells_nothing_of_an_address(identity: FakeIdentity) -> None:
    assert call("auth/resend_code", email="personne@exemple.test") == (204, {})
    assert identity.codes_sent == []


def test_signing_out_ends_the_session_of_the_token(identity: FakeIdentity) -> None:
    call("auth/sign_up")
    call("auth/confirm_email")
    _, session = call("auth/sign_in")
    event = sample("auth/sign_out")
    event["headers"]["authorization"] = f"Bearer {session['access_token']}"

    assert answered(invoke("auth/sign_out", event)).status == 204
    assert identity.accounts["dirigeante@atelier.exemple.test"].generation == 1


def test_who_am_i_is_the_membership(owner: Person) -> None:
    assert owner.call("auth/who_am_i").body == {
        "user_id": owner.user_id,
        "tenant_id": owner.tenant_id,
        "role": "owner",
    }


def test_the_token_trigger_adds_the_membership_and_founds_a_missing_tenant() -> None:
    event = sample("auth/pre_token_generation")

    first, second = (invoke("auth/pre_token_generation", event) for _ in range(2))

    override = first["response"]["claimsAndScopeOverrideDetails"]
    claims = override["accessTokenGeneration"]["claimsToAddOrOverride"]
    assert set(override) == {"accessTokenGeneration"}
    assert (claims["role"], claims["membership_version"]) == ("owner", "1")
    assert claims["tenant_id"].startswith("ten_")
    assert second == first
    assert first["request"] == event["request"]


@pytest.mark.parametrize(
    ("failing", "status", "said"),
    [(set(), 200, "healthy"), ({"documents"}, 200, "degraded"), ({"table"}, 503, "unhealthy")],
)
def test_health_is_what_the_probes_see(
    monkeypatch: pytest.MonkeyPatch, failing: set[str], status: int, said: str
) -> None:
    fake = FakeHealthProbes(failing=frozenset(failing), names=("table", "documents"))
    monkeypatch.setattr(read_health, "probes", lambda: fake)
    desk = FakeAlertDesk()
    monkeypatch.setattr(table, "alert_desk", lambda: desk)
    incident = open_incident(
        by="ope_1",
        severity=IncidentSeverity.HIGH,
        title="Les courriels attendent",
        service=Service.MAIL,
        desk=desk,
        clock=FakeClock(datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ids=FakeIds(),
    )

    answer = answered(invoke("operations/read_health", sample("operations/read_health")))

    assert (answer.status, answer.body["status"]) == (status, said)
    assert answer.body["probes"][0] == {"name": "table", "healthy": "table" not in failing, "latency_ms": 3}
    assert answer.body["version"] == PRODUCT_VERSION
    shown = {
        "incident_number": incident.number,
        "severity": "high",
        "service": "mail",
        "opened_at": "2026-11-20T09:00:00Z",
    }
    assert answer.body["incidents"] == ([] if said == "unhealthy" else [shown])


def test_the_version_is_the_projects_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == PRODUCT_VERSION
