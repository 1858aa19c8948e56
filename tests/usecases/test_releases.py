"""A release goes live when its versions issue, read, pay and credit an invoice, and what is live reads it too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from billing.domain.errors import DependencyUnavailable
from billing.ports.canary import Answered
from billing.usecases.releases import check_release
from billing.usecases.visits import CanaryAccount, StepFailed
from tests.fakes.clock import FakeClock, FakeIds

ACCOUNT = CanaryAccount(email="canari@exemple.test", password="secret")
TOTALS = {"net_minor": 205, "vat_minor": 27, "total_minor": 232}
PATH = "/v1/invoices/inv_1"


class FakeVersions:
    """Port Requests: one small product, asked as the new versions and as what is live; the books are shared."""

    def __init__(self, books: FakeVersions | None = None) -> None:
        self.asked: list[str] = []
        self.keys: set[str] = set()
        self.broken: dict[str, list[Mapping[str, Any] | Exception | int]] = {}
        self.invoice: dict[str, Any] = books.invoice if books else {}

    def ask(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str]
    ) -> Answered:
        operation = f"{method} {path}"
        self.asked.append(operation)
        self.keys |= {headers["Idempotency-Key"]} if method == "POST" else set()
        answered = self._answer(operation, body or {})
        changed = self.broken.get(operation, [])
        match changed.pop(0) if changed else {}:
            case Exception() as error:
                raise error
            case int() as status:
                return Answered(status=status, body={})
            case change:
                return Answered(status=200, body={**answered, **change})

    def _answer(self, operation: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        match operation:
            case "POST /v1/auth/sign-in":
                return {"access_token": "token"}
            case "GET /v1/customers?limit=1":
                return {"items": [{"customer_id": "cus_1"}]}
            case "POST /v1/invoices":
                assert [line["vat_rate"] for line in body["lines"]] == ["20", "5.5"]
                dates = {"issue_date": None, "due_date": None, "number": None}
                hashes = {"document_hash": None, "previous_hash": None}
                self.invoice |= {"invoice_id": "inv_1", "version": 1, "status": "draft", **TOTALS, **dates, **hashes}
            case "POST /v1/invoices/inv_1/issue":
                assert body == {"version": 1, "send": False}
                self.invoice |= {"status": "issued", "number": "F-1", "document_hash": "ab", "balance_minor": 232}
            case "POST /v1/payments":
                assert body["allocations"] == [{"invoice_id": "inv_1", "amount_minor": 232}]
                self.invoice["balance_minor"] -= body["amount_minor"]
            case "POST /v1/invoices/inv_1/credit-notes":
                self.invoice |= {"status": "cancelled", "balance_minor": 0}
                return {**TOTALS, "invoice_number": self.invoice["number"]}
            case "DELETE /v1/invoices/inv_1":
                self.invoice["status"] = "deleted"
            case _:
                assert operation == f"GET {PATH}"
        return dict(self.invoice)


@pytest.fixture
def live() -> FakeVersions:
    return FakeVersions()


@pytest.fixture
def tried(live: FakeVersions) -> FakeVersions:
    return FakeVersions(live)


def check(tried: FakeVersions, live: FakeVersions, release: str = "v7") -> Mapping[str, float]:
    return check_release(ACCOUNT, release=release, tried=tried, live=live, clock=FakeClock(), ids=FakeIds())


def test_the_new_versions_do_the_work_and_what_is_live_reads_it(tried: FakeVersions, live: FakeVersions) -> None:
    steps = check(tried, live)

    assert set(steps) == {
        *("sign_in", "customer", "draft", "totals", "issue", "read", "read_by_live", "pay", "credit", "settled")
    }
    assert live.asked == ["POST /v1/auth/sign-in", "GET /v1/customers?limit=1", f"GET {PATH}"]
    assert tried.invoice["status"] == "cancelled"


def test_the_same_release_asks_under_the_same_keys_and_another_one_under_others(
    tried: FakeVersions, live: FakeVersions
) -> None:
    check(tried, live)
    once = set(tried.keys)
    check(tried, live)
    assert tried.keys == once

    check(tried, live, "v8")
    assert len(tried.keys) == 2 * len(once) == 8


@pytest.mark.parametrize(
    ("operation", "answers", "step", "why"),
    [
        ("POST /v1/invoices", [500], "draft", "500"),
        ("POST /v1/invoices", [{"total_minor": 231}], "totals", "total_minor is 231 instead of 232"),
        (f"POST {PATH}/issue", [{"vat_minor": 26}], "issue", "vat_minor is 26 instead of 27"),
        (f"POST {PATH}/issue", [{"number": None}], "issue", "an invoice without a number"),
        (f"POST {PATH}/issue", [{"document_hash": ""}], "issue", "an invoice without a hash"),
        (f"POST {PATH}/issue", [DependencyUnavailable()], "issue", "no answer"),
        (f"GET {PATH}", [{"document_hash": "cd"}], "read", "document_hash is read as cd, and was ab"),
        (f"GET {PATH}", [{"number": "F-2"}], "read", "number is read as F-2, and was F-1"),
        ("POST /v1/payments", [409], "pay", "409"),
        (f"POST {PATH}/credit-notes", [{"total_minor": 1}], "credit", "total_minor is 1 instead of 232"),
        (f"POST {PATH}/credit-notes", [{"invoice_number": "F-2"}], "credit", "a credit note of another invoice"),
        (f"GET {PATH}", [{}, {"balance_minor": 1}], "settled", "the invoice that was credited is owed"),
    ],
)
def test_what_the_new_versions_do_wrong_refuses_them_and_is_taken_back_by_what_is_live(
    tried: FakeVersions,
    live: FakeVersions,
    operation: str,
    answers: list[Mapping[str, Any] | Exception | int],
    step: str,
    why: str,
) -> None:
    tried.broken[operation] = answers

    with pytest.raises(StepFailed) as failed:
        check(tried, live)

    assert (failed.value.step, failed.value.why) == (step, why)
    if step != "draft":
        assert live.asked[-2:] == [f"DELETE {PATH}", f"POST {PATH}/credit-notes"]


def test_versions_whose_work_what_is_live_cannot_read_are_refused(tried: FakeVersions, live: FakeVersions) -> None:
    live.broken[f"GET {PATH}"] = [500]

    with pytest.raises(StepFailed, match="read_by_live: 500"):
        check(tried, live)


def test_what_is_live_may_be_busy_for_a_moment(tried: FakeVersions, live: FakeVersions) -> None:
    live.broken["POST /v1/auth/sign-in"] = [503, DependencyUnavailable()]
    check(tried, live)

    live.broken["POST /v1/auth/sign-in"] = [503, 503, 503]
    with pytest.raises(StepFailed, match="sign_in: 503"):
        check(tried, live)
