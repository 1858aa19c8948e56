"""Paying online over HTTP: a company connects, its customer pays by the link in the mail; tabs, parts, a credit."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from pathlib import Path

import httpx
import pikepdf
import pytest

from local.client import ApiClient, Json, mails_to, wait_for
from local.samples import draft
from local.testing import LocalCloud
from tests.people import Person, delivered

pytestmark = pytest.mark.cloud


def link_in(mail: Path) -> tuple[str, str]:
    """What a mail says beside its public link, and the path of it."""
    message = message_from_bytes(mail.read_bytes(), policy=policy.default)
    body = message.get_body(("plain",))
    assert body is not None
    found = re.search(r"(Payer en ligne|Voir la facture) : https?://[^/\s]+(/\S+)", body.get_content())
    assert found
    return found[1], found[2]


class Shop:
    """A company that takes payments online, its invoice, and the link in the mail of it, or one that was asked for."""

    def __init__(self, cloud: LocalCloud, someone: Person, *, connected: bool = True, mailed: bool = True) -> None:
        self.cloud = cloud
        self.api = someone.api
        self.someone = someone
        if connected:
            self.account_id = self.connect()
        made = self.api.post("/v1/invoices", draft(someone.customer["customer_id"]))
        self.invoice_id = made["invoice_id"]
        self.api.post(f"/v1/invoices/{self.invoice_id}/issue", {"version": 1})
        if not mailed:
            url = self.api.post(f"/v1/invoices/{self.invoice_id}/links")["url"]
            self.said, self.link = "", url[url.index("/v1/") :]
            return
        self.api.post(f"/v1/invoices/{self.invoice_id}/send", {})
        wait_for(lambda: delivered(self.api, self.invoice_id), what="the mail of the invoice")
        (mail,) = mails_to(cloud.mail_directory, f"client.{someone.email}")
        self.said, self.link = link_in(mail)

    def connect(self) -> str:
        made = self.api.post("/v1/stripe-account/connect")
        self.cloud.stripe("POST", f"accounts/{made['account_id']}/enable")
        self.api.post("/v1/stripe-account/refresh")
        account_id: str = made["account_id"]
        return account_id

    def shown(self) -> Json:
        with ApiClient(self.cloud.base_url) as anyone:
            return anyone.get(self.link)

    def checkout(self, body: Json | None = None) -> httpx.Response:
        with ApiClient(self.cloud.base_url) as anyone:
            return anyone.send("POST", f"{self.link}/checkout", body or {})

    def confirm(self, page: Json, method: str = "card") -> Json:
        found = re.search(r"cs_test_\w+", page["url"])
        assert found
        session: Json = self.cloud.stripe("POST", f"checkout/{found[0]}/pay", {"method": method})
        return session


def is_open(page: Json) -> bool:
    """Whether one can still pay there."""
    return httpx.get(page["url"], trust_env=False).status_code == 200


@pytest.fixture
def shop(cloud: LocalCloud, person: Callable[..., Person]) -> Shop:
    return Shop(cloud, person())


def test_a_company_connects_and_its_customer_finds_the_page_by_the_mail(shop: Shop) -> None:
    account = shop.api.get("/v1/stripe-account")
    assert (account["state"], account["accepts_payments"]) == ("connected", True)
    assert shop.said == "Payer en ligne"
    shown = shop.shown()
    assert shown["online_payment"]["possible"]

    page = shop.checkout().json()

    assert page["amount_minor"] == shown["payable_minor"]
    html = httpx.get(page["url"], trust_env=False)
    assert html.status_code == 200
    assert shown["number"] in html.text


def test_the_link_on_the_paper_opens_the_invoice(shop: Shop) -> None:
    pdf = httpx.get(shop.api.get(f"/v1/invoices/{shop.invoice_id}/pdf")["url"], trust_env=False).content
    with pikepdf.open(io.BytesIO(pdf)) as document:
        (address,) = [str(one.A.URI) for page in document.pages for one in page.obj.get("/Annots", [])]

    assert httpx.get(address, trust_env=False).json()["number"] == shop.shown()["number"]
    assert address.rpartition("/")[2] != shop.link.rpartition("/")[2]


def test_eight_tabs_have_one_page_and_a_payment_in_progress_allows_no_other(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.checkout(), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["url"] for answer in answers}) == 1

    shop.confirm(answers[0].json(), "sepa_debit")
    refused = shop.checkout()

    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/payment-in-progress")
    online = shop.shown()["online_payment"]
    assert (online["possible"], online["why_not"]) == (False, "in_progress")


def test_a_partial_payment_is_offered_where_the_company_allows_it(shop: Shop) -> None:
    refused = shop.checkout({"amount_minor": 1_000})
    version = shop.api.get("/v1/stripe-account")["version"]
    shop.api.put("/v1/stripe-account", {"allows_partial_payments": True}, version=version)

    page = shop.checkout({"amount_minor": 1_000})
    other = shop.checkout({"amount_minor": 2_000})

    assert refused.status_code == 422
    assert (page.json()["amount_minor"], other.json()["amount_minor"]) == (1_000, 2_000)
    assert page.json()["url"] != other.json()["url"]
    with pytest.raises(Exception, match="40"):
        shop.confirm(page.json())


def test_an_invoice_credited_while_the_customer_looks_at_the_page_cannot_be_paid_there(shop: Shop) -> None:
    page = shop.checkout().json()
    assert is_open(page)

    shop.api.post(f"/v1/invoices/{shop.invoice_id}/credit-notes", {"mode": "full", "reason": "Retour"})

    def closed() -> bool:
        shop.cloud.run_schedule("close-checkouts")  # once the stream's consumer doubted the page
        return not is_open(page)

    wait_for(closed, what="the page to be closed")
    assert shop.checkout().json()["type"] == "/problems/nothing-left-to-pay"


def test_stripe_leads_back_to_the_invoice(shop: Shop) -> None:
    page = shop.checkout().json()

    back = httpx.post(f"{page['url']}/cancel", trust_env=False, follow_redirects=True)

    assert back.json()["number"] == shop.shown()["number"]
    assert is_open(page)


def test_revoked_links_open_nothing(shop: Shop) -> None:
    shop.api.post(f"/v1/invoices/{shop.invoice_id}/revoke-links")

    with ApiClient(shop.cloud.base_url) as anyone:
        assert anyone.send("GET", shop.link).status_code == 404
    assert shop.checkout().status_code == 404
    url = shop.api.post(f"/v1/invoices/{shop.invoice_id}/links")["url"]
    assert httpx.get(url, trust_env=False).json()["number"]


def test_without_an_account_the_mail_shows_the_invoice_and_its_pdf(
    cloud: LocalCloud, person: Callable[..., Person]
) -> None:
    shop = Shop(cloud, person(), connected=False)

    assert shop.said == "Voir la facture"
    assert shop.shown()["online_payment"]["why_not"] == "not_accepted"
    with ApiClient(cloud.base_url) as anyone:
        pdf = httpx.get(anyone.get(f"{shop.link}/pdf")["url"], trust_env=False).content
    assert pdf.startswith(b"%PDF")
    assert shop.checkout().json()["type"] == "/problems/online-payment-unavailable"
