"""Wherever a process ends between two requests, to the table or to Stripe, the end is that of an undisturbed run."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from billing.adapters.dynamodb.checkouts import Checkouts
from billing.adapters.dynamodb.payments import Payments
from billing.adapters.dynamodb.stripe_inbox import StripeInbox
from billing.adapters.dynamodb.stripe_payments import facts_writes
from billing.adapters.stripe_gateway import StripeApi
from billing.domain.access import Caller
from billing.domain.checkout import AttemptState, CheckoutBook
from billing.domain.crediting import Excess
from billing.domain.errors import DependencyUnavailable, RefundExceedsPayment, RefundRefused
from billing.domain.events import EventType
from billing.domain.ledger import PaymentMethod
from billing.domain.payments import Payment, WantedAllocation
from billing.domain.plans import PRO
from billing.domain.reconciliation import ReconciliationState
from billing.domain.stripe import CheckoutSession, StripeEvent
from billing.domain.stripe_inbox import InboxEntry, InboxState, ParkReason
from billing.domain.stripe_payment import GIVEN_BACK_MEANWHILE, RequestState
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.stripe import CheckoutWanted
from billing.usecases.disputes import remind_of_disputes
from billing.usecases.payments import RefundInput, apply_customer_credit, reverse_payment
from billing.usecases.reconciliations import reconcile_stripe_days
from billing.usecases.stripe_account import connect_stripe_account
from billing.usecases.stripe_refunds import StripeRefundInput, finish_stripe_refunds, refund_by_its_means
from billing.usecases.stripe_settling import settle_waiting_checkouts
from billing.usecases.subscriptions import start_subscription
from local.stripe.server import API_KEY
from tests import factories
from tests.faults.flows import Flow, every_request_goes_wrong
from tests.faults.house import STRIPE_URL, House
from tests.faults.wire import Fate
from tests.usecases.conftest import Shop
from tests.usecases.test_credit_notes import credit, part

pytestmark = pytest.mark.engine
TOTAL = 12_000


def undisturbed(house: House, prepare: Callable[[House], Flow], *, least: int = 3) -> None:
    report = every_request_goes_wrong(house, prepare)
    assert report.findings == ()
    assert len(report.requests) >= least
    assert {at for at, _ in report.points} == set(range(1, len(report.requests) + 1))
    assert {at for at, fate in report.points if fate is Fate.UNHEARD}  # something was written, and not known to be


# A page to pay on


def a_page_is_opened(house: House) -> Flow:
    def holds() -> None:
        assert (house.book.made, house.current.state) == (1, AttemptState.OPEN)
        assert pages(house) == ["open"]

    return Flow(act=house.open, recover=house.open, holds=holds)


def a_page_is_replaced(house: House) -> Flow:
    house.open()
    house.shop.pay(house.invoice.invoice_id, 3_000)

    def holds() -> None:
        assert (house.book.made, house.current.amount_minor) == (2, 9_000)
        assert pages(house) == ["expired", "open"]

    return Flow(act=house.open, recover=house.open, holds=holds)


def a_page_is_doubted_and_closed(house: House) -> Flow:
    house.open()
    house.shop.pay(house.invoice.invoice_id, 3_000)

    def act() -> None:
        house.doubt()
        house.sweep_pages()

    def recover() -> None:
        house.doubt()
        house.later(minutes=3)
        house.sweep_pages()

    def holds() -> None:
        assert house.current.state is AttemptState.EXPIRED
        assert pages(house) == ["expired"]

    return Flow(act=act, recover=recover, holds=holds)


def a_page_that_ended_is_swept(house: House) -> Flow:
    house.open()
    house.later(days=1)

    def recover() -> None:
        house.later(minutes=3)
        house.sweep_pages()

    def holds() -> None:
        assert house.current.state is AttemptState.EXPIRED

    return Flow(act=house.sweep_pages, recover=recover, holds=holds)


def an_account_is_let_go(house: House) -> Flow:
    house.open()
    connection = house.held.stripe_connections.read(house.caller)
    house.held.stripe_connections.save(house.caller, connection.disconnected(house.clock.now()))
    house.later(minutes=3)

    def act() -> None:
        house.sweep_pages()
        house.sweep_pages()

    def recover() -> None:
        house.later(minutes=3)
        act()

    def holds() -> None:
        assert not house.held.stripe_connections.stored(house.invoice.tenant_id).closing
        assert pages(house) == ["expired"]

    return Flow(act=act, recover=recover, holds=holds)


@pytest.mark.parametrize(
    "prepare",
    [
        a_page_is_opened,
        a_page_is_replaced,
        a_page_is_doubted_and_closed,
        a_page_that_ended_is_swept,
        an_account_is_let_go,
    ],
)
def test_a_page(house: House, prepare: Callable[[House], Flow]) -> None:
    undisturbed(house, prepare)


# An event on its way


def an_event_is_received(house: House) -> Flow:
    house.confirm()
    event = house.latest("payment_intent.succeeded")

    def recover() -> None:
        house.receive(event)  # Stripe was not told that it is here
        house.drain()

    return Flow(act=lambda: house.receive(event), recover=recover, holds=lambda: is_paid(house))


def an_event_is_put_into_the_queue_again(house: House) -> Flow:
    house.confirm()
    house.receive(house.latest("payment_intent.succeeded"))
    house.queue.waiting.clear()
    house.later(minutes=11)

    def recover() -> None:
        house.later(hours=1)
        house.sweep_inbox()
        house.drain()

    return Flow(act=house.sweep_inbox, recover=recover, holds=lambda: is_paid(house))


@pytest.mark.parametrize("prepare", [an_event_is_received, an_event_is_put_into_the_queue_again])
def test_an_event_on_its_way(house: House, prepare: Callable[[House], Flow]) -> None:
    undisturbed(house, prepare, least=2)


# An event and what it comes to


@dataclass(frozen=True, kw_only=True)
class Told:
    """What happened at Stripe, the event that tells of it, what the company owns and is owed at the end."""

    happens: Callable[[House], object]
    event_type: str
    balance: int = 0
    credit: int = 0
    state: AttemptState = AttemptState.SUCCEEDED
    least: int = 3


def told(one: Told) -> Callable[[House], Flow]:
    def prepare(house: House) -> Flow:
        one.happens(house)
        event = house.latest(one.event_type)
        house.receive(event)
        house.queue.waiting.clear()

        def recover() -> None:
            assert house.process(event).state is InboxState.DONE

        def holds() -> None:
            house.hear_all()
            assert (house.stored.ledger.balance_minor, house.credit) == (one.balance, one.credit)
            assert house.current.state is one.state
            if house.current.payment_intent_id:
                assert house.record(house.current.payment_intent_id).bookings == ()
            house.adds_up()

        return Flow(act=lambda: house.process(event), recover=recover, holds=holds)

    return prepare


def debit_on_its_way(house: House) -> str:
    intent = house.confirm(method="sepa_debit")
    house.becomes_history()
    return intent


def debit_settles(house: House) -> None:
    house.stripe.bank.settle(house.account_id, debit_on_its_way(house))


def debit_fails(house: House) -> None:
    house.stripe.bank.fail_debit(house.account_id, debit_on_its_way(house), "debit_not_authorized")


def declined(house: House) -> None:
    house.open()
    house.stripe.bank.decline(house.current.session_id or "", "card_declined")


def page_expires(house: House) -> None:
    house.open()
    house.stripe.bank.expire(house.account_id, house.current.session_id or "")


def declined_and_expired(house: House) -> None:
    declined(house)
    house.stripe.bank.expire(house.account_id, house.current.session_id or "")


def fees_come_later(house: House) -> None:
    """Stripe settled the charge after we heard of it."""
    bank, account = house.stripe.bank, house.account_id
    charge = bank.take(account, "charge", charge_of(house, house.confirm()))
    house.stripe.store.put(account, charge | {"balance_transaction": None})
    house.becomes_history()
    house.stripe.store.put(account, charge)
    bank.emit(account, "charge.updated", charge, {"balance_transaction": None})


def charge_of(house: House, intent: str) -> str:
    return str(house.stripe.bank.take(house.account_id, "payment_intent", intent)["latest_charge"])


def given_back(house: House, amount_minor: int = 4_000) -> str:
    charge = charge_of(house, house.paid())
    return str(house.stripe.bank.refund(house.account_id, charge, amount_minor)["id"])


def refund_on_its_way_arrives(house: House) -> None:
    charge = charge_of(house, house.paid())
    refund = house.stripe.bank.refund(house.account_id, charge, 4_000, status="pending")
    house.becomes_history()
    house.stripe.bank.refund_becomes(house.account_id, refund["id"], "succeeded")


def refund_comes_back(house: House) -> None:
    refund_id = given_back(house)
    house.becomes_history()
    house.stripe.bank.refund_becomes(house.account_id, refund_id, "failed", "lost_or_stolen_card")


def paid_twice_and_given_back(house: House) -> None:
    """The customer paid by transfer while the card was charged: the card is credit, and a part of it goes back."""
    intent = house.confirm()
    house.shop.pay(house.invoice.invoice_id, TOTAL)
    house.stripe.bank.refund(house.account_id, charge_of(house, intent), 4_000)


def contested(house: House) -> str:
    charge = charge_of(house, house.paid())
    return str(house.stripe.bank.dispute(house.account_id, charge, None, reason="fraudulent", inquiry=False)["id"])


def dispute_lost(house: House) -> str:
    dispute_id = contested(house)
    house.becomes_history()
    house.stripe.bank.dispute_becomes(house.account_id, dispute_id, "lost")
    return dispute_id


def dispute_won(house: House) -> None:
    dispute_id = contested(house)
    house.becomes_history()
    house.stripe.bank.dispute_becomes(house.account_id, dispute_id, "won")


def dispute_won_after_all(house: House) -> None:
    dispute_id = dispute_lost(house)
    house.becomes_history()
    dispute = house.stripe.bank.take(house.account_id, "dispute", dispute_id)
    house.stripe.store.put(house.account_id, dispute | {"status": "under_review"})
    house.stripe.bank.dispute_becomes(house.account_id, dispute_id, "won")


def everything_at_once(house: House) -> None:
    """Nothing was heard for days: a payment, two refunds, one of them back, and a dispute that is lost."""
    bank, account = house.stripe.bank, house.account_id
    charge = charge_of(house, house.confirm())
    bank.refund(account, charge, 1_000)
    back = bank.refund(account, charge, 2_000)
    bank.refund_becomes(account, back["id"], "failed", "lost_or_stolen_card")
    dispute = bank.dispute(account, charge, 5_000, reason="fraudulent", inquiry=False)
    bank.dispute_becomes(account, dispute["id"], "lost")


def paid_out(status: str) -> Callable[[House], None]:
    def happens(house: House) -> None:
        house.paid()
        payout = house.stripe.bank.pay_out(house.account_id, None, "eur")
        house.stripe.bank.payout_becomes(house.account_id, payout["id"], status)

    return happens


def account_wants_more(house: House) -> None:
    house.paid()
    house.stripe.bank.disable(house.account_id, ["external_account"])


def account_withdrawn(house: House) -> None:
    house.paid()
    house.stripe.bank.disconnect(house.account_id)


TELLS = {
    "session completed": Told(happens=House.confirm, event_type="checkout.session.completed"),
    "charge succeeded": Told(happens=House.confirm, event_type="charge.succeeded"),
    "payment succeeded": Told(happens=House.confirm, event_type="payment_intent.succeeded"),
    "fees told later": Told(happens=fees_come_later, event_type="charge.updated"),
    "payment canceled": Told(
        happens=declined_and_expired,
        event_type="payment_intent.canceled",
        balance=TOTAL,
        state=AttemptState.EXPIRED,
    ),
    "debit begun": Told(
        happens=lambda house: house.confirm(method="sepa_debit"),
        event_type="payment_intent.processing",
        balance=TOTAL,
        state=AttemptState.PROCESSING,
    ),
    "debit settled": Told(happens=debit_settles, event_type="checkout.session.async_payment_succeeded"),
    "debit refused": Told(
        happens=debit_fails,
        event_type="checkout.session.async_payment_failed",
        balance=TOTAL,
        state=AttemptState.FAILED,
    ),
    "debit refused by its intent": Told(
        happens=debit_fails,
        event_type="payment_intent.payment_failed",
        balance=TOTAL,
        state=AttemptState.FAILED,
    ),
    "card declined": Told(
        happens=declined, event_type="payment_intent.payment_failed", balance=TOTAL, state=AttemptState.OPEN
    ),
    "page expired": Told(
        happens=page_expires, event_type="checkout.session.expired", balance=TOTAL, state=AttemptState.EXPIRED
    ),
    "charge refunded": Told(happens=given_back, event_type="charge.refunded", balance=4_000),
    "refund created": Told(happens=given_back, event_type="refund.created", balance=4_000),
    "refund arrived": Told(happens=refund_on_its_way_arrives, event_type="refund.updated", balance=4_000),
    "refund failed": Told(happens=refund_comes_back, event_type="refund.failed"),
    "refund of a credit": Told(happens=paid_twice_and_given_back, event_type="charge.refunded", credit=8_000),
    "dispute begun": Told(happens=contested, event_type="charge.dispute.created"),
    "dispute lost": Told(happens=dispute_lost, event_type="charge.dispute.closed", balance=TOTAL),
    "dispute won": Told(happens=dispute_won, event_type="charge.dispute.closed"),
    "dispute won after all": Told(happens=dispute_won_after_all, event_type="charge.dispute.funds_reinstated"),
    "everything at once": Told(happens=everything_at_once, event_type="charge.dispute.closed", balance=6_000, least=12),
    "paid out": Told(happens=paid_out("paid"), event_type="payout.paid"),
    "payout failed": Told(happens=paid_out("failed"), event_type="payout.failed"),
    "account wants more": Told(happens=account_wants_more, event_type="account.updated"),
    "access withdrawn": Told(happens=account_withdrawn, event_type="account.application.deauthorized"),
}


@pytest.mark.parametrize("name", TELLS)
def test_an_event(house: House, name: str) -> None:
    undisturbed(house, told(TELLS[name]), least=TELLS[name].least)


# Money that we give back


def asked(
    house: House,
    intent: str,
    amount_minor: int,
    *,
    credit_note_id: str = "",
    method: PaymentMethod | None = None,
    key: str = "key-refund",
) -> Callable[[], None]:
    """The same request of the company, however often it is sent. ``method``: it gave the money back itself."""
    payment_id, once = house.record(intent).payment_id, factories.once(key, operation="refundPayment")

    def ask() -> None:
        desk = house.desk
        with contextlib.suppress(RefundRefused, RefundExceedsPayment, AlreadyAnswered):
            refund_by_its_means(
                house.caller,
                payment_id,
                RefundInput(amount_minor=amount_minor, method=method),
                StripeRefundInput(reason="Geste commercial", credit_note_id=credit_note_id),
                once=once,
                payments=desk.payments,
                invoices=desk.invoices,
                stripe=lambda: desk,
                clock=desk.clock,
                ids=desk.ids,
            )

    return ask


def refunds_at_stripe(house: House) -> list[int]:
    return [one["amount"] for one in house.stripe.store.all_of(house.account_id, "refund")]


def a_notes_refund_comes_back(house: House) -> Flow:
    """The bank could not take it. It is undone, and given back once more when the company asks again."""
    intent = house.paid()
    note = credit(house.shop, house.invoice.invoice_id, excess=Excess.REFUND)
    asked(house, intent, TOTAL, credit_note_id=note.invoice_id)()
    house.becomes_history()
    [refund] = house.stripe.store.all_of(house.account_id, "refund")
    house.stripe.bank.refund_becomes(house.account_id, refund["id"], "failed", "lost_or_stolen_card")
    event = house.latest("refund.failed")
    ask_again = asked(house, intent, TOTAL, credit_note_id=note.invoice_id, key="key-again")

    def act() -> None:
        house.receive(event)
        house.queue.waiting.clear()
        house.process(event)
        ask_again()

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == [TOTAL, TOTAL]
        assert (house.stored.ledger.balance_minor, house.credit) == (0, 0)
        assert house.payment(intent).refunds == ()
        house.adds_up()

    return Flow(act=act, recover=act, holds=holds)


def given_back_by_us(amount_minor: int, *, swept: bool) -> Callable[[House], Flow]:
    def prepare(house: House) -> Flow:
        intent = house.paid()
        ask = asked(house, intent, amount_minor)

        def recover() -> None:
            if swept:  # nobody asks again before the sweep had its turn
                house.later(minutes=6)
                finish_stripe_refunds(desk=house.desk)
            ask()

        def holds() -> None:
            house.hear_all()
            assert refunds_at_stripe(house) == [amount_minor]
            assert house.stored.ledger.balance_minor == amount_minor
            assert house.payment(intent).refunded_minor == amount_minor
            assert [one.state for one in house.record(intent).requests] == [RequestState.ACCEPTED]
            house.adds_up()

        return Flow(act=ask, recover=recover, holds=holds)

    return prepare


def given_back_by_a_note(house: House) -> Flow:
    intent = house.paid()
    note = credit(house.shop, house.invoice.invoice_id, excess=Excess.REFUND)
    ask = asked(house, intent, TOTAL, credit_note_id=note.invoice_id)

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == [TOTAL]
        assert (house.stored.ledger.balance_minor, house.credit) == (0, 0)
        assert house.payment(intent).refunds == ()
        house.adds_up()

    return Flow(act=ask, recover=ask, holds=holds)


def given_back_by_a_note_over_two_payments(house: House) -> Flow:
    intents = (house.paid(5_000), house.paid())
    note = credit(house.shop, house.invoice.invoice_id, excess=Excess.REFUND)
    asks = [
        asked(house, intent, amount, credit_note_id=note.invoice_id, key=f"key-{amount}")
        for intent, amount in zip(intents, (5_000, 7_000), strict=True)
    ]

    def ask_both() -> None:
        for ask in asks:
            ask()

    def holds() -> None:
        house.hear_all()
        assert sorted(refunds_at_stripe(house)) == [5_000, 7_000]
        assert (house.stored.ledger.balance_minor, house.credit) == (0, 0)
        assert [house.payment(intent).refunds for intent in intents] == [(), ()]
        house.adds_up()

    return Flow(act=ask_both, recover=ask_both, holds=holds)


def refused_by_stripe(house: House) -> Flow:
    """The customer's bank contests the payment, and no event told."""
    intent = house.paid()
    charge = charge_of(house, intent)
    ask = asked(house, intent, TOTAL)
    house.stripe.bank.dispute(house.account_id, charge, None, reason="fraudulent", inquiry=False)

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == []
        [request] = house.record(intent).requests
        assert (request.state, request.refusal) == (RequestState.REFUSED, "charge_disputed")
        assert house.stored.ledger.balance_minor == 0
        house.adds_up()

    return Flow(act=ask, recover=ask, holds=holds)


