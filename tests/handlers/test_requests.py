"""Requests to the table per operation, as docs/data-model.md says them: constant, whatever the history."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from billing.domain.notices import is_notice_id
from billing.domain.plans import FREE
from billing.runtime import table
from customers import download_statement
from invoices import download as invoices_download
from invoices import download_duplicate, read_conformity, upload_attachment
from payments import download_receipt
from tests.fakes.delivery import FakeDocuments
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import STRIPE, Json, Person, invoke, sample
from tests.handlers.test_stripe_events import post, signed, told
from workflows import judge_invoice, render_invoice

DRAFT = json.loads(sample("invoices/create")["body"])


@pytest.fixture
def requests(owner: Person, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], Any]], int]:
    """Counts what one call asks of the table; the membership was seen less than five seconds ago."""
    client = table.table()
    original = client._call
    made: list[str] = []

    def counted(operation: str, **request: Any) -> Any:
        made.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(client, "_call", counted)

    def count(call: Callable[[], Any]) -> int:
        made.clear()
        answer = call()
        assert answer.status < 300, answer.text
        return len(made)

    return count


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> FakeDocuments:
    """A document store in memory, for whatever operation."""
    store = FakeDocuments()
    for module in (
        render_invoice,
        judge_invoice,
        upload_attachment,
        invoices_download,
        read_conformity,
        download_duplicate,
        download_receipt,
        download_statement,
    ):
        monkeypatch.setattr(module, "documents", lambda: store)
    return store


@pytest.mark.parametrize(
    ("operation", "allowed"),
    [
        ("company/read", 1),
        ("company/list_series", 1),
        ("company/start_series", 2),
        ("customers/read", 1),
        ("customers/list", 1),
        ("customers/search", 1),
        ("customers/create", 1),
        ("customers/edit", 2),
        ("customers/export_csv", 2),
        ("customers/import_csv", 3),
        ("events/list", 1),
        ("audit/list", 1),
        ("products/read", 1),
        ("products/list", 1),
        ("products/list_units", 0),
        ("products/export_csv", 2),
        ("products/import_csv", 5),
        ("products/create", 1),
        ("products/edit", 2),
        ("invoices/read", 1),
        ("invoices/list", 1),
        ("invoices/create", 2),
        ("invoices/duplicate", 3),
        ("invoices/preview", 1),
        ("invoices/preview_pdf", 1),
        ("invoices/preview_draft_pdf", 2),
        ("invoices/edit", 3),
        ("invoices/issue", 3),
        ("invoices/read_timeline", 2),
        ("invoices/start_verification", 2),
        ("bulk_jobs/start", 1),
        ("bulk_jobs/list", 1),
    ],
)
def test_an_operation_costs_its_requests(
    owner: Person, requests: Callable[[Callable[[], Any]], int], operation: str, allowed: int
) -> None:
    assert requests(lambda: owner.call(operation, **arguments(operation, owner.ids))) == allowed


def test_an_event_of_stripe_is_kept_by_one_request(
    requests: Callable[[Callable[[], Any]], int], queue: FakeStripeEventQueue
) -> None:
    body = json.dumps(told()).encode()

    assert requests(lambda: post(body, signed(body))) == 1
    assert requests(lambda: post(body, signed(body))) == 1


def test_sending_costs_three_requests_and_a_payment_two(
    owner: Person, requests: Callable[[Callable[[], Any]], int]
) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    issued = owner.call("invoices/issue", body={"version": 1}, **path).body

    assert requests(lambda: owner.call("invoices/send", body={}, **path)) == 3
    payment = {"amount_minor": issued["total_minor"], "method": "transfer"}
    assert requests(lambda: owner.call("invoices/record_payment", body=payment, **path)) == 2


def test_the_invoices_that_use_a_plan_up_cost_no_request_more(
    owner: Person, draft_body: Json, requests: Callable[[Callable[[], Any]], int]
) -> None:
    costs = []
    for _ in range(FREE.stops_at or 0):
        draft = owner.call("invoices/create", body=draft_body).body
        issue = partial(owner.call, "invoices/issue", body={"version": 1}, invoice_id=draft["invoice_id"])
        costs.append(requests(issue))

    assert set(costs) == {3}
    waiting = table.workflow_requests()
    written_of = [
        one
        for shard in range(waiting.shards)
        for one in waiting.stale(datetime.now(UTC) + timedelta(minutes=1), shard=shard, limit=1000)
        if one.tenant_id == owner.tenant_id and is_notice_id(one.subject_id)
    ]
    assert len(written_of) == 2  # nearly used, and full


def test_the_account_at_stripe_costs_its_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    assert requests(lambda: owner.call("stripe_account/read")) == 1
    assert (
        requests(lambda: owner.call("stripe_account/connect")) == 6
    )  # of them one looks for days of the account that nobody read
    assert requests(lambda: owner.call("stripe_account/connect")) == 2
    for operation in ("create_link", "refresh"):
        assert requests(partial(owner.call, f"stripe_account/{operation}")) == 2
    version = owner.call("stripe_account/read").body["version"]
    edit = partial(owner.call, "stripe_account/edit", headers={"if-match": f'"{version}"'})
    assert requests(edit) == 2
    assert requests(lambda: owner.call("stripe_account/disconnect")) == 2


def test_the_subscription_costs_its_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    assert requests(lambda: owner.call("subscription/list_plans")) == 0
    assert requests(lambda: owner.call("subscription/read")) == 1
    assert requests(lambda: owner.call("subscription/start")) == 5
    assert requests(lambda: owner.call("subscription/start")) == 2
    assert requests(lambda: owner.call("subscription/refresh")) == 1
    STRIPE.subscribe(next(reversed(STRIPE.subscribing)))
    assert requests(lambda: owner.call("subscription/refresh")) == 2
    assert requests(lambda: owner.call("subscription/open_portal")) == 2


def test_links_to_invoices_cost_their_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    owner.call("invoices/issue", body={"version": 1}, **path)

    assert requests(lambda: owner.call("invoices/create_link", **path)) == 2
    token = owner.call("invoices/create_link", **path).body["url"].rpartition("/")[2]
    assert requests(lambda: owner.call("portal/read_invoice", token=token)) == 1
    for rank in range(9):
        payment = {"amount_minor": 100 + rank, "method": "transfer"}
        owner.call("invoices/record_payment", body=payment, **path)
    assert requests(lambda: owner.call("portal/read_invoice", token=token)) == 2
    assert requests(lambda: owner.call("invoices/revoke_links", **path)) == 2


def test_payments_cost_one_batch_and_one_transaction(
    owner: Person, requests: Callable[[Callable[[], Any]], int]
) -> None:
    customer, path = {"customer_id": owner.ids["customer_id"]}, {"invoice_id": owner.ids["invoice_id"]}
    owner.call("invoices/issue", body={"version": 1}, **path)
    allocated = {"allocations": [{**path, "amount_minor": 100}]}
    body = {**customer, **allocated, "amount_minor": 300, "method": "transfer", "excess": "customer_credit"}

    assert requests(lambda: owner.call("payments/record", body=body)) == 2
    assert requests(lambda: owner.call("payments/list")) == 1
    assert requests(lambda: owner.call("payments/list_reconciliations")) == 1
    assert requests(lambda: owner.call("payments/list_disputes")) == 1
    payment = owner.call("payments/list").body["items"][0]["payment_id"]
    assert requests(lambda: owner.call("payments/read", payment_id=payment)) == 1
    assert requests(lambda: owner.call("customers/read_credit", **customer)) == 2
    product = {"product_id": owner.ids["product_id"]}
    assert requests(lambda: owner.call("products/list_prices", **product)) == 2
    assert requests(lambda: owner.call("customers/list_duplicates", **customer)) == 5
    assert requests(lambda: owner.call("customers/check_vat_number", **customer)) == 3  # and one more to keep an answer
    lists = ("invoices/list", "quotes/list", "credit_notes/list", "payments/list")
    assert [requests(partial(owner.call, one, query=customer)) for one in lists] == [2] * 4
    assert requests(lambda: owner.call("customers/read_statement", query={}, **customer)) == 4
    double = {**json.loads(sample("customers/create")["body"]), "email": "double@client.exemple.test"}
    merged = {"duplicate_id": owner.call("customers/create", body=double).body["customer_id"]}
    assert requests(lambda: owner.call("customers/merge", body=merged, **customer)) == 2
    assert [requests(partial(owner.call, one, query=customer)) for one in lists] == [3] * 4  # one for each of its ids
    assert requests(lambda: owner.call("customers/apply_credit", body=allocated, **customer)) == 2
    assert requests(lambda: owner.call("customers/refund_credit", body={"amount_minor": 10}, **customer)) == 2
    assert requests(lambda: owner.call("payments/refund", body={"amount_minor": 10}, payment_id=payment)) == 3


def test_credit_notes_cost_two_requests_and_one_more_for_the_customers_credit(
    owner: Person, requests: Callable[[Callable[[], Any]], int]
) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    total = owner.call("invoices/issue", body={"version": 1}, **path).body["total_minor"]
    part = {"mode": "amounts", "amounts": [{"vat_rate": "20", "net_minor": 100}], "reason": "Geste"}

    assert requests(lambda: owner.call("credit_notes/preview", body=part, **path)) == 1
    assert requests(lambda: owner.call("credit_notes/preview_pdf", body=part, **path)) == 1
    assert requests(lambda: owner.call("credit_notes/issue", body=part, **path)) == 2
    payment = {"amount_minor": total - 120, "method": "transfer"}
    owner.call("invoices/record_payment", body=payment, **path)
    assert requests(lambda: owner.call("credit_notes/issue", body=part, **path)) == 3
    note = owner.call("credit_notes/list").body["items"][0]
    assert requests(lambda: owner.call("credit_notes/list")) == 1
    assert requests(lambda: owner.call("credit_notes/read", credit_note_id=note["credit_note_id"])) == 1


def test_quotes_cost_their_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    body = {name: value for name, value in DRAFT.items() if name not in {"due_date", "paid"}}
    body["customer_id"] = owner.ids["customer_id"]
    made = owner.call("quotes/create", body=body).body
    path = {"quote_id": made["quote_id"]}

    assert requests(lambda: owner.call("quotes/create", body=body)) == 2
    assert requests(lambda: owner.call("quotes/edit", body=body, **path)) == 3
    assert requests(lambda: owner.call("quotes/preview_pdf", body=body)) == 1
    assert requests(lambda: owner.call("quotes/preview_pdf", body=body | path)) == 2
    assert requests(lambda: owner.call("quotes/preview_draft_pdf", **path)) == 2
    assert requests(lambda: owner.call("quotes/send", body={"version": 2}, **path)) == 3
    assert requests(lambda: owner.call("quotes/read", **path)) == 1
    assert requests(lambda: owner.call("quotes/list")) == 1
    link = owner.call("quotes/create_link", **path).body["url"].rpartition("/")[2]
    shown = owner.call("portal/read_quote", token=link).body
    assert requests(lambda: owner.call("portal/read_quote", token=link)) == 1
    answer = {"answer": "accepted", "name": "Direction", "document_hash": shown["document_hash"]}
    assert requests(lambda: owner.call("portal/answer_quote", body=answer, token=link)) == 2
    deposit = owner.call("quotes/bill_deposit", body={"percent": "30"}, **path).body["invoice_id"]
    owner.call("invoices/issue", body={"version": 1}, invoice_id=deposit)
    by_line = {"lines": [{"index": 0, "progress_percent": "60"}]}
    assert requests(lambda: owner.call("quotes/bill_part", body=by_line, **path)) == 4
    sent = owner.call("quotes/read", **path).body
    part = sent["parts"][-1]["invoice_id"]
    received = {"received_on": sent["issue_date"]}
    assert requests(lambda: owner.call("quotes/record_reception", body=received, **path)) == 3
    owner.call("invoices/issue", body={"version": 1}, invoice_id=part)
    back = {"mode": "full", "reason": "Erreur"}
    assert requests(lambda: owner.call("credit_notes/issue", body=back, invoice_id=part)) == 3
    assert requests(lambda: owner.call("quotes/convert", **path)) == 4
    assert requests(lambda: owner.call("quotes/read_billing", **path)) == 2


def test_recurring_invoices_cost_their_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    body = json.loads(sample("recurring_invoices/create")["body"]) | {"customer_id": owner.ids["customer_id"]}
    path = {"recurring_invoice_id": owner.call("recurring_invoices/create", body=body).body["recurring_invoice_id"]}

    assert requests(lambda: owner.call("recurring_invoices/create", body=body)) == 2
    assert requests(lambda: owner.call("recurring_invoices/edit", body=body, **path)) == 3
    assert requests(lambda: owner.call("recurring_invoices/pause", **path)) == 3
    assert requests(lambda: owner.call("recurring_invoices/read", **path)) == 2
    assert requests(lambda: owner.call("recurring_invoices/list")) == 2


def test_a_search_costs_two_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])

    for query in ("client", "F2026-00001", "1", "client 2026"):
        found = requests(lambda query=query: owner.call("invoices/search", query={"q": query}))  # type: ignore[misc]
        assert found <= 2, query
    assert requests(lambda: owner.call("products/search", query={"q": "nulle part"})) == 1


def test_webhook_endpoints_cost_their_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    path = {"endpoint_id": owner.call("webhook_endpoints/create").body["endpoint_id"]}

    assert requests(lambda: owner.call("webhook_endpoints/create")) == 2
    assert requests(lambda: owner.call("webhook_endpoints/list")) == 1
    assert requests(lambda: owner.call("webhook_endpoints/read", **path)) == 1
    assert requests(lambda: owner.call("webhook_endpoints/edit", **path)) == 2
    assert requests(lambda: owner.call("webhook_endpoints/rotate_secret", **path)) == 3
    assert requests(lambda: owner.call("webhook_endpoints/list_deliveries", **path)) == 2


def test_reminders_cost_their_requests(owner: Person, requests: Callable[[Callable[[], Any]], int]) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    customer = {"customer_id": owner.ids["customer_id"]}
    owner.call("invoices/issue", body={"version": 1}, **path)

    assert requests(lambda: owner.call("reminders/read_plan")) == 1
    assert requests(lambda: owner.call("reminders/edit_plan")) == 2
    assert requests(lambda: owner.call("reminders/list", **path)) == 2
    assert requests(lambda: owner.call("reminders/preview", **path)) == 2
    assert requests(lambda: owner.call("reminders/send", **path)) == 3
    assert requests(lambda: owner.call("reminders/hold", **path)) == 3
    assert requests(lambda: owner.call("reminders/pause", **customer)) == 2


def arguments(operation: str, ids: Json) -> Json:
    """What makes the sample event speak of this company's own things."""
    domain, _, name = operation.partition("/")
    own: dict[str, Json] = {
        "customers": {"customer_id": ids["customer_id"]},
        "products": {"product_id": ids["product_id"]},
        "invoices": {"invoice_id": ids["invoice_id"]},
        "company": {},
        "events": {},
        "audit": {},
    }
    path = own[domain] if name in {"read", "edit", "duplicate", "issue", "read_timeline", "preview_draft_pdf"} else {}
    if name == "issue":
        return {**path, "body": {"version": 1}}
    if operation in {"invoices/create", "invoices/preview", "invoices/preview_pdf", "invoices/edit"}:
        return {**path, "body": {**DRAFT, "customer_id": ids["customer_id"]}}
    return path


