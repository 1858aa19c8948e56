"""A company and its plan, over a real table and Stripe in memory, told by Stripe's own requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.plans import DUNNING, FREE, PRO
from billing.domain.stripe import SubscriptionStatus
from billing.domain.stripe_inbox import InboxState
from billing.runtime import table
from billing.runtime.clock import clock
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import STRIPE, Answered, Json, Person, invoke, sample
from tests.handlers.test_stripe_events import post, signed, told

Tell = Callable[..., str]


def confirmed(owner: Person) -> str:
    """The company starts and confirms; the customer at Stripe."""
    assert owner.call("subscription/start").status == 201
    session_id = next(reversed(STRIPE.subscribing))
    return STRIPE.subscribe(session_id).customer_id


def held_of(customer_id: str) -> Any:
    (found,) = STRIPE.list_subscriptions(customer_id)
    return found


@pytest.fixture
def tell(queue: FakeStripeEventQueue) -> Tell:
    """Stripe's own request, of the platform's account, and what is processed of it; the id of the event."""

    def tell(event_type: str, customer_id: str) -> str:
        about = {"id": "sub_1", "object": "subscription", "customer": customer_id, "payment_intent": "pi_1"}
        event = told(type=event_type, data={"object": about})
        event.pop("account")
        body = json.dumps(event).encode()
        assert post(body, signed(body)).status == 200
        batch = sample("webhooks/process_stripe_event")
        [record] = batch["Records"]
        batch["Records"] = [{**record, "body": json.dumps({"event_id": event["id"]})}]
        assert invoke("webhooks/process_stripe_event", batch) == {"batchItemFailures": []}
        event_id: str = event["id"]
        return event_id

    return tell


def test_what_there_is_to_choose_from(owner: Person) -> None:
    free, pro = owner.call("subscription/list_plans").body["items"]

    assert (free["plan_id"], free["monthly_price_minor"]) == ("free", 0)
    assert (free["price_fr"], pro["price_fr"]) == ("Gratuit", "19,00\u00a0€ HT par mois")
    assert (pro["name_fr"], pro["monthly_price_minor"], pro["currency"]) == ("Pro", PRO.monthly_price_minor, "EUR")


def test_a_company_subscribes_owes_and_ends(owner: Person, tell: Tell) -> None:
    before = owner.call("subscription/read")
    owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])
    customer_id = confirmed(owner)
    event_id = tell("customer.subscription.created", customer_id)
    trying = owner.call("subscription/read").body
    STRIPE.renew(held_of(customer_id).subscription_id, works=False)
    tell("invoice.payment_failed", customer_id)
    owing = owner.call("subscription/read").body
    STRIPE.end(held_of(customer_id).subscription_id)
    tell("customer.subscription.deleted", customer_id)
    after = owner.call("subscription/read").body

    assert (before.body["invoices_this_month"], after["invoices_this_month"], after["use"]) == (0, 1, "within")
    assert (before.body["plan"]["plan_id"], before.body["status"], before.headers["ETag"]) == ("free", None, '"0"')
    assert (trying["plan"]["plan_id"], trying["status"]) == ("pro", "trialing")
    assert trying["detail_fr"].startswith("Essai gratuit jusqu'au ")
    assert (owing["plan"]["plan_id"], owing["status"], owing["payment_failures"]) == ("pro", "past_due", 1)
    assert owing["days_left"] == DUNNING.days
    assert owing["detail_fr"] == "Le paiement a échoué : changez de carte sous 15 jours. Tout continue de fonctionner."
    assert (after["plan"]["plan_id"], after["status"], after["detail_fr"]) == (
        "free", "canceled", "Votre abonnement a pris fin.",
    )  # fmt: skip
    entry = table.stripe_inbox().read(event_id)
    assert entry is not None
    assert (entry.state, entry.tenant_id) == (InboxState.DONE, owner.tenant_id)


@pytest.mark.parametrize(
    "status", sorted(set(SubscriptionStatus) - {SubscriptionStatus.UNKNOWN})
)  # that one is never held
def test_every_state_has_words(owner: Person, status: SubscriptionStatus) -> None:
    customer_id = confirmed(owner)
    held = held_of(customer_id)
    STRIPE.subscriptions[held.subscription_id] = replace(held, status=status)

    shown = owner.call("subscription/refresh").body

    assert shown["status"] == status
    assert shown["detail_fr"]
    assert shown["detail_en"]


def test_an_end_that_was_asked_for_is_said(owner: Person) -> None:
    held = held_of(confirmed(owner))
    STRIPE.subscriptions[held.subscription_id] = replace(held, ends_at=clock.now() + timedelta(days=3))

    assert owner.call("subscription/refresh").body["detail_fr"].startswith("Votre abonnement prend fin le ")


def test_the_page_of_stripe_is_shown_once(owner: Person) -> None:
    key: dict[str, str | None] = {"idempotency-key": "une-seule-fois"}

    first = owner.call("subscription/start", headers=key)
    again = owner.call("subscription/start", headers=key)

    assert first.body["url"].startswith("https://")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body | {"url": None, "url_expires_at": None}


def test_a_running_one_is_not_started_again(owner: Person) -> None:
    confirmed(owner)
    owner.call("subscription/refresh")

    refused = owner.call("subscription/start")
    portal = owner.call("subscription/open_portal")

    assert (refused.status, refused.body["type"]) == (409, "/problems/subscription-running")
    assert (portal.status, portal.body["url"].startswith("https://billing.")) == (201, True)


def test_the_free_plan_has_no_portal_and_is_not_started(owner: Person) -> None:
    assert owner.call("subscription/open_portal").body["type"] == "/problems/subscription-not-started"
    assert owner.call("subscription/start", body={"plan_id": "free"}).status == 422
    assert owner.call("subscription/start", body={"plan_id": "pro", "price": 1}).status == 422


def test_everybody_sees_it_and_managers_change_it(owner: Person, member: Callable[..., Person]) -> None:
    someone = member(owner.tenant_id, Role.VIEWER)

    assert someone.call("subscription/read").status == 200
    for operation in ("start", "refresh", "open_portal"):
        assert someone.call(f"subscription/{operation}").status == 403


def test_another_company_has_its_own(owner: Person, member: Callable[..., Person], tell: Tell) -> None:
    customer_id = confirmed(owner)
    tell("customer.subscription.created", customer_id)
    other = member()

    shown: Json = other.call("subscription/read").body

    assert (shown["plan"]["plan_id"], shown["status"]) == ("free", None)
    assert other.call("subscription/open_portal").status == 409


def test_what_the_free_plan_holds_is_told_and_then_refused(owner: Person, draft_body: Json) -> None:
    held = FREE.stops_at
    assert held is not None

    def issue() -> Answered:
        made = owner.call("invoices/create", body=draft_body).body["invoice_id"]
        return owner.call("invoices/issue", body={"version": 1}, invoice_id=made)

    assert {issue().status for _ in range(held)} == {200}
    shown: Json = owner.call("subscription/read").body
    refused = issue()
    confirmed(owner)
    owner.call("subscription/refresh")

    assert (shown["use"], shown["invoices_this_month"], shown["stops_at"]) == ("full", held, held)
    assert (shown["plan"]["stops_at"], refused.status, refused.body["type"]) == (
        held,
        409,
        "/problems/plan-limit-reached",
    )
    assert "passez à l'offre Pro (page Abonnement, 14 jours d'essai gratuits)" in refused.body["detail"]
    assert (issue().status, owner.call("subscription/read").body["stops_at"]) == (200, None)