def given_back_elsewhere(house: House) -> Flow:
    """A half by a transfer that a credit note had recorded, and more of it that no note explains."""
    intent = house.paid()
    credit(house.shop, house.invoice.invoice_id, part(5_000), excess=Excess.REFUND)
    ask = asked(house, intent, 7_000, method=PaymentMethod.TRANSFER)

    def holds() -> None:
        assert refunds_at_stripe(house) == []
        assert [one.amount_minor for one in house.payment(intent).refunds] == [1_000]
        assert [(one.amount_minor, one.by_notes_minor) for one in house.book.elsewhere] == [(7_000, 6_000)]
        assert house.stored.ledger.balance_minor == 1_000
        house.adds_up()

    return Flow(act=ask, recover=ask, holds=holds)


def given_back_of_credit(house: House) -> Flow:
    """What was paid twice: the credit is promised to the refund until it is given back, and then no more."""
    intent = house.confirm()
    house.shop.pay(house.invoice.invoice_id, TOTAL)
    house.becomes_history()
    ask = asked(house, intent, TOTAL)

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == [TOTAL]
        customer_id = house.invoice.document.customer_id
        credit_left = house.held.payments.load(house.caller, customer_id, ()).credit
        assert (credit_left.balance_minor, credit_left.promised, credit_left.entry_count) == (0, (), 2)
        house.adds_up()

    return Flow(act=ask, recover=ask, holds=holds)


