"""From Stripe's request to the ledger, over the handlers and a real table: paid, refunded, and attacked."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.access import Caller, Role
from billing.domain.checkout import CheckoutSite
from billing.domain.errors import DependencyUnavailable
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.ports.stripe import AccountWanted, StripeRefused
from billing.runtime import stripe, table
from billing.runtime.clock import clock, ids
from billing.usecases import stripe_refunds
from billing.usecases.checkouts import open_checkout
from tests.fakes.links import FakeLinkSecrets
from tests.fakes.stripe import FakeStripe
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.handlers.conftest import Json, Person, invoke, sample
from tests.handlers.test_contract import ROUTES, assert_as_documented
from tests.handlers.test_stripe_events import post, signed, told
from tests.handlers.test_workflows import metrics


@dataclass
class Shop:
    """A company with an invoice that is paid online."""

    owner: Person
    stripe: FakeStripe
    queue: FakeStripeEventQueue
    account_id: str
    invoice_id: str

    def confirm(self, *, method: str = "card") -> PaymentIntent:
        open_checkout(
            self.owner.tenant_id,
            self.invoice_id,
            None,
            site=CheckoutSite(invoices_url="https://app.exemple.test/factures"),
            checkouts=table.checkouts(),
            stripe=self.stripe,
            secrets=FakeLinkSecrets(),
            clock=clock,
            ids=ids,
        )
        session_id = list(self.stripe.sessions)[-1][1]
        return self.stripe.confirm(self.account_id, session_id, method=method)

    def post(self, event_type: str, object_id: str, **changes: Any) -> str:
        """Stripe's own request, over the handler; the id of the event."""
        about = {"id": object_id, "object": changes.pop("kind", "payment_intent"), **changes.pop("about", {})}
        event = told(type=event_type, account=self.account_id, data={"object": about}) | changes
        body = json.dumps(event).encode()
        assert post(body, signed(body)).status == 200
        event_id: str = event["id"]
        return event_id

    def consume(self) -> list[str]:
        """Lambda takes everything that is in the queue; the messages that come again."""
        event = sample("webhooks/process_stripe_event")
        [record] = event["Records"]
        messages = list(self.queue.messages)
        self.queue.messages.clear()
        event["Records"] = [
            {**record, "messageId": event_id, "body": json.dumps({"event_id": event_id})} for event_id in messages
        ]
        answer: Json = invoke("webhooks/process_stripe_event", event)
        return [one["itemIdentifier"] for one in answer["batchItemFailures"]]

    def state(self, event_id: str) -> tuple[InboxState, ParkReason | None]:
        entry = table.stripe_inbox().read(event_id)
        assert entry is not None
        return entry.state, entry.reason

    def balance(self) -> int:
        balance: int = self.owner.call("invoices/read", invoice_id=self.invoice_id).body["balance_minor"]
        return balance


@pytest.fixture
def shop(owner: Person, queue: FakeStripeEventQueue, monkeypatch: pytest.MonkeyPatch) -> Shop:
    fake = FakeStripe(clock=clock, _ids=iter(range(uuid.uuid4().int % 10**12, 10**14)))
    monkeypatch.setattr(stripe, "gateway", lambda: fake)
    account_id = connected(owner, fake)
    invoice_id = owner.ids["invoice_id"]
    owner.call("invoices/issue", body={"version": 1}, invoice_id=invoice_id)
    return Shop(owner, fake, queue, account_id, invoice_id)


def connected(owner: Person, fake: FakeStripe) -> str:
    """The account of a company at Stripe."""
    caller = Caller(tenant_id=owner.tenant_id, user_id=owner.user_id, role=Role.OWNER, membership_version=1)
    connections = table.stripe_connections()
    connection = connections.read(caller).creating()
    connections.save(caller, connection)
    wanted = AccountWanted(email="a@exemple.test", country="FR", business_name="Exemple")
    account = fake.create_account(wanted, idempotency_key=f"account-{owner.tenant_id}")
    fake.enable(account.account_id)
    connections.save(caller, connection.connected(fake.accounts[account.account_id], clock.now()))
    return account.account_id


def test_a_customer_pays_and_the_invoice_is_settled(shop: Shop) -> None:
    intent = shop.confirm()
    events = [shop.post("payment_intent.succeeded", intent.payment_intent_id) for _ in range(3)]

    assert shop.consume() == []

    assert [shop.state(event_id)[0] for event_id in events] == [InboxState.DONE] * 3
    assert shop.balance() == 0
    [row] = shop.owner.call("payments/list").body["items"]
    assert (row["amount_minor"], row["method"]) == (intent.amount_minor, "card")
    assert shop.owner.call("payments/read", payment_id=row["payment_id"]).body["payment_id"] == row["payment_id"]


