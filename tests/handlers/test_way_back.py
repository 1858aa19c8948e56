"""Whoever comes back from Stripe by the address that we gave it sees the page, with what Stripe was told to add."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.handlers.conftest import Person

USE_CASES = Path(__file__).parents[2] / "layers" / "billing" / "python" / "billing" / "usecases"
PAGES = {"paiement": "portal/read_invoice", "compte": "stripe_account/read", "abonnement": "subscription/read"}
ADDED = {
    (name, value)
    for path in USE_CASES.glob("*.py")
    for name, value in re.findall(r"\}\?([a-z]+)=([a-z-]+)", path.read_text(encoding="utf-8"))
}


def test_each_address_is_known() -> None:
    assert {name for name, _ in ADDED} == set(PAGES)


@pytest.mark.parametrize(("name", "value"), sorted(ADDED))
def test_the_page_takes_what_stripe_adds(seller: Person, name: str, value: str) -> None:
    path = {"token": seller.ids["token"]} if name == "paiement" else {}
    answer = seller.call(PAGES[name], query={name: value}, **path)

    assert answer.status == 200, answer.text


@pytest.mark.parametrize("value", ["autre", "", "effectue,annule", "effectué&", "x" * 500])
def test_who_may_have_paid_sees_the_invoice_whatever_the_address_says(seller: Person, value: str) -> None:
    page = {"token": seller.ids["token"]}

    answer = seller.call("portal/read_invoice", query={"paiement": value}, **page)

    assert (answer.status, answer.body["number"]) == (200, "F2026-00001")
    assert seller.call("portal/read_invoice", query={"payment": "effectue"}, **page).status == 422


@pytest.mark.parametrize("name", ["compte", "abonnement"])
def test_a_company_is_told_of_an_address_that_is_not_stripe_s(seller: Person, name: str) -> None:
    assert seller.call(PAGES[name], query={name: "autre"}).status == 422
