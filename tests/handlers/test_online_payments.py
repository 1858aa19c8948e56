"""Paying an invoice by its link, over a real table and Stripe in memory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from billing.domain.checkout import PACE_OF_ALL, SESSION_LIFE
from billing.domain.stripe import CheckoutSession, CheckoutStatus
from billing.domain.typography import format_euros
from billing.ports.stripe import StripeRefused
from billing.runtime import table
from billing.runtime.clock import SystemClock
from tests.handlers.conftest import STRIPE, Answered, Json, Person, invoke, sample

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def pay(seller: Person, amount_minor: int | None = None) -> Answered:
    body = {} if amount_minor is None else {"amount_minor": amount_minor}
    return seller.call("portal/pay_invoice", body=body, token=seller.ids["token"])


def shown(seller: Person) -> Json:
    return seller.call("portal/read_invoice", token=seller.ids["token"]).body


def sessions(seller: Person) -> list[CheckoutSession]:
    return [one for (account, _), one in STRIPE.sessions.items() if account == seller.ids["account_id"]]


def transfer(seller: Person, amount_minor: int) -> None:
    payment = {"amount_minor": amount_minor, "method": "transfer"}
    seller.call("invoices/record_payment", body=payment, invoice_id=seller.ids["invoice_id"])


def follow_stream(seller: Person, dynamodb: DynamoDBClient, billing_table: str) -> None:
    """The committed sample with the ledger entries of this company as its records."""
    event = sample("streams/start_workflows")
    [record] = event["Records"]
    items: list[Any] = [
        item
        for page in dynamodb.get_paginator("scan").paginate(TableName=billing_table, ConsistentRead=True)
        for item in page["Items"]
        if item.get("tenant_id") == {"S": seller.tenant_id} and item["entity"]["S"] == "ledger_entry"
    ]
    assert items
    event["Records"] = [
        record | {"dynamodb": record["dynamodb"] | {"NewImage": item, "SequenceNumber": str(rank)}}
        for rank, item in enumerate(items)
    ]
    assert invoke("streams/start_workflows", event) == {"batchItemFailures": []}


def test_the_holder_of_a_link_gets_one_page_for_what_is_left(seller: Person) -> None:
    left = shown(seller)["payable_minor"]

    first, again = pay(seller), pay(seller)

    assert (first.status, again.body) == (200, first.body)
    (session,) = sessions(seller)
    assert first.body["url"] == session.url
    assert (first.body["amount_minor"], session.amount_minor) == (left, left)
    assert STRIPE.fees[seller.ids["account_id"], session.session_id] == left // 100
    online = shown(seller)["online_payment"]
    assert online.pop("page_opened_at") is not None
    assert (online.pop("detail_fr"), online.pop("detail_en")) == (
        "Une page de paiement est ouverte. Si vous venez d'y payer, la confirmation arrive dans la minute.",
        "A page to pay is open. If you have just paid on it, the confirmation arrives within a minute.",
    )
    assert online == {
        "possible": True,
        "why_not": None,
        "why_not_fr": None,
        "why_not_en": None,
        "partial_allowed": False,
        "least_minor": 50,
        "processing_minor": None,
    }


@pytest.mark.parametrize(("amount_minor", "status", "slug"), [
    (10_000_000, 409, "payment-exceeds-balance"),
    (100, 422, "invalid-fields"),
    (0, 422, "invalid-fields"),
    (-1, 422, "invalid-fields"),
])  # fmt: skip
def test_another_amount_is_refused_with_its_pointer(seller: Person, amount_minor: int, status: int, slug: str) -> None:
    refused = pay(seller, amount_minor)

    assert (refused.status, refused.body["type"]) == (status, f"/problems/{slug}")
    assert [error["pointer"] for error in refused.body["errors"]] == ["/amount_minor"]
    assert sessions(seller) == []


def test_a_payment_in_progress_is_shown_and_refuses_another(seller: Person) -> None:
    left = shown(seller)["payable_minor"]
    pay(seller)
    STRIPE.confirm(seller.ids["account_id"], sessions(seller)[0].session_id, method="sepa_debit")

    refused = pay(seller)

    assert (refused.status, refused.body["type"]) == (409, "/problems/payment-in-progress")
    online = shown(seller)["online_payment"]
    assert (online["possible"], online["why_not"], online["processing_minor"]) == (False, "in_progress", left)


def debit(seller: Person) -> int:
    """The customer confirmed a SEPA debit of all that is left, and the page was asked for again."""
    left: int = pay(seller).body["amount_minor"]
    STRIPE.confirm(seller.ids["account_id"], sessions(seller)[0].session_id, method="sepa_debit")
    assert pay(seller).status == 409
    return left


def test_the_company_sees_what_its_customer_confirmed(seller: Person) -> None:
    path = {"invoice_id": seller.ids["invoice_id"]}
    assert seller.call("invoices/read", **path).body["payment_in_progress"] is None
    left = debit(seller)

    online = seller.call("invoices/read", **path).body["payment_in_progress"]

    assert (online["amount_minor"], online["currency"], online["method"]) == (left, "EUR", None)
    assert datetime.fromisoformat(online["since"]) <= SystemClock().now()
    assert online["detail_fr"].startswith("Le client a confirmé en ligne ")
    assert online["detail_en"].startswith("The customer confirmed €")


def test_a_transfer_over_a_debit_on_its_way_takes_a_word_that_it_did_arrive(seller: Person) -> None:
    left, path = debit(seller), {"invoice_id": seller.ids["invoice_id"]}
    customer = seller.call("invoices/read", **path).body["customer"]["customer_id"]
    alone = {"amount_minor": left, "method": "transfer"}
    spread = {**alone, "customer_id": customer, "allocations": [path]}

    for operation, body, named in (("invoices/record_payment", alone, path), ("payments/record", spread, {})):
        refused = seller.call(operation, body=body, **named)
        assert (refused.status, refused.body["type"]) == (409, "/problems/payment-in-progress")
        assert refused.body["errors"][0]["pointer"] == "/confirm_payment_in_progress"
        assert "confirm_payment_in_progress" in refused.body["detail"]

    half = spread | {"amount_minor": 1, "confirm_payment_in_progress": True}
    assert seller.call("payments/record", body=half).status == 201
    rest = alone | {"amount_minor": left - 1, "confirm_payment_in_progress": True}
    assert seller.call("invoices/record_payment", body=rest, **path).body["status"] == "paid"


def test_reminders_say_what_holds_them_while_a_debit_is_on_its_way(seller: Person) -> None:
    path = {"invoice_id": seller.ids["invoice_id"]}
    assert seller.call("reminders/list", **path).body["payment_in_progress"] is None
    debit(seller)

    shown = seller.call("reminders/list", **path).body
    sent = seller.call("reminders/send", **path)
    held = seller.call("reminders/hold", body={"reason": "payment_in_progress"}, **path)

    assert shown["hold"] == {"reason": "payment_in_progress", "until": None}
    assert shown["payment_in_progress"]["detail_fr"].startswith("Le client a confirmé en ligne ")
    assert (sent.status, sent.body["type"]) == (409, "/problems/payment-in-progress")
    assert "Attendez sa réponse" in sent.body["detail"]
    assert (held.status, [one["pointer"] for one in held.body["errors"]]) == (422, ["/reason"])
    assert "HoldReason" not in held.body["errors"][0]["detail"]


def test_what_stripe_refuses_is_a_problem_of_its_own(seller: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STRIPE.refused, "create_checkout_session", StripeRefused("account_invalid", status=403))

    refused = pay(seller)

    assert (refused.status, refused.body["type"]) == (409, "/problems/checkout-refused")
    assert "account_invalid" in refused.body["detail"]


def test_whoever_asks_for_page_after_page_is_told_when_there_is_another(
    seller: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRIPE.refused, "create_checkout_session", StripeRefused("amount_too_small", status=400))
    assert {pay(seller).status for _ in range(PACE_OF_ALL)} == {409}

    refused = pay(seller)

    assert (refused.status, refused.body["type"]) == (429, "/problems/too-many-payment-pages")
    assert refused.body["title"] == "Trop de pages de paiement ont été demandées pour cette facture"
    assert 3_500 < int(refused.headers["Retry-After"]) <= 3_600


def test_while_stripe_is_away_the_answer_says_when_to_come_back(
    seller: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(STRIPE, "down", True)

    refused = pay(seller)

    assert (refused.status, refused.body["type"]) == (503, "/problems/dependency-unavailable")
    assert "Retry-After" in refused.headers


def test_nothing_private_is_on_the_page(seller: Person) -> None:
    payment = {"amount_minor": 100, "method": "transfer", "reference": "VIR-SECRET"}
    seller.call("invoices/record_payment", body=payment, invoice_id=seller.ids["invoice_id"])

    page = seller.call("portal/read_invoice", token=seller.ids["token"])

    [movement] = page.body["movements"]
    assert (movement["kind"], movement["amount_minor"], movement["method"]) == ("payment", 100, "transfer")
    assert movement["detail_fr"] == "Payé par virement."
    for hidden in ("VIR-SECRET", "private", "iban", seller.tenant_id, seller.ids["account_id"]):
        assert hidden not in page.text


def test_an_entry_of_the_ledger_closes_the_page_within_the_minute(
    seller: Person, dynamodb: DynamoDBClient, billing_table: str
) -> None:
    pay(seller)
    transfer(seller, 1_000)

    follow_stream(seller, dynamodb, billing_table)
    invoke("scheduled/close_checkouts", sample("scheduled/close_checkouts"))

    (closed,) = sessions(seller)
    assert closed.status is CheckoutStatus.EXPIRED
    assert pay(seller).body["amount_minor"] == shown(seller)["payable_minor"]


def test_a_stream_record_whose_page_cannot_be_doubted_comes_again(
    seller: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    from billing.domain.errors import DependencyUnavailable  # noqa: PLC0415
    from streams import start_workflows  # noqa: PLC0415

    class Away:
        def book(self, *_: str) -> None:
            raise DependencyUnavailable

    monkeypatch.setattr(start_workflows, "checkouts", Away)
    event = sample("streams/start_workflows")
    image = event["Records"][0]["dynamodb"]["NewImage"]
    event["Records"][0]["dynamodb"]["NewImage"] = image | {
        "entity": {"S": "ledger_entry"},
        "sk": {"S": "LEDGER#000001"},
    }

    answer = invoke("streams/start_workflows", event)

    number = event["Records"][0]["dynamodb"]["SequenceNumber"]
    assert answer == {"batchItemFailures": [{"itemIdentifier": number}]}


def test_a_page_that_ended_is_settled(seller: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    pay(seller)
    started = SystemClock().now()
    monkeypatch.setattr(SystemClock, "now", lambda _: started + SESSION_LIFE + timedelta(minutes=1))

    invoke("scheduled/close_checkouts", sample("scheduled/close_checkouts"))

    book = table.checkouts().book(seller.tenant_id, seller.ids["invoice_id"])
    assert [one.state.value for one in book.attempts] == ["expired"]


def test_opening_a_page_costs_its_requests(seller: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    client = table.table()
    original: Callable[..., Any] = client._call

    def counted(operation: str, **request: Any) -> Any:
        made.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(client, "_call", counted)

    pay(seller)
    assert made == ["batch_get_item", "batch_get_item", "transact_write_items", "transact_write_items"]
    made.clear()
    pay(seller)
    assert made == ["batch_get_item", "batch_get_item"]


LINK_OPERATIONS = ("read_invoice", "download_invoice", "pay_invoice", "read_quote", "download_quote", "answer_quote")


@pytest.mark.parametrize("operation", LINK_OPERATIONS)
def test_whoever_holds_a_link_that_opens_nothing_is_told_to_ask_for_another(seller: Person, operation: str) -> None:
    token = seller.ids["token"]
    wrong = token[:-1] + ("A" if token[-1] != "A" else "B")
    wrong = wrong.replace("inv_", "quo_") if operation.endswith("quote") else wrong
    told = [
        seller.call(f"portal/{operation}", token=one, headers={"accept-language": language}).body["detail"]
        for one in (wrong, "none")
        for language in ("fr", "en")
    ]

    french = "Ce lien n'est plus valable : demandez-en un autre à l'entreprise."
    assert told == [french, "This link is not valid any more: ask the company for another one."] * 2


def test_a_revoked_link_says_what_a_wrong_one_says(seller: Person) -> None:
    wrong = seller.call("portal/read_invoice", token="none")
    assert seller.call("invoices/revoke_links", invoice_id=seller.ids["invoice_id"]).status == 200

    revoked = seller.call("portal/read_invoice", token=seller.ids["token"])

    assert (revoked.status, wrong.status) == (404, 404)
    assert revoked.body | {"instance": ""} == wrong.body | {"instance": ""}


def test_who_asks_to_pay_too_much_is_told_how_much_there_is(seller: Person) -> None:
    left = shown(seller)["payable_minor"]

    refused = pay(seller, left + 1)

    assert refused.body["detail"] == (
        f"Il reste {format_euros(left)} à payer sur cette facture : demandez cette somme au plus."
    )


def test_the_page_says_in_words_why_nothing_can_be_paid_online(seller: Person) -> None:
    transfer(seller, shown(seller)["payable_minor"] - 40)
    below = shown(seller)["online_payment"]
    transfer(seller, 40)
    nothing = shown(seller)["online_payment"]

    assert (below["why_not"], below["why_not_fr"]) == (
        "below_minimum",
        "Le paiement en ligne commence à 0,50\u00a0€ : payez par un autre moyen indiqué sur la facture.",
    )
    assert (nothing["why_not"], nothing["why_not_fr"]) == ("nothing_left", "Il n'y a rien à payer.")
