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


def test_a_duplicate_becomes_the_customer_with_its_invoices_and_its_money(person: Callable[..., Person]) -> None:
    someone = person()
    api, kept = someone.api, someone.customer
    plain = {name: CUSTOMER[name] for name in ("kind", "billing_address", "name")}
    gone = api.post("/v1/customers", {**plain, "email": "double@client.exemple.test", "phone": "+33 4 00 00 00 00"})
    ids = [kept["customer_id"], gone["customer_id"]]
    line = {"description": "Prestation", "quantity": "1", "unit_price": "100.00", "vat_rate": "20"}
    drafts = [api.post("/v1/invoices", {"customer_id": one, "lines": [line]}) for one in ids]
    invoices = [api.post(f"/v1/invoices/{one['invoice_id']}/issue", {"version": 1}) for one in drafts]
    credit = {"amount_minor": 500, "method": "transfer", "excess": "customer_credit"}
    api.post("/v1/payments", {"customer_id": ids[1], **credit})

    merged = api.post(f"/v1/customers/{ids[0]}/merge", {"duplicate_id": ids[1]})

    assert (merged["customer_id"], merged["merged_ids"], merged["phone"]) == (ids[0], [ids[1]], gone["phone"])
    assert api.get(f"/v1/customers/{ids[1]}")["merged_into"] == ids[0]
    assert [one["customer_id"] for one in api.get("/v1/customers")["items"]] == [ids[0]]
    assert api.get(f"/v1/customers/{ids[0]}/duplicates")["items"] == []
    numbers = {one["number"] for one in invoices}
    for one in ids:
        assert {row["number"] for row in api.get(f"/v1/invoices?customer_id={one}")["items"]} == numbers
        assert api.get(f"/v1/customers/{one}/credit")["balance_minor"] == 500
        [account] = api.get(f"/v1/customers/{one}/statement")["accounts"]
        assert account["closing_minor"] == 2 * 12_000 - 500
    both = [{"invoice_id": one["invoice_id"]} for one in invoices]
    payment = {"customer_id": ids[1], "amount_minor": 24_000, "method": "transfer", "allocations": both}
    assert api.post("/v1/payments", payment)["customer_id"] == ids[0]
    refused = api.send("PUT", f"/v1/customers/{ids[1]}", plain, if_match='"2"')
    assert (refused.status_code, refused.json()["type"].rpartition("/")[2]) == (409, "customer-merged")
    assert ids[0] in refused.json()["detail"]
    events = [event for event in api.get("/v1/events?after=0")["items"] if event["type"] == "customer.merged"]
    assert {event["data"]["merged_id"] for event in events} == {ids[1]}
    again = api.send("POST", f"/v1/customers/{ids[0]}/merge", {"duplicate_id": ids[1]}, idempotency_key="another")
    assert again.status_code == 409
