"""The main job once, from sign-up to a paid invoice, over HTTP on a local cloud of its own.

Writes ``.local/demo/summary.json`` with the PDF and the mail beside it, and prints what happened.
"""

from __future__ import annotations

import email
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.policy import default
from pathlib import Path

import httpx

from local.client import ApiClient, ApiError, Json, mails_to, wait_for
from local.samples import BOOK, COMPANY, CUSTOMER, SERVICE
from local.testing import LocalCloud, local_cloud

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / ".local" / "demo"
OWNER = "dirigeante@atelier.exemple.test"
PASSWORD = "Exemple-de-demo-2026!"  # nosec B105 - of nobody
DELIVERY_SECONDS = 60.0


@dataclass
class Journal:
    """What was done, and how long it took."""

    steps: list[Json] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, said: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        took = round((time.perf_counter() - started) * 1000)
        self.steps.append({"name": name, "ms": took})
        print(f"  {said:<58} {took:>7} ms", flush=True)


def main() -> int:
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    print("ZenBilling demo: one invoice from sign-up to payment, through the real functions\n", flush=True)
    try:
        with local_cloud(state=OUTPUT / "cloud") as cloud, ApiClient(cloud.base_url) as api:
            summary = run(api, cloud)
    except (ApiError, TimeoutError, httpx.HTTPError) as error:
        print(f"\nThe demo stopped: {error}", file=sys.stderr)
        return 1
    (OUTPUT / "summary.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    show(summary)
    return 0


def run(api: ApiClient, cloud: LocalCloud) -> Json:
    journal = Journal()
    with journal.step("sign_up", "Sign up, confirm the e-mail address, sign in"):
        sign_up(api, cloud)
    with journal.step("describe_company", "Describe the company (SIREN, SIRET, VAT number, IBAN)"):
        api.put("/v1/company", COMPANY, version=0)
    with journal.step("create_customer", "Add a customer"):
        customer = api.post("/v1/customers", CUSTOMER)
    with journal.step("create_products", "Add two products to the catalogue (20 % and 5.5 %)"):
        service, book = (api.post("/v1/products", product) for product in (SERVICE, BOOK))
    with journal.step("create_invoice", "Draft an invoice with a discount"):
        draft = api.post("/v1/invoices", invoice_body(customer, service, book))
    with journal.step("issue_invoice", "Issue it: number, snapshot and hash in one transaction"):
        invoice = api.post(f"/v1/invoices/{draft['invoice_id']}/issue", {"version": draft["version"]})
    path = f"/v1/invoices/{invoice['invoice_id']}"
    with journal.step("render_pdf", "Wait for its PDF"):
        wait_for(lambda: settled(api, path), seconds=DELIVERY_SECONDS, what="the PDF")
    with journal.step("send_invoice", "Send it"):
        api.post(f"{path}/send", {})
    with journal.step("deliver", "Wait for the workflow: render, store, mail, record"):
        delivered = wait_for(lambda: settled(api, path), seconds=DELIVERY_SECONDS, what="the delivery")
        if delivered["delivery"]["state"] not in {"sent", "delivered"}:
            raise TimeoutError(f"the delivery ended as {delivered['delivery']}")
        (mail,) = mails_to(cloud.mail_directory, CUSTOMER["email"])
    with journal.step("download_invoice", "Download the PDF by its short-lived address"):
        pdf = httpx.get(api.get(f"{path}/pdf")["url"], trust_env=False).raise_for_status().content
    with journal.step("record_payment", "Record the payment"):
        balance = delivered["balance_minor"]
        api.post(f"{path}/payments", {"amount_minor": balance, "method": "transfer", "reference": "VIR EXEMPLE"})
    with journal.step("read_invoice", "Read the paid invoice and its timeline"):
        paid = api.get(path)
        timeline = api.get(f"{path}/timeline")["items"]
    return {
        "invoice_number": paid["number"],
        "total_minor": paid["total_minor"],
        "status": paid["status"],
        "pdf": keep(pdf, f"{paid['number']}.pdf"),
        "eml": keep(mail.read_bytes(), f"{paid['number']}.eml"),
        "steps": journal.steps,
        "timeline": [event["event_type"] for event in timeline],
    }


def sign_up(api: ApiClient, cloud: LocalCloud) -> None:
    account = {"email": OWNER, "password": PASSWORD, "full_name": "Compte d'exemple"}
    api.post("/v1/auth/sign-up", account)
    mail = wait_for(
        lambda: next(iter(mails_to(cloud.mail_directory, OWNER)), None), seconds=20, what="the confirmation mail"
    )
    api.post("/v1/auth/confirm-email", {"email": OWNER, "code": confirmation_code(mail)})
    api.sign_in(OWNER, PASSWORD)


def confirmation_code(mail: Path) -> str:
    message = email.message_from_bytes(mail.read_bytes(), policy=default)
    body = message.get_body(preferencelist=("plain", "html"))
    found = re.search(r"\b(\d{6})\b", body.get_content() if body else "")
    if found is None:
        raise TimeoutError(f"no confirmation code in {mail.name}")
    return found[1]


def invoice_body(customer: Json, service: Json, book: Json) -> Json:
    return {
        "customer_id": customer["customer_id"],
        "lines": [
            {"product_id": service["product_id"], "quantity": "12.5", "discount": {"percent": "10"}},
            {"product_id": book["product_id"], "quantity": "40"},
            {
                "description": "Livraison sur site",
                "quantity": "1",
                "unit": "E48",
                "unit_price": "35.00",
                "vat_rate": "20",
            },
        ],
        "discount": {"percent": "2", "reason": "Remise de fidélité"},
        "purchase_order": "BC-2026-0042",
        "notes": "Merci de votre confiance.",
    }


def settled(api: ApiClient, path: str) -> Json | None:
    invoice = api.get(path)
    return None if invoice["delivery"]["in_progress"] else invoice


def keep(content: bytes, name: str) -> str:
    (OUTPUT / name).write_bytes(content)
    return (OUTPUT / name).relative_to(ROOT).as_posix()


def show(summary: Json) -> None:
    total = f"{summary['total_minor'] / 100:,.2f}".replace(",", " ").replace(".", ",")
    rows = [
        ("invoice", summary["invoice_number"]),
        ("total with VAT", f"{total} €"),
        ("status", summary["status"]),
        ("PDF", summary["pdf"]),
        ("mail", summary["eml"]),
        ("timeline", " → ".join(summary["timeline"])),
        ("summary", (OUTPUT / "summary.json").relative_to(ROOT).as_posix()),
    ]
    print()
    for name, value in rows:
        print(f"  {name:<16} {value}")


if __name__ == "__main__":
    sys.exit(main())
