"""Attempts to pay online and the account behind them, over fakes and table: one writer at a time, one tenant each."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from billing.domain.checkout import SESSION_LIFE, SETTLED_AFTER, AttemptState, CheckoutAttempt, CheckoutBook
from billing.domain.errors import MembershipChanged, NotFound, StaleVersion
from billing.domain.events import Event, EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.stripe import CheckoutPaymentStatus, CheckoutSession, CheckoutStatus, StripeAccount
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_inbox import InboxEntry, InboxState
from billing.ports.checkouts import DueCheckout
from billing.ports.idempotency import AlreadyAnswered
from tests import factories
from tests.contracts.conftest import World
from tests.contracts.test_stripe_inbox import told
from tests.fakes.clock import MORNING

END = MORNING + SESSION_LIFE


class Counter:
    """An issued invoice of 120 euros, and short ways to attempt to pay it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.checkouts = world.repositories.checkouts
        self.connections = world.repositories.stripe_connections
        self.tenant_id = world.caller.tenant_id
        self.invoice = self.issue()

    def issue(self) -> IssuedInvoice:
        return self.world.issue()

    def attempt(self, number: int = 1, *, amount_minor: int = 12_000, ends: datetime = END) -> CheckoutAttempt:
        return CheckoutAttempt(
            number=number,
            state=AttemptState.OPENING,
            account_id="acct_1",
            amount_minor=amount_minor,
            currency="EUR",
            ledger_rank=0,
            opened_at=MORNING,
            expires_at=ends,
        )

    def session(self) -> CheckoutSession:
        return CheckoutSession(
            session_id="cs_1",
            status=CheckoutStatus.OPEN,
            payment_status=CheckoutPaymentStatus.UNPAID,
            amount_minor=12_000,
            currency="EUR",
            expires_at=END,
            url="https://checkout.stripe.example/cs_1",
        )

    def book(self, invoice: IssuedInvoice | None = None) -> CheckoutBook:
        return self.checkouts.book(self.tenant_id, (invoice or self.invoice).invoice_id)

    def begin(self, invoice: IssuedInvoice | None = None, *, ends: datetime = END) -> CheckoutBook:
        begun = self.book(invoice).beginning(self.attempt(ends=ends))
        self.checkouts.save(begun, while_ledger_at=0)
        return begun

    def due(self, at: datetime) -> list[str | None]:
        found = (self.checkouts.due(at, shard=shard, limit=100) for shard in range(self.checkouts.shards))
        return [one.invoice_id for page in found for one in page if one.tenant_id == self.tenant_id]

    def account(self, account_id: str | None = None) -> StripeAccount:
        return StripeAccount(
            account_id=account_id or self.world.new_id("acct") + self.tenant_id,
            charges_enabled=True,
            payouts_enabled=True,
            details_submitted=True,
        )

    def connect(self, account: StripeAccount | None = None) -> StripeConnection:
        connected = self.connections.read(self.world.caller).connected(account or self.account(), MORNING)
        self.connections.save(self.world.caller, connected)
        return connected


@pytest.fixture
def counter(world: World) -> Counter:
    return Counter(world)


def test_what_a_payment_rests_on_is_read_together(counter: Counter) -> None:
    begun, connected = counter.begin(), counter.connect()

    found = counter.checkouts.load(counter.tenant_id, counter.invoice.invoice_id)

    assert (found.invoice, found.book, found.connection) == (counter.invoice, begun, connected)


def test_what_does_not_exist_is_an_unwritten_book_and_no_connection(counter: Counter) -> None:
    found = counter.checkouts.load(counter.world.stranger.tenant_id, counter.invoice.invoice_id)

    assert found.invoice is None
    assert (found.book.version, found.book.attempts) == (0, ())
    assert (found.connection.version, found.connection.state) == (0, ConnectionState.NONE)


def test_of_sixteen_writers_of_one_version_one_writes(counter: Counter) -> None:
    begun = counter.book().beginning(counter.attempt())

    def save(_: int) -> bool:
        try:
            counter.checkouts.save(begun, while_ledger_at=0)
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(16))) == 1
    assert counter.book() == begun


def test_an_attempt_is_not_written_once_the_ledger_moved(counter: Counter) -> None:
    begun = counter.book().beginning(counter.attempt())
    counter.world.pay(counter.invoice, 5_000)

    with pytest.raises(StaleVersion):
        counter.checkouts.save(begun, while_ledger_at=0)
    assert counter.book().version == 0
    counter.checkouts.save(begun, while_ledger_at=1)
    assert counter.book() == begun


def test_an_attempt_is_not_written_once_the_links_moved(counter: Counter) -> None:
    begun, invoice_links = counter.book().beginning(counter.attempt()), counter.world.repositories.invoice_links
    links = invoice_links.stored(counter.tenant_id, counter.invoice.invoice_id).links
    invoice_links.record(links.with_link("s" * 43, MORNING))

    for version in (0, 2):
        with pytest.raises(StaleVersion):
            counter.checkouts.save(begun, while_ledger_at=0, while_links_at=version)
    assert counter.book().version == 0
    counter.checkouts.save(begun, while_ledger_at=0, while_links_at=1)
    assert counter.book() == begun


