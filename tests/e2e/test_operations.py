"""An incident over HTTP, as an operator goes through it; and who is not let in."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from local.client import ApiClient, ApiError, Json, wait_for
from local.layout import PROJECT
from local.operators import COLLEAGUE, NAME, ensure_operator, operator_token
from local.provision import client
from local.ring import alarm_message
from local.testing import LocalCloud
from tests.people import Person

pytestmark = pytest.mark.cloud
INDICATOR = "StripeEventsParked"  # rung by nobody else on the cloud that journeys share
INCIDENTS = "/v1/operations/incidents"


@pytest.fixture(scope="module")
def operator(cloud: LocalCloud) -> Iterator[ApiClient]:
    assert ensure_operator(cloud.layout)
    with ApiClient(cloud.base_url, token=operator_token(cloud.layout)) as api:
        yield api


@pytest.fixture(scope="module")
def colleague(cloud: LocalCloud) -> Iterator[ApiClient]:
    assert ensure_operator(cloud.layout, COLLEAGUE)
    with ApiClient(cloud.base_url, token=operator_token(cloud.layout, COLLEAGUE)) as api:
        yield api


def publish(cloud: LocalCloud, state: str) -> None:
    sns = client("sns", cloud.layout.ministack_url)
    [topic] = [one["TopicArn"] for one in sns.list_topics()["Topics"] if "AlertsTopic" in one["TopicArn"]]
    text = alarm_message(f"{INDICATOR}CriticalAlarm", cloud.now(), state=state, stack="zenbilling")
    sns.publish(TopicArn=topic, Message=text)


def refusal(api: ApiClient, path: str, body: Json) -> tuple[int, str]:
    with pytest.raises(ApiError) as refused:
        api.post(path, body)
    return refused.value.status, refused.value.problem["detail"]


def test_an_incident_is_found_explained_approved_and_closed(
    cloud: LocalCloud, operator: ApiClient, colleague: ApiClient
) -> None:
    publish(cloud, "ALARM")

    def opened() -> Json | None:
        return next((one for one in operator.get(INCIDENTS)["items"] if one["indicator"] == INDICATOR), None)

    incident = wait_for(opened, what="the incident")
    path = f"{INCIDENTS}/{incident['incident_number']}"
    assert (incident["severity"], incident["opened_by"]) == ("critical", "alarm")
    operator.post(f"{path}/notes", {"note": "Pris en charge", "analysis": "Un remboursement n'a pas été lu."})
    operator.post(f"{path}/notes", {"corrective_actions": "Remboursement relu.", "error_rate_before": "7.3"})
    assert refusal(operator, f"{path}/close", {}) == (409, "Son alarme sonne encore.")
    publish(cloud, "OK")
    wait_for(lambda: len(operator.get(path)["alerts"]) == 2 or None, what="the recovery")
    assert refusal(operator, f"{path}/close", {}) == (409, "La cause n'est pas écrite.")
    operator.post(f"{path}/notes", {"cause": "Un événement est arrivé avant son paiement."})
    waits = "Un incident critique ou élevé attend qu'un autre opérateur approuve sa clôture."
    assert refusal(operator, f"{path}/close", {}) == (409, waits)
    assert colleague.post(f"{path}/approve", {})["approver"] == COLLEAGUE
    assert operator.post(f"{path}/close", {})["open"] is False

    sheet = operator.send("GET", f"{path}/post-mortem")
    assert sheet.headers["content-type"] == "text/markdown; charset=utf-8"
    for line in (
        f"# Fiche d'anomalie {incident['incident_number']}",
        "| État | clos |",
        "| Service touché | Paiements |",
        f"| Clos par | {NAME} |",
        "| Taux d'erreur avant | 7.3 % |",
        "Un remboursement n'a pas été lu.",
        "Remboursement relu.",
        "Un événement est arrivé avant son paiement.",
    ):
        assert line in sheet.text.splitlines()
    assert f"| Approuvé par | {COLLEAGUE}, le " in sheet.text
    assert opened() is None
    year = cloud.now().year
    closed = operator.get(f"{INCIDENTS}?state=closed&year={year}")["items"]
    assert incident["incident_number"] in {one["incident_number"] for one in closed}


def test_a_maintenance_is_ended_once(cloud: LocalCloud, operator: ApiClient) -> None:
    now = cloud.now()
    times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=20)).isoformat()}
    windows = "/v1/operations/maintenance-windows"
    window = operator.post(windows, {**times, "services": ["proof"], "reason": "Migration"})
    ended = operator.post(f"{windows}/{window['window_id']}/end", {})

    assert (ended["ended_by"], ended["ends_at"]) == (NAME, ended["ended_at"])
    assert window["window_id"] not in {one["window_id"] for one in operator.get(windows)["items"]}
    over = refusal(operator, f"{windows}/{window['window_id']}/end", {})
    assert over[0] == 409


def test_the_command_line_gives_a_token_of_the_running_operator(cloud: LocalCloud, operator: ApiClient) -> None:
    given = subprocess.run(
        [sys.executable, "-m", "local", "operator", "--state", str(cloud.state)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    with ApiClient(operator.base_url, token=given.stdout.strip()) as api:
        assert api.send("GET", INCIDENTS).status_code == 200


def test_a_company_is_refused_where_operators_are_let_in(person: Callable[..., Person], operator: ApiClient) -> None:
    owner = person(described=False)
    nobody = owner.another_client()
    nobody.token = None
    for api in (owner.api, nobody):
        for method, path in (("GET", INCIDENTS), ("POST", INCIDENTS), ("GET", "/v1/operations/alerts")):
            answer = api.send(method, path, {} if method == "POST" else None, idempotency_key=str(uuid.uuid4()))
            assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    for path in ("/v1/invoices", "/v1/customers", "/v1/auth/me", "/v1/company"):
        assert operator.send("GET", path).status_code == 401
