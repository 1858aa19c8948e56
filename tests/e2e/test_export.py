"""An export over HTTP, verified by the program that it carries; the head of each day is kept under a lock."""

from __future__ import annotations

import base64
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
from local.samples import draft, quoted
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
        issued.append(_quoted(someone))
        dated.set_clock(dated.now() + timedelta(days=1))
        dated.run_schedule("keep-chain-heads")

    folder = _exported(someone.api, issued, tmp_path / "export")

    ran = _verified(folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 sur 6" in ran.stdout
    assert "devis       2 sur 2" in ran.stdout
    assert "L'export est intact." in ran.stdout
    lines = (folder / "preuves/tetes.jsonl").read_text().splitlines()
    heads = [json.loads(line) for line in lines]
    assert len(heads) == 2
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
    client = session.client("s3", endpoint_url=dated.layout.ministack_url)
    [bucket] = [one["Name"] for one in client.list_buckets()["Buckets"]]
    for head in heads:
        key = f"{head['tenant_id']}/heads/{head['day']}.json"
        assert client.get_object(Bucket=bucket, Key=key)["Body"].read().decode() in lines
        assert client.get_object_retention(Bucket=bucket, Key=key)["Retention"]["Mode"] == "COMPLIANCE"

    later = _exported(someone.api, [issued[1], _invoice(someone)], tmp_path / "later")
    compared = _verified(later, "--avec", str(folder))
    assert compared.returncode == 0, compared.stdout + compared.stderr
    assert "et 1 document dans les deux exports, les mêmes" in compared.stdout

    chain = folder / "preuves/chaine.jsonl"
    chain.write_text(chain.read_text().replace("owner", "admin", 1))
    assert _verified(folder).returncode == 1
    assert _verified(later, "--avec", str(folder)).returncode == 1


def test_an_export_stops_where_the_table_says_another_head_than_the_lock(
    dated: LocalCloud, dated_person: Callable[..., Person]
) -> None:
    someone = dated_person()
    issued = _invoice(someone)
    dated.set_clock(dated.now() + timedelta(days=1))
    dated.run_schedule("keep-chain-heads")
    session = boto3.Session(ACCESS_KEY_ID, SECRET_ACCESS_KEY, region_name=REGION)
    table = session.client("dynamodb", endpoint_url=dated.layout.dynamodb_url)
    [name] = [one for one in table.list_tables()["TableNames"] if "BillingTable" in one]
    tenant_id = _tenant_of(someone.api)
    [row] = table.query(
        TableName=name,
        KeyConditionExpression="pk = :heads",
        ExpressionAttributeValues={":heads": {"S": f"T#{tenant_id}#HEADS"}},
    )["Items"]
    body = json.loads(row["body"]["S"])
    other = json.dumps({**body, "chain_hash": "0" * 64}, sort_keys=True, separators=(",", ":"))
    table.put_item(TableName=name, Item={**row, "body": {"S": other}})

    job = someone.api.post("/v1/bulk-jobs", {"operation": "export", "document_ids": [issued]})
    path = f"/v1/bulk-jobs/{job['bulk_job_id']}"
    wait_for(lambda: someone.api.get(path)["state"] != "running" or None, what="the end of the export")

    assert someone.api.get(path)["state"] == "stopped"
    table.put_item(TableName=name, Item=row)
    someone.api.post(f"{path}/resume", {})
    wait_for(lambda: True if someone.api.get(path)["state"] == "ended" else None, what="the export")


def _tenant_of(api: ApiClient) -> str:
    payload = str(api.token).split(".")[1]
    decoded = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return str(decoded["tenant_id"])


def _invoice(someone: Person) -> str:
    """Issued, its PDF stored."""
    invoice_id: str = someone.api.post("/v1/invoices", draft(someone.customer["customer_id"]))["invoice_id"]
    someone.api.post(f"/v1/invoices/{invoice_id}/issue", {"version": 1})
    wait_for(lambda: delivered(someone.api, invoice_id), what="the PDF")
    return invoice_id


def _credited(api: ApiClient, invoice_id: str) -> str:
    note: Json = api.post(f"/v1/invoices/{invoice_id}/credit-notes", {"mode": "full", "reason": "Retour"})
    path = f"/v1/credit-notes/{note['credit_note_id']}"
    wait_for(lambda: None if api.get(path)["delivery"]["in_progress"] else True, what="its PDF")
    return str(note["credit_note_id"])


def _quoted(someone: Person) -> str:
    """Sent, its PDF stored."""
    quote = someone.api.post("/v1/quotes", quoted(someone.customer["customer_id"]))
    path = f"/v1/quotes/{quote['quote_id']}"
    someone.api.post(f"{path}/send", {"version": quote["version"]})
    wait_for(lambda: None if someone.api.get(path)["delivery"]["in_progress"] else True, what="its PDF")
    return str(quote["quote_id"])


def _exported(api: ApiClient, document_ids: list[str], folder: Path) -> Path:
    job = api.post("/v1/bulk-jobs", {"operation": "export", "document_ids": document_ids})
    path = f"/v1/bulk-jobs/{job['bulk_job_id']}"
    wait_for(lambda: True if api.get(path)["state"] == "ended" else None, what="the export")
    with zipfile.ZipFile(io.BytesIO(httpx.get(api.get(f"{path}/archive")["url"]).content)) as packed:
        packed.extractall(folder)
    return folder


def _verified(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-S", str(folder / "verifier.py"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
