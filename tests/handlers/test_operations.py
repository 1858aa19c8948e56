"""What operators do with incidents, alerts and maintenance windows, and that nobody else does."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from billing.adapters.dynamodb.alerts import AlertDesk
from billing.adapters.dynamodb.dead_letters import LetterBook
from billing.adapters.dynamodb.table import Table
from billing.domain.parking import ParkReason
from billing.domain.watch import Service
from billing.runtime import table
from billing.runtime.clock import clock, ids
from billing.usecases.alerts import receive_alert
from billing.usecases.parking import park_tenant
from local.openapi.handlers import Route, routes
from local.ring import alarm_message
from tests.engines import billing_table_definition
from tests.handlers.conftest import Answered, Json, Person, answered, invoke, sample

CRITICAL = "ApiErrorsCriticalAlarm"
ROUTES = routes()
MEMBER = sample("company/read")["requestContext"]["authorizer"]["jwt"]["claims"]
OPERATOR = sample("operations/list_incidents")["requestContext"]["authorizer"]["jwt"]["claims"]
# Public ones, two that answer everybody the same, and the one that gives the token itself to Cognito.
ASKING_NOBODY = {one.name.module for one in ROUTES if one.public} | {
    "products.list_units",
    "subscription.list_plans",
    "auth.sign_out",
}
TENANT = sample("operations/release_parked_tenant")["pathParameters"]["tenant_id"]
NOBODY = Person("", "")  # the samples of operators' operations are an operator's


@pytest.fixture(autouse=True)
def desk(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> AlertDesk:
    """Of a table of its own: what operators keep belongs to no company that would keep tests apart."""
    name = f"operations-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(TableName=name, **billing_table_definition())
    own = Table(dynamodb, name, clock=clock, ids=ids)
    desk = AlertDesk(own)
    monkeypatch.setattr(table, "alert_desk", lambda: desk)
    monkeypatch.setattr(table, "letter_book", lambda: LetterBook(own))
    return desk


def ring(desk: AlertDesk, name: str = CRITICAL, state: str = "ALARM") -> str:
    message_id = str(uuid.uuid4())
    text = alarm_message(name, clock.now(), state=state)
    return receive_alert(message_id, text, desk=desk, clock=clock, ids=ids).incident_number


def call(operation: str, **options: Any) -> Answered:
    return NOBODY.call(f"operations/{operation}", **options)


def as_another(operation: str, body: Json, incident_number: str) -> Answered:
    """By another operator."""
    event = sample(f"operations/{operation}")
    event["requestContext"]["authorizer"]["jwt"]["claims"]["username"] = "bruno.petit"
    event["headers"]["idempotency-key"] = str(uuid.uuid4())
    event["body"] = json.dumps(body)
    event["pathParameters"] = {"incident_number": incident_number}
    path = event["rawPath"].replace("ZB-2026-001", incident_number)
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    return answered(invoke(f"operations/{operation}", event))


def opened(**fields: str) -> str:
    body = json.loads(sample("operations/open_incident")["body"]) | fields
    return str(call("open_incident", body=body).body["incident_number"])


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if one.name.module not in ASKING_NOBODY], ids=lambda one: one.name.module
)
def test_the_other_kind_of_token_is_refused_by_the_operation_itself(route: Route) -> None:
    """API Gateway refuses it before; were a route ever given the other authorizer, this still does."""
    operation = route.name.module.replace(".", "/")
    event = sample(operation)
    others = MEMBER if route.token == "operatorToken" else OPERATOR
    event["requestContext"]["authorizer"]["jwt"]["claims"] = dict(others)

    answer = answered(invoke(operation, event))

    assert (answer.status, answer.body["type"]) == (401, "/problems/unauthenticated")


@pytest.mark.parametrize(
    "claims",
    [
        {"token_use": "id"}, {"username": "alarm"}, {"username": ""}, {"username": "a:b"}, {"username": None},
        {"tenant_id": "ten_1"},
    ],
)  # fmt: skip
def test_a_token_that_names_no_operator_is_refused(claims: Json) -> None:
    """One called ``alarm`` would write in the timeline as an alarm does."""
    event = sample("operations/list_incidents")
    event["requestContext"]["authorizer"]["jwt"]["claims"].update(claims)

    answer = answered(invoke("operations/list_incidents", event))

    assert (answer.status, answer.body["type"]) == (401, "/problems/unauthenticated")


def test_an_incident_from_the_alarm_to_its_end(desk: AlertDesk) -> None:
    number = {"incident_number": ring(desk)}
    [listed] = call("list_incidents").body["items"]
    assert (listed["severity"], listed["open"], listed["indicator"]) == ("critical", True, "ApiErrors")

    found = call("read_incident", **number).body
    assert [one["fate"] for one in found["alerts"]] == ["told"]
    assert found["opened_by"] == "alarm"
    noted = call("note_incident", body={"note": "Pris en charge", "analysis": "Une dépendance tarde."}, **number).body
    assert [(one["by"], one["text"]) for one in noted["timeline"][1:]] == [
        ("claire.martin", "Pris en charge"),
        ("claire.martin", "Renseigné : analyse préliminaire"),
    ]

    rings = call("close_incident", body={"cause": "Une dépendance"}, **number)
    assert (rings.status, rings.body["detail"]) == (409, "Son alarme sonne encore.")
    ring(desk, state="OK")
    without_cause = call("close_incident", body={}, **number)
    assert (without_cause.status, without_cause.body["detail"]) == (409, "La cause n'est pas écrite.")
    call("note_incident", body={"cause": "Une dépendance"}, **number)
    without_approval = call("close_incident", body={}, **number)
    assert without_approval.body["type"] == "/problems/incident-not-closable"
    own = call("approve_incident", **number)
    assert (own.status, own.body["approver"], own.body["open"]) == (200, "claire.martin", True)
    alone = call("close_incident", body={}, **number)
    assert (alone.status, alone.body["type"]) == (409, "/problems/incident-not-closable")
    closed = as_another("close_incident", {}, **number).body
    assert (closed["open"], closed["closed_by"], closed["approver"]) == (False, "bruno.petit", "claire.martin")
    assert closed["approved_at"] == own.body["approved_at"]
    named = call("close_incident", body={"approver": "Direction"}, **number)
    assert [one["pointer"] for one in named.body["errors"]] == ["/approver"]

    sheet = call("read_post_mortem", **number)
    assert sheet.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert f"# Fiche d'anomalie {number['incident_number']}" in sheet.text
    assert "| Service touché | API |" in sheet.text
    assert "| Clos par | bruno.petit |" in sheet.text
    assert "Une dépendance tarde." in sheet.text


def test_what_is_left_out_of_a_note_stays(desk: AlertDesk) -> None:
    number = {"incident_number": opened()}
    everything = json.loads(sample("operations/note_incident")["body"])
    first = call("note_incident", body=everything, **number).body
    second = call("note_incident", body={"corrective_actions": "", "error_rate_after": "0.05"}, **number).body

    kept = {name: value for name, value in everything.items() if name != "note"}
    assert {name: first[name] for name in kept} == kept
    assert {name: second[name] for name in kept} == kept | {"corrective_actions": None, "error_rate_after": "0.05"}


def test_a_note_that_says_nothing_new_is_refused(desk: AlertDesk) -> None:
    number = {"incident_number": opened()}
    bodies: list[Json] = [{}, {"severity": "medium"}, {"tenants": []}]
    for body in bodies:
        answer = call("note_incident", body=body, **number)
        assert (answer.status, answer.body["type"]) == (422, "/problems/nothing-to-note")


def test_two_operators_with_one_key_are_two_requests(desk: AlertDesk) -> None:
    number = opened()
    for name in ("alix", "bruno"):
        event = sample("operations/note_incident")
        event["requestContext"]["authorizer"]["jwt"]["claims"]["username"] = name
        event["headers"]["idempotency-key"] = "once"
        event["body"] = json.dumps({"note": "Je regarde"})
        event["pathParameters"] = {"incident_number": number}
        event["rawPath"] = event["requestContext"]["http"]["path"] = f"/v1/operations/incidents/{number}/notes"
        assert answered(invoke("operations/note_incident", event)).status == 200

    assert {entry.by for entry in desk.incidents([number])[number].timeline} >= {"alix", "bruno"}


@pytest.mark.parametrize(
    ("operation", "body"),
    [
        ("open_incident", None), ("note_incident", {"note": "Vu"}), ("close_incident", {"cause": "Une cause"}),
        ("plan_maintenance", None),
    ],
)  # fmt: skip
def test_the_same_request_twice_has_its_effect_once(desk: AlertDesk, operation: str, body: Json | None) -> None:
    number = {} if operation in {"open_incident", "plan_maintenance"} else {"incident_number": opened()}
    headers: dict[str, str | None] = {"idempotency-key": "once"}
    first = call(operation, body=body, headers=headers, **number)
    again = call(operation, body=body, headers=headers, **number)
    changed = {"reason": "Autre"} if operation == "plan_maintenance" else {"title": "Autre"}
    other = json.loads(sample(f"operations/{operation}")["body"]) | (changed if not number else {"cause": "Autre"})
    another = call(operation, body=other, headers=headers, **number)

    assert first.status in {200, 201}
    assert (again.text, again.headers["Idempotency-Replayed"]) == (first.text, "true")
    assert (another.status, another.body["type"]) == (422, "/problems/idempotency-key-reused")
    assert len(call("list_incidents", query={"state": "all"}).body["items"]) == (operation != "plan_maintenance")


def parked(desk: AlertDesk, tenant_id: str = TENANT) -> None:
    park_tenant(tenant_id, ParkReason.LEDGER_DIFFERS, desk=desk, clock=clock, ids=ids)


def test_a_company_is_parked_until_an_operator_releases_it(desk: AlertDesk) -> None:
    parked(desk)
    [listed] = call("list_parked_tenants").body["items"]
    assert (listed["tenant_id"], listed["reason"], listed["released_at"]) == (TENANT, "ledger_differs", None)
    [incident] = call("list_incidents").body["items"]
    assert call("read_incident", incident_number=incident["incident_number"]).body["tenants"] == [TENANT]

    headers: dict[str, str | None] = {"idempotency-key": "once"}
    released = call("release_parked_tenant", headers=headers, tenant_id=TENANT)
    again = call("release_parked_tenant", headers=headers, tenant_id=TENANT)
    assert (released.body["released_by"], again.text) == ("claire.martin", released.text)
    assert call("list_parked_tenants").body["items"] == []
    refused = call("release_parked_tenant", tenant_id=TENANT)
    assert (refused.status, refused.body["type"]) == (409, "/problems/tenant-not-parked")
    assert call("release_parked_tenant", tenant_id="ten_" + "0" * 32).status == 404
    number = {"incident_number": incident["incident_number"]}
    call("note_incident", body={"cause": "Table restaurée"}, **number)
    as_another("approve_incident", {}, **number)
    assert call("close_incident", body={}, **number).body["open"] is False


def test_incidents_are_listed_by_state_in_pages(desk: AlertDesk) -> None:
    numbers = [opened() for _ in range(3)]
    call("close_incident", body={"cause": "Une cause"}, incident_number=numbers[1])

    def listed(**query: str) -> list[str]:
        found: list[str] = []
        token: str | None = ""
        while token is not None:
            more = {"page_token": token} if token else {}
            page = call("list_incidents", query={"limit": "1", **query, **more})
            assert page.status == 200, page.text
            found += [one["incident_number"] for one in page.body["items"]]
            token = page.body["next_page_token"]
        return found

    year = str(clock.today().year)
    assert listed() == [numbers[0], numbers[2]]
    assert listed(state="closed") == [numbers[1]]
    assert listed(state="all", year=year) == numbers[::-1]
    assert listed(state="closed", year="2021") == listed(state="all", year="2021") == []
    token = call("list_incidents", query={"limit": "1"}).body["next_page_token"]
    assert call("list_incidents", query={"state": "all", "limit": "1", "page_token": token}).status == 422


def test_alerts_are_listed_of_a_year_or_of_an_incident(desk: AlertDesk) -> None:
    number = ring(desk)
    ring(desk, "StripeDeadLettersCriticalAlarm")
    ring(desk, state="OK")

    def said(**query: str) -> list[tuple[str, str]]:
        items = call("list_alerts", query=query).body["items"]
        return [(one["kind"], one["indicator"]) for one in items]

    assert said() == [("recovery", "ApiErrors"), ("alarm", "StripeDeadLetters"), ("alarm", "ApiErrors")]
    assert said(incident_number=number) == [("recovery", "ApiErrors"), ("alarm", "ApiErrors")]
    assert said(year="2021") == []


def test_maintenance_is_planned_for_a_day_at_most_and_ahead(desk: AlertDesk) -> None:
    now = clock.now().replace(microsecond=0)

    def plan(starts: timedelta, ends: timedelta) -> Answered:
        times = {"starts_at": (now + starts).isoformat(), "ends_at": (now + ends).isoformat()}
        return call("plan_maintenance", body={**times, "services": ["mail"], "reason": "Migration"})

    for starts, ends in ((1, 1), (2, 1), (-3, -1), (1, 26)):
        refused = plan(timedelta(hours=starts), timedelta(hours=ends))
        assert (refused.status, refused.body["type"]) == (422, "/problems/maintenance-window-invalid")
        assert [one["pointer"] for one in refused.body["errors"]] == ["/ends_at"]
    assert call("list_maintenance").body["items"] == []
    planned = plan(timedelta(0), timedelta(hours=24))
    assert planned.status == 201
    assert call("list_maintenance").body["items"] == [planned.body]
    assert planned.body["created_by"] == "claire.martin"
    assert ring(desk, "MailBouncesCriticalAlarm") == ""  # opens no incident meanwhile


def test_a_maintenance_is_ended_once_by_whoever_asks_first(desk: AlertDesk) -> None:
    window = {"window_id": call("plan_maintenance").body["window_id"]}
    other = {"window_id": call("plan_maintenance").body["window_id"]}
    headers: dict[str, str | None] = {"idempotency-key": "once"}
    ended = call("end_maintenance", headers=headers, **window)

    assert (ended.status, ended.body["ended_by"]) == (200, "claire.martin")
    assert ended.body["ended_at"] <= clock.now().isoformat()
    again = call("end_maintenance", headers=headers, **window)
    assert (again.text, again.headers["Idempotency-Replayed"]) == (ended.text, "true")
    over = call("end_maintenance", **window)
    assert (over.status, over.body["type"]) == (409, "/problems/maintenance-window-over")
    reused = call("end_maintenance", headers=headers, **other)
    assert (reused.status, reused.body["type"]) == (422, "/problems/idempotency-key-reused")
    assert [one["window_id"] for one in call("list_maintenance").body["items"]] == [other["window_id"]]
    unknown = call("end_maintenance", window_id=f"mnt_{'0' * 26}")
    assert (unknown.status, unknown.body["type"]) == (404, "/problems/not-found")


def test_a_running_maintenance_that_is_ended_silences_nothing(desk: AlertDesk) -> None:
    now = clock.now()
    times = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(hours=24)).isoformat()}
    window = call("plan_maintenance", body={**times, "services": [], "reason": "Migration"}).body
    assert ring(desk) == ""
    ended = call("end_maintenance", window_id=window["window_id"])

    assert ended.body["ends_at"] == ended.body["ended_at"]
    assert desk.due_services(clock.now(), 10) == [Service.API]
    assert ring(desk, "StripeDeadLettersCriticalAlarm") == f"ZB-{clock.today().year}-001"


@pytest.mark.parametrize("text", ["2026-11-28", "2026-11-28T22:00:00", "demain", "2026-13-28T22:00:00Z", 5, None])
def test_an_instant_has_its_offset(text: object) -> None:
    body = json.loads(sample("operations/plan_maintenance")["body"]) | {"starts_at": text}
    answer = call("plan_maintenance", body=body)

    assert answer.status == 422
    assert [one["pointer"] for one in answer.body["errors"]] == ["/starts_at"]
    assert "décalage" in answer.body["detail"]


@pytest.mark.parametrize("number", ["ZB-2026-999", "ZB-26-1", "inv_1", "%00"])
@pytest.mark.parametrize(
    "operation", ["read_incident", "note_incident", "approve_incident", "close_incident", "read_post_mortem"]
)
def test_an_incident_that_does_not_exist_is_not_found(operation: str, number: str) -> None:
    answer = call(operation, incident_number=number)

    assert (answer.status, answer.body["type"]) == (404, "/problems/not-found")


def test_each_operation_costs_its_requests(desk: AlertDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    alarmed, own = ring(desk), opened()
    ring(desk, state="OK")
    window = call("plan_maintenance").body["window_id"]
    client = desk._table
    original = client._call
    made: list[str] = []

    def counted(operation: str, **request: Any) -> Any:
        made.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(client, "_call", counted)

    def cost(operation: str, **options: Any) -> int:
        made.clear()
        answer = call(operation, **options)
        assert answer.status < 300, answer.text
        return len(made)

    call("note_incident", body={"cause": "Une cause"}, incident_number=alarmed)
    parked(desk)
    costs: list[tuple[Callable[[], int], int]] = [
        (lambda: cost("list_incidents"), 1),
        (lambda: cost("list_alerts"), 1),
        (lambda: cost("list_maintenance"), 1),
        (lambda: cost("list_parked_tenants"), 1),
        (lambda: cost("list_dead_letters"), 1),
        (lambda: cost("read_post_mortem", incident_number=own), 1),
        (lambda: cost("read_incident", incident_number=own), 2),
        (lambda: cost("open_incident"), 2),
        (lambda: cost("plan_maintenance"), 1),
        (lambda: cost("end_maintenance", window_id=window), 4),
        (lambda: cost("close_incident", incident_number=own), 2),
        (lambda: cost("note_incident", incident_number=own), 2),
        (lambda: cost("approve_incident", incident_number=alarmed), 3),
    ]
    assert [measure() for measure, _ in costs] == [expected for _, expected in costs]
