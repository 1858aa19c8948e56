"""An export over HTTP, verified by the program that it carries; the head of each day is kept under a lock."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import boto3
import httpx
import pytest

from local.client import ApiClient, Json, wait_for
from local.layout import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from local.samples import draft
from local.testing import LocalCloud
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def test_an_export_of_two_days_verifies_itself(
    dated: LocalCloud, dated_person: Callable[..., Person], tmp_path: Path
) -> None:
    someone = dated_person()
    issued: list[str] = []
    for _ in range(2):
        issued += [_invoice(someone), _invoice(someone)]
        issued.append(_credited(someone.api, issued[-1]))
        dated.set_clock(dated.now() + timedelta(days=1))
        dated.run_schedule("keep-chain-heads")

    folder = _exported(someone.api, issued, tmp_path / "export")

    ran = _verified(folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 sur 6" in ran.stdout
    heads = [json.loads(line) for line in (folder / "preuves/tetes.jsonl").read_text().splitlines()]
    assert len(heads) == 2
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
    client = session.client("s3", endpoint_url=dated.layout.ministack_url)
    [bucket] = [one["Name"] for one in client.list_buckets()["Buckets"]]
    for head in heads:
        key = f"{head['tenant_id']}/heads/{head['day']}.json"
        assert json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read()) == head
        assert client.get_object_retention(Bucket=bucket, Key=key)["Retention"]["Mode"] == "COMPLIANCE"

    chain = folder / "preuves/chaine.jsonl"
    chain.write_text(chain.read_text().replace("owner", "admin", 1))
    assert _verified(folder).returncode == 1


def _invoice(someone: Person) -> str:
    """Issued, its PDF stored."""
    invoice_id: str = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))["invoice_id"]
    someone.api.post(f"/v1/invoices/{invoice_id}/issue", {"version": 1})
    wait_for(lambda: delivered(someone.api, invoice_id), seconds=60, what="the PDF")
    return invoice_id


def _credited(api: ApiClient, invoice_id: str) -> str:
    note: Json = api.post(f"/v1/invoices/{invoice_id}/credit-notes", {"mode": "full", "reason": "Retour"})
    path = f"/v1/credit-notes/{note['credit_note_id']}"
    wait_for(lambda: None if api.get(path)["delivery"]["in_progress"] else True, seconds=60, what="its PDF")
    return str(note["credit_note_id"])


def _exported(api: ApiClient, document_ids: list[str], folder: Path) -> Path:
    job = api.post("/v1/bulk-jobs", {"operation": "export", "document_ids": document_ids})
    path = f"/v1/bulk-jobs/{job['bulk_job_id']}"
    wait_for(lambda: True if api.get(path)["state"] == "ended" else None, seconds=90, what="the export")
    with zipfile.ZipFile(io.BytesIO(httpx.get(api.get(f"{path}/archive")["url"]).content)) as packed:
        packed.extractall(folder)
    return folder


def _verified(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verifier.py")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