def test_an_attempt_rests_on_links_that_were_never_written(counter: Counter) -> None:
    begun = counter.book().beginning(counter.attempt())
    counter.checkouts.save(begun, while_ledger_at=0, while_links_at=0)

    assert counter.book() == begun


def test_a_book_moves_one_version_at_a_time(counter: Counter) -> None:
    begun = counter.begin()
    opened = begun.opened(1, counter.session())
    counter.checkouts.save(opened)

    with pytest.raises(StaleVersion):
        counter.checkouts.save(begun.moved(1, AttemptState.REFUSED, MORNING))
    assert counter.book() == opened


def test_a_page_is_due_at_its_end_or_as_soon_as_it_is_in_doubt(counter: Counter) -> None:
    later = counter.issue()
    begun, _ = counter.begin(), counter.begin(later, ends=END + timedelta(minutes=1))

    assert counter.due(END - timedelta(seconds=1)) == []
    assert counter.due(END) == [counter.invoice.invoice_id]
    assert counter.due(END + timedelta(hours=1)) == [counter.invoice.invoice_id, later.invoice_id]
    doubted = begun.to_check(MORNING)
    counter.checkouts.save(doubted)
    assert counter.due(MORNING) == [counter.invoice.invoice_id]
    assert counter.checkouts.closable(counter.tenant_id, limit=9) == (counter.invoice.invoice_id, later.invoice_id)
    counter.checkouts.save(doubted.moved(1, AttemptState.EXPIRED, MORNING))
    assert counter.due(END + timedelta(hours=1)) == [later.invoice_id]
    assert counter.checkouts.closable(counter.tenant_id, limit=9) == (later.invoice_id,)
    assert counter.checkouts.closable(counter.world.stranger.tenant_id, limit=9) == ()


def test_an_attempt_on_its_way_to_the_bank_is_not_due(counter: Counter) -> None:
    begun = counter.begin()

    counter.checkouts.save(begun.moved(1, AttemptState.PROCESSING, MORNING, payment_intent_id="pi_1"))

    assert counter.due(END + timedelta(days=9)) == []
    assert counter.checkouts.closable(counter.tenant_id, limit=9) == ()


def test_an_attempt_on_its_way_to_the_bank_is_asked_for_until_it_ends(counter: Counter) -> None:
    def unsettled(at: datetime) -> list[str]:
        held = counter.checkouts
        found = [one for shard in range(held.shards) for one in held.unsettled(at, shard=shard, limit=1000)]
        return [invoice_id for tenant_id, invoice_id in found if tenant_id == counter.tenant_id]

    moved = counter.begin().moved(1, AttemptState.PROCESSING, MORNING, payment_intent_id="pi_1")
    counter.checkouts.save(moved)

    assert unsettled(MORNING + SETTLED_AFTER - timedelta(seconds=1)) == []
    assert unsettled(MORNING + SETTLED_AFTER) == [counter.invoice.invoice_id]
    later = moved.postponed(MORNING + timedelta(days=1))
    counter.checkouts.save(later)
    assert unsettled(MORNING + timedelta(hours=23)) == []
    assert unsettled(MORNING + timedelta(days=1)) == [counter.invoice.invoice_id]
    counter.checkouts.save(later.moved(1, AttemptState.FAILED, MORNING))
    assert unsettled(MORNING + timedelta(days=30)) == []


def test_a_company_that_let_its_account_go_is_due_until_its_pages_are_closed(counter: Counter) -> None:
    gone = counter.connect().disconnected(MORNING)
    counter.connections.save(counter.world.caller, gone)

    found = [
        one for shard in range(counter.checkouts.shards) for one in counter.checkouts.due(MORNING, shard=shard, limit=9)
    ]
    assert DueCheckout(tenant_id=counter.tenant_id, invoice_id=None) in found
    counter.connections.save(counter.world.caller, gone.closed())
    assert counter.due(MORNING) == []


def test_a_connection_is_read_as_it_was_saved_and_no_stranger_s(counter: Counter) -> None:
    connected = counter.connect()

    assert counter.connections.read(counter.world.caller) == counter.connections.stored(counter.tenant_id) == connected
    assert counter.connections.read(counter.world.stranger).state is ConnectionState.NONE
    with pytest.raises(StaleVersion):
        counter.connections.save(counter.world.caller, connected)
    gone = factories.caller(counter.tenant_id, user_id="user-nobody")
    with pytest.raises(MembershipChanged):
        counter.connections.save(gone, connected.allowing_partial_payments(True))


def test_issuing_knows_whether_the_company_takes_payments_online(counter: Counter) -> None:
    def takes() -> bool:
        draft = counter.world.add_draft()
        invoices, once = counter.world.repositories.invoices, counter.world.once("issueInvoice")
        return invoices.load_for_issue(counter.world.caller, draft.invoice_id, once=once).takes_payments

    assert not takes()
    connected = counter.connect()
    assert takes()
    counter.connections.save(counter.world.caller, connected.disconnected(MORNING))
    assert not takes()


