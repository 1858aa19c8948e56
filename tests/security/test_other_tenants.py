"""Whatever id another company sends, the answer is 404, as if it did not exist, and nothing changes.

Generated from the published contract: a new route with an id is covered the day it is published.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from local.client import ApiClient, Json, wait_for
from local.operators import ensure_operator, operator_token
from local.samples import SERVICE, draft, quoted, recurring
from local.testing import LocalCloud
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).resolve().parents[2]
CONTRACT: Json = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
ROUTES = [
    (method.upper(), path, operation["operationId"])
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
    if "{" in path
    and "{token}" not in path  # a public link is the right of whoever holds it
    and not path.startswith("/v1/operations/")
]
EVERY_ROUTE = [
    (method.upper(), path, operation.get("security", CONTRACT["security"]))
    for path, operations in CONTRACT["paths"].items()
    for method, operation in operations.items()
]


def sample_body(operation_id: str) -> Any:
    """The body of the operation's own sample event: valid, so that only the id can be wrong. Uploads are bytes."""
    for path in sorted((ROOT / "events").rglob("*.json")):
        event = json.loads(path.read_text(encoding="utf-8"))
        route = event.get("routeKey") if isinstance(event, dict) else None
        if route and _operation_of(route) == operation_id:
            if event.get("isBase64Encoded"):
                return base64.b64decode(event["body"])
            return json.loads(event["body"]) if event.get("body") else None
    raise AssertionError(f"no sample event for {operation_id}")


def _operation_of(route_key: str) -> str | None:
    method, _, path = route_key.partition(" ")
    operation = CONTRACT["paths"].get(path, {}).get(method.lower())
    return operation["operationId"] if operation else None


@pytest.fixture
def owned(person: Callable[..., Person]) -> tuple[Person, dict[str, str]]:
    """A company with one of everything, and the ids of each."""
    owner = person()
    api = owner.api
    product = api.post("/v1/products", SERVICE)
    made = api.post("/v1/invoices", draft(owner.customer["customer_id"]))
    file = api.call(
        "PUT", f"/v1/invoices/{made['invoice_id']}/attachments?name=exemple.csv", b"a;b\n1;2\n", if_match='"1"'
    )
    job = api.post("/v1/invoices/verifications")
    bulk = api.post("/v1/bulk-jobs", {"operation": "export", "document_ids": [made["invoice_id"]]})
    credited = api.post("/v1/invoices", draft(owner.customer["customer_id"]))
    api.post(f"/v1/invoices/{credited['invoice_id']}/issue", {"version": 1})
    paid = {"customer_id": owner.customer["customer_id"], "amount_minor": 500, "method": "transfer"}
    payment = api.post("/v1/payments", {**paid, "excess": "customer_credit"})
    note = api.post(f"/v1/invoices/{credited['invoice_id']}/credit-notes", {"mode": "full", "reason": "Retour"})
    quote = api.post("/v1/quotes", quoted(owner.customer["customer_id"]))
    template = api.post("/v1/recurring-invoices", recurring(owner.customer["customer_id"]))
    endpoint = api.post("/v1/webhook-endpoints", {"url": "https://exemple.fr/"})
    return owner, {
        "endpoint_id": endpoint["endpoint_id"],
        "sequence": "1",
        "recurring_invoice_id": template["recurring_invoice_id"],
        "quote_id": quote["quote_id"],
        "customer_id": owner.customer["customer_id"],
        "product_id": product["product_id"],
        "invoice_id": made["invoice_id"],
        "verification_id": job["verification_id"],
        "bulk_job_id": bulk["bulk_job_id"],
        "attachment_id": file["attachments"][0]["attachment_id"],
        "credit_note_id": note["credit_note_id"],
        "payment_id": payment["payment_id"],
    }


def everything(api: ApiClient, ids: dict[str, str]) -> list[Json]:
    paths = [
        f"/v1/customers/{ids['customer_id']}",
        f"/v1/products/{ids['product_id']}",
        f"/v1/invoices/{ids['invoice_id']}",
        f"/v1/invoices/{ids['invoice_id']}/timeline",
        f"/v1/quotes/{ids['quote_id']}",
        f"/v1/recurring-invoices/{ids['recurring_invoice_id']}",
    ]
    return [api.get(path) for path in paths]


