"""Sixteen payments of 100 euros at once on an invoice of 100 euros."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.client import ApiClient, Json
from tests.e2e.verification import verified
from tests.people import Person

pytestmark = pytest.mark.cloud

HUNDRED = 10_000


def _invoice_of_a_hundred(someone: Person) -> Json:
    line = {"description": "Prestation", "quantity": "1", "unit_price": "83.333333", "vat_rate": "20"}
    made = someone.api.post("/v1/invoices", {"customer_id": someone.customer["customer_id"], "lines": [line]})
    issued: Json = someone.api.post(f"/v1/invoices/{made['invoice_id']}/issue", {"version": made["version"]})
    assert issued["total_minor"] == HUNDRED
    return issued


@pytest.mark.parametrize("excess", ["refuse", "customer_credit"])
def test_sixteen_payments_at_once_pay_an_invoice_once(person: Callable[..., Person], excess: str) -> None:
    someone = person()
    invoice = _invoice_of_a_hundred(someone)
    customer_id = someone.customer["customer_id"]
    clients = [someone.another_client() for _ in range(16)]
    body = {
        "customer_id": customer_id,
        "amount_minor": HUNDRED,
        "method": "transfer",
        "allocations": [{"invoice_id": invoice["invoice_id"]}],
        "excess": excess,
    }

    def pay(client: ApiClient) -> int:
        return client.send("POST", "/v1/payments", body, idempotency_key=str(uuid.uuid4())).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(pay, clients))

    credited = excess == "customer_credit"
    assert statuses == ([201] * 16 if credited else [201, *[409] * 15])
    paid = someone.api.get(f"/v1/invoices/{invoice['invoice_id']}")
    assert (paid["status"], paid["balance_minor"], paid["paid_minor"]) == ("paid", 0, HUNDRED)
    credit = someone.api.get(f"/v1/customers/{customer_id}/credit")
    assert credit["balance_minor"] == (15 * HUNDRED if credited else 0)
    assert verified(someone.api)["findings"] == []


def test_a_cheque_over_two_invoices_bounces_and_the_credit_note_is_refunded(person: Callable[..., Person]) -> None:
    someone = person()
    first, second = _invoice_of_a_hundred(someone), _invoice_of_a_hundred(someone)
    customer_id = someone.customer["customer_id"]
    cheque = someone.api.post(
        "/v1/payments",
        {
            "customer_id": customer_id,
            "amount_minor": 2 * HUNDRED,
            "method": "cheque",
            "allocations": [{"invoice_id": first["invoice_id"]}, {"invoice_id": second["invoice_id"]}],
        },
    )
    someone.api.post(f"/v1/payments/{cheque['payment_id']}/reverse", {"reason": "Chèque impayé"})
    someone.api.post(f"/v1/invoices/{first['invoice_id']}/payments", {"amount_minor": HUNDRED, "method": "transfer"})
    someone.api.post(f"/v1/invoices/{first['invoice_id']}/credit-notes", {"mode": "full", "reason": "Annulation"})
    someone.api.post(
        f"/v1/customers/{customer_id}/credit/apply",
        {"allocations": [{"invoice_id": second["invoice_id"], "amount_minor": 4_000}]},
    )
    left = someone.api.post(f"/v1/customers/{customer_id}/credit/refund", {"amount_minor": 6_000, "method": "transfer"})

    assert left["balance_minor"] == 0
    states = [someone.api.get(f"/v1/invoices/{one['invoice_id']}") for one in (first, second)]
    assert [(one["status"], one["balance_minor"]) for one in states] == [("cancelled", 0), ("partially_paid", 6_000)]
    assert len(someone.api.get("/v1/payments")["items"]) == 3
    assert verified(someone.api)["findings"] == []


def test_a_statement_tells_the_account_and_its_pdf_can_be_downloaded(person: Callable[..., Person]) -> None:
    someone = person()
    invoice = _invoice_of_a_hundred(someone)
    customer_id = someone.customer["customer_id"]
    paid = {"amount_minor": 4_000, "method": "transfer"}
    someone.api.post(f"/v1/invoices/{invoice['invoice_id']}/payments", paid)

    (account,) = someone.api.get(f"/v1/customers/{customer_id}/statement")["accounts"]
    link = someone.api.get(f"/v1/customers/{customer_id}/statement/pdf")

    assert [line["kind"] for line in account["lines"]] == ["invoice", "payment"]
    assert (account["opening_minor"], account["closing_minor"]) == (0, 6_000)
    assert account["ageing"]["not_due_minor"] == 6_000
    assert httpx.get(link["url"]).content.startswith(b"%PDF-")
