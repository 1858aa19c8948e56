"""Bulk jobs over HTTP: many drafts issued and mailed, then their PDFs in one ZIP."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import draft, quoted
from local.testing import LocalCloud
from tests.e2e.verification import verified
from tests.people import Person

pytestmark = pytest.mark.cloud
COUNT = 60


def _tenant_of(api: ApiClient) -> str:
    """As the claims of the token say."""
    claims = (api.token or "").split(".")[1]
    decoded: Json = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))
    return str(decoded["tenant_id"])


def _ended(api: ApiClient, job: Json) -> Json:
    path = f"/v1/bulk-jobs/{job['bulk_job_id']}"
    return wait_for(lambda: current if (current := api.get(path))["state"] == "ended" else None, what="the job")


def _results(api: ApiClient, job: Json) -> list[Json]:
    found: list[Json] = []
    token = ""
    while True:
        page = api.get(f"/v1/bulk-jobs/{job['bulk_job_id']}/results?limit=25{token}")
        found += page["items"]
        if page["next_page_token"] is None:
            return found
        token = f"&page_token={page['next_page_token']}"


def test_many_drafts_are_issued_mailed_once_and_exported(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    someone.subscribe()
    api, customer = someone.api, someone.customer["customer_id"]
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(
                lambda _: someone.another_client().post("/v1/invoices", draft(customer))["invoice_id"], range(COUNT)
            )
        )
    issued_before = api.post(f"/v1/invoices/{made[7]}/issue", {"version": 1})["number"]

    job = api.post("/v1/bulk-jobs", {"operation": "issue", "document_ids": made, "mail": True})
    # A second execution of the same run, as after a crash, beside the first.
    request = {"tenant_id": _tenant_of(api), "bulk_job_id": job["bulk_job_id"], "run": 1, "correlation_id": "c"}
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda _: cloud.invoke("workflows-run-bulk-lane", {**request, "lane": 0}), range(3)))
    ended = _ended(api, job)

    results = _results(api, job)
    numbers = [one["number"] for one in results if one["outcome"] == "done"]
    assert (ended["total"], ended["done"], ended["refused"]) == (COUNT, COUNT - 1, 1)
    assert [one["document_id"] for one in results] == made
    assert job["mail"]
    assert results[7]["number"] == issued_before
    assert results[7]["problem"]["title"] == "La facture est déjà émise et ne peut plus changer"
    assert len({*numbers, issued_before}) == COUNT
    assert sorted(int(number[-5:]) for number in (*numbers, issued_before)) == list(range(1, COUNT + 1))
    address = f"client.{someone.email}"
    wait_for(lambda: len(mails_to(cloud.mail_directory, address)) >= COUNT - 1 or None, what="the mails")

    quote = api.post("/v1/quotes", quoted(customer))["quote_id"]
    export = _ended(api, api.post("/v1/bulk-jobs", {"operation": "export", "document_ids": [*made, quote]}))
    link = api.get(f"/v1/bulk-jobs/{export['bulk_job_id']}/archive")["url"]
    packed = zipfile.ZipFile(io.BytesIO(httpx.get(link).content))

    assert (export["done"], export["refused"], export["mail"]) == (COUNT, 1, False)
    pdfs = [name for name in packed.namelist() if name.endswith(".pdf")]
    assert sorted(pdfs) == sorted(f"{number}.pdf" for number in (*numbers, issued_before))
    assert all(packed.read(name).startswith(b"%PDF") for name in pdfs)
    assert {"verifier.py", "LISEZMOI.txt", "preuves/chaine.jsonl"} < set(packed.namelist())
    assert len(mails_to(cloud.mail_directory, address)) == COUNT - 1
    assert verified(api)["state"] == "passed"
    assert [row["bulk_job_id"] for row in api.get("/v1/bulk-jobs")["items"]] == [
        export["bulk_job_id"],
        job["bulk_job_id"],
    ]


def test_a_wrong_selection_is_refused_by_its_place(person: Callable[..., Person]) -> None:
    api = person().api
    one = f"inv_{'0' * 26}"
    bodies: list[tuple[Json, str]] = [
        ({"operation": "issue", "document_ids": [one, one]}, "/document_ids/1"),
        ({"operation": "issue", "document_ids": [f"quo_{'0' * 26}"]}, "/document_ids/0"),
        ({"operation": "send", "document_ids": []}, "/document_ids"),
        ({"operation": "send", "document_ids": ["nonsense"]}, "/document_ids/0"),
        ({"operation": "burn", "document_ids": [one]}, "/operation"),
        ({"operation": "send", "document_ids": [one], "mail": True}, "/mail"),
        ({"operation": "send", "document_ids": [one], "who": "me"}, "/who"),
    ]
    for body, pointer in bodies:
        answer = api.send("POST", "/v1/bulk-jobs", body, idempotency_key="wrong")
        assert answer.status_code == 422, answer.text
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    too_many = {"operation": "send", "document_ids": [f"inv_{rank:026d}" for rank in range(1001)]}
    answer = api.send("POST", "/v1/bulk-jobs", too_many, idempotency_key="many")
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/document_ids"]


def test_a_job_that_sends_says_that_it_mails(person: Callable[..., Person]) -> None:
    api = person().api
    job = api.post("/v1/bulk-jobs", {"operation": "send", "document_ids": [f"inv_{'0' * 26}"]})

    assert job["mail"]
    assert _ended(api, job)["mail"]
