"""Search over HTTP: what was made is found at once, however it is typed, by its own company only."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest

from local.client import Json
from local.samples import SERVICE, draft, quoted
from tests.people import Person

pytestmark = pytest.mark.cloud


def _found(someone: Person, kind: str, query: str) -> list[Json]:
    items: list[Json] = someone.api.get(f"/v1/{kind}/search?q={quote(query)}")["items"]
    return items


def test_what_was_made_is_found_by_number_name_and_amount(person: Callable[..., Person]) -> None:
    someone, stranger = person(), person()
    customer_id = someone.customer["customer_id"]
    someone.api.post("/v1/products", SERVICE)
    made = someone.api.post("/v1/invoices", {**draft(customer_id), "purchase_order": "BC-2026/17"})
    issued = someone.api.post(f"/v1/invoices/{made['invoice_id']}/issue", {"version": 1})
    offer = someone.api.post("/v1/quotes", quoted(customer_id))
    note = someone.api.post(
        f"/v1/invoices/{made['invoice_id']}/credit-notes", {"mode": "full", "reason": "Commande annulée"}
    )

    for query in (issued["number"], issued["number"].lower(), "client exemple", "120,00", "bc2026", "CLIENT 120"):
        (row,) = _found(someone, "invoices", query)
        assert (row["number"], row["status"], row["balance_minor"]) == (issued["number"], "cancelled", 0), query
    assert [row["number"] for row in _found(someone, "credit-notes", issued["number"])] == [note["number"]]
    assert [row["quote_id"] for row in _found(someone, "quotes", "exemp 120")] == [offer["quote_id"]]
    for query in ("conception", "85", "cg-01", "CG01"):
        assert [row["name"] for row in _found(someone, "products", query)] == [SERVICE["name"]]
    assert _found(stranger, "invoices", issued["number"]) == []
    refused = someone.api.send("GET", "/v1/invoices/search?q=%20-%20")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/q"