def swept_refunds(house: House) -> Flow:
    """Stripe could not be asked, and nobody asks again."""
    intent = house.paid()
    ask = asked(house, intent, 4_000)
    house.gateway._paused_until = house.clock.monotonic() + 60
    with pytest.raises(DependencyUnavailable):
        ask()
    house.later(minutes=6)

    def recover() -> None:
        house.later(minutes=6)
        finish_stripe_refunds(desk=house.desk)

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == [4_000]
        assert house.payment(intent).refunded_minor == 4_000
        house.adds_up()

    return Flow(act=lambda: finish_stripe_refunds(desk=house.desk), recover=recover, holds=holds)


def credit_spent(house: House) -> tuple[str, Payment]:
    """Half of what was paid became credit, and that settled another invoice."""
    intent, customer_id = house.paid(), house.invoice.document.customer_id
    credit(house.shop, house.invoice.invoice_id, part(5_000), excess=Excess.CUSTOMER_CREDIT)
    other = house.shop.issue(house.shop.draft(house.shop.wanted(customer_id)))
    from_credit = apply_customer_credit(
        house.caller,
        customer_id,
        (WantedAllocation(invoice_id=other.invoice_id, amount_minor=6_000),),
        once=factories.once("key-spent", operation="applyCustomerCredit"),
        payments=house.held.payments,
        clock=house.clock,
        ids=house.desk.ids,
    )
    return intent, from_credit


