"""Factur-X over HTTP: what is mailed is a conformant document, and its report is there."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable

import httpx
import pikepdf
import pytest

from local.client import wait_for
from local.samples import draft
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def test_a_mailed_invoice_conforms_and_carries_its_xml(person: Callable[..., Person]) -> None:
    someone = person()
    api = someone.api
    made = api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    path = f"/v1/invoices/{made['invoice_id']}"
    before = api.send("GET", f"{path}/conformity")
    api.call("PUT", f"{path}/attachments?name=exemple.csv", b"a;b\n1;2\n", if_match='"1"')
    issued = api.post(f"{path}/issue", {"version": 2, "send": True})
    invoice = wait_for(lambda: delivered(api, made["invoice_id"]), what="the mail")

    report = api.get(f"{path}/conformity")
    content = httpx.get(api.get(f"{path}/pdf")["url"]).content
    with pikepdf.open(io.BytesIO(content)) as document:
        (attached,) = document.Root.AF
        xml = attached.EF.F.read_bytes().decode()

    assert before.status_code == 409
    assert before.json()["type"] == "/problems/invoice-not-issued"
    assert (report["conforms"], report["violations"]) == (True, [])
    assert report["rules"] == "factur-x-1.09.2-zb1"
    assert report["pdf_sha256"] == hashlib.sha256(content).hexdigest()
    assert report["document_hash"] == invoice["document_hash"]
    assert f"<ram:ID>{issued['number']}</ram:ID>" in xml
    assert "<ram:IssuerAssignedID>exemple.csv</ram:IssuerAssignedID>" in xml
    assert "<ram:GrandTotalAmount>120.00</ram:GrandTotalAmount>" in xml
