"""What time does, over HTTP: a subscription from its trial to its end, with a refused card; a link that expires."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import httpx
import pytest

from local.client import ApiClient, Json, wait_for
from local.testing import LocalCloud
from tests.e2e.test_online_payments import Shop
from tests.people import Person

pytestmark = pytest.mark.cloud


class Subscriber:
    def __init__(self, cloud: LocalCloud, someone: Person) -> None:
        self.cloud = cloud
        self.someone = someone
        self.api = someone.api

    def shown(self) -> Json:
        return self.api.get("/v1/subscription")

    def becomes(self, status: str) -> Json:
        """As Stripe's events made it; nobody asked for it."""
        wait_for(lambda: self.shown()["status"] == status or None, what=f"a subscription that is {status}")
        return self.shown()

    def confirm(self) -> Json:
        page = self.api.post("/v1/subscription/start", {"plan_id": "pro"})
        found = re.search(r"cs_test_\w+", page["url"])
        assert found
        assert self.api.post("/v1/subscription/start", {"plan_id": "pro"})["url"] == page["url"]
        self.cloud.stripe("POST", f"checkout/{found[0]}/pay", {"method": "card"})
        return page

    def later(self, instant: str) -> None:
        self.cloud.set_clock(datetime.fromisoformat(instant) + timedelta(minutes=1))
        self.cloud.stripe("POST", "time")

    def at_portal(self, action: str) -> None:
        url = self.api.post("/v1/subscription/portal")["url"]
        assert httpx.post(f"{url}/{action}", trust_env=False).status_code in {200, 303}

    def card(self, customer_id: str, *, works: bool) -> None:
        self.cloud.stripe("POST", f"customers/{customer_id}/card", {"works": works})


def customer_of(someone: Subscriber) -> str:
    """As Stripe knows the company that subscribed last."""
    headers = {"authorization": "Bearer sk_test_zenbilling_local"}
    listed = httpx.get(f"{someone.cloud.layout.stripe_url}/v1/customers", headers=headers, trust_env=False).json()
    return str(listed["data"][0]["id"])


def test_a_company_tries_pays_owes_changes_its_card_and_ends(dated: LocalCloud) -> None:
    someone = Person(dated)
    company = Subscriber(dated, someone)
    free, pro = company.api.get("/v1/plans")["items"]
    assert company.shown()["plan"] == free

    company.confirm()
    trying = company.becomes("trialing")
    customer_id = customer_of(company)
    company.later(trying["trial_end"])
    paid = company.becomes("active")
    company.card(customer_id, works=False)
    company.later(paid["current_period_end"])
    owing = company.becomes("past_due")
    company.at_portal("card")
    again = company.becomes("active")
    company.at_portal("cancel")
    wait_for(lambda: company.shown()["ends_at"], what="an end that was asked for")
    ending = company.shown()
    company.later(ending["ends_at"])
    ended = company.becomes("canceled")

    assert (trying["plan"], paid["plan"], again["plan"], ended["plan"]) == (pro, pro, pro, free)
    assert (owing["plan"], owing["payment_failures"], owing["days_left"]) == (pro, 1, 15)
    assert ending["detail_fr"].startswith("Votre abonnement prend fin le ")
    told = [one["type"] for one in company.api.get("/v1/events?limit=100")["items"]]
    news = [one for one in told if one.startswith("subscription.")]
    assert (news[0], news[-1]) == ("subscription.requested", "subscription.ended")
    assert {"subscription.started", "subscription.payment_failed", "subscription.portal_opened"} <= set(news)
    assert company.api.post("/v1/subscription/start", {"plan_id": "pro"})["url"]
    someone.leave()


def test_what_stripe_ends_after_its_last_try_falls_back_to_the_free_plan(dated: LocalCloud) -> None:
    someone = Person(dated)
    company = Subscriber(dated, someone)
    company.confirm()
    trying = company.becomes("trialing")
    company.card(customer_of(company), works=False)
    company.later(trying["trial_end"])
    owing = company.becomes("past_due")
    for tries in (2, 3):
        company.later(owing["next_attempt_at"])
        wait_for(lambda: company.shown()["payment_failures"] == tries or None, what="another try")  # noqa: B023
        owing = company.shown()
        assert owing["plan"]["plan_id"] == "pro"
    company.later(owing["next_attempt_at"])

    assert company.becomes("canceled")["plan"]["plan_id"] == "free"
    someone.leave()


def test_a_link_to_an_invoice_opens_it_for_a_year(dated: LocalCloud, dated_person: Callable[..., Person]) -> None:
    shop = Shop(dated, dated_person(), connected=False, mailed=False)
    number = shop.shown()["number"]
    dated.set_clock(dated.now() + timedelta(days=364))
    assert shop.shown()["number"] == number
    dated.set_clock(dated.now() + timedelta(days=2))

    with ApiClient(dated.base_url) as anyone:
        assert anyone.send("GET", shop.link).status_code == 404
