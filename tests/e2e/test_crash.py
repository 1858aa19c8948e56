"""Everything is killed in the middle; nothing is half-issued, nothing happens twice."""

from __future__ import annotations

import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import draft
from local.testing import LocalCloud, local_cloud
from tests.e2e.verification import numbers_of, verified
from tests.people import Person, delivered, insist

pytestmark = pytest.mark.cloud

CLIENTS = 16
DRAFTS = 400


def test_killed_in_the_middle_every_draft_is_issued_once_and_mailed_once(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path / "cloud") as cloud:
        someone = Person(cloud)
        someone.subscribe()
        body = draft(someone.customer["customer_id"])
        clients = [someone.another_client() for _ in range(CLIENTS)]

        def work(rank: int) -> str:
            api = clients[rank % CLIENTS]
            made = insist(api, "/v1/invoices", body, f"draft-{rank}")
            request = {"version": made["version"], "send": True}
            issued = insist(api, f"/v1/invoices/{made['invoice_id']}/issue", request, f"issue-{rank}")
            return str(issued["invoice_id"])

        with ThreadPoolExecutor(CLIENTS) as pool:
            running: list[Future[str]] = [pool.submit(work, rank) for rank in range(DRAFTS)]
            for share in (0.2, 0.4, 0.6):
                wait_for(
                    lambda share=share: sum(one.done() for one in running) >= share * DRAFTS or None,  # type: ignore[misc]
                    what="progress",
                )
                kill_everything(cloud)
            invoice_ids = [one.result() for one in running]

        numbers = numbers_of(someone.api)
        assert [number[-5:] for number in numbers] == [f"{rank:05d}" for rank in range(1, DRAFTS + 1)]
        assert len(set(invoice_ids)) == DRAFTS
        job = verified(someone.api)
        assert (job["state"], job["documents_checked"], job["findings"]) == ("passed", DRAFTS, [])

        settled = {one: wait_for_delivery(someone.api, one) for one in invoice_ids}
        unconfirmed = [one for one, invoice in settled.items() if invoice["delivery"]["state"] == "unconfirmed"]
        sent = mails_by_number(cloud.mail_directory, f"client.{someone.email}")
        for invoice_id in unconfirmed:
            # Cut between the mark and the relay's answer to the last line: a person looks, and sends it again.
            if settled[invoice_id]["number"] not in sent:
                insist(someone.api, f"/v1/invoices/{invoice_id}/send", {}, str(uuid.uuid4()))
                wait_for_delivery(someone.api, invoice_id)
        states = {wait_for_delivery(someone.api, one)["delivery"]["state"] for one in invoice_ids}
        assert states <= {"sent", "delivered", "unconfirmed"}

        sent = mails_by_number(cloud.mail_directory, f"client.{someone.email}")
        assert sorted(sent) == numbers
        assert set(sent.values()) == {1}
        someone.leave()
        assert len(unconfirmed) <= 3, "cuts of the answer to one line cannot be frequent"


def kill_everything(cloud: LocalCloud) -> None:
    """SIGKILL to the workers, the gateway, the table's engine, the interpreter and the pollers."""
    cloud.kill_workers()
    for name in ("gateway", "dynamodb", "workflows", "events"):
        cloud.kill(name)


def wait_for_delivery(api: ApiClient, invoice_id: str) -> Json:
    return wait_for(lambda: delivered(api, invoice_id), what=f"the delivery of {invoice_id}")


def mails_by_number(directory: Path, recipient: str) -> dict[str, int]:
    """How many mails carry each invoice's PDF."""
    counts: dict[str, int] = {}
    for path in mails_to(directory, recipient):
        content = path.read_text(encoding="utf-8", errors="replace")
        number = content.partition('filename="')[2].partition(".pdf")[0]
        counts[number] = counts.get(number, 0) + 1
    return counts
