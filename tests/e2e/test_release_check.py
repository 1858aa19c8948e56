"""Versions are tried against the whole local cloud: the real hook calls real functions, and CodeDeploy hears the end.

There is neither CodeDeploy here nor a second version: a small server speaks the first one's protocol, and stands before
the functions as the version that is about to go live, which may be wrong.
"""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.error import HTTPError
from urllib.parse import unquote

import pytest

from local.provision import client
from local.samples import COMPANY
from local.testing import LocalCloud
from tests.people import PASSWORD, Person

pytestmark = pytest.mark.cloud
STACK = "zenbilling"
HOOK = "operations-check-release"
SECRET = f"{STACK}-CanarySecret"
Fault = Callable[[dict[str, Any]], None]


class Amazon:
    """Lambda's Invoke and CodeDeploy's report, as far as the hook speaks to them."""

    def __init__(self, functions: str) -> None:
        self.faults: dict[str, Fault] = {}
        self.called: list[str] = []
        self.reported: list[dict[str, str]] = []
        amazon = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["content-length"]))
                target = self.headers.get("x-amz-target", "")
                if target == "CodeDeploy_20141006.PutLifecycleEventHookExecutionStatus":
                    told = json.loads(content)
                    amazon.reported.append(told)
                    return self.answer(200, {}, json.dumps({"lifecycleEventHookExecutionId": "x"}).encode())
                return self.answer(*amazon.invoked(functions, self.path, content))

            def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in {**headers, "content-length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def invoked(self, functions: str, path: str, content: bytes) -> tuple[int, dict[str, str], bytes]:
        arn = unquote(path.split("/")[3])
        self.called.append(arn)
        name = arn.split(":")[-2].removeprefix(f"{STACK}-")
        call = urllib.request.Request(f"{functions}{path}", content, method="POST")  # noqa: S310 - of this machine
        try:
            with urllib.request.urlopen(call, timeout=60) as answer:  # noqa: S310
                said, headers = json.load(answer), dict(answer.headers)
        except HTTPError as refused:
            return refused.code, dict(refused.headers), refused.read()
        if name in self.faults and "statusCode" in said:
            body = json.loads(said["body"])
            self.faults[name](body)
            said["body"] = json.dumps(body)
        kept = {key: value for key, value in headers.items() if key.lower().startswith("x-amz")}
        return 200, kept, json.dumps(said).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def amazon(cloud: LocalCloud) -> Iterator[Amazon]:
    made = Amazon(cloud.control_url)
    yield made
    made.close()
    cloud.leave_in_peace(HOOK)


@pytest.fixture
def company(cloud: LocalCloud) -> Iterator[Person]:
    person = Person(cloud, described=False)
    person.api.put("/v1/company", COMPANY, version=0)
    keep_account(cloud, person.email, PASSWORD)
    yield person
    keep_account(cloud, "", "")
    person.leave()


def keep_account(cloud: LocalCloud, email: str, password: str) -> None:
    secrets = client("secretsmanager", cloud.layout.ministack_url)
    secrets.put_secret_value(SecretId=SECRET, SecretString=json.dumps({"email": email, "password": password}))


def versions(number: int) -> str:
    names = ("invoices-create", "invoices-read", "invoices-issue", "credit-notes-issue", "payments-record")
    return ",".join(f"arn:aws:lambda:eu-west-3:000000000000:function:{STACK}-{name}:{number}" for name in names)


def deploy(cloud: LocalCloud, amazon: Amazon, number: int) -> None:
    """The hook is of this release from now on."""
    at = {"AWS_ENDPOINT_URL_LAMBDA": amazon.url, "AWS_ENDPOINT_URL_CODEDEPLOY": amazon.url}
    cloud.disturb(HOOK, environment={**at, "RELEASED_VERSION_ARNS": versions(number)})


def asked_by(deployment: str) -> dict[str, str]:
    return {"DeploymentId": deployment, "LifecycleEventHookExecutionId": f"execution-of-{deployment}"}


def documents(person: Person) -> list[tuple[str, str, int]]:
    listed = person.api.get("/v1/invoices")["items"]
    return sorted((one["number"], one["status"], one["balance_minor"]) for one in listed)


def test_a_good_release_passes_once_for_all_its_deployments(cloud: LocalCloud, amazon: Amazon, company: Person) -> None:
    deploy(cloud, amazon, 7)

    with ThreadPoolExecutor(3) as at_once:
        ended = list(at_once.map(lambda name: cloud.invoke(HOOK, asked_by(name)), ["d-1", "d-2", "d-3"]))
    ended.append(cloud.invoke(HOOK, asked_by("d-3")))  # CodeDeploy asks twice

    assert [one["state"] for one in ended] == ["passed"] * 4, ended
    assert {(told["deploymentId"], told["status"]) for told in amazon.reported} == {
        (f"d-{number}", "Succeeded") for number in (1, 2, 3)
    }
    assert {told["lifecycleEventHookExecutionId"] for told in amazon.reported if told["deploymentId"] == "d-2"} == {
        "execution-of-d-2"
    }
    assert set(amazon.called) == set(versions(7).split(","))
    [(first, status, balance)] = documents(company)
    assert (status, balance) == ("cancelled", 0)
    [note] = company.api.get("/v1/credit-notes")["items"]
    assert note["total_minor"] == 232

    deploy(cloud, amazon, 8)
    assert cloud.invoke(HOOK, asked_by("d-4"))["state"] == "passed"

    numbers = [number for number, _, _ in documents(company)]
    assert [int(number.rpartition("-")[2]) for number in numbers] == [1, 2], (first, numbers)


def wrong_total(body: dict[str, Any]) -> None:
    body["total_minor"] += 1


def other_number(body: dict[str, Any]) -> None:
    body["number"] = f"{body['number']}0"


@pytest.mark.parametrize(
    ("function", "fault", "step"),
    [
        ("invoices-create", wrong_total, "totals"),
        ("invoices-issue", wrong_total, "issue"),
        ("invoices-read", other_number, "read"),
        ("credit-notes-issue", wrong_total, "credit"),
    ],
)
def test_a_release_that_answers_wrong_is_refused_and_leaves_nothing_owed(
    cloud: LocalCloud, amazon: Amazon, company: Person, function: str, fault: Fault, step: str
) -> None:
    deploy(cloud, amazon, 7)
    amazon.faults[function] = fault

    ended = cloud.invoke(HOOK, asked_by("d-1"))

    assert (ended["state"], ended["step"]) == ("failed", step), ended
    assert [told["status"] for told in amazon.reported] == ["Failed"]
    assert all((status, balance) == ("cancelled", 0) for _, status, balance in documents(company))
    assert len(documents(company)) == (0 if step == "totals" else 1)

    assert cloud.invoke(HOOK, asked_by("d-2"))["state"] == "failed"  # another deployment of the same release
    assert [told["status"] for told in amazon.reported] == ["Failed"] * 2


def test_a_release_that_crashes_is_refused(cloud: LocalCloud, amazon: Amazon, company: Person) -> None:
    deploy(cloud, amazon, 7)
    cloud.disturb("invoices-issue", crashes=True)
    try:
        ended = cloud.invoke(HOOK, asked_by("d-1"))
    finally:
        cloud.leave_in_peace("invoices-issue")

    assert (ended["state"], ended["step"], ended["why"]) == ("failed", "issue", "500")
    assert [told["status"] for told in amazon.reported] == ["Failed"]
    assert documents(company) == []


def test_nothing_goes_live_when_the_hook_itself_fails(cloud: LocalCloud, amazon: Amazon, company: Person) -> None:
    del company
    deploy(cloud, amazon, 7)
    cloud.disturb(
        HOOK,
        environment={
            "AWS_ENDPOINT_URL_CODEDEPLOY": amazon.url,
            "RELEASED_VERSION_ARNS": f"arn:aws:lambda:eu-west-3:000000000000:function:{STACK}-invoices-read:7",
        },
    )

    with pytest.raises(RuntimeError, match="LookupError"):
        cloud.invoke(HOOK, asked_by("d-1"))

    assert [told["status"] for told in amazon.reported] == ["Failed"]


def test_without_an_account_nothing_goes_live(cloud: LocalCloud, amazon: Amazon) -> None:
    deploy(cloud, amazon, 7)
    keep_account(cloud, "", "")

    assert cloud.invoke(HOOK, asked_by("d-1")) == {"state": "without an account"}
    assert [told["status"] for told in amazon.reported] == ["Failed"]
