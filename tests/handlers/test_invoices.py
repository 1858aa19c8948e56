"""The life of an invoice through its handlers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from billing.adapters.dynamodb import keys
from billing.domain.access import Role
from billing.domain.delivery import StoredPdf
from billing.domain.events import Event, EventType
from billing.runtime import table
from billing.runtime.clock import clock, ids
from invoices import download
from tests.fakes.delivery import FakeDocuments
from tests.handlers.conftest import Json, Person, invoke


@pytest.fixture
def issued(owner: Person) -> Json:
    answer = owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])
    assert answer.status == 200, answer.text
    return answer.body


def test_a_draft_says_everything_a_screen_needs(owner: Person) -> None:
    answer = owner.call("invoices/read", invoice_id=owner.ids["invoice_id"])

    draft = answer.body
    assert answer.status == 200
    assert answer.headers["ETag"] == '"1"'
    assert draft["status"] == "draft"
    assert draft["number"] is None
    assert draft["customer"]["name"] == "Client Exemple SAS"
    assert [line["net_minor"] for line in draft["lines"]] == [95625, 75600]
    assert draft["lines"][0]["discount"] == {"percent": "10", "amount_minor": None, "reason": "Remise"}
    assert [(group["vat_rate"], group["taxable_minor"], group["vat_minor"]) for group in draft["vat_breakdown"]] == [
        ("20", 93712, 18742),
        ("5.5", 74088, 4075),
    ]
    assert draft["total_minor"] == draft["net_minor"] + draft["vat_minor"] == draft["balance_minor"]


def test_creating_answers_201_where_the_draft_is(owner: Person, draft_body: Json) -> None:
    answer = owner.call("invoices/create", body=draft_body)

    assert answer.status == 201
    assert answer.headers["Location"] == f"/v1/invoices/{answer.body['invoice_id']}"
    read = owner.call("invoices/read", invoice_id=answer.body["invoice_id"]).body
    assert read == answer.body | {"payment_in_progress": None}


def test_a_preview_is_what_the_draft_will_be_and_saves_nothing(owner: Person, draft_body: Json) -> None:
    before = owner.call("invoices/list", query={}).body
    preview = owner.call("invoices/preview", body=draft_body)

    assert preview.status == 200
    assert owner.call("invoices/list", query={}).body == before
    draft = owner.call("invoices/create", body=draft_body).body
    assert {name: draft[name] for name in preview.body} == preview.body


def test_a_line_takes_what_it_leaves_out_from_its_product(owner: Person, draft_body: Json) -> None:
    line = {"product_id": owner.ids["product_id"], "quantity": "2"}

    draft = owner.call("invoices/create", body=draft_body | {"lines": [line], "discount": None}).body

    assert draft["lines"][0]["description"] == "Conception graphique"
    assert draft["lines"][0]["unit"] == "HUR"
    assert draft["net_minor"] == 17000


def test_editing_needs_the_version_that_was_read(owner: Person, draft_body: Json) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    edited = owner.call("invoices/edit", body=draft_body | {"notes": "Autre"}, headers={"if-match": '"1"'}, **path)
    stale = owner.call("invoices/edit", body=draft_body, headers={"if-match": '"1"'}, **path)
    blind = owner.call("invoices/edit", body=draft_body, headers={"if-match": None}, **path)

    assert (edited.status, edited.headers["ETag"], edited.body["notes"]) == (200, '"2"', "Autre")
    assert (stale.status, stale.body["type"]) == (412, "/problems/stale-version")
    assert (blind.status, blind.body["type"]) == (428, "/problems/precondition-required")


def test_a_deleted_draft_is_gone(owner: Person) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}

    gone = owner.call("invoices/delete", headers={"if-match": '"1"'}, **path)

    assert (gone.status, gone.text) == (204, "")
    assert owner.call("invoices/read", **path).status == 404


def test_issuing_numbers_and_freezes(issued: Json, owner: Person) -> None:
    assert issued["number"].endswith("-00001")
    assert issued["status"] == "issued"
    assert len(issued["document_hash"]) == 64
    assert issued["previous_hash"] == "0" * 64
    assert issued["customer"]["billing_address"]["city"] == "Paris"
    assert {mention["code"] for mention in issued["mentions"]} == {"AAI", "PMD", "PMT", "AAB"}
    assert issued["delivery"] == {
        "state": "not_sent",
        "attempt": 1,
        "in_progress": True,
        "error": "",
        "next_attempt_at": None,
        "pdf": None,
    }
    again = owner.call("invoices/issue", body={"version": 2}, invoice_id=owner.ids["invoice_id"])
    assert (again.status, again.body["type"]) == (409, "/problems/invoice-already-issued")


def test_issuing_emits_one_metric(owner: Person, capsys: pytest.CaptureFixture[str]) -> None:
    owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])

    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    assert [metric["InvoiceIssued"] for metric in emitted] == [[1.0]]
    assert emitted[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ZenBilling"


def test_a_replay_is_the_first_answer_byte_for_byte(owner: Person) -> None:
    ask: dict[str, Any] = {"body": {"version": 1}, "headers": {"idempotency-key": "issue-once"}}
    first = owner.call("invoices/issue", **ask, invoice_id=owner.ids["invoice_id"])
    second = owner.call("invoices/issue", **ask, invoice_id=owner.ids["invoice_id"])

    assert (first.status, second.status) == (200, 200)
    assert second.text == first.text
    assert second.headers["ETag"] == first.headers["ETag"]
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"


def test_every_operation_with_a_key_replays_its_first_answer(owner: Person, draft_body: Json) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    owner.call("invoices/issue", body={"version": 1}, **path)
    settle(owner)
    asked: list[tuple[str, Json | None, Json]] = [
        ("customers/create", None, {}),
        ("products/create", None, {}),
        ("products/archive", None, {"product_id": owner.ids["product_id"]}),
        ("invoices/create", draft_body, {}),
        ("invoices/record_payment", {"amount_minor": 100, "method": "card"}, path),
        ("invoices/send", {}, path),
        ("invoices/start_verification", None, {}),
        ("company/advance_onboarding", None, {}),
    ]
    for operation, body, ids_in_path in asked:
        key: dict[str, str | None] = {"idempotency-key": f"once-{operation}"}
        first = owner.call(operation, body=body, headers=key, **ids_in_path)
        second = owner.call(operation, body=body, headers=key, **ids_in_path)

        assert first.status < 300, f"{operation}: {first.text}"
        assert second.text == first.text, operation
        assert second.status == first.status, operation
        shared = {name: value for name, value in second.headers.items() if name != "Idempotency-Replayed"}
        assert shared == first.headers, operation


def settle(owner: Person) -> None:
    """The workflow rendered the PDF of the first attempt."""
    deliveries = table.deliveries()
    tenant_id, invoice_id = owner.tenant_id, owner.ids["invoice_id"]
    pdf = StoredPdf(key=f"{tenant_id}/x.pdf", sha256="a" * 64, size_bytes=1234, rendered_at=clock.now())
    event = Event(event_id=ids.new("evt"), event_type=EventType.PDF_RENDERED, occurred_at=clock.now(), actor="system")
    deliveries.record_pdf(tenant_id, invoice_id, pdf, event=event)
    task = {"tenant_id": tenant_id, "invoice_id": invoice_id, "attempt": 1, "correlation_id": "c"}
    invoke("workflows/record_delivery", task)


def test_the_same_key_with_another_body_is_refused(owner: Person, draft_body: Json) -> None:
    key: dict[str, str | None] = {"idempotency-key": "one-key"}
    owner.call("invoices/create", body=draft_body, headers=key)

    other = owner.call("invoices/create", body=draft_body | {"notes": "Autre"}, headers=key)
    reordered = owner.call("invoices/create", body=dict(reversed(draft_body.items())), headers=key)

    assert (other.status, other.body["type"]) == (422, "/problems/idempotency-key-reused")
    assert reordered.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize("key", [None, "", "é", "deux mots", "x" * 256])
def test_a_key_is_required_and_visible(owner: Person, draft_body: Json, key: str | None) -> None:
    answer = owner.call("invoices/create", body=draft_body, headers={"idempotency-key": key})

    if key is None:
        assert (answer.status, answer.body["type"]) == (428, "/problems/precondition-required")
    else:
        assert answer.status == 422
        assert answer.body["errors"][0]["pointer"] == "/header/Idempotency-Key"


def test_a_payment_settles_the_invoice(issued: Json, owner: Person) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    part = owner.call("invoices/record_payment", body={"amount_minor": 1000, "method": "transfer"}, **path)
    rest = owner.call(
        "invoices/record_payment", body={"amount_minor": part.body["balance_minor"], "method": "card"}, **path
    )
    more = owner.call("invoices/record_payment", body={"amount_minor": 1, "method": "card"}, **path)

    assert (part.status, part.body["status"], part.body["paid_minor"]) == (201, "partially_paid", 1000)
    assert (rest.body["status"], rest.body["balance_minor"], rest.body["warnings"]) == ("paid", 0, [])
    read = owner.call("payments/read", payment_id=part.body["payment_id"]).body
    assert (read["amount_minor"], read["method"]) == (1000, "transfer")
    assert rest.body["payment_id"] != part.body["payment_id"]
    assert (more.status, more.body["type"]) == (409, "/problems/payment-exceeds-balance")


def test_cash_above_the_limit_takes_a_confirmation_and_warns(issued: Json, owner: Person) -> None:
    assert issued["total_minor"] > 100_000

    cash, path = {"amount_minor": 5000, "method": "cash"}, {"invoice_id": owner.ids["invoice_id"]}
    refused = owner.call("invoices/record_payment", body=cash, **path)
    paid = owner.call("invoices/record_payment", body={**cash, "confirm_cash_above_limit": True}, **path)

    assert (refused.status, refused.body["type"]) == (409, "/problems/cash-above-limit")
    assert "D112-3" in refused.body["detail"]
    assert paid.status == 201
    (warning,) = paid.body["warnings"]
    assert (warning["code"], warning["pointer"]) == ("cash-above-limit", "/method")
    assert "1\u202f000\u00a0€" in warning["detail_fr"]
    assert "€1,000" in warning["detail_en"]


def test_a_pdf_is_downloaded_once_it_is_there(issued: Json, owner: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "documents", FakeDocuments)
    path = {"invoice_id": owner.ids["invoice_id"]}

    early = owner.call("invoices/download", **path)
    settle(owner)
    ready = owner.call("invoices/download", **path)

    assert (early.status, early.body["type"]) == (409, "/problems/pdf-not-ready")
    assert ready.status == 200
    assert issued["number"] in ready.body["url"]


def test_sending_opens_an_attempt_and_a_second_one_waits_for_it(issued: Json, owner: Person) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}
    settle(owner)
    sent = owner.call("invoices/send", **path)
    early = owner.call("invoices/send", **path)

    assert (early.status, early.body["type"]) == (409, "/problems/delivery-in-progress")
    assert sent.status == 200
    assert sent.body["delivery"]["state"] == "sending"
    assert sent.body["delivery"]["attempt"] == 2
    assert sent.body["delivery"]["pdf"] == {"sha256": "a" * 64, "size_bytes": 1234}


def test_the_timeline_tells_the_story_page_by_page(issued: Json, owner: Person) -> None:
    path = {"invoice_id": owner.ids["invoice_id"]}

    first = owner.call("invoices/read_timeline", query={"limit": "1"}, **path).body
    second = owner.call(
        "invoices/read_timeline", query={"limit": "1", "page_token": first["next_page_token"]}, **path
    ).body

    assert [event["event_type"] for event in first["items"] + second["items"]] == ["invoice.created", "invoice.issued"]
    assert first["items"][0]["actor"] == owner.user_id


def test_lists_go_by_date_status_and_customer(owner: Person, draft_body: Json) -> None:
    owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])
    draft = owner.call("invoices/create", body=draft_body).body

    def listed(**query: str) -> list[str]:
        return [row["invoice_id"] for row in owner.call("invoices/list", query=query).body["items"]]

    assert set(listed()) == {owner.ids["invoice_id"], draft["invoice_id"]}
    assert listed(status="draft") == [draft["invoice_id"]]
    assert listed(status="issued") == [owner.ids["invoice_id"]]
    assert set(listed(customer_id=owner.ids["customer_id"])) == {owner.ids["invoice_id"], draft["invoice_id"]}
    assert listed(overdue="true") == []
    assert listed(to="2020-01-01") == []


def test_filters_exclude_each_other(owner: Person) -> None:
    answer = owner.call("invoices/list", query={"status": "paid", "overdue": "true"})

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == ["/query/status", "/query/overdue"]


def test_pages_follow_each_other_and_stay_in_their_list(owner: Person, draft_body: Json) -> None:
    for _ in range(2):
        owner.call("invoices/create", body=draft_body)
    first = owner.call("invoices/list", query={"limit": "2"}).body
    token = first["next_page_token"]
    second = owner.call("invoices/list", query={"limit": "2", "page_token": token}).body

    assert len({row["invoice_id"] for row in first["items"] + second["items"]}) == 3
    assert second["next_page_token"] is None
    for query in ({"status": "draft", "page_token": token}, {"page_token": f"{token[:-2]}AA"}, {"page_token": "é"}):
        refused = owner.call("invoices/list", query=query)
        assert (refused.status, refused.body["type"]) == (422, "/problems/page-token-invalid"), query


def test_another_company_sees_nothing(issued: Json, owner: Person, member: Callable[..., Person]) -> None:
    stranger = member()
    path = {"invoice_id": owner.ids["invoice_id"]}

    for operation in ("read", "delete", "issue", "send", "record_payment", "read_timeline", "download"):
        answer = stranger.call(f"invoices/{operation}", **path)
        assert (answer.status, answer.body["type"]) == (404, "/problems/not-found"), operation
    assert stranger.call("invoices/list", query={}).body["items"] == []


def test_an_id_of_no_known_form_does_not_exist(owner: Person) -> None:
    answer = owner.call("invoices/read", invoice_id="inv_short")

    assert (answer.status, answer.body["type"]) == (404, "/problems/not-found")


def test_a_viewer_reads_and_writes_nothing(owner: Person, member: Callable[..., Person], draft_body: Json) -> None:
    viewer = member(owner.tenant_id, Role.VIEWER)

    assert viewer.call("invoices/read", invoice_id=owner.ids["invoice_id"]).status == 200
    refused = viewer.call("invoices/create", body=draft_body)
    assert (refused.status, refused.body["type"]) == (403, "/problems/forbidden")


def test_the_verification_is_a_job_with_a_result(issued: Json, owner: Person) -> None:
    started = owner.call("invoices/start_verification")
    job = {
        "tenant_id": owner.tenant_id,
        "verification_id": started.body["verification_id"],
        "correlation_id": "c",
    }
    while not invoke("workflows/verify_ledger_page", job)["done"]:
        pass
    result = owner.call("invoices/read_verification", verification_id=started.body["verification_id"])

    assert (started.status, started.body["state"]) == (202, "running")
    assert started.headers["Location"].endswith(started.body["verification_id"])
    assert (result.body["state"], result.body["documents_checked"]) == ("passed", 1)


def test_a_ledger_that_differs_names_its_company_to_operators(
    issued: Json, owner: Person, logged: Callable[[], list[Json]]
) -> None:
    """The first look of the runbook, at an invoice that somebody deleted."""
    key = keys.invoice(owner.tenant_id, issued["invoice_id"])
    client = boto3.client("dynamodb", region_name="eu-west-3")
    client.delete_item(TableName=os.environ["BILLING_TABLE_NAME"], Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}})
    started = owner.call("invoices/start_verification").body["verification_id"]
    job = {"tenant_id": owner.tenant_id, "verification_id": started, "correlation_id": "c"}
    while not invoke("workflows/verify_ledger_page", job)["done"]:
        pass

    [line] = [told for told in logged() if told["message"] == "ledger differs"]
    assert (line["tenant_id"], line["verification_id"]) == (owner.tenant_id, started)