def taken_beyond_the_books(house: House, intent: str, *, dispute: bool) -> StripeEvent:
    bank, charge = house.stripe.bank, charge_of(house, intent)
    if not dispute:
        bank.refund(house.account_id, charge, 9_000)
        return house.latest("charge.refunded")
    opened = bank.dispute(house.account_id, charge, None, reason="fraudulent", inquiry=False)
    house.becomes_history()
    bank.dispute_becomes(house.account_id, opened["id"], "lost")
    return house.latest("charge.dispute.closed")


def beyond_the_books_is_told(*, dispute: bool) -> Callable[[House], Flow]:
    def prepare(house: House) -> Flow:
        intent, _ = credit_spent(house)
        event = taken_beyond_the_books(house, intent, dispute=dispute)
        house.receive(event)
        house.queue.waiting.clear()

        def holds() -> None:
            ended = house.held.stripe_inbox.read(event.event_id)
            assert ended is not None
            assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.NOTHING_TO_REFUND)
            [unborne] = house.record(intent).unborne
            assert unborne.parked
            timeline = house.held.invoices.timeline(house.caller, house.invoice.invoice_id, PageRequest()).items
            assert [one.event_type for one in timeline].count(EventType.PAYMENT_NOT_BORNE) == 1
            assert house.payment(intent).refunded_minor == (6_000 if dispute else 0)

        return Flow(act=lambda: house.process(event), recover=lambda: house.process(event), holds=holds)

    return prepare


