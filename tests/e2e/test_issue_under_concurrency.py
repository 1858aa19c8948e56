"""A number is taken once, in order, by everybody at once."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local.client import ApiClient
from local.samples import draft
from local.testing import local_cloud
from tests.e2e.verification import numbers_of, verified
from tests.people import Person, insist, people_of

pytestmark = pytest.mark.cloud

CLIENTS = 16
DRAFTS = 400


@pytest.fixture
def person_apart(tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Makes people of a cloud of their own: what hundreds of invoices leave to be rendered makes nobody else wait."""
    with local_cloud(state=tmp_path / "cloud") as cloud, people_of(cloud) as make:
        yield make


def test_sixteen_clients_issue_four_hundred_drafts_without_a_gap(person_apart: Callable[..., Person]) -> None:
    someone = person_apart()
    someone.subscribe()
    body = draft(someone.customer["customer_id"])
    clients = [someone.another_client() for _ in range(CLIENTS)]

    def create(rank: int) -> tuple[str, int]:
        made = clients[rank % CLIENTS].post("/v1/invoices", body)
        return made["invoice_id"], made["version"]

    def issue(work: tuple[int, list[tuple[str, int]]]) -> list[str]:
        rank, mine = work
        issued = (
            insist(clients[rank], f"/v1/invoices/{invoice_id}/issue", {"version": version}, f"issue-{invoice_id}")
            for invoice_id, version in mine
        )
        return [str(one["number"]) for one in issued]

    with ThreadPoolExecutor(CLIENTS) as pool:
        drafts = list(pool.map(create, range(DRAFTS)))
        shares = [(rank, drafts[rank::CLIENTS]) for rank in range(CLIENTS)]
        numbers = sorted(number for issued in pool.map(issue, shares) for number in issued)

    year = re.fullmatch(r"F(\d{4})-00001", numbers[0])
    assert year
    assert numbers == [f"F{year[1]}-{rank:05d}" for rank in range(1, DRAFTS + 1)]
    assert numbers_of(someone.api) == numbers
    job = verified(someone.api)
    assert (job["state"], job["documents_checked"], job["findings"]) == ("passed", DRAFTS, [])


def test_one_issue_request_sent_twenty_times_at_once_takes_one_number(person: Callable[..., Person]) -> None:
    someone = person()
    made = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    key = str(uuid.uuid4())
    clients = [someone.another_client() for _ in range(20)]

    def issue(client: ApiClient) -> tuple[int, str]:
        answer = client.send(
            "POST", f"/v1/invoices/{made['invoice_id']}/issue", {"version": made["version"]}, idempotency_key=key
        )
        return answer.status_code, answer.text

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(issue, clients))

    assert {status for status, _ in answers} == {200}
    assert len({text for _, text in answers}) == 1
    assert len(numbers_of(someone.api)) == 1


def test_the_same_key_with_another_body_is_refused(person: Callable[..., Person]) -> None:
    someone = person()
    body = draft(someone.customer["customer_id"])
    someone.api.post("/v1/invoices", body, idempotency_key="once")

    again = someone.api.send("POST", "/v1/invoices", {**body, "notes": "autre"}, idempotency_key="once")

    assert again.status_code == 422
    assert again.json()["type"] == "/problems/idempotency-key-reused"


def test_of_two_edits_with_one_etag_one_is_refused(person: Callable[..., Person]) -> None:
    someone = person()
    body = draft(someone.customer["customer_id"])
    made = someone.api.post("/v1/invoices", body)
    clients = [someone.another_client() for _ in range(2)]

    def edit(client: ApiClient) -> int:
        path = f"/v1/invoices/{made['invoice_id']}"
        return client.send("PUT", path, {**body, "notes": "modifié"}, if_match=f'"{made["version"]}"').status_code

    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(edit, clients))

    assert statuses == [200, 412]


def test_sixteen_payments_at_once_never_pay_more_than_the_balance(person: Callable[..., Person]) -> None:
    someone = person()
    made = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    path = f"/v1/invoices/{made['invoice_id']}"
    total = someone.api.post(f"{path}/issue", {"version": made["version"]})["total_minor"]
    clients = [someone.another_client() for _ in range(16)]

    def pay(client: ApiClient) -> int:
        return client.send(
            "POST",
            f"{path}/payments",
            {"amount_minor": total, "method": "transfer"},
            idempotency_key=str(uuid.uuid4()),
        ).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(pay, clients))

    assert statuses == [201, *[409] * 15]
    paid = someone.api.get(path)
    assert (paid["status"], paid["balance_minor"], paid["paid_minor"]) == ("paid", 0, total)
