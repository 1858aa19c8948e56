"""A company that is paid online, over the real adapters: every request of its processes can be their last.

The table is the started engine's, Stripe the local one behind Stripe's own library, the queue a list behind ours. What
was prepared once is put back as often as it is needed.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from billing.adapters.dynamodb.checkouts import Checkouts, StripeConnections
from billing.adapters.dynamodb.companies import Companies
from billing.adapters.dynamodb.credit_notes import CreditNotes
from billing.adapters.dynamodb.customer_accounts import CustomerAccounts
from billing.adapters.dynamodb.customers import Customers
from billing.adapters.dynamodb.deliveries import Deliveries
from billing.adapters.dynamodb.invoices import Invoices
from billing.adapters.dynamodb.memberships import Memberships
from billing.adapters.dynamodb.payments import Payments
from billing.adapters.dynamodb.reconciliations import Reconciliations
from billing.adapters.dynamodb.stripe_inbox import StripeInbox
from billing.adapters.dynamodb.stripe_payments import StripePayments
from billing.adapters.dynamodb.subscriptions import Subscriptions
from billing.adapters.dynamodb.table import Table
from billing.adapters.sqs import SqsStripeEventQueue
from billing.adapters.stripe_gateway import StripeApi
from billing.domain.checkout import CheckoutAttempt, CheckoutBook, CheckoutSite
from billing.domain.invoice import IssuedInvoice
from billing.domain.payments import Payment
from billing.domain.stripe import STRIPE_API_VERSION, StripeEvent
from billing.domain.stripe_inbox import event_told
from billing.domain.stripe_payment import StripePayment
from billing.ports.checkouts import MovedLedger
from billing.ports.stripe import AccountWanted
from billing.ports.stripe_inbox import SHARDS
from billing.usecases.checkouts import CheckoutPage, close_due_checkouts, doubt_checkout, open_checkout
from billing.usecases.customer_accounts import read_customer_statement
from billing.usecases.stripe_events import Processed, StripeDesk, process_stripe_event
from billing.usecases.stripe_inbox import receive_stripe_event, sweep_stripe_events
from local.stripe import objects
from local.stripe.server import API_KEY, LocalStripe
from tests.fakes.clock import MORNING, FakeClock, FakeIds
from tests.fakes.links import FakeLinkSecrets
from tests.faults.wire import Wire, WiredClient, WiredStripe
from tests.stripe_world import NOWHERE
from tests.usecases.conftest import Shop

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

STRIPE_URL: Final = "https://api.stripe.test"
SITE: Final = CheckoutSite(invoices_url="https://app.exemple.test/factures", fee_basis_points=50)
_BATCH: Final = 25
_STRIPE_TABLES: Final = ("objects", "answers", "deliveries")

# What differs between two runs that come to the same: ids made by chance, instants, and how often something was tried.
_CHANCE: Final = (
    (re.compile(r"(?<![A-Za-z0-9])([a-z]{2,4}(?:_test)?)_(?=[a-z]*[A-Z\d])[A-Za-z0-9]{6,}"), r"\1_*"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:Z|\+00:00)"), "<instant>"),
    (re.compile(r'"(version|attempts|attempt_count|repaired)":\d+'), r'"\1":0'),
    (re.compile(r"counted=(?:StripeFactMissed ?)+"), ""),  # of those that are ``repaired``
    (re.compile(r'"check_at":(null|"<instant>")'), ""),  # whether it is due is an attribute of its own
    (re.compile(r',"asked_again":true|,"again_at":"<instant>"'), ""),
    (re.compile(r'"invoice_prefix": "[A-Z0-9]+"'), ""),
    (re.compile(r', "_links": {.*}}}$'), "}"),  # each serves once: whoever asks again gets another
    (re.compile(r'"(created|available_on|expires_at)": ?\d+'), r'"\1":0'),
)
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
_NEVER_COMPARED: Final = frozenset({"version", "attempts", "outbox_sk", "listing_sk", "expires_at", "answer", "audit"})


@dataclass(frozen=True)
class Held:
    """The repositories that a company needs."""

    memberships: Memberships
    companies: Companies
    customers: Customers
    invoices: Invoices
    deliveries: Deliveries
    credit_notes: CreditNotes
    payments: Any
    accounts: CustomerAccounts
    checkouts: Any
    stripe_connections: Any
    stripe_inbox: Any
    stripe_payments: Any
    subscriptions: Subscriptions
    reconciliations: Any


@dataclass(frozen=True)
class Image:
    """Everything that outlives a process."""

    items: dict[str, Any]
    stripe: dict[str, list[Any]]
    queue: tuple[str, ...]
    now: datetime


class Queue:
    """What SQS would hold, behind its own call."""

    def __init__(self) -> None:
        self.waiting: list[str] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        assert QueueUrl
        self.waiting += [json.loads(one["MessageBody"])["event_id"] for one in Entries]
        return {}


class House:
    def __init__(self, client: DynamoDBClient, table_name: str) -> None:
        self.wire = Wire()
        self.clock = FakeClock()
        self.ids = FakeIds()
        self.queue = Queue()
        self.stripe = LocalStripe(":memory:", base_url=STRIPE_URL, webhook_url=NOWHERE, now=self.clock.now)
        self.gateway = StripeApi(STRIPE_URL, read_key=lambda: API_KEY, clock=self.clock)
        self.gateway._http = WiredStripe(self.stripe, self.wire)  # type: ignore[assignment]
        self.events = SqsStripeEventQueue(WiredClient(self.queue, self.wire), "https://sqs.exemple.test/events")
        self._client = client
        self._table_name = table_name
        self.table = Table(WiredClient(client, self.wire), table_name, clock=self.clock, ids=self.ids)  # type: ignore[arg-type]
        self.held = self.over(self.table)
        self._companies = 0

    def over(self, table: Table) -> Held:
        return Held(
            memberships=Memberships(table),
            companies=Companies(table),
            customers=Customers(table),
            invoices=Invoices(table),
            deliveries=Deliveries(table),
            credit_notes=CreditNotes(table),
            payments=Payments(table),
            accounts=CustomerAccounts(table),
            checkouts=Checkouts(table),
            stripe_connections=StripeConnections(table),
            stripe_inbox=StripeInbox(table),
            stripe_payments=StripePayments(table),
            subscriptions=Subscriptions(table),
            reconciliations=Reconciliations(table),
        )

    # A company, its invoice of 120 euros, and its account at Stripe

    def found(self) -> None:
        """Nothing is there but one company; what the one before left is gone."""
        self.wire.disarm()
        self.put_back(Image(items={}, stripe={name: [] for name in _STRIPE_TABLES}, queue=(), now=MORNING))
        self.held = self.over(self.table)
        self.history: frozenset[str] = frozenset()
        self.shop = Shop(repositories=self.held, clock=self.clock, ids=self.ids)  # type: ignore[arg-type]
        self.shop.describe()
        self.caller = self.shop.caller
        connection = self.held.stripe_connections.read(self.caller).creating()
        self.held.stripe_connections.save(self.caller, connection)
        wanted = AccountWanted(email="a@exemple.test", country="FR", business_name="Exemple")
        self.account_id = self.gateway.create_account(wanted, idempotency_key=connection.account_key).account_id
        self.stripe.bank.enable(self.account_id)
        account = self.gateway.read_account(self.account_id)
        assert account is not None
        connected = connection.connected(account, self.clock.now())
        self.held.stripe_connections.save(self.caller, connected)
        self.held.stripe_connections.save(self.caller, connected.allowing_partial_payments(True))
        self.invoice = self.shop.issue()

    @property
    def desk(self) -> StripeDesk:
        held = self.held
        return StripeDesk(
            inbox=held.stripe_inbox,
            stripe=self.gateway,
            connections=held.stripe_connections,
            checkouts=held.checkouts,
            stripe_payments=held.stripe_payments,
            payments=held.payments,
            subscriptions=held.subscriptions,
            invoices=held.invoices,
            companies=held.companies,
            count=lambda _: None,
            clock=self.clock,
            ids=self.ids,
        )

    @property
    def till(self) -> dict[str, Any]:
        return {
            "site": SITE,
            "checkouts": self.held.checkouts,
            "stripe": self.gateway,
            "secrets": FakeLinkSecrets(),
            "clock": self.clock,
            "ids": self.ids,
        }

    def open(self, amount_minor: int | None = None) -> CheckoutPage:
        return open_checkout(self.invoice.tenant_id, self.invoice.invoice_id, amount_minor, **self.till)

    def confirm(self, amount_minor: int | None = None, *, method: str = "card") -> str:
        """The customer pays on a page that is opened for it. The payment intent."""
        self.open(amount_minor)
        return str(self.stripe.bank.confirm(self.current.session_id or "", method)["id"])

    def paid(self, amount_minor: int | None = None) -> str:
        """And we know."""
        intent = self.confirm(amount_minor)
        self.becomes_history()
        return intent

    def sweep_pages(self) -> None:
        close_due_checkouts(connections=self.held.stripe_connections, **self.till)

    def doubt(self) -> None:
        """What the consumer of the table's stream does with the latest entry of the ledger."""
        rank = self.stored.ledger.entry_count
        moved = MovedLedger(tenant_id=self.invoice.tenant_id, invoice_id=self.invoice.invoice_id, rank=rank)
        doubt_checkout(moved, checkouts=self.held.checkouts, clock=self.clock, ids=self.ids)

    # What Stripe tells

    def said(self, *event_types: str) -> list[StripeEvent]:
        """Events that Stripe made, of these types or of all, the oldest first."""
        found = []
        for account in ("", self.account_id):
            for event in reversed(self.stripe.store.all_of(account, "event")):
                told = event_told(objects.shown(event))
                if told is not None and (not event_types or told.event_type in event_types):
                    found.append(told)
        return found

    def latest(self, event_type: str) -> StripeEvent:
        return self.said(event_type)[-1]

    def receive(self, event: StripeEvent) -> None:
        receive_stripe_event(
            event,
            api_version=STRIPE_API_VERSION,
            of_our_mode=True,
            inbox=self.held.stripe_inbox,
            queue=self.events,
            clock=self.clock,
        )

    def process(self, event: StripeEvent) -> Processed:
        return process_stripe_event(event.event_id, desk=self.desk)

    def drain(self) -> None:
        """Whatever is in the queue is processed."""
        while self.queue.waiting:
            process_stripe_event(self.queue.waiting.pop(0), desk=self.desk)

    def hear_all(self) -> None:
        """Stripe tells everything that was not history when the flow began, again what it told before."""
        for event in self.said():
            if event.event_id not in self.history:
                self.receive(event)
        self.drain()

    def becomes_history(self) -> None:
        """What Stripe told until now was heard."""
        self.hear_all()
        self.history = frozenset(event.event_id for event in self.said())

    def sweep_inbox(self) -> None:
        sweep_stripe_events(inbox=self.held.stripe_inbox, queue=self.events, clock=self.clock)

    def later(self, **step: float) -> None:
        self.clock.advance(timedelta(**step))

    # How it stands

    @property
    def stored(self) -> IssuedInvoice:
        return self.held.deliveries.invoice(self.invoice.tenant_id, self.invoice.invoice_id)

    @property
    def book(self) -> CheckoutBook:
        book: CheckoutBook = self.held.checkouts.book(self.invoice.tenant_id, self.invoice.invoice_id)
        return book

    @property
    def current(self) -> CheckoutAttempt:
        current = self.book.current
        assert current is not None
        return current

    def record(self, intent: str) -> StripePayment:
        record: StripePayment | None = self.held.stripe_payments.stored(self.invoice.tenant_id, intent)
        assert record is not None
        return record

    def payment(self, intent: str) -> Payment:
        payment: Payment = self.held.payments.read(self.caller, self.record(intent).payment_id)
        return payment

    @property
    def credit(self) -> int:
        credit: int = self.held.payments.load(self.caller, self.invoice.document.customer_id, ()).credit.balance_minor
        return credit

    def adds_up(self) -> None:
        """The account of the customer, the invoice and the credit say the same; nobody waits for anything."""
        statement = read_customer_statement(
            self.caller,
            self.invoice.document.customer_id,
            None,
            None,
            accounts=self.held.accounts,
            clock=self.clock,
        )
        assert statement.accounts[0].closing_minor == self.stored.ledger.balance_minor - self.credit
        waiting = (self.held.stripe_inbox.waiting(shard, MORNING.replace(year=2030), 9) for shard in range(SHARDS))
        assert [one for shard in waiting for one in shard] == []

    # Kept, put back, compared

    def image(self) -> Image:
        return Image(
            items=self._items(), stripe=self._stripe_rows(), queue=tuple(self.queue.waiting), now=self.clock.now()
        )

    def put_back(self, image: Image) -> None:
        current = self._items()
        changed = [{"PutRequest": {"Item": one}} for key, one in image.items.items() if current.get(key) != one]
        gone = [
            {"DeleteRequest": {"Key": {"pk": one["pk"], "sk": one["sk"]}}}
            for key, one in current.items()
            if key not in image.items
        ]
        requests: list[Any] = changed + gone
        for start in range(0, len(requests), _BATCH):
            answer = self._client.batch_write_item(RequestItems={self._table_name: requests[start : start + _BATCH]})
            assert not answer.get("UnprocessedItems")
        database = self._database
        database.execute("BEGIN")
        for name in _STRIPE_TABLES:
            database.execute(f"DELETE FROM {name}")  # noqa: S608 - three names of ours
            rows = image.stripe[name]
            if rows:
                places = ", ".join("?" * len(rows[0]))
                database.executemany(f"INSERT INTO {name} VALUES({places})", rows)
        database.execute("COMMIT")
        self.queue.waiting[:] = image.queue
        self.clock.set(image.now)
        self.gateway._failures, self.gateway._paused_until = 0, float("-inf")

    def _items(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        start: dict[str, Any] = {}
        while True:
            answer = self._client.scan(TableName=self._table_name, ConsistentRead=True, **start)
            for one in answer["Items"]:
                found[f"{one['pk']['S']}|{one['sk']['S']}"] = one
            if "LastEvaluatedKey" not in answer:
                return found
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    @property
    def _database(self) -> sqlite3.Connection:
        return self.stripe.store._database

    def _stripe_rows(self) -> dict[str, list[Any]]:
        return {name: self._database.execute(f"SELECT * FROM {name}").fetchall() for name in _STRIPE_TABLES}  # noqa: S608

    def books(self, *, any_day: bool = False) -> list[str]:
        """Every item of the table and every object at Stripe, as they compare between two runs."""
        ours = (_without_chance(_texts(one)) for one in self._items().values())
        rows = self._database.execute("SELECT kind, body FROM objects WHERE kind != 'event'").fetchall()
        stripes = (_without_chance(f"stripe {kind} {body}") for kind, body in rows)
        books = sorted((*ours, *stripes, *(f"queued {one}" for one in self.queue.waiting)))
        return [_DAY.sub("<day>", one) for one in books] if any_day else books


def _texts(stored: dict[str, Any]) -> str:
    return " ".join(
        f"{name}={next(iter(held.values()))}" for name, held in sorted(stored.items()) if name not in _NEVER_COMPARED
    )


@cache
def _without_chance(text: str) -> str:
    for pattern, instead in _CHANCE:
        text = pattern.sub(instead, text)
    return text


def differences(expected: Iterable[str], found: Iterable[str]) -> list[str]:
    """What is there once too often, and what is missing."""
    left = list(expected)
    more = []
    for one in found:
        if one in left:
            left.remove(one)
        else:
            more.append(f"+ {one}")
    return [*(f"- {one}" for one in left), *more]