def beyond_the_books_fits_by_now(*, dispute: bool) -> Callable[[House], Flow]:
    def prepare(house: House) -> Flow:
        intent, from_credit = credit_spent(house)
        house.receive(event := taken_beyond_the_books(house, intent, dispute=dispute))
        house.queue.waiting.clear()
        house.process(event)
        reverse_payment(
            house.caller,
            from_credit.payment_id,
            "Erreur",
            once=factories.once("key-reversed", operation="reversePayment"),
            payments=house.held.payments,
            clock=house.clock,
            ids=house.desk.ids,
        )
        house.later(days=2)

        def recover() -> None:
            house.later(days=2)
            finish_stripe_refunds(desk=house.desk)

        def holds() -> None:
            record = house.record(intent)
            assert (record.bookings, record.look_again_at) == ((), None)
            assert house.payment(intent).refunded_minor == (TOTAL if dispute else 9_000)
            assert (house.stored.ledger.kept_minor, house.credit) == (0, 0 if dispute else 3_000)

        return Flow(act=lambda: finish_stripe_refunds(desk=house.desk), recover=recover, holds=holds, any_day=True)

    return prepare


@pytest.mark.parametrize("prepare", [beyond_the_books_is_told, beyond_the_books_fits_by_now])
@pytest.mark.parametrize("dispute", [False, True])
def test_what_the_books_cannot_bear(
    house: House, prepare: Callable[..., Callable[[House], Flow]], dispute: bool
) -> None:
    undisturbed(house, prepare(dispute=dispute))


