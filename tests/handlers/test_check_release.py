"""CodeDeploy hears how a release went, whatever happens: without a word it would wait for an hour."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from billing.runtime import canary, releases
from billing.usecases.visits import CanaryAccount, StepFailed
from operations import check_release
from tests.handlers.conftest import Json, invoke, sample

ACCOUNT = CanaryAccount(email="canari@exemple.test", password="secret-word")


@pytest.fixture
def reported(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, bool]]:
    told: list[tuple[str, str, bool]] = []

    class Reports:
        def report(self, deployment_id: str, execution_id: str, *, passed: bool) -> None:
            told.append((deployment_id, execution_id, passed))

    monkeypatch.setattr(releases, "deployments", Reports)
    monkeypatch.setattr(canary, "account", lambda: ACCOUNT)
    monkeypatch.setenv("PUBLIC_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("RELEASED_VERSION_ARNS", "arn:aws:lambda:eu-west-3:1:function:z-invoices-read:7,arn:other")
    canary.public_api.cache_clear()
    releases.released_api.cache_clear()
    return told


def ends(monkeypatch: pytest.MonkeyPatch, end: Exception | dict[str, float]) -> list[Any]:
    asked: list[Any] = []

    def tried(account: CanaryAccount, **ports: Any) -> dict[str, float]:
        asked.append((account, ports["release"]))
        if isinstance(end, Exception):
            raise end
        return end

    monkeypatch.setattr(check_release, "try_release", tried)
    return asked


def run() -> Any:
    return invoke("operations/check_release", sample("operations/check_release"))


def test_a_release_that_passed_is_told(monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, str, bool]]) -> None:
    asked = ends(monkeypatch, {"issue": 0.25})

    assert run() == {"state": "passed", "milliseconds": {"issue": 250}}
    event = sample("operations/check_release")
    assert reported == [(event["DeploymentId"], event["LifecycleEventHookExecutionId"], True)]
    assert asked == [(ACCOUNT, "arn:aws:lambda:eu-west-3:1:function:z-invoices-read:7,arn:other")]


def test_one_that_failed_is_told_and_its_step_logged(
    monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, str, bool]], logged: Callable[[], list[Json]]
) -> None:
    ends(monkeypatch, StepFailed("issue", "500"))

    assert run() == {"state": "failed", "step": "issue", "why": "500"}
    assert [passed for _, _, passed in reported] == [False]
    [line] = [told for told in logged() if told["message"] == "release refused"]
    assert (line["step"], line["why"]) == ("issue", "500")
    assert "secret-word" not in json.dumps(line)


def test_a_fault_of_the_check_is_told_as_a_failure_and_raised(
    monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, str, bool]]
) -> None:
    ends(monkeypatch, LookupError("GET /"))

    with pytest.raises(LookupError):
        run()

    assert [passed for _, _, passed in reported] == [False]


def test_without_an_account_nothing_goes_live(
    monkeypatch: pytest.MonkeyPatch, reported: list[tuple[str, str, bool]]
) -> None:
    monkeypatch.setattr(canary, "account", lambda: None)

    assert run() == {"state": "without an account"}
    assert [passed for _, _, passed in reported] == [False]
