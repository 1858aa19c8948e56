"""State survives a restart: users, documents, data."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from local.client import ApiClient, mails_to, wait_for
from local.samples import draft
from local.testing import local_cloud
from tests.people import PASSWORD, Person, delivered

pytestmark = pytest.mark.cloud


def test_a_restart_keeps_users_invoices_pdfs_and_mails(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path / "cloud") as cloud:
        someone = Person(cloud)
        made = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
        path = f"/v1/invoices/{made['invoice_id']}"
        someone.api.post(f"{path}/issue", {"version": made["version"], "send": True})
        before = wait_for(lambda: delivered(someone.api, made["invoice_id"]), what="the delivery")
        someone.leave()

    with local_cloud(state=tmp_path / "cloud") as cloud, ApiClient(cloud.base_url) as api:
        api.sign_in(someone.email, PASSWORD)
        after = api.get(path)
        pdf = httpx.get(api.get(f"{path}/pdf")["url"], trust_env=False).content
        timeline = [event["event_type"] for event in api.get(f"{path}/timeline")["items"]]
        mails = mails_to(cloud.mail_directory, f"client.{someone.email}")

    assert (after["number"], after["document_hash"]) == (before["number"], before["document_hash"])
    assert len(pdf) == after["delivery"]["pdf"]["size_bytes"]
    assert pdf.startswith(b"%PDF-")
    assert timeline[:2] == ["invoice.created", "invoice.issued"]
    assert len(mails) == 1