@pytest.mark.parametrize("issued", [False, True], ids=["draft", "issued"])
def test_every_route_with_an_id_answers_404_to_another_company(
    owned: tuple[Person, dict[str, str]], person: Callable[..., Person], issued: bool
) -> None:
    owner, ids = owned
    stranger = person()
    if issued:
        owner.api.post(f"/v1/invoices/{ids['invoice_id']}/issue", {"version": 2})
        wait_for(lambda: delivered(owner.api, ids["invoice_id"]), what="the PDF")
    before = everything(owner.api, ids)
    assert ROUTES

    for method, path, operation_id in ROUTES:
        needed = "?name=exemple.pdf" if operation_id == "uploadInvoiceAttachment" else ""
        answer = stranger.api.send(
            method,
            path.format(**ids) + needed,
            sample_body(operation_id) if method in {"POST", "PUT", "PATCH"} else None,
            idempotency_key=str(uuid.uuid4()),
            if_match='"1"',
        )
        assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/not-found"

    assert everything(owner.api, ids) == before


def test_a_token_of_one_pool_opens_no_route_of_the_other(person: Callable[..., Person], cloud: LocalCloud) -> None:
    """Before the function: API Gateway's own 401, whatever the ids and the body."""
    owner = person(described=False).api
    assert ensure_operator(cloud.layout)
    tried = {"accessToken": 0, "operatorToken": 0}
    with ApiClient(cloud.base_url, token=operator_token(cloud.layout)) as operator:
        for method, path, security in EVERY_ROUTE:
            if not security:
                continue
            [scheme] = security[0]
            stranger = operator if scheme == "accessToken" else owner
            answer = stranger.send(method, re.sub(r"{\w+}", "x", path), {} if method in {"POST", "PUT"} else None)
            assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"}), f"{method} {path}"
            tried[scheme] += 1

    assert tried["operatorToken"] == 16
    assert tried["accessToken"] > 100


def test_ids_of_another_company_in_a_body_are_unknown(
    owned: tuple[Person, dict[str, str]], person: Callable[..., Person]
) -> None:
    _, ids = owned
    stranger = person()
    own = stranger.customer["customer_id"]
    line = {"product_id": ids["product_id"], "quantity": "1"}

    drafted = ("/v1/invoices", "/v1/quotes")
    for path in (*drafted, *(f"{one}/{preview}" for one in drafted for preview in ("preview", "preview-pdf"))):
        for body, pointer in (
            (quoted(ids["customer_id"]), "/customer_id"),
            ({"customer_id": own, "lines": [line]}, "/lines/0/product_id"),
        ):
            answer = stranger.api.send("POST", path, body, idempotency_key=str(uuid.uuid4()))
            assert answer.status_code == 404
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("of", ["invoice", "quote"])
def test_a_draft_of_another_company_is_not_what_a_preview_edits(
    owned: tuple[Person, dict[str, str]], person: Callable[..., Person], of: str
) -> None:
    _, ids = owned
    stranger = person()
    body = {**quoted(stranger.customer["customer_id"]), f"{of}_id": ids[f"{of}_id"]}

    answer = stranger.api.send("POST", f"/v1/{of}s/preview-pdf", body)

    assert answer.status_code == 404
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{of}_id"]


def test_lists_and_searches_show_nothing_of_another_company(
    owned: tuple[Person, dict[str, str]], person: Callable[..., Person]
) -> None:
    _, ids = owned
    stranger = person(described=False)

    for path in (
        "/v1/invoices",
        "/v1/invoices?status=draft",
        f"/v1/invoices?customer_id={ids['customer_id']}",
        "/v1/customers",
        "/v1/customers/search?q=client",
        "/v1/invoices/search?q=client",
        "/v1/quotes/search?q=client",
        "/v1/credit-notes/search?q=client",
        "/v1/products/search?q=conception",
        "/v1/products",
        "/v1/quotes",
        "/v1/recurring-invoices",
        f"/v1/quotes?customer_id={ids['customer_id']}",
    ):
        assert stranger.api.get(path)["items"] == []


def test_a_page_token_of_another_company_is_refused(person: Callable[..., Person]) -> None:
    owner, stranger = person(), person()
    for _ in range(2):
        owner.api.post("/v1/invoices", draft(owner.customer["customer_id"]))
    token = owner.api.get("/v1/invoices?limit=1")["next_page_token"]

    answer = stranger.api.send("GET", f"/v1/invoices?limit=1&page_token={token}")

    assert answer.status_code == 422
    assert answer.json()["type"] == "/problems/page-token-invalid"
