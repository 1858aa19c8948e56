"""The API as its clients see it: a real gateway, real workers."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from local.testing import LocalCloud
from tests.local.steps import aws, until

pytestmark = pytest.mark.cloud


def test_function_gets_the_request_and_its_answer_is_sent(http: httpx.Client) -> None:
    response = http.post("/v1/echo?a=1&a=2", json={"x": 1}, headers={"cookie": "c=1; d=2"})

    event = response.json()["event"]
    assert response.status_code == 200
    assert response.headers["x-greeting"] == "bonjour"
    assert response.headers.get_list("set-cookie") == ["a=1; Secure", "b=2"]
    assert (event["routeKey"], event["rawQueryString"]) == ("POST /v1/echo", "a=1&a=2")
    assert event["queryStringParameters"] == {"a": "1,2"}
    assert event["cookies"] == ["c=1", "d=2"]
    assert json.loads(event["body"]) == {"x": 1}
    assert event["headers"]["x-forwarded-for"] == "127.0.0.1"


def test_function_has_its_own_environment_and_context_and_nothing_of_ours(http: httpx.Client) -> None:
    answer = http.get("/v1/things/x").json()

    environment = answer["environment"]
    assert answer["function"] == "zenbilling-things-echo"
    assert answer["arn"] == "arn:aws:lambda:eu-west-3:000000000000:function:zenbilling-things-echo"
    assert 9_000 < answer["remaining"] <= 10_000
    assert environment["THINGS_TABLE_NAME"] == "zenbilling-ThingsTable"
    assert environment["MAIL_TRANSPORT"] == "smtp"
    assert "OWN_SETTING" not in environment
    assert "HOME" not in environment
    assert not any("VIRTUAL" in name or "PYTEST" in name for name in environment)


def test_path_without_a_route_is_not_found(http: httpx.Client) -> None:
    for response in (http.get("/v1/nothing"), http.delete("/v1/echo"), http.get("/2015-03-31/functions/x/invocations")):
        assert (response.status_code, response.json()) == (404, {"message": "Not Found"})


def test_body_above_ten_megabytes_is_refused(http: httpx.Client) -> None:
    response = http.post("/v1/echo", content=b"x" * (10 * 1024 * 1024 + 1))

    assert (response.status_code, response.json()) == (413, {"message": "Request Entity Too Large"})


def test_function_past_its_timeout_is_killed_and_the_next_call_works(http: httpx.Client, cloud: LocalCloud) -> None:
    before = http.get("/v1/slow").json()["pid"]

    late = http.get("/v1/slow?seconds=5")

    assert (late.status_code, late.json()) == (500, {"message": "Internal Server Error"})
    assert 0.9 < late.elapsed.total_seconds() < 3
    assert http.get("/v1/slow").json()["pid"] != before


def test_gateway_stops_waiting_after_the_integration_timeout(http: httpx.Client) -> None:
    response = http.get("/v1/impatient?seconds=0.6")

    assert (response.status_code, response.json()) == (503, {"message": "Service Unavailable"})


@pytest.mark.parametrize("query", ["die=1", "fail=1"])
def test_crash_and_error_are_a_500_and_the_next_call_works(http: httpx.Client, query: str) -> None:
    broken = http.get(f"/v1/slow?{query}")

    assert (broken.status_code, broken.json()) == (500, {"message": "Internal Server Error"})
    assert http.get("/v1/slow").status_code == 200


def test_killed_worker_is_a_500_and_the_next_call_works(http: httpx.Client, cloud: LocalCloud) -> None:
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(http.get, "/v1/slow?seconds=0.8")
        until(lambda: cloud.kill_workers("zenbilling-things-slow", busy_only=True))

    assert call.result().status_code == 500
    assert http.get("/v1/slow").status_code == 200


def test_worker_runs_one_invocation_at_a_time(http: httpx.Client) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: http.get("/v1/slow?seconds=0.2"), range(8)))

    # The function itself refuses to be entered twice.
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.json()["pid"] for answer in answers}) > 1


def test_preflight_and_answers_carry_the_configured_origins_only(http: httpx.Client) -> None:
    origin = "http://localhost:5173"
    asked = {"origin": origin, "access-control-request-method": "POST"}

    preflight = http.options("/v1/echo", headers=asked)
    answer = http.get("/v1/echo", headers={"origin": origin})
    foreign = http.get("/v1/echo", headers={"origin": "https://elsewhere.example"})

    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert preflight.headers["access-control-allow-methods"] == "GET,POST"
    assert preflight.headers["access-control-allow-headers"] == "authorization"
    assert answer.headers["access-control-allow-origin"] == origin
    assert "access-control-allow-origin" not in foreign.headers


def test_private_route_wants_a_token_of_the_pool_with_the_triggers_claims(
    http: httpx.Client, cloud: LocalCloud
) -> None:
    attributes = json.loads(cloud.layout.resources_file.read_text())
    cognito = aws("cognito-idp", cloud.layout.ministack_url)
    person = {"UserPoolId": attributes["People"], "Username": "someone"}
    cognito.admin_create_user(**person, MessageAction="SUPPRESS")
    cognito.admin_set_user_password(**person, Password="Exemple-2026!", Permanent=True)
    session = cognito.initiate_auth(
        ClientId=attributes["PeopleClient"],
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": "someone", "PASSWORD": "Exemple-2026!"},
    )["AuthenticationResult"]

    welcome = http.get("/v1/private", headers={"authorization": f"Bearer {session['AccessToken']}"})
    stranger = http.get("/v1/private")
    forger = http.get("/v1/private", headers={"authorization": f"Bearer {session['AccessToken'][:-6]}AAAAAA"})

    claims = welcome.json()["event"]["requestContext"]["authorizer"]["jwt"]["claims"]
    assert (claims["tenant_id"], claims["token_use"]) == ("t1", "access")
    assert isinstance(claims["exp"], str)
    assert (stranger.status_code, stranger.json()) == (401, {"message": "Unauthorized"})
    assert stranger.headers["www-authenticate"] == "Bearer"
    assert forger.status_code == 401
    assert 'error="invalid_token"' in forger.headers["www-authenticate"]


def test_invoke_api_gives_answers_and_errors_as_lambda_does(cloud: LocalCloud) -> None:
    functions = aws("lambda", cloud.control_url)

    answer = functions.invoke(FunctionName="zenbilling-things-changing", Payload=b"{}")
    failed = functions.invoke(
        FunctionName="arn:aws:lambda:eu-west-3:000000000000:function:zenbilling-things-slow",
        Payload=b'{"queryStringParameters": {"fail": "1"}}',
    )
    broken = functions.invoke(FunctionName="zenbilling-things-broken", Payload=b"{}")
    later = functions.invoke(FunctionName="zenbilling-things-changing", InvocationType="Event", Payload=b"{}")

    assert json.load(answer["Payload"]) in {"one", "two"}
    assert failed["FunctionError"] == "Unhandled"
    error = json.load(failed["Payload"])
    assert (error["errorType"], error["errorMessage"]) == ("Unhappy", "as asked")
    assert 'raise Unhappy("as asked")' in error["stackTrace"][-1]
    assert json.load(broken["Payload"])["errorType"] == "Runtime.ImportModuleError"
    assert later["StatusCode"] == 202
    with pytest.raises(functions.exceptions.ResourceNotFoundException):
        functions.invoke(FunctionName="nobody", Payload=b"{}")


def test_changed_code_is_served(http: httpx.Client, project: Path) -> None:
    assert http.get("/v1/changing").text == "one"
    source = project / "functions/things/changing.py"

    source.write_text(source.read_text().replace('"one"', '"two"'))

    until(lambda: http.get("/v1/changing").text == "two")


def test_changed_routes_are_served(http: httpx.Client, project: Path) -> None:
    api = project / "api.yaml"

    api.write_text(api.read_text().replace("/v1/impatient:", "/v1/patient:"))

    until(lambda: http.get("/v1/patient").status_code == 200)
    assert http.get("/v1/impatient").status_code == 404
    api.write_text(api.read_text().replace("/v1/patient:", "/v1/impatient:"))
    until(lambda: http.get("/v1/impatient").status_code == 200)


def test_schedule_can_be_run_now(cloud: LocalCloud) -> None:
    answer = cloud.run_schedule("nightly")

    event = json.loads(answer["body"])["event"]
    assert event["resources"] == ["arn:aws:scheduler:eu-west-3:000000000000:schedule/default/zenbilling-nightly"]


def test_status_tells_processes_workers_and_streams(cloud: LocalCloud) -> None:
    status = cloud.status()

    assert set(status["processes"]) == {
        "dynamodb",
        "events",
        "gateway",
        "mail",
        "ministack",
        "stripe",
        "supervisor",
        "workflows",
    }
    assert status["pool"]["maximum"] == 32
    assert status["schedules"] == ["zenbilling-nightly"]
    assert status["executions_running"] == 0
