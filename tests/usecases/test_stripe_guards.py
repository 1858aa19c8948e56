"""Older answers of Stripe, and others who write in between: what keeps the books right where two readings differ."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.checkout import AttemptState
from billing.domain.crediting import Excess
from billing.domain.errors import DependencyUnavailable, RefundExceedsPayment, RefundRefused
from billing.domain.invoice import IssuedInvoice
from billing.domain.stripe import CheckoutSession, CheckoutStatus, PaymentIntent, StripeRefund, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_payment import REQUEST_KEY, RequestState
from billing.ports.stripe import RefundWanted, StripeRefused
from billing.usecases.checkouts import SETTLED_AFTER
from billing.usecases.stripe_events import Processed
from billing.usecases.stripe_inbox import Sweep, sweep_stripe_events
from billing.usecases.stripe_settling import SettlingRun, settle_waiting_checkouts
from tests.fakes.stripe_inbox import FakeStripeEventQueue
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part
from tests.usecases.test_currencies import DOLLARS
from tests.usecases.test_payments import Till as Books
from tests.usecases.test_reconciliations import night
from tests.usecases.test_stripe_refunds import Refunds

DONE = Processed(state=InboxState.DONE)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


@pytest.fixture
def refunds(shop: Shop) -> Refunds:
    return Refunds(shop)


class Interrupted:
    """A port; once, somebody else acts right before or right after it is asked. What it says then is the older."""

    def __init__(self, port: Any, method: str, act: Callable[[], object], *, before: bool = False) -> None:
        self._port, self._method, self._act, self._before = port, method, act, before

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if name != self._method:
            return member

        def asked(*args: Any, **kwargs: Any) -> Any:
            act, self._act = self._act, lambda: None
            if self._before:
                act()
            found = member(*args, **kwargs)
            if not self._before:
                act()
            return found

        return asked


def books_of(till: Till, *invoices: IssuedInvoice) -> Books:
    books = Books.__new__(Books)
    books.shop, books.customer_id, books.invoices = till.shop, till.invoice.document.customer_id, list(invoices)
    return books


def other_credit(till: Till, amount_minor: int) -> None:
    """The customer has credit that came from elsewhere: an invoice that was paid by transfer, and credited."""
    first = till.invoice
    other = till.issue(till.shop.wanted(first.document.customer_id))
    till.shop.pay(other.invoice_id, amount_minor)
    credit(till.shop, other.invoice_id)
    till.invoice = first
    assert till.credit() == amount_minor


# Older answers


def test_what_was_read_before_another_wrote_is_read_again(till: Till) -> None:
    """The first card is declined, then the second: whoever still holds the first answer does not write it last."""
    session_id = till.session_id()
    intent = till.stripe.decline(till.account_id, session_id, code="insufficient_funds")
    events = [till.told("payment_intent.payment_failed", intent.payment_intent_id) for _ in range(2)]

    def second_card() -> None:
        till.stripe.decline(till.account_id, session_id, code="expired_card")
        assert till.process(events[1]) == DONE

    stripe = Interrupted(till.stripe, "read_payment_intent", second_card)
    assert till.process(events[0], stripe=stripe) == DONE

    assert till.record(intent).last_error_code == "expired_card"


def test_an_older_decision_on_a_dispute_is_not_written_last(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    named = {"parent_id": intent.payment_intent_id}
    events = [till.told("charge.dispute.closed", dispute.dispute_id, **named) for _ in range(2)]

    def won_after_all() -> None:
        till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
        assert till.process(events[1]) == DONE

    stripe = Interrupted(till.stripe, "list_disputes", won_after_all)
    assert till.process(events[0], stripe=stripe) == DONE

    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


@pytest.mark.parametrize("comes_back", [False, True])
def test_a_fact_that_another_booked_since_the_record_was_read_is_booked_once(till: Till, comes_back: bool) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    named = {"parent_id": intent.payment_intent_id}
    if comes_back:
        till.tell("refund.created", refund.refund_id, **named)
        till.stripe.fail_refund(till.account_id, refund.refund_id)
    events = [till.told("refund.updated", refund.refund_id, **named) for _ in range(2)]
    payments = Interrupted(till.held.payments, "read", lambda: till.process(events[1]), before=True)

    assert till.process(events[0], payments=payments) == DONE

    assert till.stored().ledger.balance_minor == (0 if comes_back else 5_000)
    assert till.counted["StripeEventParked"] == 0
    till.adds_up()


def test_what_fits_by_now_is_not_parked_on_an_older_reading(till: Till) -> None:
    """A refund that fitted nowhere is known already, so that nothing of the record changes but by booking it."""
    intent = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    books = books_of(till, till.issue(till.shop.wanted(till.invoice.document.customer_id)))
    spent = books.apply(None)
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    assert till.tell("charge.refunded", intent.payment_intent_id).reason is ParkReason.NOTHING_TO_REFUND
    events = [till.told("charge.refunded", intent.payment_intent_id) for _ in range(2)]

    def makes_room() -> None:
        books.reverse(spent)
        assert till.process(events[1]) == DONE

    payments = Interrupted(till.held.payments, "read", makes_room)
    parked = till.counted["StripeEventParked"]

    assert till.process(events[0], payments=payments) == DONE

    assert till.counted["StripeEventParked"] == parked
    assert till.credit() == 0
    till.adds_up()


def test_what_an_older_answer_does_not_say_yet_is_kept(till: Till) -> None:
    """The fee of a charge that was not settled when it was read, and the error of a card that was declined first."""
    intent = till.paid()
    assert intent.charge is not None
    unsettled = replace(intent.charge, fee_minor=None, net_minor=None, balance_transaction_id=None)
    older = replace(intent, charge=unsettled, last_error_code="card_declined")
    till.stripe.intents[till.account_id, intent.payment_intent_id] = older
    before = till.record(intent)

    assert till.tell("charge.updated", intent.payment_intent_id) == DONE

    assert till.record(intent) == before
    assert before.fee_minor == intent.charge.fee_minor
    assert before.last_error_code == ""


# Pages that are not of the attempt that they name


def expired(till: Till, **changes: Any) -> CheckoutSession:
    """A page that ended without a payment, made from the one that is open."""
    session = till.stripe.sessions[till.account_id, till.session_id()]
    other = replace(session, session_id="cs_test_other", status=CheckoutStatus.EXPIRED, url=None, **changes)
    till.stripe.sessions[till.account_id, other.session_id] = other
    return other


def test_a_page_that_only_names_the_attempt_does_not_end_it(till: Till) -> None:
    other = expired(till)

    assert till.tell("checkout.session.expired", other.session_id) == DONE

    assert till.attempt_state() is AttemptState.OPEN


def test_a_page_that_names_another_company_ends_nothing(till: Till) -> None:
    session = till.stripe.sessions[till.account_id, till.session_id()]
    theirs = {**session.metadata, "tenant_id": "ten_other"}
    till.stripe.sessions[till.account_id, session.session_id] = replace(
        session, status=CheckoutStatus.EXPIRED, url=None, metadata=theirs
    )

    assert till.tell("checkout.session.expired", session.session_id).state is not InboxState.DONE

    assert till.attempt_state() is AttemptState.OPEN


# More than there is


def test_what_is_on_its_way_counts_when_the_books_are_asked_what_they_bear(refunds: Refunds) -> None:
    till = refunds.till
    credit(till.shop, till.invoice.invoice_id)
    books_of(till, till.issue(till.shop.wanted(till.invoice.document.customer_id))).apply(10_000)
    assert till.credit() == 2_000
    till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, 1_500, status=StripeRefundStatus.PENDING)
    till.tell("charge.refunded", refunds.intent.payment_intent_id)

    with pytest.raises(RefundExceedsPayment, match="€5"):
        refunds.ask(1_000)

    assert refunds.at_stripe == [1_500]


def test_a_payment_that_was_given_back_takes_no_credit_from_elsewhere(refunds: Refunds) -> None:
    other_credit(refunds.till, 5_000)
    refunds.ask(12_000)

    with pytest.raises(RefundExceedsPayment, match="refunded in full already"):
        refunds.ask(1_000)

    assert refunds.at_stripe == [12_000]


def test_more_than_was_paid_never_goes_back_in_the_books(till: Till) -> None:
    """The bank took all of it, and money goes back besides: the credit that came from elsewhere is not for that."""
    intent = till.paid()
    other_credit(till, 5_000)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    named = {"parent_id": intent.payment_intent_id}
    assert till.tell("charge.dispute.closed", dispute.dispute_id, **named) == DONE
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)

    assert till.tell("refund.created", refund.refund_id, **named).reason is ParkReason.NOTHING_TO_REFUND

    assert till.credit() == 5_000
    till.adds_up()


def test_what_stripe_accepted_is_not_refused_by_a_later_no(refunds: Refunds, monkeypatch: pytest.MonkeyPatch) -> None:
    """The event was quicker than the answer, and the answer is a refusal."""
    till, pi = refunds.till, refunds.intent.payment_intent_id

    def told_and_refused(account_id: str, wanted: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        made = till.stripe.refund(account_id, pi, wanted.amount_minor, of=wanted.metadata)
        assert made.metadata[REQUEST_KEY]
        till.tell("refund.created", made.refund_id, parent_id=pi)
        raise StripeRefused("idempotency_error", status=400)

    monkeypatch.setattr(till.stripe, "create_refund", told_and_refused)

    assert refunds.ask(5_000).refunded_minor == 5_000

    assert [one.state for one in till.record(refunds.intent).requests] == [RequestState.ACCEPTED]
    assert refunds.balance() == 5_000


def test_a_fee_that_was_taken_is_asked_back(refunds: Refunds, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted: list[RefundWanted] = []
    real = refunds.till.stripe.create_refund

    def heard(account_id: str, asked: RefundWanted, *, idempotency_key: str) -> StripeRefund:
        wanted.append(asked)
        return real(account_id, asked, idempotency_key=idempotency_key)

    monkeypatch.setattr(refunds.till.stripe, "create_refund", heard)
    refunds.ask(1_000)

    assert refunds.till.record(refunds.intent).application_fee_minor == 60
    assert [one.refund_application_fee for one in wanted] == [True]


# What is known already is looked at again, whatever the event is about


def test_a_refund_that_is_known_is_read_again_with_whatever_event(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
    assert till.stored().ledger.balance_minor == 5_000
    till.stripe.fail_refund(till.account_id, refund.refund_id)  # and its charge says nothing of it any more

    assert till.tell("charge.updated", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_a_dispute_that_is_known_is_read_again_whatever_its_charge_says(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.stripe.intents[till.account_id, intent.payment_intent_id] = intent

    assert till.tell("charge.updated", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 12_000
    till.adds_up()


def test_a_refund_that_came_and_went_unheard_of_is_no_difference(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    assert night(till).differing == 0

    assert till.stored().ledger.balance_minor == 0
    assert [one.refund_id for one in till.record(intent).refunds] == [refund.refund_id]


def test_a_page_of_a_former_account_does_not_end_an_attempt_whose_page_is_not_noted(till: Till) -> None:
    """Two accounts of one company, the same facts on both: only the account that was asked counts."""
    till.session_id()
    book = till.book
    [attempt] = book.attempts
    unnoted = replace(attempt, state=AttemptState.OPENING, session_id=None, url=None)
    till.held.checkouts.save(replace(book, version=book.version + 1, attempts=(unnoted,)))
    [session] = till.sessions
    other = till.connect()
    till.stripe.sessions[other, "cs_test_other"] = replace(
        session, session_id="cs_test_other", status=CheckoutStatus.EXPIRED, url=None
    )

    assert till.tell("checkout.session.expired", "cs_test_other", account_id=other) == DONE

    assert till.attempt_state() is AttemptState.OPENING


# Notes, disputes and other currencies


def partly_noted(till: Till) -> tuple[IssuedInvoice, int]:
    """A note that gave a part back on paper, and how much."""
    note = credit(till.shop, till.invoice.invoice_id, part(3_333), excess=Excess.REFUND)
    noted = till.stored().ledger.refunded_minor
    assert 0 < noted < 12_000
    return note, noted


def test_what_was_asked_for_a_note_is_not_what_another_refund_is(refunds: Refunds) -> None:
    till = refunds.till
    note, noted = partly_noted(till)
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        refunds.ask(noted, credit_note_id=note.invoice_id)
    till.stripe.down = False
    refund = till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, 2_000)

    till.tell("charge.refunded", refund.refund_id, parent_id=refunds.intent.payment_intent_id)
    assert till.stored().ledger.balance_minor == 2_000
    refunds.sweep()

    assert till.stored().ledger.balance_minor == 2_000
    assert till.book.by_notes_minor == noted
    till.adds_up()


def test_a_dispute_of_what_a_note_gave_back_books_the_rest(till: Till) -> None:
    intent = till.paid()
    _, noted = partly_noted(till)
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, noted)
    till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    ended = till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)

    assert ended.reason is ParkReason.NOTHING_TO_REFUND
    assert till.stored().ledger.balance_minor == 12_000 - noted
    assert till.record(intent).dispute(dispute.dispute_id).short_minor == noted
    till.adds_up()


def test_a_dispute_of_what_was_given_back_whole_books_nothing(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    ended = till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)

    assert ended.reason is ParkReason.NOTHING_TO_REFUND
    assert [one.amount_minor for one in till.payment(intent).refunds] == [12_000]
    assert not till.record(intent).dispute(dispute.dispute_id).booked
    till.adds_up()


def in_dollars(till: Till) -> PaymentIntent:
    """An invoice in dollars that was paid online, and a customer who has credit in euros."""
    other_credit(till, 12_000)
    till.issue(till.shop.wanted(till.invoice.document.customer_id, particulars=DOLLARS))
    return till.paid()


def test_credit_in_euros_is_not_given_back_for_dollars(till: Till) -> None:
    """The note cancels what was paid in dollars, and a dispute takes it: nothing in euros bears that."""
    intent = in_dollars(till)
    credit(till.shop, till.invoice.invoice_id, part(3_333), excess=Excess.REFUND)
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)

    assert till.credit() == 12_000


def test_dollars_that_come_back_too_late_are_no_credit_in_euros(till: Till) -> None:
    intent = in_dollars(till)
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)
    till.pay(5_000)
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    ended = till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)

    assert (ended.state, ended.reason) == (InboxState.PARKED, ParkReason.EXCESS_IN_OTHER_CURRENCY)
    assert till.credit() == 12_000


@pytest.mark.parametrize(("method", "days"), [("card", 0), ("sepa_debit", 3)])
def test_a_card_pays_when_it_is_charged_and_a_debit_when_it_has_come(till: Till, method: str, days: int) -> None:
    began = till.shop.clock.today()
    intent = till.confirm(method=method)
    till.shop.clock.advance(timedelta(days=3))
    if method == "sepa_debit":
        settled = till.stripe.settle(till.account_id, intent.payment_intent_id)
        assert settled.charge is not None
        charge = replace(settled.charge, created=intent.created)  # Stripe made it when the customer confirmed
        till.stripe.intents[till.account_id, intent.payment_intent_id] = replace(settled, charge=charge)

    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    assert till.payment(intent).paid_on == began + timedelta(days=days)


# Requests that ended, and those that have not


def test_what_stripe_refused_for_a_note_can_be_asked_again_and_made_elsewhere(refunds: Refunds) -> None:
    till = refunds.till
    note, noted = partly_noted(till)
    till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    with pytest.raises(RefundRefused):
        refunds.ask(noted, credit_note_id=note.invoice_id)
    till.stripe.refused.clear()

    refund = till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, noted - 100)
    till.tell("charge.refunded", refund.refund_id, parent_id=refunds.intent.payment_intent_id)
    assert till.stored().ledger.balance_minor == 0
    refunds.ask(100, credit_note_id=note.invoice_id)

    assert till.stored().ledger.balance_minor == 0
    assert till.book.by_notes_minor == noted
    till.adds_up()


def test_what_a_dispute_gave_back_after_all_can_be_refunded(refunds: Refunds) -> None:
    till, named = refunds.till, {"parent_id": refunds.intent.payment_intent_id}
    dispute = till.stripe.dispute(till.account_id, refunds.intent.payment_intent_id)
    for won in (False, True):
        till.stripe.decide(till.account_id, dispute.dispute_id, won=won)
        till.tell("charge.dispute.closed", dispute.dispute_id, **named)

    assert till.record(refunds.intent).reserved_minor == 0

    refunds.ask(12_000)

    assert refunds.at_stripe == [12_000]
    assert refunds.balance() == 12_000
    till.adds_up()


@pytest.mark.parametrize("made", [False, True])
def test_what_is_on_its_way_for_a_note_takes_no_room_in_the_books(refunds: Refunds, *, made: bool) -> None:
    """The note gave it back already: Stripe was not reached, or has it pending."""
    till, real = refunds.till, refunds.till.stripe.refund
    note, noted = partly_noted(till)
    till.stripe.down = not made
    till.stripe.refund = lambda *a, **k: real(*a, **k, status=StripeRefundStatus.PENDING)  # type: ignore[method-assign]
    with contextlib.suppress(DependencyUnavailable):
        refunds.ask(noted, credit_note_id=note.invoice_id)
    till.stripe.down = False
    till.stripe.refund = real  # type: ignore[method-assign]
    assert till.record(refunds.intent).reserved_minor == noted

    with pytest.raises(RefundExceedsPayment, match="credit_note_id"):
        refunds.ask(12_000 - noted)  # here it has to name what it is for
    rest = till.stripe.refund(till.account_id, refunds.intent.payment_intent_id, 12_000 - noted)
    till.tell("refund.updated", rest.refund_id, parent_id=refunds.intent.payment_intent_id)

    assert till.payment(refunds.intent).refunded_minor == 12_000 - noted
    till.adds_up()


def test_a_refund_stays_that_of_its_request_when_its_metadata_is_gone(refunds: Refunds) -> None:
    till, real = refunds.till, refunds.till.stripe.refund
    note, noted = partly_noted(till)
    till.stripe.refund = lambda *a, **k: real(*a, **k, status=StripeRefundStatus.PENDING)  # type: ignore[method-assign]
    refunds.ask(noted, credit_note_id=note.invoice_id)
    [(key, refund)] = till.stripe.refunds.items()
    till.stripe.refunds[key] = replace(refund, status=StripeRefundStatus.SUCCEEDED, metadata={})

    till.tell("refund.updated", refund.refund_id, parent_id=refunds.intent.payment_intent_id)

    [mirrored] = till.record(refunds.intent).refunds
    [request] = till.record(refunds.intent).requests
    assert (mirrored.request_id, mirrored.by_note_minor) == (request.request_id, noted)
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


# What waits its turn


def test_what_could_not_be_read_waits_a_day_and_keeps_no_other_from_its_turn(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    till.shop.clock.advance(timedelta(hours=2))
    till.stripe.down = True

    runs = [settle_waiting_checkouts(desk=till.desk()) for _ in range(2)]

    assert runs == [SettlingRun(failed=1), SettlingRun()]


def test_an_account_that_was_let_go_stays_open_for_what_is_on_its_way(till: Till) -> None:
    till.disconnect()
    tenant_id = till.invoice.tenant_id

    till.sweep()
    assert till.held.stripe_connections.stored(tenant_id).closing
    till.shop.clock.advance(SETTLED_AFTER)
    till.sweep()

    assert not till.held.stripe_connections.stored(tenant_id).closing


def test_an_index_that_lags_behind_puts_nothing_into_the_queue_twice(till: Till) -> None:
    event_id = till.told("payment_intent.succeeded", "pi_1")
    till.shop.clock.advance(timedelta(minutes=11))
    inbox, queue = Lagging(till.held.stripe_inbox, event_id), FakeStripeEventQueue()

    sweeps = [sweep_stripe_events(inbox=inbox, queue=queue, clock=till.shop.clock) for _ in range(2)]

    assert sweeps == [Sweep(queued=1), Sweep()]
    assert list(queue.messages) == [event_id]


class Lagging:
    """An inbox whose index still shows what was taken a moment ago."""

    def __init__(self, inbox: Any, event_id: str) -> None:
        self._inbox, self._event_id = inbox, event_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inbox, name)

    def waiting(self, shard: int, *_: object) -> list[str]:
        return [self._event_id] if shard == 0 else []
