"""A customer's VAT number, asked for over the local cloud."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.people import Person

pytestmark = pytest.mark.cloud


def test_a_vat_number_is_checked_and_a_register_that_is_down_leaves_it_unverified(
    person: Callable[..., Person],
) -> None:
    someone = person()
    path = f"/v1/customers/{someone.customer['customer_id']}"
    assert someone.customer["vat_number_status"] == "unverified"

    checked = someone.api.post(f"{path}/check-vat-number", {})

    assert checked["vat_number_status"] == "valid"
    assert checked["vat_check"]["consultation_number"]
    assert someone.api.get(path)["vat_check"] == checked["vat_check"]
    silent = {**someone.customer, "vat_number": "DE123456799"}
    fields = ("kind", "name", "billing_address", "vat_number")
    someone.api.put(path, {name: silent[name] for name in fields}, version=checked["version"])
    assert someone.api.post(f"{path}/check-vat-number", {})["vat_number_status"] == "unverified"