def test_an_event_costs_its_requests(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    client = table.table()
    original, asked = client._call, shop.stripe._asked

    def counted(operation: str, **request: Any) -> Any:
        made.append(operation)
        return original(operation, **request)

    def counted_at_stripe(operation: str) -> Any:
        made.append(operation)
        return asked(operation)

    intent = shop.confirm()
    monkeypatch.setattr(client, "_call", counted)
    monkeypatch.setattr(shop.stripe, "_asked", counted_at_stripe)

    shop.post("payment_intent.succeeded", intent.payment_intent_id)
    assert made == ["transact_write_items"]
    made.clear()
    shop.consume()
    assert sorted(made) == [
        *["batch_get_item"] * 2,
        *["get_item"] * 3,
        "read_payment_intent",
        "session_of_payment_intent",
        "transact_write_items",
    ]


def test_a_refund_a_failure_and_a_lost_dispute_follow(shop: Shop) -> None:
    intent = shop.confirm()
    pi = {"payment_intent": intent.payment_intent_id}
    total = intent.amount_minor
    refund = shop.stripe.refund(shop.account_id, intent.payment_intent_id, 1_000)
    shop.post("charge.refunded", refund.charge_id or "", kind="charge", about=pi)
    shop.consume()
    assert shop.balance() == 1_000
    shop.stripe.fail_refund(shop.account_id, refund.refund_id)
    shop.post("refund.failed", refund.refund_id, kind="refund", about=pi)
    shop.consume()
    assert shop.balance() == 0
    dispute = shop.stripe.dispute(shop.account_id, intent.payment_intent_id)
    shop.stripe.decide(shop.account_id, dispute.dispute_id, won=False)
    shop.post("charge.dispute.closed", dispute.dispute_id, kind="dispute", about={"charge": dispute.charge_id})
    assert shop.consume() == []

    assert shop.balance() == total
    [row] = shop.owner.call("payments/list").body["items"]
    payment = shop.owner.call("payments/read", payment_id=row["payment_id"]).body
    assert (payment["state"], payment["refunded_minor"]) == ("refunded", total)
    job = shop.owner.call("invoices/start_verification").body["verification_id"]
    state = {"state": "running"}
    while state["state"] == "running":
        state = invoke("workflows/verify_ledger_page", {"tenant_id": shop.owner.tenant_id, "verification_id": job})
    verified = shop.owner.call("invoices/read_verification", verification_id=job).body
    assert (verified["state"], verified["findings"]) == ("passed", [])
    customer = shop.owner.ids["customer_id"]
    statement = shop.owner.call("customers/read_statement", query={}, customer_id=customer).body
    assert statement["accounts"][0]["closing_minor"] == total


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"amount_minor": 50, "received_minor": 50}, ParkReason.OTHER_AMOUNT),
        ({"currency": "USD"}, ParkReason.OTHER_CURRENCY),
    ],
)
def test_what_differs_from_what_was_asked_is_parked(shop: Shop, changes: Json, reason: ParkReason) -> None:
    intent = shop.confirm()
    shop.stripe.intents[shop.account_id, intent.payment_intent_id] = replace(intent, **changes)
    total = shop.balance()
    event_id = shop.post("payment_intent.succeeded", intent.payment_intent_id)

    assert shop.consume() == []

    assert shop.state(event_id) == (InboxState.PARKED, reason)
    assert shop.balance() == total > 0


def test_an_account_that_is_nobodys_is_parked(shop: Shop) -> None:
    intent = shop.confirm()
    event_id = shop.post("payment_intent.succeeded", intent.payment_intent_id, account="acct_stranger")

    assert shop.consume() == []
    assert shop.state(event_id) == (InboxState.PARKED, ParkReason.UNKNOWN_ACCOUNT)


def test_the_account_of_another_company_pays_no_invoice(shop: Shop, member: Callable[..., Person]) -> None:
    """A company that is connected as well names the invoice of another one, in a payment on its own account."""
    asked, total = shop.confirm(), shop.balance()
    other = connected(member(), shop.stripe)
    shop.stripe.intents[other, "pi_of_another"] = replace(asked, payment_intent_id="pi_of_another")

    event_ids = [
        shop.post("payment_intent.succeeded", "pi_of_another", account=other),
        shop.post("payment_intent.succeeded", asked.payment_intent_id, account=other),
    ]
    assert shop.consume() == []

    assert {shop.state(event_id)[0] for event_id in event_ids} <= {InboxState.PARKED, InboxState.IGNORED}
    assert shop.balance() == total > 0