def given_back_meanwhile(house: House) -> Flow:
    """What was paid twice is promised to a refund that waits; the dashboard gives it back."""
    intent = house.confirm()
    house.shop.pay(house.invoice.invoice_id, TOTAL)
    house.becomes_history()
    charge = charge_of(house, intent)
    ask = asked(house, intent, 4_000)
    house.gateway._paused_until = house.clock.monotonic() + 60
    with pytest.raises(DependencyUnavailable):
        ask()
    house.later(minutes=6)
    house.stripe.bank.refund(house.account_id, charge, 9_000)
    house.becomes_history()

    def recover() -> None:
        house.later(minutes=6)
        finish_stripe_refunds(desk=house.desk)
        ask()

    def holds() -> None:
        house.hear_all()
        assert refunds_at_stripe(house) == [9_000]
        [request] = house.record(intent).requests
        assert (request.state, request.refusal) == (RequestState.REFUSED, GIVEN_BACK_MEANWHILE)
        customer_id = house.invoice.document.customer_id
        left = house.held.payments.load(house.caller, customer_id, ()).credit
        assert (left.balance_minor, left.promised, house.book.coming_back) == (3_000, (), ())
        house.adds_up()

    return Flow(act=lambda: finish_stripe_refunds(desk=house.desk), recover=recover, holds=holds)


@pytest.mark.parametrize(
    "prepare",
    [
        given_back_by_us(TOTAL, swept=False),
        given_back_by_us(4_000, swept=True),
        given_back_by_a_note,
        given_back_by_a_note_over_two_payments,
        refused_by_stripe,
        given_back_elsewhere,
        given_back_of_credit,
        a_notes_refund_comes_back,
        swept_refunds,
        given_back_meanwhile,
    ],
    ids=[
        "full",
        "part",
        "by a note",
        "by a note, over two payments",
        "refused",
        "elsewhere",
        "of credit",
        "comes back",
        "swept",
        "given back meanwhile",
    ],
)
def test_a_refund(house: House, prepare: Callable[[House], Flow]) -> None:
    undisturbed(house, prepare, least=8)


