"""A company and its account at Stripe, over a real table and Stripe in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from billing.domain.access import Role
from tests.handlers.conftest import STRIPE, Person


def test_a_company_connects_comes_back_and_takes_payments(owner: Person) -> None:
    before = owner.call("stripe_account/read")
    made = owner.call("stripe_account/connect")
    STRIPE.enable(made.body["account_id"])
    after = owner.call("stripe_account/refresh")

    assert (before.body["state"], before.body["account_id"], before.headers["ETag"]) == ("none", None, '"0"')
    assert (made.status, made.body["state"], made.body["accepts_payments"]) == (201, "connected", False)
    assert made.body["url"].startswith("https://")
    assert [one["code"] for one in made.body["requirements_due"]] == ["business_profile.url", "external_account"]
    assert made.body["detail_fr"].startswith("Le compte est relié, mais n'encaisse pas encore")
    assert made.body["requirements_due"][1]["detail_fr"].startswith("Stripe attend le compte bancaire")
    assert made.body["disabled"]["code"] == "requirements.past_due"
    assert made.body["dashboard_url"] == f"https://dashboard.stripe.com/{made.body['account_id']}"
    assert (after.body["accepts_payments"], after.body["requirements_due"]) == (True, [])
    assert after.body["detail_fr"] == "Vos factures peuvent être payées en ligne."
    assert owner.call("company/read_onboarding").body["step"] == "finished"


def test_the_page_of_stripe_is_shown_once(owner: Person) -> None:
    key: dict[str, str | None] = {"idempotency-key": "une-seule-fois"}

    first = owner.call("stripe_account/connect", headers=key)
    again = owner.call("stripe_account/connect", headers=key)

    assert first.body["url"] is not None
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.body == first.body | {"url": None, "url_expires_at": None}


def test_payments_can_be_skipped_and_set_up_later(member: Callable[..., Person]) -> None:
    person = member()
    person.call("company/describe")
    assert person.call("company/advance_onboarding", body={"step": "payments"}).body["step"] == "finished"

    assert person.call("stripe_account/connect").status == 201


def test_letting_go_and_taking_again(owner: Person) -> None:
    made = owner.call("stripe_account/connect").body
    gone = owner.call("stripe_account/disconnect")
    refused = owner.call("stripe_account/create_link")
    again = owner.call("stripe_account/connect")

    assert (gone.body["state"], gone.body["accepts_payments"]) == ("disconnected", False)
    assert (refused.status, refused.body["type"]) == (409, "/problems/stripe-account-not-connected")
    assert again.body["account_id"] == made["account_id"]


def test_settings_rest_on_what_was_read(owner: Person) -> None:
    allowed = owner.call("stripe_account/edit", headers={"if-match": '"0"'}, body={"allows_partial_payments": True})
    stale = owner.call("stripe_account/edit", headers={"if-match": '"0"'}, body={"allows_partial_payments": False})

    assert (allowed.status, allowed.body["allows_partial_payments"], allowed.headers["ETag"]) == (200, True, '"1"')
    assert stale.status == 412


@pytest.mark.parametrize("operation", ["read", "connect", "create_link", "refresh", "disconnect", "edit"])
def test_it_is_the_managers_business(owner: Person, member: Callable[..., Person], operation: str) -> None:
    someone = member(owner.tenant_id, Role.MEMBER)

    assert someone.call(f"stripe_account/{operation}").status == 403


def test_an_undescribed_company_describes_itself_first(member: Callable[..., Person]) -> None:
    refused = member().call("stripe_account/connect")

    assert (refused.status, refused.body["type"]) == (409, "/problems/company-not-described")