def test_what_is_beside_the_cycle_costs_its_requests(
    owner: Person, requests: Callable[[Callable[[], Any]], int], documents: FakeDocuments
) -> None:
    customer, path = {"customer_id": owner.ids["customer_id"]}, {"invoice_id": owner.ids["invoice_id"]}
    draft = owner.call("invoices/create", body=DRAFT | customer).body
    attached = requests(
        lambda: owner.call("invoices/upload_attachment", headers={"if-match": '"1"'}, invoice_id=draft["invoice_id"])
    )
    assert attached == 2
    doomed = {"invoice_id": owner.call("invoices/create", body=DRAFT | customer).body["invoice_id"]}
    assert requests(lambda: owner.call("invoices/delete", headers={"if-match": '"1"'}, **doomed)) == 2

    owner.call("invoices/issue", body={"version": 1}, **path)
    task = {"tenant_id": owner.tenant_id, **path, "attempt": 1, "correlation_id": "c"}
    for step in ("render_invoice", "judge_invoice", "record_delivery"):
        invoke(f"workflows/{step}", task)
    assert requests(lambda: owner.call("invoices/download", **path)) == 1
    assert requests(lambda: owner.call("invoices/download_duplicate", **path)) == 1
    assert requests(lambda: owner.call("invoices/read_conformity", **path)) == 1
    paid = {**customer, "amount_minor": 100, "method": "transfer", "excess": "customer_credit"}
    payment = {"payment_id": owner.call("payments/record", body=paid).body["payment_id"]}
    owner.call("invoices/record_payment", body={"amount_minor": 100, "method": "transfer"}, **path)
    assert requests(lambda: owner.call("invoices/download_duplicate", **path)) == 2
    assert requests(lambda: owner.call("payments/download_receipt", **payment)) == 2
    assert requests(lambda: owner.call("payments/download_receipt", **payment)) == 1
    assert requests(lambda: owner.call("customers/download_statement", query={}, **customer)) == 4

    bulk = owner.call("bulk_jobs/start", body={"operation": "export", "document_ids": [path["invoice_id"]]}).body
    job = {"bulk_job_id": bulk["bulk_job_id"]}
    assert requests(lambda: owner.call("bulk_jobs/read", **job)) == 1
    lane = {"tenant_id": owner.tenant_id, **job, "run": 1, "lane": 0, "correlation_id": "c"}
    assert requests(lambda: _answered(invoke("workflows/run_bulk_lane", lane))) == 3 + 2
    assert requests(lambda: owner.call("bulk_jobs/list_results", **job)) == 2


def _answered(task: Json) -> Any:
    """A task of a workflow, which has no status."""
    assert task["done"]
    return SimpleNamespace(status=200, text=str(task))