def test_an_account_leads_to_one_tenant_for_ever(counter: Counter) -> None:
    account = counter.account()
    connected = counter.connect(account)
    assert counter.connections.tenant_of(account.account_id) == counter.tenant_id
    assert counter.connections.tenant_of("acct_unknown") is None

    counter.connections.save(counter.world.caller, connected.disconnected(MORNING))

    assert counter.connections.tenant_of(account.account_id) == counter.tenant_id
    taken = counter.connections.read(counter.world.stranger).connected(account, MORNING)
    with pytest.raises(StaleVersion):
        counter.connections.save(counter.world.stranger, taken)
    assert counter.connections.read(counter.world.stranger).version == 0


def test_an_account_that_comes_back_keeps_the_day_from_which_nobody_read_it(counter: Counter) -> None:
    account = counter.account()
    connected = counter.connect(account)
    held = counter.world.repositories.reconciliations
    first = held.due_since(counter.tenant_id, account.account_id)
    gone = connected.disconnected(MORNING)
    counter.connections.save(counter.world.caller, gone)

    counter.connections.save(counter.world.caller, gone.connected(account, MORNING + timedelta(days=40)))

    assert first == MORNING.date()
    assert held.due_since(counter.tenant_id, account.account_id) == first


def test_a_connection_is_saved_once_per_request(counter: Counter) -> None:
    once = counter.world.once("connectStripeAccount")
    creating = counter.connections.read(counter.world.caller, once=once).creating()
    counter.connections.save(counter.world.caller, creating, once=once, answered=creating)

    with pytest.raises(AlreadyAnswered):
        counter.connections.read(counter.world.caller, once=once)
    with pytest.raises(AlreadyAnswered):
        counter.connections.save(counter.world.caller, creating.creating(), once=once, answered=creating)


def test_what_stripe_told_of_an_account_ends_with_its_effect_or_not_at_all(counter: Counter) -> None:
    inbox, caller = counter.world.repositories.stripe_inbox, counter.world.caller
    entry = inbox.receive(InboxEntry.received(told(), MORNING))
    gone = counter.connect().disconnected(MORNING)
    event = Event(
        event_id=counter.world.new_id("evt"),
        event_type=EventType.STRIPE_ACCOUNT_WITHDRAWN,
        occurred_at=MORNING,
        actor="system:stripe",
    )
    with pytest.raises(StaleVersion):
        counter.connections.save(caller, gone.closed(), event=event, entry=entry.done(MORNING))
    kept = inbox.read(entry.event.event_id)
    assert kept is not None
    assert kept.state is InboxState.RECEIVED

    counter.connections.save(caller, gone, event=event, entry=entry.done(MORNING))

    ended = inbox.read(entry.event.event_id)
    assert ended is not None
    assert (ended.state, counter.connections.read(caller)) == (InboxState.DONE, gone)


def test_an_invoice_is_read_with_the_attempts_to_pay_it(world: World) -> None:
    counter = Counter(world)
    invoices, payments = world.repositories.invoices, world.repositories.payments
    none = CheckoutBook(tenant_id=counter.tenant_id, invoice_id=counter.invoice.invoice_id)
    assert invoices.read_with_checkouts(world.caller, counter.invoice.invoice_id).checkouts == none
    book = none.beginning(counter.attempt())
    counter.checkouts.save(book)
    confirmed = book.moved(1, AttemptState.PROCESSING, MORNING, payment_intent_id="pi_1").paid_by(1, "sepa_debit")
    counter.checkouts.save(replace(confirmed, version=book.version + 1))

    read = invoices.read_with_checkouts(world.caller, counter.invoice.invoice_id)
    context = payments.load(world.caller, counter.invoice.document.customer_id, (counter.invoice.invoice_id,))

    assert read.invoice == counter.invoice
    assert read.checkouts.in_progress == confirmed.attempts[0]
    assert (confirmed.attempts[0].method, confirmed.attempts[0].confirmed_at) == ("sepa_debit", MORNING)
    assert context.checkouts == {counter.invoice.invoice_id: read.checkouts}
    with pytest.raises(NotFound):
        invoices.read_with_checkouts(world.caller, world.new_id("inv"))


def test_an_invoice_with_its_attempts_is_of_its_tenant_alone(world: World) -> None:
    counter = Counter(world)

    with pytest.raises(NotFound):
        world.repositories.invoices.read_with_checkouts(world.stranger, counter.invoice.invoice_id)


def test_a_request_that_was_answered_is_not_read_again(world: World) -> None:
    invoice, once = world.issue(), world.once("recordInvoicePayment")
    world.pay(invoice, 1_000, once=once)

    with pytest.raises(AlreadyAnswered):
        world.repositories.invoices.read_with_checkouts(world.caller, invoice.invoice_id, once=once)
