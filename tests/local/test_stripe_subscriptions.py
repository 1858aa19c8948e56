"""Subscriptions to the platform at the local Stripe: trial, renewal, a card that stops working, the portal, the end."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.clock import FakeClock
from tests.local.stripe_client import Client, contradictions, unlike_the_samples
from tests.stripe_world import local_stripe

PRO = {
    "currency": "eur",
    "unit_amount": "1900",
    "recurring[interval]": "month",
    "product_data[name]": "ZenBilling Pro",
    "lookup_key": "pro",
}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime(2027, 1, 31, 9, tzinfo=UTC))


@pytest.fixture
def client(tmp_path: Path, clock: FakeClock) -> Iterator[Client]:
    with (
        local_stripe(tmp_path / "stripe.sqlite", clock=clock) as (stripe, url),
        httpx.Client(base_url=url, trust_env=False, timeout=10) as http,
    ):
        yield Client(http, stripe)


def subscribed(client: Client, *, trial_days: int = 0) -> Any:
    """A subscription, paid by card on the page."""
    price = client.post("/v1/prices", PRO)["id"]
    customer = client.post("/v1/customers", {"email": "contact@exemple.fr", "metadata[tenant_id]": "ten_1"})["id"]
    trial = {"subscription_data[trial_period_days]": str(trial_days)} if trial_days else {}
    session = client.post("/v1/checkout/sessions", {
        "mode": "subscription", "customer": customer, "success_url": "https://exemple.fr/merci",
        "cancel_url": "https://exemple.fr/offres", "line_items[0][price]": price, "line_items[0][quantity]": "1",
        "subscription_data[metadata][tenant_id]": "ten_1", **trial,
    })  # fmt: skip
    assert client.http.post(f"{session['url']}/card").status_code == 303
    found = client.get(f"/v1/checkout/sessions/{session['id']}")
    return client.get(f"/v1/subscriptions/{found['subscription']}")


def offered(client: Client, *, of_price: dict[str, str], trial_days: int) -> str:
    """The page that a session of a subscription leads to."""
    price = client.post("/v1/prices", PRO | of_price)["id"]
    customer = client.post("/v1/customers", {"email": "contact@exemple.fr"})["id"]
    trial = {"subscription_data[trial_period_days]": str(trial_days)} if trial_days else {}
    session = client.post("/v1/checkout/sessions", {
        "mode": "subscription", "customer": customer, "success_url": "https://exemple.fr/merci",
        "line_items[0][price]": price, "line_items[0][quantity]": "1", **trial,
    })  # fmt: skip
    return client.http.get(session["url"]).text


@pytest.mark.parametrize(("of_price", "trial_days", "terms"), [
    ({"tax_behavior": "exclusive"}, 14, "14 jours d&#x27;essai, puis 19,00 € HT par mois"),
    ({}, 1, "1 jour d&#x27;essai, puis 19,00 € par mois"),
    ({"tax_behavior": "exclusive"}, 0, "<p>19,00 € HT par mois</p>"),
    ({"recurring[interval_count]": "3"}, 0, "19,00 € tous les 3 mois"),
    ({"recurring[interval]": "year", "recurring[interval_count]": "2"}, 0, "19,00 € tous les 2 ans"),
])  # fmt: skip
def test_the_page_says_what_is_paid_once_the_trial_is_over(
    client: Client, of_price: dict[str, str], trial_days: int, terms: str
) -> None:
    assert terms in offered(client, of_price=of_price, trial_days=trial_days)


def after(client: Client, clock: FakeClock, subscription: Any, **passed: float) -> Any:
    clock.advance(timedelta(**passed))
    for _ in range(3):  # what follows from what was due
        client.happens("time")
    return client.get(f"/v1/subscriptions/{subscription['id']}")


def day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def test_a_company_subscribes_and_is_billed_each_month_on_its_day(client: Client, clock: FakeClock) -> None:
    subscription = subscribed(client)
    ends = [day(subscription["items"]["data"][0]["current_period_end"])]
    for _ in range(3):
        subscription = after(client, clock, subscription, days=31)
        ends.append(day(subscription["items"]["data"][0]["current_period_end"]))

    invoices = client.get("/v1/invoices", customer=subscription["customer"])["data"]
    assert subscription["status"] == "active"
    assert subscription["metadata"] == {"tenant_id": "ten_1"}
    assert ends == ["2027-02-28", "2027-03-31", "2027-04-30", "2027-05-31"]
    assert [(one["status"], one["amount_paid"]) for one in invoices] == [("paid", 1_900)] * 4
    assert len({one["number"] for one in invoices}) == 4
    assert client.get("/v1/subscriptions", customer=subscription["customer"])["data"] == [subscription]


def test_a_subscription_tells_its_events(client: Client) -> None:
    subscribed(client)

    assert client.events == [
        "product.created",
        "price.created",
        "customer.created",
        "customer.subscription.created",
        "invoice.created",
        "invoice.finalized",
        "invoice.paid",
        "invoice.payment_succeeded",
        "checkout.session.completed",
    ]
    assert "account" not in client.get("/v1/events")["data"][0]


def test_a_trial_costs_nothing_reminds_and_then_is_billed(client: Client, clock: FakeClock) -> None:
    begun = subscribed(client, trial_days=14)
    reminded = after(client, clock, begun, days=12)
    told = client.events[-1]
    billed = after(client, clock, begun, days=3)

    assert (begun["status"], day(begun["trial_end"])) == ("trialing", "2027-02-14")
    assert (reminded["status"], told) == ("trialing", "customer.subscription.trial_will_end")
    assert billed["status"] == "active"
    amounts = [one["amount_paid"] for one in client.get("/v1/invoices")["data"]]
    assert amounts == [1_900, 0]
    assert day(billed["items"]["data"][0]["current_period_end"]) == "2027-03-14"


def test_a_card_that_stops_working_is_tried_again_and_then_it_ends(client: Client, clock: FakeClock) -> None:
    subscription = subscribed(client)
    client.happens(f"customers/{subscription['customer']}/card", works=False)

    statuses = [after(client, clock, subscription, days=passed)["status"] for passed in (29, 3, 5, 7)]

    assert statuses == ["past_due", "past_due", "past_due", "canceled"]
    assert client.events.count("invoice.payment_failed") == 4
    assert client.events[-1] == "customer.subscription.deleted"
    unpaid = client.get("/v1/invoices")["data"][0]
    assert (unpaid["status"], unpaid["attempt_count"], unpaid["amount_remaining"]) == ("open", 4, 1_900)


def test_another_card_pays_what_is_owed(client: Client, clock: FakeClock) -> None:
    subscription = subscribed(client)
    client.happens(f"customers/{subscription['customer']}/card", works=False)
    owed = after(client, clock, subscription, days=29)
    portal = client.post(
        "/v1/billing_portal/sessions", {"customer": subscription["customer"], "return_url": "https://exemple.fr/compte"}
    )
    client.http.post(f"{portal['url']}/card")

    assert owed["status"] == "past_due"
    assert client.get(f"/v1/subscriptions/{subscription['id']}")["status"] == "active"
    assert [one["status"] for one in client.get("/v1/invoices")["data"]] == ["paid", "paid"]


def test_a_company_ends_it_at_the_portal_and_may_change_its_mind(client: Client, clock: FakeClock) -> None:
    subscription = subscribed(client)
    portal = client.post(
        "/v1/billing_portal/sessions", {"customer": subscription["customer"], "return_url": "https://exemple.fr/compte"}
    )

    def pressed(action: str) -> httpx.Response:
        return client.http.post(f"{portal['url']}/{action}")

    assert "Résilier" in client.http.get(portal["url"]).text
    assert "Garder mon abonnement" in pressed("cancel").text
    assert client.get(f"/v1/subscriptions/{subscription['id']}")["cancel_at_period_end"] is True
    assert "Résilier" in pressed("resume").text
    pressed("cancel")
    ended = after(client, clock, subscription, days=29)

    assert ended["status"] == "canceled"
    assert pressed("leave").headers["location"] == "https://exemple.fr/compte"
    assert len(client.get("/v1/invoices")["data"]) == 1


def test_it_is_changed_and_ended_over_the_api(client: Client) -> None:
    subscription = subscribed(client)
    path = f"/v1/subscriptions/{subscription['id']}"

    changed = client.post(path, {"cancel_at_period_end": "true", "metadata[plan]": "pro"})
    ended = client.ask("DELETE", path).json()
    again = client.ask("DELETE", path)

    assert changed["cancel_at"] == subscription["items"]["data"][0]["current_period_end"]
    assert changed["metadata"] == {"tenant_id": "ten_1", "plan": "pro"}
    assert ended["status"] == "canceled"
    assert again.json()["error"]["code"] == "subscription_unexpected_state"


def test_prices_are_found_by_their_key(client: Client) -> None:
    subscribed(client)

    (found,) = client.get("/v1/prices", **{"lookup_keys[]": "pro", "active": "true"})["data"]

    assert found["unit_amount"] == 1_900
    assert client.get("/v1/prices", **{"lookup_keys[]": "other"})["data"] == []
    assert client.ask("POST", "/v1/prices", PRO).status_code == 400
    assert client.get(f"/v1/products/{found['product']}")["name"] == "ZenBilling Pro"


def test_a_connected_account_subscribes_to_nothing(client: Client) -> None:
    price = client.post("/v1/prices", PRO)["id"]
    client.onboarded()

    form = {"mode": "subscription", "success_url": "https://exemple.fr", "line_items[0][price]": price}

    assert client.ask("POST", "/v1/checkout/sessions", form).status_code == 400
    assert client.ask("POST", "/v1/customers", {"email": "a@exemple.fr"}).status_code == 404


def every_object(client: Client) -> Iterator[Any]:
    subscription = subscribed(client, trial_days=14)
    portal = {"customer": subscription["customer"], "return_url": "https://exemple.fr"}
    yield client.post("/v1/billing_portal/sessions", portal)
    for name in ("checkout/sessions", "customers", "products", "prices", "subscriptions", "invoices"):
        yield from client.get(f"/v1/{name}")["data"]


def test_every_object_has_the_fields_and_types_of_the_official_samples(client: Client) -> None:
    assert unlike_the_samples(every_object(client)) == []


def test_every_object_is_what_stripes_own_description_says(client: Client) -> None:
    assert contradictions(every_object(client)) == []