def test_an_event_that_ended_and_is_told_again_moves_nothing(shop: Shop) -> None:
    intent = shop.confirm()
    event_id = shop.post("payment_intent.succeeded", intent.payment_intent_id)
    assert shop.consume() == []
    refund = shop.stripe.refund(shop.account_id, intent.payment_intent_id, 1_000)
    assert refund.status is StripeRefundStatus.SUCCEEDED

    assert shop.post("payment_intent.succeeded", intent.payment_intent_id, id=event_id) == event_id

    assert list(shop.queue.messages) == []
    assert shop.state(event_id) == (InboxState.DONE, None)
    assert shop.balance() == 0


def test_a_fault_of_ours_fails_the_function_once_the_others_had_their_turn(shop: Shop) -> None:
    intent = shop.confirm()
    failing = shop.post("payment_intent.succeeded", intent.payment_intent_id)
    unknown = shop.post("customer.created", "cus_1", kind="customer")
    shop.stripe.refused["read_payment_intent"] = StripeRefused("parameter_unknown", status=400)

    with pytest.raises(StripeRefused):
        shop.consume()

    assert shop.state(failing)[0] is InboxState.RECEIVED
    assert shop.state(unknown)[0] is InboxState.IGNORED
    shop.stripe.refused.clear()
    shop.queue.messages += [failing, unknown]
    assert shop.consume() == []
    assert shop.balance() == 0


def test_what_fails_comes_again_alone(shop: Shop) -> None:
    intent = shop.confirm()
    failing = shop.post("payment_intent.succeeded", intent.payment_intent_id)
    unknown = shop.post("customer.created", "cus_1", kind="customer")
    shop.stripe.down = True

    assert shop.consume() == [failing]

    assert shop.state(failing)[0] is InboxState.RECEIVED
    assert shop.state(unknown)[0] is InboxState.IGNORED
    shop.stripe.down = False
    shop.queue.messages.append(failing)
    assert shop.consume() == []
    assert shop.balance() == 0


def test_a_company_refunds_through_stripe(shop: Shop) -> None:
    intent = shop.confirm()
    shop.post("payment_intent.succeeded", intent.payment_intent_id)
    shop.consume()
    [row] = shop.owner.call("payments/list").body["items"]
    path = {"payment_id": row["payment_id"]}
    route = next(one for one in ROUTES if one.name.module == "payments.refund")

    refunded = shop.owner.call("payments/refund", body={"amount_minor": 1_000, "reason": "Geste"}, **path)
    beyond = shop.owner.call("payments/refund", body={"amount_minor": intent.amount_minor}, **path)
    reversed_by_hand = shop.owner.call("payments/reverse", **path)
    shop.stripe.refused["create_refund"] = StripeRefused("charge_disputed", status=400)
    refused = shop.owner.call("payments/refund", body={"amount_minor": 1_000}, **path)

    assert (refunded.status, refunded.body["refunded_minor"]) == (200, 1_000)
    assert refunded.body["payment_intent_id"] == intent.payment_intent_id
    assert [one.amount_minor for one in shop.stripe.refunds.values()] == [1_000]
    assert shop.balance() == 1_000
    assert (beyond.status, beyond.body["type"]) == (409, "/problems/refund-exceeds-payment")
    assert (reversed_by_hand.status, reversed_by_hand.body["type"]) == (409, "/problems/payment-by-stripe")
    assert (refused.status, refused.body["type"]) == (409, "/problems/refund-refused")
    assert "contesté" in refused.body["detail"]
    for answer in (refunded, beyond, refused):
        assert_as_documented(route, answer)


