"""Payments and customers' credit through their handlers."""

from __future__ import annotations

import pytest

from billing.domain.access import Caller
from billing.ports.stripe_payments import StripeFacts
from billing.runtime import table
from tests.handlers.conftest import Json, Person


@pytest.fixture
def issued(owner: Person) -> Json:
    invoice: Json = owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"]).body
    return invoice


def payment_of(owner: Person, issued: Json, **changes: object) -> Json:
    return {
        "customer_id": owner.ids["customer_id"],
        "amount_minor": issued["total_minor"] + 500,
        "method": "cheque",
        "allocations": [{"invoice_id": issued["invoice_id"]}],
        "excess": "customer_credit",
    } | changes


def test_an_over_payment_becomes_credit_that_is_applied_and_refunded(owner: Person, issued: Json) -> None:
    customer = {"customer_id": owner.ids["customer_id"]}
    paid = owner.call("payments/record", body=payment_of(owner, issued))

    assert (paid.status, paid.headers["Location"]) == (201, f"/v1/payments/{paid.body['payment_id']}")
    assert (paid.body["credited_minor"], paid.body["state"]) == (500, "recorded")
    assert owner.call("invoices/read", invoice_id=issued["invoice_id"]).body["status"] == "paid"
    held = owner.call("customers/read_credit", **customer).body
    assert (held["balance_minor"], held["entries"][0]["kind"]) == (500, "over_payment")
    refused = owner.call(
        "customers/apply_credit", body={"allocations": payment_of(owner, issued)["allocations"]}, **customer
    )
    assert (refused.status, refused.body["type"]) == (409, "/problems/payment-exceeds-balance")
    left = owner.call("customers/refund_credit", body={"amount_minor": 200}, **customer)
    assert (left.status, left.body["balance_minor"]) == (200, 300)
    too_much = owner.call("customers/refund_credit", body={"amount_minor": 301}, **customer)
    assert (too_much.status, too_much.body["type"]) == (409, "/problems/customer-credit-exceeded")


@pytest.mark.parametrize("promised_minor", [200, 700])
def test_what_is_promised_of_a_credit_is_shown_beside_it(owner: Person, issued: Json, promised_minor: int) -> None:
    """At Stripe more may be on its way than there is."""
    customer = {"customer_id": owner.ids["customer_id"]}
    owner.call("payments/record", body=payment_of(owner, issued))
    shown = owner.call("customers/read_credit", **customer).body
    assert (shown["balance_minor"], shown["promised_minor"], shown["available_minor"]) == (500, 0, 500)

    stripe = Caller.system(owner.tenant_id, "stripe")
    credit = table.payments().load(stripe, owner.ids["customer_id"], ()).credit
    promising = credit.promising("pi_1", promised_minor).next_after(credit)
    table.stripe_payments().write(stripe, StripeFacts(credit=promising))

    shown = owner.call("customers/read_credit", **customer).body
    held = min(promised_minor, 500)
    assert (shown["balance_minor"], shown["promised_minor"], shown["available_minor"]) == (500, held, 500 - held)
    refused = owner.call("customers/refund_credit", body={"amount_minor": 501 - held}, **customer)
    assert refused.body["type"] == "/problems/customer-credit-exceeded"
    if held < 500:
        left = owner.call("customers/refund_credit", body={"amount_minor": 300}, **customer).body
        assert (left["balance_minor"], left["promised_minor"], left["available_minor"]) == (200, 200, 0)


def test_a_payment_is_reversed_with_its_reason_once(owner: Person, issued: Json) -> None:
    paid = owner.call("payments/record", body=payment_of(owner, issued)).body
    path = {"payment_id": paid["payment_id"]}

    back = owner.call("payments/reverse", body={"reason": "Chèque impayé"}, **path)
    again = owner.call("payments/reverse", body={"reason": "Chèque impayé"}, **path)

    assert (back.status, back.body["state"], back.body["reversal"]["reason"]) == (200, "reversed", "Chèque impayé")
    assert (again.status, again.body["type"]) == (409, "/problems/payment-reversed")
    invoice = owner.call("invoices/read", invoice_id=issued["invoice_id"]).body
    assert (invoice["status"], invoice["balance_minor"]) == ("issued", issued["total_minor"])
    assert (invoice["paid_minor"], invoice["credited_minor"]) == (0, 0)
    assert owner.call("payments/read", **path).body == back.body


def test_money_of_a_payment_is_given_back(owner: Person, issued: Json) -> None:
    paid = owner.call("payments/record", body=payment_of(owner, issued)).body
    path = {"payment_id": paid["payment_id"]}

    refunded = owner.call("payments/refund", body={"amount_minor": 100, "reason": "Geste"}, **path)
    beyond = owner.call("payments/refund", body={"amount_minor": issued["total_minor"]}, **path)

    assert (refunded.status, refunded.body["refunded_minor"]) == (200, 100)
    assert [one["reason"] for one in refunded.body["refunds"]] == ["Geste"]
    assert (beyond.status, beyond.body["type"]) == (409, "/problems/refund-exceeds-payment")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"amount_minor": 0}, "/amount_minor"),
        ({"amount_minor": "100"}, "/amount_minor"),
        ({"method": "customer_credit"}, "/method"),
        ({"excess": "keep"}, "/excess"),
        ({"allocations": [{"invoice_id": "inv_1"}]}, "/allocations/0/invoice_id"),
        ({"tenant_id": "ten_1"}, "/tenant_id"),
        ({"confirm_cash_above_limit": "yes"}, "/confirm_cash_above_limit"),
        ({"reference": "x" * 101}, "/reference"),
    ],
)
def test_each_wrong_field_is_pointed_at(owner: Person, issued: Json, changes: Json, pointer: str) -> None:
    answer = owner.call("payments/record", body=payment_of(owner, issued, **changes))

    assert answer.status == 422
    assert [error["pointer"] for error in answer.body["errors"]] == [pointer]


def test_ids_of_nobody_are_unknown(owner: Person, issued: Json) -> None:
    nobody = "inv_00000000000000000000000000"
    answer = owner.call("payments/record", body=payment_of(owner, issued, allocations=[{"invoice_id": nobody}]))

    assert (answer.status, answer.body["errors"][0]["pointer"]) == (404, "/allocations/0/invoice_id")
    assert owner.call("payments/read", payment_id="pay_00000000000000000000000000").status == 404
    assert owner.call("customers/read_credit", customer_id="cus_00000000000000000000000000").status == 404


def test_the_same_key_is_answered_the_same(owner: Person, issued: Json) -> None:
    key: dict[str, str | None] = {"idempotency-key": "once"}
    first, second = (owner.call("payments/record", body=payment_of(owner, issued), headers=key) for _ in range(2))

    assert (first.status, first.text) == (second.status, second.text)
    rows = owner.call("payments/list", query={"customer_id": owner.ids["customer_id"]}).body["items"]
    assert [row["payment_id"] for row in rows] == [first.body["payment_id"]]