# A company and its own account, and its subscription


def an_account_is_made(house: House) -> Flow:
    """Of a second company."""
    other = Shop(
        repositories=house.held,  # type: ignore[arg-type]
        clock=house.clock,
        ids=house.ids,
        caller=factories.caller("ten_02EXEMPLE", user_id="user-02"),
    )
    other.describe()
    once = factories.once("key-connect", operation="connectStripeAccount")

    def connect() -> None:
        with contextlib.suppress(AlreadyAnswered):
            connect_stripe_account(
                other.caller,
                return_url="https://app.exemple.test/paiements",
                once=once,
                connections=house.held.stripe_connections,
                companies=house.held.companies,
                stripe=house.gateway,
                clock=house.clock,
                ids=house.ids,
            )

    def holds() -> None:
        made = [one["id"] for one in house.stripe.store.all_of("", "account") if one["id"] != house.account_id]
        connection = house.held.stripe_connections.stored("ten_02EXEMPLE")
        assert connection.account is not None
        assert made == [connection.account.account_id]

    return Flow(act=connect, recover=connect, holds=holds)


def subscribing(house: House) -> Callable[[], None]:
    house.stripe.sell("ZenBilling Pro", lookup_key=PRO.lookup_key, amount=PRO.monthly_price_minor, currency="EUR")
    once = factories.once("key-start", operation="startSubscription")

    def start() -> None:
        with contextlib.suppress(AlreadyAnswered):
            start_subscription(
                house.caller,
                PRO.plan_id,
                return_url="https://app.exemple.test/abonnement",
                once=once,
                subscriptions=house.held.subscriptions,
                companies=house.held.companies,
                stripe=house.gateway,
                clock=house.clock,
                ids=house.ids,
            )

    return start


def a_company_asks_to_subscribe(house: House) -> Flow:
    start = subscribing(house)

    def holds() -> None:
        assert len(house.stripe.store.all_of("", "customer")) == 1
        assert [one["status"] for one in house.stripe.store.all_of("", "checkout.session")] == ["open"]

    return Flow(act=start, recover=start, holds=holds)


def a_subscription_begins(house: House) -> Flow:
    subscribing(house)()
    page = house.held.subscriptions.stored(house.invoice.tenant_id).page
    assert page is not None
    house.stripe.bank.confirm(page.session_id, "card")
    event = house.latest("customer.subscription.created")
    house.receive(event)
    house.queue.waiting.clear()

    def holds() -> None:
        house.hear_all()
        assert house.held.subscriptions.stored(house.invoice.tenant_id).is_running

    return Flow(act=lambda: house.process(event), recover=lambda: house.process(event), holds=holds)


@pytest.mark.parametrize("prepare", [an_account_is_made, a_company_asks_to_subscribe, a_subscription_begins])
def test_a_company(house: House, prepare: Callable[[House], Flow]) -> None:
    undisturbed(house, prepare)


# What goes by the clock


def a_debit_that_no_event_ended(house: House) -> Flow:
    intent = debit_on_its_way(house)
    house.stripe.bank.settle(house.account_id, intent)
    house.later(hours=2)

    def recover() -> None:
        house.later(days=1)
        settle_waiting_checkouts(desk=house.desk)

    return Flow(
        act=lambda: settle_waiting_checkouts(desk=house.desk),
        recover=recover,
        holds=lambda: is_paid(house),
        any_day=True,
    )


def a_night(house: House) -> Flow:
    """No event came: a payment, and a part that was given back."""
    intent = house.confirm()
    house.stripe.bank.refund(house.account_id, charge_of(house, intent), 4_000)
    day = house.clock.today()
    house.later(days=1)

    def act() -> None:
        reconcile_stripe_days(reconciliations=house.held.reconciliations, desk=house.desk)

    def holds() -> None:
        house.hear_all()
        assert (house.stored.ledger.balance_minor, house.current.state) == (4_000, AttemptState.SUCCEEDED)
        reports = house.held.reconciliations.list(house.caller, PageRequest()).items
        [report] = [one for one in reports if one.day == day]
        assert report.state is ReconciliationState.BALANCED
        assert (report.movements, report.paid_minor, report.given_back_minor) == (2, TOTAL, 4_000)
        house.adds_up()

    return Flow(act=act, recover=act, holds=holds)


