"""The canary says which step a company could not take, and leaves nothing owed behind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Answered
from billing.usecases.canary import DELIVERY_SECONDS, Walked, run_canary
from billing.usecases.visits import SINK, CanaryAccount, StepFailed
from tests.fakes.clock import FakeClock, FakeIds

ACCOUNT = CanaryAccount(email="canari@exemple.test", password="secret")
PDF = b"%PDF-1.7\n...\n%%EOF\n"


class FakePublicApi:
    """Port PublicApi: a small product. ``broken`` answers other than it should, by operation."""

    def __init__(self, clock: FakeClock) -> None:
        self.asked: list[str] = []
        self.broken: dict[str, Answered | Exception] = {}
        self.customers: list[Mapping[str, Any]] = []
        self.drafts: set[str] = set()
        self.balance = 0
        self.mailed_after = 2.0
        self._clock = clock
        self._issued_at = 0.0

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str]
    ) -> Answered:
        operation = f"{method} {path}".replace("inv_1", "{id}")
        self.asked.append(operation)
        assert operation == "POST /v1/auth/sign-in" or headers["Authorization"] == "Bearer token"
        assert ("Idempotency-Key" in headers) == (method == "POST")
        broken = self.broken.get(operation)
        if isinstance(broken, Exception):
            raise broken
        return broken or self._answer(operation, body or {}, headers)

    def _answer(  # noqa: C901, PLR0911, PLR0912 - an operation each
        self, operation: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Answered:
        match operation:
            case "POST /v1/auth/sign-in":
                assert body == {"email": ACCOUNT.email, "password": ACCOUNT.password}
                return ok({"access_token": "token"})
            case "GET /v1/customers?limit=1":
                return ok({"items": self.customers})
            case "POST /v1/customers":
                assert body["email"] == SINK
                self.customers.append({"customer_id": "cus_1"})
                return ok({"customer_id": "cus_1"}, 201)
            case "POST /v1/invoices":
                self.drafts.add("inv_1")
                return ok({"invoice_id": "inv_1", "version": 1}, 201)
            case "GET /v1/invoices/{id}/preview-pdf":
                return Answered(status=200, body=PDF)
            case "DELETE /v1/invoices/{id}":
                assert headers["If-Match"] == '"1"'
                if "inv_1" not in self.drafts:
                    return Answered(status=409, body={"type": "/problems/invoice-already-issued"})
                self.drafts.remove("inv_1")
                return Answered(status=204, body=b"")
            case "POST /v1/invoices/{id}/issue":
                assert body == {"version": 1, "send": True}
                self.drafts.remove("inv_1")
                self.balance, self._issued_at = 120, self._clock.monotonic()
                return ok({"total_minor": 120})
            case "GET /v1/invoices/{id}":
                waits = self._clock.monotonic() - self._issued_at < self.mailed_after
                delivery = {"in_progress": waits, "state": "not_sent" if waits else "sent"}
                return ok({"delivery": delivery, "balance_minor": self.balance})
            case "GET /v1/invoices/{id}/pdf":
                return ok({"url": "https://documents.exemple.test/1"})
            case "POST /v1/invoices/{id}/payments":
                self.balance -= body["amount_minor"]
                return ok({}, 201)
            case "POST /v1/invoices/{id}/credit-notes":
                assert (body["mode"], body["excess"]) == ("full", "refund")
                self.balance = 0
                return ok({}, 201)
            case _:
                return ok({"items": []})

    def fetch(self, url: str) -> bytes:
        self.asked.append(f"fetch {url}")
        return PDF


def ok(body: Mapping[str, Any], status: int = 200) -> Answered:
    return Answered(status=status, body=body)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def api(clock: FakeClock) -> FakePublicApi:
    return FakePublicApi(clock)


def walk(api: FakePublicApi, clock: FakeClock, *, issues: bool = True) -> Walked:
    return run_canary(ACCOUNT, issues=issues, api=api, clock=clock, ids=FakeIds())


def test_a_short_walk_deletes_its_draft_and_takes_no_number(api: FakePublicApi, clock: FakeClock) -> None:
    walked = walk(api, clock, issues=False)

    assert list(walked.seconds) == ["sign_in", "read", "draft", "render", "delete"]
    assert api.drafts == set()
    assert not any("issue" in one for one in api.asked)


def test_a_long_walk_issues_mails_pays_and_credits(api: FakePublicApi, clock: FakeClock) -> None:
    walked = walk(api, clock)

    assert list(walked.seconds) == ["sign_in", "read", "draft", "render", "issue", "mail", "download", "pay", "credit"]
    assert walked.seconds["mail"] >= 2.0
    assert (api.balance, api.drafts) == (0, set())
    assert "fetch https://documents.exemple.test/1" in api.asked


def test_its_customer_is_made_once(api: FakePublicApi, clock: FakeClock) -> None:
    walk(api, clock, issues=False)
    walk(api, clock, issues=False)

    assert len(api.customers) == 1


REFUSED = Answered(status=409, body={"type": "/problems/plan-limit-reached"})


@pytest.mark.parametrize(
    ("operation", "answer", "step", "why"),
    [
        ("POST /v1/auth/sign-in", Answered(status=401, body={"type": "/problems/unauthenticated"}), "sign_in", "401 "),
        ("POST /v1/auth/sign-in", ok({}), "sign_in", "access_token"),
        ("GET /v1/company", DependencyUnavailable(), "read", "no answer"),
        ("GET /v1/invoices?limit=1", Answered(status=504, body=b"gateway"), "read", "504"),
        ("POST /v1/invoices", Answered(status=500, body={}), "draft", "500"),
        ("GET /v1/invoices/{id}/preview-pdf", Answered(status=200, body=b"%PDF-1.7 cut"), "render", "no whole PDF"),
        ("GET /v1/invoices/{id}/preview-pdf", ok({}), "render", "JSON instead of a file"),
        ("POST /v1/invoices/{id}/issue", REFUSED, "issue", "409 /problems/plan-limit-reached"),
        ("GET /v1/invoices/{id}/pdf", Answered(status=404, body={}), "download", "404"),
        ("POST /v1/invoices/{id}/payments", Answered(status=409, body={}), "pay", "409"),
        ("POST /v1/invoices/{id}/credit-notes", DependencyUnavailable(), "credit", "no answer"),
    ],
)
def test_it_names_the_step_and_leaves_no_draft(
    api: FakePublicApi, clock: FakeClock, operation: str, answer: Answered | Exception, step: str, why: str
) -> None:
    api.broken[operation] = answer
    with pytest.raises(StepFailed) as failed:
        walk(api, clock)

    assert failed.value.step == step
    assert why in failed.value.why
    assert ACCOUNT.password not in f"{failed.value} {ACCOUNT!r}"
    assert api.drafts == set()
    assert step == "credit" or api.balance == 0


def test_an_invoice_whose_answer_was_lost_is_credited(api: FakePublicApi, clock: FakeClock) -> None:
    def lost(operation: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Answered:
        answered = answer(operation, body, headers)
        if operation.endswith("/issue"):
            raise DependencyUnavailable
        return answered

    answer, api._answer = api._answer, lost  # type: ignore[method-assign]
    with pytest.raises(StepFailed, match="issue: no answer"):
        walk(api, clock)

    assert api.balance == 0
    assert api.asked[-2] == "POST /v1/invoices/{id}/credit-notes"


def test_a_mail_that_does_not_leave_is_waited_for_so_long(api: FakePublicApi, clock: FakeClock) -> None:
    api.mailed_after = 10_000
    with pytest.raises(StepFailed, match="mail: the mail did not leave in time"):
        walk(api, clock)

    assert clock.monotonic() >= DELIVERY_SECONDS
    assert api.balance == 0
