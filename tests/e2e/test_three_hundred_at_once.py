"""Three hundred invoices are issued for sending at once: each is drawn, judged and mailed, none twice."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.parser import BytesParser
from email.policy import default
from pathlib import Path
from typing import TypeVar

import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.e2e.verification import verified
from tests.people import Person, insist

pytestmark = pytest.mark.cloud

COUNT = 300
CLIENTS = 16
T = TypeVar("T")


def test_each_of_three_hundred_is_drawn_judged_and_mailed_once(
    cloud: LocalCloud, person: Callable[..., Person]
) -> None:
    someone = person()
    someone.subscribe()
    address, body = f"client.{someone.email}", draft(someone.customer["customer_id"])
    clients = [someone.another_client() for _ in range(CLIENTS)]

    def by_all(call: Callable[[ApiClient, str], T], subjects: list[str]) -> list[T]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            return list(pool.map(lambda pair: call(clients[pair[0] % CLIENTS], pair[1]), enumerate(subjects)))

    drafts = by_all(lambda client, _: str(client.post("/v1/invoices", body)["invoice_id"]), [""] * COUNT)
    asked = {"version": 1, "send": True}
    by_all(lambda client, one: insist(client, f"/v1/invoices/{one}/issue", asked, f"issue-{one}"), drafts)
    arrived = f"*-{address}.eml"
    wait_for(lambda: len(list(cloud.mail_directory.glob(arrived))) >= COUNT or None, what="the mails")
    invoices = by_all(_settled, drafts)
    reports = by_all(lambda client, one: client.get(f"/v1/invoices/{one}/conformity"), drafts)

    stored = {invoice["number"]: invoice["delivery"]["pdf"]["sha256"] for invoice in invoices}
    assert sorted(int(number[-5:]) for number in stored) == list(range(1, COUNT + 1))
    assert {invoice["delivery"]["attempt"] for invoice in invoices} == {1}
    assert {(report["conforms"], len(report["violations"])) for report in reports} == {(True, 0)}
    assert [report["pdf_sha256"] for report in reports] == [*stored.values()]
    # Every mail carries the bytes that were stored and judged, and no document went twice.
    mailed = Counter(_attached(mail) for mail in mails_to(cloud.mail_directory, address))
    assert mailed == Counter({(f"{number}.pdf", sha256): 1 for number, sha256 in stored.items()})
    job = verified(someone.api)
    assert (job["state"], job["documents_checked"]) == ("passed", COUNT)


def _settled(client: ApiClient, invoice_id: str) -> Json:
    """The invoice once its mail is delivered. Raises: TimeoutError."""

    def look() -> Json | None:
        invoice = client.get(f"/v1/invoices/{invoice_id}")
        return invoice if invoice["delivery"]["state"] == "delivered" else None

    return wait_for(look, what=f"the delivery of {invoice_id}")


def _attached(mail: Path) -> tuple[str | None, str]:
    """The name and the SHA-256 of the one document that a mail carries."""
    with mail.open("rb") as file:
        (attachment,) = BytesParser(policy=default).parse(file).iter_attachments()
    return attachment.get_filename(), hashlib.sha256(attachment.get_content()).hexdigest()
