"""What Stripe tells, over HTTP: signed webhooks, the queue, the ledger; money that goes back, and forged events."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import httpx
import pytest

from billing.domain.invoice_links import LINK_LIFE
from local.client import ApiClient, Json, mails_to, wait_for
from local.testing import LocalCloud, local_cloud
from tests.e2e.test_online_payments import Shop, is_open
from tests.people import Person

pytestmark = pytest.mark.cloud


@pytest.fixture
def kiosk(cloud: LocalCloud, person: Callable[..., Person]) -> Shop:
    """Nothing is mailed."""
    return Shop(cloud, person(), mailed=False)


@pytest.fixture
def shop(cloud: LocalCloud, person: Callable[..., Person]) -> Shop:
    return Shop(cloud, person())


def invoice(shop: Shop) -> Json:
    return shop.api.get(f"/v1/invoices/{shop.invoice_id}")


def payment(shop: Shop) -> Json:
    [row] = shop.api.get("/v1/payments")["items"]
    return shop.api.get(f"/v1/payments/{row['payment_id']}")


def wait_until(holds: Callable[[], bool], what: str) -> None:
    wait_for(lambda: holds() or None, what=what)


def paid(shop: Shop) -> Json:
    """The customer paid by card, and the invoice is settled. The payment."""
    shop.confirm(shop.checkout().json())
    wait_until(lambda: invoice(shop)["balance_minor"] == 0, "the invoice to be paid")
    return payment(shop)


def test_a_card_is_charged_and_the_invoice_is_paid(shop: Shop) -> None:
    total = invoice(shop)["total_minor"]

    made = paid(shop)

    assert (made["amount_minor"], made["method"], made["state"]) == (total, "card", "recorded")
    assert made["payment_intent_id"].startswith("pi_")
    assert made["fee_minor"] + made["net_minor"] == total
    assert shop.shown()["online_payment"]["why_not"] == "nothing_left"


@pytest.mark.parametrize("success", [True, False])
def test_a_debit_takes_its_time(shop: Shop, success: bool) -> None:
    intent = shop.confirm(shop.checkout().json(), "sepa_debit")
    wait_until(lambda: shop.shown()["online_payment"]["why_not"] == "in_progress", "the debit to be on its way")
    assert invoice(shop)["balance_minor"] > 0

    shop.cloud.stripe("POST", f"payment_intents/{intent['id']}/{'settle' if success else 'fail'}", {})

    if success:
        wait_until(lambda: invoice(shop)["balance_minor"] == 0, "the invoice to be paid")
        assert payment(shop)["method"] == "direct_debit"
    else:
        wait_until(lambda: bool(shop.shown()["online_payment"]["possible"]), "the invoice to be payable again")
        assert shop.api.get("/v1/payments")["items"] == []


def test_money_goes_back_from_either_side(shop: Shop) -> None:
    made = paid(shop)

    ours = shop.api.post(f"/v1/payments/{made['payment_id']}/refund", {"amount_minor": 1_000, "reason": "Geste"})
    assert ours["refunded_minor"] == 1_000
    wait_until(lambda: invoice(shop)["balance_minor"] == 1_000, "the invoice to be owed again")
    shop.cloud.stripe("POST", "refunds", {"payment_intent": made["payment_intent_id"], "amount": 500})
    wait_until(lambda: payment(shop)["refunded_minor"] == 1_500, "Stripe's own refund")

    assert [one["amount_minor"] for one in payment(shop)["refunds"]] == [1_000, 500]
    wait_until(lambda: invoice(shop)["balance_minor"] == 1_500, "the invoice to be owed again")
    path = f"/v1/payments/{made['payment_id']}/reverse"
    refused = shop.api.send("POST", path, {"reason": "Erreur"}, idempotency_key="by-hand")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/payment-by-stripe")


def test_a_lost_dispute_opens_the_invoice_again(shop: Shop) -> None:
    made = paid(shop)
    dispute = shop.cloud.stripe("POST", "disputes", {"payment_intent": made["payment_intent_id"]})
    shop.cloud.stripe("POST", f"disputes/{dispute['id']}/lose", {})

    wait_until(lambda: payment(shop)["state"] == "refunded", "the dispute to be in the ledger")
    wait_until(lambda: invoice(shop)["balance_minor"] == made["amount_minor"], "the invoice to be owed again")
    assert [one["cause"] for one in payment(shop)["refunds"]] == ["dispute"]


def test_the_company_is_written_of_a_dispute_and_finds_it_in_its_list(shop: Shop) -> None:
    made = paid(shop)
    dispute = shop.cloud.stripe("POST", "disputes", {"payment_intent": made["payment_intent_id"]})
    mailbox = shop.api.get("/v1/company")["email"]

    def found() -> list[Json]:
        rows: list[Json] = shop.api.get("/v1/payments/disputes")["items"]
        return rows

    [row] = wait_for(lambda: found() or None, what="the dispute in the list")
    assert (row["dispute_id"], row["awaits_answer"]) == (dispute["id"], True)
    assert row["invoice_number"] == invoice(shop)["number"]

    def written() -> list[EmailMessage]:
        paths = mails_to(shop.cloud.mail_directory, mailbox)
        mails = [message_from_bytes(path.read_bytes(), policy=default) for path in paths]
        return [mail for mail in mails if (body := mail.get_body(("plain",))) and dispute["id"] in body.get_content()]

    [mail] = wait_for(lambda: written() or None, what="the mail to the company")
    assert mail["Subject"].startswith(f"Litige sur la facture {row['invoice_number']}, répondez avant le ")
    assert mail["From"].addresses[0].display_name == "Paiements via ZenBilling"

    shop.cloud.stripe("POST", f"disputes/{dispute['id']}/win", {})

    wait_until(lambda: found()[0]["status"] == "won", "the dispute to be won in the list")
    wait_until(lambda: len(written()) == 2, "the mail of its end")


def test_a_part_is_paid_and_then_the_rest(kiosk: Shop) -> None:
    total = invoice(kiosk)["total_minor"]
    version = kiosk.api.get("/v1/stripe-account")["version"]
    kiosk.api.put("/v1/stripe-account", {"allows_partial_payments": True}, version=version)

    kiosk.confirm(kiosk.checkout({"amount_minor": 1_000}).json())
    wait_until(lambda: invoice(kiosk)["balance_minor"] == total - 1_000, "the part to be paid")
    rest = kiosk.checkout().json()
    kiosk.confirm(rest)

    assert rest["amount_minor"] == total - 1_000
    wait_until(lambda: invoice(kiosk)["balance_minor"] == 0, "the rest to be paid")
    paid_minor = [one["amount_minor"] for one in kiosk.api.get("/v1/payments")["items"]]
    assert sorted(paid_minor) == [1_000, total - 1_000]


def test_of_two_tabs_one_pays(kiosk: Shop) -> None:
    first, second = kiosk.checkout().json(), kiosk.checkout().json()
    kiosk.confirm(first)

    with pytest.raises(Exception, match="40"):
        kiosk.confirm(second)

    wait_until(lambda: invoice(kiosk)["balance_minor"] == 0, "the invoice to be paid")
    assert payment(kiosk)["credited_minor"] == 0
    assert kiosk.checkout().json()["type"] == "/problems/nothing-left-to-pay"


def test_a_page_that_expired_at_stripe_is_followed_by_another(kiosk: Shop) -> None:
    page = kiosk.checkout().json()
    found = re.search(r"cs_test_\w+", page["url"])
    assert found
    headers = {"authorization": "Bearer sk_test_zenbilling_local", "stripe-account": kiosk.account_id}
    path = f"{kiosk.cloud.layout.stripe_url}/v1/checkout/sessions/{found[0]}/expire"
    assert httpx.post(path, headers=headers, trust_env=False).json()["status"] == "expired"

    another = kiosk.checkout().json()

    assert (is_open(page), is_open(another)) == (False, True)
    assert another["amount_minor"] == page["amount_minor"]


def test_what_comes_for_an_invoice_that_was_credited_meanwhile_is_credit_of_the_customer_and_shown(kiosk: Shop) -> None:
    total, path = invoice(kiosk)["total_minor"], f"/v1/customers/{kiosk.someone.customer['customer_id']}/credit"
    intent = kiosk.confirm(kiosk.checkout().json(), "sepa_debit")
    wait_until(lambda: kiosk.shown()["online_payment"]["why_not"] == "in_progress", "the debit to be on its way")
    kiosk.api.post(f"/v1/invoices/{kiosk.invoice_id}/credit-notes", {"mode": "full", "reason": "Retour"})
    kiosk.cloud.stripe("POST", f"payment_intents/{intent['id']}/settle", {})

    wait_until(lambda: kiosk.api.get(path)["balance_minor"] == total, "the money to be credit")
    assert (payment(kiosk)["credited_minor"], payment(kiosk)["amount_minor"]) == (total, total)
    assert invoice(kiosk)["status"] == "cancelled"


def test_a_forged_event_is_refused(shop: Shop) -> None:
    forged: dict[str, Any] = {"id": "evt_1", "object": "event", "type": "payment_intent.succeeded"}

    answer = shop.api.send("POST", "/v1/webhooks/stripe", forged)

    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/stripe-signature-refused")


def test_a_page_ends_with_the_day_and_a_link_with_its_time(tmp_path: Path) -> None:
    with local_cloud(state=tmp_path / "cloud") as cloud:
        someone = Person(cloud)
        kiosk = Shop(cloud, someone, mailed=False)
        page = kiosk.checkout().json()

        cloud.set_clock(cloud.now() + timedelta(hours=25))

        wait_until(lambda: not is_open(page), "the page to be over")
        another = kiosk.checkout().json()
        assert (is_open(another), another["amount_minor"]) == (True, page["amount_minor"])

        cloud.set_clock(cloud.now() + LINK_LIFE)

        with ApiClient(cloud.base_url) as anyone:
            gone = [anyone.send("GET", kiosk.link), anyone.send("POST", f"{kiosk.link}/checkout", {})]
        assert {(one.status_code, one.json()["type"]) for one in gone} == {(404, "/problems/not-found")}
        wait_until(lambda: not is_open(another), "the page of a link that ended to be over")
        someone.leave()
