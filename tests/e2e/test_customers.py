"""Customers over the local cloud: a VAT number asked for, duplicates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from local.samples import CUSTOMER
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


def test_customers_that_may_be_the_same_are_found_by_what_they_share(person: Callable[..., Person]) -> None:
    api = person(described=False).api
    first = api.post("/v1/customers", {**CUSTOMER, "name": "SARL Dupont & Fils"})
    plain = {name: CUSTOMER[name] for name in ("kind", "billing_address")}
    by_name = api.post("/v1/customers", {**plain, "name": "Dupont, fils"})
    by_more = api.post("/v1/customers", {**plain, "name": "Dupont fils SAS", "siren": CUSTOMER["siren"]})
    api.post("/v1/customers", {**plain, "name": "Durand"})

    found = api.get(f"/v1/customers/{first['customer_id']}/duplicates")["items"]

    assert [(one["customer_id"], set(one["likenesses"])) for one in found] == [
        (by_more["customer_id"], {"siren", "name"}),
        (by_name["customer_id"], {"name"}),
    ]
