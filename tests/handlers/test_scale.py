"""From 10 to 10,000 documents, every list, search, read and write asks the table for as much as before."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb import search as records
from billing.adapters.dynamodb.codec import Item, text
from billing.adapters.dynamodb.companies import from_item as company_of
from billing.adapters.dynamodb.customers import from_item as customer_of
from billing.runtime import table
from tests.benchmarks import seed
from tests.handlers.conftest import Answered, Json, Person, sample

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FEW, MANY = 10, 10_000
LISTS = (
    "quotes/list",
    "credit_notes/list",
    "payments/list",
    "recurring_invoices/list",
    "products/list",
    "bulk_jobs/list",
)
UNTIL = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def _history(owner: Person, count: int) -> Iterator[Item]:
    """Issued invoices of one customer with the records under which they are found: all of them for one in ten, else
    the customer's name and the number. Their places in the series are not needed here, and half of the time."""
    company = table.table().get(keys.company(owner.tenant_id))
    customer = table.table().get(keys.customer(owner.tenant_id, owner.ids["customer_id"]))
    assert company is not None
    assert customer is not None
    heads = seed.history(company_of(company), customer_of(customer), count, UNTIL)
    for rank, head in enumerate(one for one in heads if text(one, "entity") == "issued_invoice"):
        yield head
        found = [write.request["Item"] for write in records.word_records(table.table(), records.INVOICE, head)]
        yield from found if rank % 10 == 0 else (one for one in found if text(one, "sk")[:6] in {"client", "f20260"})


def _one_of_each(owner: Person) -> list[keys.Key]:
    """Where one quote, credit note, payment, template, product, customer and bulk job stand."""
    tenant, customer = owner.tenant_id, {"customer_id": owner.ids["customer_id"]}
    draft = json.loads(sample("invoices/create")["body"]) | customer
    invoice = owner.call("invoices/create", body=draft).body["invoice_id"]
    total = owner.call("invoices/issue", body={"version": 1}, invoice_id=invoice).body["total_minor"]
    quoted = {name: value for name, value in draft.items() if name not in {"due_date", "paid"}}
    template = json.loads(sample("recurring_invoices/create")["body"]) | customer
    taken = {"mode": "amounts", "amounts": [{"vat_rate": "20", "net_minor": 10}], "reason": "Geste"}
    paid = {**customer, "amount_minor": total // 2, "method": "transfer", "excess": "customer_credit"}
    bulk = {"operation": "send", "document_ids": [invoice]}
    return [
        keys.quote(tenant, owner.call("quotes/create", body=quoted).body["quote_id"]),
        keys.invoice(tenant, owner.call("credit_notes/issue", body=taken, invoice_id=invoice).body["credit_note_id"]),
        keys.payment(tenant, owner.call("payments/record", body=paid).body["payment_id"]),
        keys.recurring_invoice(
            tenant, owner.call("recurring_invoices/create", body=template).body["recurring_invoice_id"]
        ),
        keys.product(tenant, owner.ids["product_id"]),
        keys.customer(tenant, owner.ids["customer_id"]),
        keys.bulk_job(tenant, owner.call("bulk_jobs/start", body=bulk).body["bulk_job_id"]),
    ]


def _copies(of: keys.Key, count: int) -> Iterator[Item]:
    """As many heads beside it, without a frozen text, under ids of their own."""
    head, own = table.table().get(of), of.pk.rpartition("#")[2]
    assert head is not None
    seen = {name: value for name, value in head.items() if name != "document"}
    for rank in range(count):
        other = f"{own[:-5]}{rank:05d}"
        yield {name: {"S": value["S"].replace(own, other)} if "S" in value else value for name, value in seen.items()}


def _questions(owner: Person) -> dict[str, partial[Answered]]:
    customer = owner.ids["customer_id"]
    lists: dict[str, Json] = {
        "all": {},
        "by status": {"status": "issued"},
        "overdue": {"overdue": "true"},
        "of a customer": {"customer_id": customer},
        "of a month": {"from": "2026-10-01", "to": "2026-10-31"},
        "a hundred": {"limit": "100"},
    }
    asked = {f"list {name}": partial(owner.call, "invoices/list", query=query) for name, query in lists.items()}
    for query in ("client", "F2026-00007", "1", "120", "client 00001"):
        asked[f"search {query}"] = partial(owner.call, "invoices/search", query={"q": query})
    for operation in LISTS:
        asked[operation] = partial(owner.call, operation, query={})
    for operation in (
        "customers/list",
        "customers/export_csv",
        "products/export_csv",
        "customers/search",
        "products/search",
        "quotes/search",
        "credit_notes/search",
    ):
        asked[operation] = partial(owner.call, operation)
    return asked


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Json]]:
    """What was asked of the table, and how much it gave back."""
    client = table.table()
    original = client._call
    made: list[tuple[str, Json]] = []

    def noted(operation: str, **request: Any) -> Any:
        answer = original(operation, **request)
        made.append((operation, answer))
        return answer

    monkeypatch.setattr(client, "_call", noted)
    return made


def _cost(counted: list[tuple[str, Json]], ask: Callable[[], Answered]) -> tuple[list[str], int, int]:
    """Requests, items looked at, rows answered."""
    counted.clear()
    answer = ask()
    assert answer.status < 300, answer.text
    looked_at = sum(found.get("ScannedCount", 0) for _, found in counted)
    assert all(found.get("ScannedCount", 0) == found.get("Count", 0) for _, found in counted)
    rows = len(answer.body["items"]) if answer.body else answer.text.count("\r\n") - 1
    return [operation for operation, _ in counted], looked_at, rows


def test_what_is_asked_of_the_table_does_not_grow_with_the_history(
    owner: Person,
    member: Callable[..., Person],
    counted: list[tuple[str, Json]],
    dynamodb: DynamoDBClient,
    billing_table: str,
) -> None:
    owner.call("invoices/list", query={})  # the membership is trusted from here on
    others = _one_of_each(owner)
    seed.write(dynamodb, billing_table, _history(owner, FEW))
    for one in others:
        seed.write(dynamodb, billing_table, _copies(one, FEW))
    before = {name: _cost(counted, ask) for name, ask in _questions(owner).items()}

    seed.write(dynamodb, billing_table, _history(owner, MANY))
    for one in others:
        seed.write(dynamodb, billing_table, _copies(one, MANY))
    owner.call("invoices/list", query={})
    after = {name: _cost(counted, ask) for name, ask in _questions(owner).items()}

    for name, (requests, looked_at, rows) in after.items():
        assert requests == before[name][0], name
        assert len(requests) <= 2, name
        assert looked_at <= 100, name
        assert rows <= 100, name
    for name in ("list all", *LISTS):
        assert after[name][2] == 50, name
    assert after["customers/list"][2] == 20  # as its sample asks
    assert after["list a hundred"][2] == 100
    assert after["search F2026-00007"][2] >= 1
