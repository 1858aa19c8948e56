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
    assert seller.call(PAGES[name], query={name: "autre"}, **path).status == 422
