"""The critical operations over HTTP, on an empty company and on one with a long history, side by side.

Figures are printed, never asserted: these machines are noisy. What the replaced system took on the same kind of
machine stands beside them.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import boto3

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.companies import from_item as company_of
from billing.adapters.dynamodb.customers import from_item as customer_of
from local.client import ApiClient
from local.layout import REGION
from local.samples import draft
from local.testing import LocalCloud
from tests.benchmarks import seed
from tests.benchmarks.measuring import alternate, p50_and_p95
from tests.people import Person

ROUNDS = int(os.environ.get("ZENBILLING_BENCH_ROUNDS", "150"))
HISTORY = int(os.environ.get("ZENBILLING_BENCH_HISTORY", "10000"))
REPLACED_MS = {"create": 26, "list 50": 30, "get": 12}


@dataclass
class Subject:
    """One company under measure."""

    api: ApiClient
    customer_id: str
    drafts: list[str] = field(default_factory=list)

    def create(self) -> None:
        self.drafts.append(self.api.post("/v1/invoices", draft(self.customer_id))["invoice_id"])

    def get(self) -> None:
        self.api.get(f"/v1/invoices/{self.drafts[-1]}")

    def list_fifty(self) -> None:
        self.api.get("/v1/invoices?limit=50")

    def issue(self) -> None:
        self.api.post(f"/v1/invoices/{self.drafts.pop()}/issue", {"version": 1})


def test_operations(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    empty, full = (subject(person()) for _ in range(2))
    fill(cloud, full)
    print(f"\n{ROUNDS} rounds, alternating; a history of {HISTORY} issued invoices\n")
    print(f"{'':<10} {'empty company':>19} {'long history':>19} {'ratio':>7} {'replaced':>10}")
    print(f"{'ms':<10} {'p50':>9} {'p95':>9} {'p50':>9} {'p95':>9} {'p50':>7} {'p50':>10}")
    for name, action in (
        ("create", Subject.create),
        ("get", Subject.get),
        ("list 50", Subject.list_fifty),
        ("issue", Subject.issue),
    ):
        one, other = alternate(
            [lambda action=action: action(empty), lambda action=action: action(full)],  # type: ignore[misc]
            rounds=ROUNDS,
        )
        show(name, one, other)


def subject(owner: Person) -> Subject:
    owner.subscribe()
    return Subject(api=owner.api, customer_id=owner.customer["customer_id"])


def fill(cloud: LocalCloud, full: Subject) -> None:
    """Write the history beside what the API made, as the API would have."""
    client: Any = boto3.client("dynamodb", endpoint_url=cloud.layout.dynamodb_url, region_name=REGION)
    (table,) = [name for name in client.list_tables()["TableNames"] if "BillingTable" in name]
    tenant_id = full.api.get("/v1/auth/me")["tenant_id"]
    wanted = [keys.company(tenant_id), keys.customer(tenant_id, full.customer_id)]
    company, customer = (
        client.get_item(TableName=table, Key={"pk": {"S": key.pk}, "sk": {"S": key.sk}})["Item"] for key in wanted
    )
    seed.write(client, table, seed.history(company_of(company), customer_of(customer), HISTORY, seed.now()))


def show(name: str, one: list[float], other: list[float]) -> None:
    cells = [figure for taken in (one, other) for figure in p50_and_p95(taken)]
    ratio = median(other) / median(one)
    replaced = f"{REPLACED_MS[name]:>10}" if name in REPLACED_MS else ""
    print(f"{name:<10} {cells[0]:>9.1f} {cells[1]:>9.1f} {cells[2]:>9.1f} {cells[3]:>9.1f} {ratio:>7.2f} {replaced}")
