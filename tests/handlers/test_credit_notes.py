"""Credit notes through their handlers."""

from __future__ import annotations

import pytest

from tests.handlers.conftest import Json, Person

FULL = {"mode": "full", "reason": "Commande annulée"}


@pytest.fixture
def issued(owner: Person) -> Json:
    invoice: Json = owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"]).body
    return invoice


def test_an_invoice_is_taken_back_and_cancelled(owner: Person, issued: Json) -> None:
    path = {"invoice_id": issued["invoice_id"]}
    seen = owner.call("credit_notes/preview", body=FULL, **path)
    note = owner.call("credit_notes/issue", body=FULL, **path)

    assert (note.status, note.headers["Location"]) == (201, f"/v1/credit-notes/{note.body['credit_note_id']}")
    assert note.body["total_minor"] == seen.body["total_minor"] == issued["total_minor"]
    assert note.body["settlement"] == {
        "applied_minor": issued["total_minor"],
        "customer_credit_minor": 0,
        "refunded_minor": 0,
    }
    assert (note.body["invoice_number"], note.body["document_type"]) == (issued["number"], "381")
    after = owner.call("invoices/read", **path).body
    assert (after["status"], after["balance_minor"]) == ("cancelled", 0)
    assert (after["paid_minor"], after["credited_minor"]) == (0, issued["total_minor"])
    again = owner.call("credit_notes/issue", body=FULL, **path)
    assert (again.status, again.body["type"]) == (409, "/problems/credit-exceeds-remaining")


def test_the_same_key_is_answered_the_same(owner: Person, issued: Json) -> None:
    key: dict[str, str | None] = {"idempotency-key": "once"}
    first, second = (
        owner.call("credit_notes/issue", body=FULL, headers=key, invoice_id=issued["invoice_id"]) for _ in range(2)
    )

    assert (first.status, first.text) == (second.status, second.text)
    assert second.headers["Idempotency-Replayed"] == "true"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"mode": "full"}, ["/reason"]),
        ({"mode": "full", "reason": " "}, ["/reason"]),
        ({"mode": "full", "reason": "R", "lines": [{"index": 0, "quantity": "1"}]}, ["/lines"]),
        ({"mode": "lines", "reason": "R"}, ["/lines"]),
        ({"mode": "lines", "reason": "R", "lines": [{"index": 0}]}, ["/lines/0"]),
        ({"mode": "lines", "reason": "R", "lines": [{"index": 0, "quantity": "1", "net_minor": 1}]}, ["/lines/0"]),
        ({"mode": "lines", "reason": "R", "lines": [{"index": 499, "net_minor": 1}]}, ["/lines/0/index"]),
        ({"mode": "lines", "reason": "R", "lines": [{"index": 0, "quantity": "-1"}]}, ["/lines/0/quantity"]),
        ({"mode": "amounts", "reason": "R", "amounts": [{"net_minor": 1}]}, ["/amounts/0/vat_rate"]),
        ({"mode": "amounts", "reason": "R", "amounts": [{"net_minor": 1, "vat_rate": "7"}]}, ["/amounts/0/vat_rate"]),
        ({"mode": "amounts", "reason": "R", "amounts": [{"net_minor": 0, "vat_rate": "20"}]}, ["/amounts/0/net_minor"]),
        ({"mode": "half", "reason": "R"}, ["/mode"]),
        ({"mode": "full", "reason": "R", "number": "A1"}, ["/number"]),
    ],
)
def test_each_wrong_field_is_pointed_at(owner: Person, issued: Json, body: Json, pointers: list[str]) -> None:
    answer = owner.call("credit_notes/issue", body=body, invoice_id=issued["invoice_id"])

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == pointers


def test_a_draft_is_not_credited(owner: Person) -> None:
    answer = owner.call("credit_notes/issue", body=FULL, invoice_id=owner.ids["invoice_id"])

    assert (answer.status, answer.body["type"]) == (409, "/problems/invoice-not-issued")


def test_a_credit_note_is_sent_and_not_downloaded_before_it_is_rendered(owner: Person, issued: Json) -> None:
    note = owner.call("credit_notes/issue", body=FULL, invoice_id=issued["invoice_id"]).body
    path = {"credit_note_id": note["credit_note_id"]}

    sent = owner.call("credit_notes/send", body={}, **path)
    refused = owner.call("credit_notes/send", body={}, **path)
    download = owner.call("credit_notes/download", **path)

    assert (sent.status, sent.body["delivery"]["state"]) == (200, "sending")
    assert (refused.status, refused.body["type"]) == (409, "/problems/delivery-in-progress")
    assert (download.status, download.body["type"]) == (409, "/problems/pdf-not-ready")


def test_two_filters_and_dates_in_reverse_are_refused(owner: Person) -> None:
    both = {"customer_id": owner.ids["customer_id"], "invoice_id": owner.ids["invoice_id"]}
    reverse = {"from": "2026-02-02", "to": "2026-02-01"}

    assert len(owner.call("credit_notes/list", query=both).body["errors"]) == 2
    assert owner.call("credit_notes/list", query=reverse).body["errors"][0]["pointer"] == "/query/to"
