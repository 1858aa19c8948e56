"""A credit note from the invoice to the mailbox, and sixteen at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import default

import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.e2e.verification import verified
from tests.people import Person

pytestmark = pytest.mark.cloud


def _issued(someone: Person) -> Json:
    made = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
    issued: Json = someone.api.post(f"/v1/invoices/{made['invoice_id']}/issue", {"version": made["version"]})
    return issued


def test_a_credit_note_reaches_its_customer(cloud: LocalCloud, person: Callable[..., Person]) -> None:
    someone = person()
    invoice = _issued(someone)
    note = someone.api.post(
        f"/v1/invoices/{invoice['invoice_id']}/credit-notes", {"mode": "full", "reason": "Retour", "send": True}
    )
    path = f"/v1/credit-notes/{note['credit_note_id']}"

    def sent() -> Json | None:
        now: Json = someone.api.get(path)
        return None if now["delivery"]["in_progress"] else now

    delivered = wait_for(sent, what="the mail")

    assert delivered["delivery"]["state"] in {"sent", "delivered"}
    (mail,) = mails_to(cloud.mail_directory, someone.customer["email"])
    subject = message_from_bytes(mail.read_bytes(), policy=default)["Subject"]
    assert subject.startswith(f"Avoir {note['number']} ")
    assert someone.api.get(f"{path}/pdf")["url"].startswith("http")
    assert someone.api.get(f"/v1/invoices/{invoice['invoice_id']}")["status"] == "cancelled"
    job = verified(someone.api)
    assert (job["state"], job["documents_checked"], job["findings"]) == ("passed", 2, [])


def test_sixteen_credit_notes_at_once_take_back_what_there_is(person: Callable[..., Person]) -> None:
    someone = person()
    invoice = _issued(someone)
    clients = [someone.another_client() for _ in range(16)]

    def credit(client: ApiClient) -> int:
        return client.send(
            "POST",
            f"/v1/invoices/{invoice['invoice_id']}/credit-notes",
            {"mode": "full", "reason": "Retour"},
            idempotency_key=str(uuid.uuid4()),
        ).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = sorted(pool.map(credit, clients))

    assert statuses == [201, *[409] * 15]
    assert len(someone.api.get("/v1/credit-notes")["items"]) == 1
    assert verified(someone.api)["findings"] == []
