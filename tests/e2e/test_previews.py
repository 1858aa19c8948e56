"""Previews and marked duplicates over HTTP: real bytes through the gateway, read back as PDF."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from local.client import ApiClient, Json, wait_for
from local.samples import draft, quoted
from tests.adapters.pdf.reading import opened, pages, words
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def previewed(api: ApiClient, method: str, path: str, body: Json | None = None) -> bytes:
    answer = api.send(method, path, body, accept="application/pdf")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-disposition"].startswith("inline; filename=")
    content = answer.content
    assert content.startswith(b"%PDF-1.7")
    with opened(content) as document:
        assert list(document.attachments) == []
    assert all("BROUILLON" in [printed.text for printed in page] for page in pages(content))
    return content


def test_a_draft_is_seen_while_it_is_edited_saved_and_then_issued(person: Callable[..., Person]) -> None:
    someone = person()
    api, body = someone.api, draft(someone.customer["customer_id"])
    before = previewed(api, "POST", "/v1/invoices/preview-pdf", body)
    assert api.get("/v1/invoices")["items"] == []
    made = api.post("/v1/invoices", body)
    path = f"/v1/invoices/{made['invoice_id']}"
    saved = previewed(api, "GET", f"{path}/preview-pdf")
    edited = previewed(
        api, "POST", "/v1/invoices/preview-pdf", {**body, "notes": "Relu", "invoice_id": made["invoice_id"]}
    )
    assert api.get(path) == {**made, "payment_in_progress": None}
    issued = api.post(f"{path}/issue", {"version": 1})
    wait_for(lambda: delivered(api, made["invoice_id"]), what="the PDF")
    original = words(httpx.get(api.get(f"{path}/pdf")["url"]).content)

    assert words(before) == words(saved)
    assert "Relu" in words(edited)
    assert "Relu" not in words(saved)
    code = "Virement par QR code"
    shown = words(saved).removeprefix("BROUILLON ").replace("QR code à l'émission", code)
    assert shown == original.replace(issued["number"], "Brouillon")
    refused = api.send("GET", f"{path}/preview-pdf")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/invoice-already-issued")
    assert refused.headers["content-type"] == "application/problem+json"


def test_what_cannot_be_issued_says_which_field_is_at_fault(person: Callable[..., Person]) -> None:
    someone = person()
    body = {**draft(someone.customer["customer_id"]), "lines": []}

    refused = someone.api.send("POST", "/v1/invoices/preview-pdf", body)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/lines"]


def test_a_quote_is_seen_before_it_is_sent(person: Callable[..., Person]) -> None:
    someone = person()
    api, body = someone.api, quoted(someone.customer["customer_id"])
    unsaved = previewed(api, "POST", "/v1/quotes/preview-pdf", body)
    made = api.post("/v1/quotes", body)

    assert words(previewed(api, "GET", f"/v1/quotes/{made['quote_id']}/preview-pdf")) == words(unsaved)
    assert "Devis Brouillon" in words(unsaved)


def test_an_invoice_is_credited_paid_and_its_duplicates_say_so(person: Callable[..., Person]) -> None:
    someone = person()
    api = someone.api
    made = api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    path = f"/v1/invoices/{made['invoice_id']}"
    issued = api.post(f"{path}/issue", {"version": 1})
    part = {"mode": "amounts", "amounts": [{"vat_rate": "20", "net_minor": 100}], "reason": "Geste commercial"}
    seen = words(previewed(api, "POST", f"{path}/credit-notes/preview-pdf", part))
    unpaid = httpx.get(api.get(f"{path}/marked-duplicate")["url"]).content
    api.post(f"{path}/payments", {"amount_minor": issued["total_minor"], "method": "cheque"})
    paid = httpx.get(api.get(f"{path}/marked-duplicate")["url"]).content
    note = api.post(f"{path}/credit-notes", part)
    noted = httpx.get(api.get(f"/v1/credit-notes/{note['credit_note_id']}/marked-duplicate")["url"]).content

    assert "Geste commercial" in seen
    for content, number in ((unpaid, issued["number"]), (paid, issued["number"]), (noted, note["number"])):
        assert words(content).startswith("DUPLICATA ")
        assert number in words(content)
        with opened(content) as document:
            assert list(document.attachments) == []
    assert "Acquitté" not in words(unpaid)
    assert "Acquitté le" in words(paid)
    assert "par chèque" in words(paid)
    assert "Rien à payer" in words(paid)