def test_a_refund_that_stripe_did_not_answer_is_finished_by_the_sweep(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = shop.confirm()
    shop.post("payment_intent.succeeded", intent.payment_intent_id)
    shop.consume()
    [row] = shop.owner.call("payments/list").body["items"]
    shop.stripe.down = True
    asked = shop.owner.call("payments/refund", body={"amount_minor": 1_000}, payment_id=row["payment_id"])
    assert (asked.status, asked.body["type"]) == (503, "/problems/dependency-unavailable")
    shop.stripe.down = False
    monkeypatch.setattr(stripe_refunds, "FINISHED_AFTER", timedelta(0))

    swept = invoke("scheduled/finish_stripe_refunds", sample("scheduled/finish_stripe_refunds"))

    assert swept["finished"] >= 1
    assert shop.balance() == 1_000


def test_a_night_brings_in_what_no_event_told(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    intent = shop.confirm()
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(type(clock), "now", lambda _: tomorrow)

    run = invoke("scheduled/reconcile_stripe_days", sample("scheduled/reconcile_stripe_days"))

    assert run["repaired"] >= 1
    assert shop.balance() == 0
    [report, *_] = shop.owner.call("payments/list_reconciliations").body["items"]
    assert (report["state"], report["repaired"], report["paid_minor"]) == ("balanced", 1, intent.amount_minor)


def test_a_company_sees_how_a_payment_stands_at_stripe(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    intent = shop.confirm()
    shop.stripe.refund(shop.account_id, intent.payment_intent_id, 1_000, status=StripeRefundStatus.PENDING)
    dispute = shop.stripe.dispute(shop.account_id, intent.payment_intent_id, 2_000)
    shop.post("charge.dispute.created", dispute.dispute_id, kind="dispute", about={"charge": dispute.charge_id})
    shop.post("charge.refunded", intent.payment_intent_id)
    shop.consume()
    [row] = shop.owner.call("payments/list").body["items"]
    asked: list[str] = []
    original = table.table()._call

    def counted(operation: str, **request: Any) -> Any:
        asked.append(operation)
        return original(operation, **request)

    monkeypatch.setattr(table.table(), "_call", counted)

    shown = shop.owner.call("payments/read_online", payment_id=row["payment_id"])

    assert len(asked) == 2
    assert_as_documented(next(one for one in ROUTES if one.name.module == "payments.read_online"), shown)
    assert [(one["status"], one["amount_minor"]) for one in shown.body["refunds"]] == [("pending", 1_000)]
    [contested] = shown.body["disputes"]
    assert (contested["status"], contested["amount_minor"]) == ("needs_response", 2_000)
    assert contested["evidence_due_by"]
    assert contested["detail_fr"] == "Le paiement est contesté : donnez vos preuves dans Stripe avant l'échéance."
    assert contested["reason_fr"].endswith(".")
    assert shown.body["refunds"][0]["detail_fr"] == "Le remboursement est en route."
    assert (shown.body["detail_fr"], shown.body["method_fr"]) == ("Le paiement est encaissé.", "carte bancaire")
    assert shop.balance() == 0


def test_a_company_sees_what_is_contested(shop: Shop) -> None:
    intent = shop.confirm()
    dispute = shop.stripe.dispute(shop.account_id, intent.payment_intent_id, 2_000)
    shop.post("charge.dispute.created", dispute.dispute_id, kind="dispute", about={"charge": dispute.charge_id})
    shop.consume()
    [paid] = shop.owner.call("payments/list").body["items"]

    shown = shop.owner.call("payments/list_disputes")

    assert_as_documented(next(one for one in ROUTES if one.name.module == "payments.list_disputes"), shown)
    [row] = shown.body["items"]
    invoice = shop.owner.call("invoices/read", invoice_id=shop.owner.ids["invoice_id"]).body
    assert (row["payment_id"], row["invoice_id"]) == (paid["payment_id"], invoice["invoice_id"])
    assert (row["invoice_number"], row["customer_name"]) == (invoice["number"], paid["customer_name"])
    assert (row["amount_minor"], row["currency"], row["awaits_answer"]) == (2_000, "EUR", True)
    assert row["reason_fr"] == "Le titulaire dit ne pas avoir fait ce paiement."
    assert row["detail_fr"] == "Le paiement est contesté : donnez vos preuves dans Stripe avant l'échéance."
    assert row["evidence_due_by"]
    assert row["answer_url"] == f"https://dashboard.stripe.com/{shop.account_id}/disputes/{dispute.dispute_id}"


def test_the_timeline_says_why_a_debit_failed(shop: Shop) -> None:
    intent = shop.confirm(method="sepa_debit")
    shop.stripe.settle(shop.account_id, intent.payment_intent_id, success=False)
    shop.post("payment_intent.payment_failed", intent.payment_intent_id)
    shop.consume()

    events = shop.owner.call("invoices/read_timeline", invoice_id=shop.invoice_id).body["items"]

    [failed] = [one for one in events if one["event_type"] == "invoice.online_payment_failed"]
    assert failed["data"]["failure_code"] == "debit_not_authorized"
    assert failed["detail_fr"] == "Le client n'a pas autorisé ce prélèvement."
    assert {one["detail_fr"] for one in events if one is not failed} == {None}


def test_a_payment_that_did_not_come_through_stripe_is_not_there(owner: Person) -> None:
    owner.call("invoices/issue", body={"version": 1}, invoice_id=owner.ids["invoice_id"])
    paid = {"customer_id": owner.ids["customer_id"], "amount_minor": 300, "method": "transfer"}
    made = owner.call("payments/record", body={**paid, "allocations": [], "excess": "customer_credit"}).body

    assert owner.call("payments/read_online", payment_id=made["payment_id"]).status == 404


class Stream:
    """What the stream of the table tells of the items that are written to be counted, one record each version."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: list[Json] = []
        client = table.table()
        call = client._call

        def heard(operation: str, **request: Any) -> Any:
            answer = call(operation, **request)
            if operation == "transact_write_items":
                items = [next(iter(one.values())).get("Item", {}) for one in request["TransactItems"]]
                self.records += [self.record(image) for image in items if "counted" in image]
            return answer

        monkeypatch.setattr(client, "_call", heard)

    def record(self, image: Json, **told: Any) -> Json:
        [one] = sample("streams/start_workflows")["Records"]
        number = str(10**20 + len(self.records))
        changes = {"NewImage": image, "SequenceNumber": number}
        return {**one, "eventID": uuid.uuid4().hex, "eventName": "MODIFY", "dynamodb": one["dynamodb"] | changes} | told

    def follow(self, records: list[Json] | None = None) -> Json:
        answer: Json = invoke("streams/start_workflows", {"Records": self.records if records is None else records})
        return answer


PAID_ONCE = {"PaymentAttempted": 1, "PaymentSucceeded": 1}


def test_what_counts_is_counted_from_the_stream_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = Stream(monkeypatch)
    intent = shop.confirm()
    for _ in range(3):
        shop.post("payment_intent.succeeded", intent.payment_intent_id)
    shop.stripe.refund(shop.account_id, intent.payment_intent_id, 1_000)
    shop.post("charge.refunded", intent.payment_intent_id)
    shop.post("payment_intent.succeeded", intent.payment_intent_id, account="acct_stranger")
    capsys.readouterr()

    assert shop.consume() == []
    counted_by_the_processing = metrics(capsys)
    assert stream.follow() == {"batchItemFailures": []}

    assert counted_by_the_processing == {}
    assert metrics(capsys) == PAID_ONCE | {"StripeEventParked": 1}
    # A batch that Lambda hands again, and the next version of the same item, which counts nothing.
    stream.follow()
    [image, *_] = [one["dynamodb"]["NewImage"] for one in stream.records]
    stream.follow([stream.record({name: value for name, value in image.items() if name != "counted"})])
    assert metrics(capsys) == {}


def test_a_batch_that_fails_on_its_way_counts_no_record_twice(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from streams import start_workflows  # noqa: PLC0415

    stream = Stream(monkeypatch)
    intent = shop.confirm()
    shop.post("payment_intent.succeeded", intent.payment_intent_id)
    shop.consume()
    entry = {"entity": {"S": "ledger_entry"}, "tenant_id": {"S": "t"}, "pk": {"S": "T#t#INVOICE#i"}}
    failing = stream.record(entry | {"sk": {"S": "LEDGER#000001"}}, eventName="INSERT")
    failing["dynamodb"]["SequenceNumber"] = "7"
    fact = stream.records[0]
    late = stream.record(fact["dynamodb"]["NewImage"])  # of another payment, for what it is worth

    class Away:
        error: Exception = DependencyUnavailable()

        def book(self, *_: str) -> None:
            raise self.error

    monkeypatch.setattr(start_workflows, "checkouts", Away)
    capsys.readouterr()

    assert stream.follow([fact, failing, late]) == {"batchItemFailures": [{"itemIdentifier": "7"}]}
    assert metrics(capsys) == PAID_ONCE
    monkeypatch.setattr(Away, "error", RuntimeError("a fault of ours"))
    with pytest.raises(RuntimeError):
        stream.follow([late, failing])
    assert metrics(capsys) == {}
    monkeypatch.undo()
    assert stream.follow([fact, late]) == {"batchItemFailures": []}
    assert metrics(capsys) == PAID_ONCE
