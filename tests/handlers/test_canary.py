"""The canary's function: without an account it does nothing, and its ends are counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from billing.api.entry import metrics
from billing.runtime import canary
from billing.usecases import canary as usecases
from billing.usecases import visits
from tests.handlers.conftest import Json, Person, invoke, sample


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-3")
        arn = client.create_secret(Name="canary", SecretString='{"email":"","password":"","unused":"x"}')["ARN"]
        monkeypatch.setenv("CANARY_SECRET_ARN", arn)
        monkeypatch.setenv("PUBLIC_API_URL", "http://127.0.0.1:9")
        yield lambda **said: client.put_secret_value(SecretId=arn, SecretString=json.dumps(said))


def counted(capsys: pytest.CaptureFixture[str]) -> set[str]:
    metrics.flush_metrics() if metrics.metric_set else None
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    return {metric["Name"] for line in lines for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}


def test_without_an_account_nothing_is_done_and_nothing_counted(
    account: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    del account
    assert invoke("scheduled/run_canary", sample("scheduled/run_canary")) == {"state": "without an account"}
    assert counted(capsys) == set()


def test_a_failure_names_its_step_and_is_counted(
    account: Callable[..., None], capsys: pytest.CaptureFixture[str], logged: Callable[[], list[Json]]
) -> None:
    account(email="canari@exemple.test", password="secret-word")
    ended = invoke("scheduled/run_canary", sample("scheduled/run_canary"))

    assert ended == {"state": "failed", "step": "sign_in", "why": "no answer"}
    assert counted(capsys) == {"CanaryFailed"}
    [line] = [told for told in logged() if told["message"] == "canary failed"]
    assert (line["step"], line["why"]) == ("sign_in", "no answer")
    assert "secret-word" not in json.dumps(logged())


@pytest.mark.parametrize(
    ("event", "names"), [({"issues": False}, {"CanaryPassed"}), ({"issues": True}, {"CanaryPassed", "CanaryIssued"})]
)
def test_a_pass_is_counted_and_one_that_issued_twice(
    account: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    event: Json,
    names: set[str],
) -> None:
    account(email="canari@exemple.test", password="secret-word")
    asked: list[Any] = []

    def walked(given: visits.CanaryAccount, *, issues: bool, **_: Any) -> usecases.Walked:
        asked.append((given.email, issues))
        return usecases.Walked(seconds={"sign_in": 0.0124})

    monkeypatch.setattr(usecases, "run_canary", walked)
    canary.public_api.cache_clear()

    assert invoke("scheduled/run_canary", event) == {"state": "passed", "milliseconds": {"sign_in": 12}}
    assert asked == [("canari@exemple.test", event["issues"])]
    assert counted(capsys) == names


def test_what_it_asks_for_is_what_the_api_takes(owner: Person) -> None:
    """Of a company that has no customer yet, too."""
    made = owner.call("customers/create", body=visits._CUSTOMER)
    assert made.status == 201, made.text
    draft = owner.call("invoices/create", body={"customer_id": made.body["customer_id"], "lines": [usecases._LINE]})
    assert draft.status == 201, draft.text