def a_deadline_that_is_near(house: House) -> Flow:
    dispute_id = contested(house)
    house.hear_all()
    [intent] = house.stripe.store.all_of(house.account_id, "payment_intent")
    due = house.record(intent["id"]).dispute(dispute_id).remind_at
    assert due is not None
    house.later(seconds=(due - house.clock.now()).total_seconds() + 1)

    def remind() -> None:
        remind_of_disputes(desk=house.desk)

    def holds() -> None:
        assert house.record(intent["id"]).dispute(dispute_id).reminded
        assert len([one for one in house.books() if '"kind":"dispute_due"' in one]) == 1

    return Flow(act=remind, recover=remind, holds=holds)


@pytest.mark.parametrize("prepare", [a_debit_that_no_event_ended, a_night, a_deadline_that_is_near])
def test_what_goes_by_the_clock(house: House, prepare: Callable[[House], Flow]) -> None:
    undisturbed(house, prepare, least=7)


# What the harness would find


class FactsApart(Payments):
    """Writes what Stripe told in a transaction of its own, before the ledger."""

    def write(self, caller: Caller, payment: Payment, **written: Any) -> None:
        told = written.pop("told", None)
        if told is not None:
            self._table.write(caller, *facts_writes(self._table, caller.tenant_id, told))
        super().write(caller, payment, **written)


class LedgerApart(Payments):
    """Writes the ledger in a transaction of its own, before what Stripe told."""

    def write(self, caller: Caller, payment: Payment, **written: Any) -> None:
        told = written.pop("told", None)
        super().write(caller, payment, **written)
        if told is not None:
            self._table.write(caller, *facts_writes(self._table, caller.tenant_id, told))


class Forgetful(Checkouts):
    """Does not write that a page is about to be opened."""

    def save(
        self, book: CheckoutBook, *, while_ledger_at: int | None = None, while_links_at: int | None = None
    ) -> None:
        if while_ledger_at is None:
            super().save(book, while_ledger_at=while_ledger_at, while_links_at=while_links_at)


class KeyByChance(StripeApi):
    """Asks for a refund and for a page under another key each time."""

    def create_checkout_session(
        self, account_id: str, wanted: CheckoutWanted, *, idempotency_key: str
    ) -> CheckoutSession:
        return super().create_checkout_session(account_id, wanted, idempotency_key=f"{idempotency_key}-{uuid.uuid4()}")


class SweptUnsaved(StripeInbox):
    """Takes an event out of what waits before it is in the queue."""

    def save(self, entry: InboxEntry) -> None:
        super().save(replace(entry, next_at=None))


def with_facts_apart(house: House) -> Flow:
    house.held = replace(house.held, payments=FactsApart(house.table))
    return told(TELLS["charge refunded"])(house)


def with_the_ledger_apart(house: House) -> Flow:
    house.held = replace(house.held, payments=LedgerApart(house.table))
    return told(TELLS["payment succeeded"])(house)


def with_an_unsaved_sweep(house: House) -> Flow:
    house.held = replace(house.held, stripe_inbox=SweptUnsaved(house.table))
    return an_event_is_put_into_the_queue_again(house)


def with_keys_by_chance(house: House) -> Flow:
    honest = house.gateway
    house.gateway = KeyByChance(STRIPE_URL, read_key=lambda: API_KEY, clock=house.clock)
    house.gateway._http = honest._http
    return a_page_is_opened(house)


@pytest.mark.parametrize(
    ("prepare", "struck"),
    [
        (with_facts_apart, "transact_write_items"),
        (with_the_ledger_apart, "transact_write_items"),
        (with_an_unsaved_sweep, "transact_write_items"),
        (with_keys_by_chance, "POST /v1/checkout/sessions"),
    ],
)
def test_a_planted_fault_is_found(house: House, prepare: Callable[[House], Flow], struck: str) -> None:
    honest = house.gateway
    try:
        findings = every_request_goes_wrong(house, prepare, until_found=True).findings
    finally:
        house.gateway = honest

    assert [one for one in findings if f", {struck}: " in one] != []


def is_paid(house: House) -> None:
    assert house.stored.ledger.balance_minor == 0
    assert house.current.state is AttemptState.SUCCEEDED
    house.adds_up()


def pages(house: House) -> list[str]:
    """At Stripe, the first opened first."""
    return [one["status"] for one in reversed(house.stripe.store.all_of(house.account_id, "checkout.session"))]
