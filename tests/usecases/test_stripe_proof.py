"""Metadata is no proof: a payment intent is ours when Stripe says that it came of the page of an attempt of ours, or
when it is known already.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from billing.domain.checkout import HISTORY, AttemptState
from billing.domain.reconciliation import DifferenceKind
from billing.domain.stripe import (
    CheckoutPaymentStatus,
    CheckoutSession,
    CheckoutStatus,
    PaymentIntent,
    PaymentIntentStatus,
)
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.usecases.stripe_events import Processed
from billing.usecases.stripe_settling import settle_waiting_checkouts
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_reconciliations import night

DONE = Processed(state=InboxState.DONE)
NOT_OURS = (InboxState.IGNORED, ParkReason.NOT_OURS)


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def forged(till: Till, *, attempt: str = "1", amount_minor: int = 12_000, with_session: bool = False) -> str:
    """A payment that the company made itself, with the metadata of one of ours."""
    invoice, now, payment_intent_id = till.invoice, till.shop.clock.now(), "pi_made_by_the_company"
    metadata = {"tenant_id": invoice.tenant_id, "invoice_id": invoice.invoice_id, "attempt": attempt}
    session = CheckoutSession(
        session_id="cs_made_by_the_company",
        status=CheckoutStatus.COMPLETE,
        payment_status=CheckoutPaymentStatus.PAID,
        amount_minor=amount_minor,
        currency="EUR",
        expires_at=now,
        payment_intent_id=payment_intent_id,
        metadata=metadata,
    )
    if with_session:
        till.stripe.sessions[till.account_id, session.session_id] = session
    till.stripe.intents[till.account_id, payment_intent_id] = PaymentIntent(
        payment_intent_id=payment_intent_id,
        status=PaymentIntentStatus.SUCCEEDED,
        amount_minor=amount_minor,
        received_minor=amount_minor,
        currency="EUR",
        created=now,
        charge=till.stripe._charge(session, "card", settled=True),
        metadata=metadata,
    )
    return payment_intent_id


def change(till: Till, payment_intent_id: str, **changes: Any) -> None:
    key = till.account_id, payment_intent_id
    till.stripe.intents[key] = replace(till.stripe.intents[key], **changes)


def outcome(ended: Processed) -> tuple[InboxState | None, ParkReason | None]:
    return ended.state, ended.reason


@pytest.mark.parametrize("with_session", [False, True])
@pytest.mark.parametrize("attempt", ["1", "999999"])
def test_a_payment_that_names_an_attempt_that_was_never_made_is_none_of_ours(
    till: Till, attempt: str, *, with_session: bool
) -> None:
    payment_intent_id = forged(till, attempt=attempt, amount_minor=9_999_999, with_session=with_session)

    assert outcome(till.tell("payment_intent.succeeded", payment_intent_id)) == NOT_OURS

    assert (till.payments, till.credit(), till.stored().ledger.balance_minor) == ([], 0, 12_000)


@pytest.mark.parametrize("with_session", [False, True])
def test_a_second_payment_for_an_attempt_that_was_paid_is_none_of_ours(till: Till, *, with_session: bool) -> None:
    till.paid()

    assert outcome(till.tell("payment_intent.succeeded", forged(till, with_session=with_session))) == NOT_OURS

    assert len(till.payments) == 1
    assert till.credit() == 0


@pytest.mark.parametrize("with_session", [False, True])
def test_a_payment_of_another_page_is_not_that_of_the_open_one(till: Till, *, with_session: bool) -> None:
    till.open()
    payment_intent_id = forged(till, with_session=with_session)

    told = [till.tell("payment_intent.succeeded", payment_intent_id)]
    if with_session:
        told.append(till.tell("checkout.session.completed", "cs_made_by_the_company"))

    assert {outcome(one) for one in told} == {NOT_OURS}
    assert till.payments == []
    assert till.attempt_state() is AttemptState.OPEN


def test_a_forged_cancel_ends_no_attempt(till: Till) -> None:
    till.open()
    payment_intent_id = forged(till)
    change(till, payment_intent_id, status=PaymentIntentStatus.CANCELED, received_minor=0, charge=None)

    assert outcome(till.tell("payment_intent.canceled", payment_intent_id)) == NOT_OURS

    assert till.attempt_state() is AttemptState.OPEN


@pytest.mark.parametrize("opening", [False, True])
def test_a_page_of_somebody_else_that_expires_ends_no_attempt(till: Till, *, opening: bool) -> None:
    till.open()
    if opening:
        as_opening(till)
    forged(till, with_session=True)
    key = till.account_id, "cs_made_by_the_company"
    expired = replace(till.stripe.sessions[key], status=CheckoutStatus.EXPIRED, payment_intent_id=None)
    till.stripe.sessions[key] = expired

    till.tell("checkout.session.expired", expired.session_id)

    assert till.attempt_state() is (AttemptState.OPENING if opening else AttemptState.OPEN)


def test_a_page_that_names_another_company_is_ignored(till: Till) -> None:
    session_id = till.session_id()
    till.stripe.expire_checkout_session(till.account_id, session_id)
    key = till.account_id, session_id
    metadata = {**till.stripe.sessions[key].metadata, "tenant_id": "ten_other"}
    till.stripe.sessions[key] = replace(till.stripe.sessions[key], metadata=metadata)

    ended = till.tell("checkout.session.expired", session_id)

    assert outcome(ended) == (InboxState.IGNORED, ParkReason.OTHER_TENANT)
    assert till.attempt_state() is AttemptState.OPEN


def as_opening(till: Till) -> None:
    """As whoever died between Stripe's answer and our own note of it leaves it."""
    book = till.book
    opening = replace(till.current, state=AttemptState.OPENING, session_id=None, url=None)
    key = book.tenant_id, book.invoice_id
    till.held.store.checkout_books[key] = replace(book, attempts=(*book.attempts[:-1], opening))


def test_the_page_of_an_attempt_whose_session_was_not_noted_is_ours(till: Till) -> None:
    intent = till.confirm()
    as_opening(till)

    assert till.tell("payment_intent.succeeded", intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 0
    assert till.current.payment_intent_id == intent.payment_intent_id


def test_metadata_of_the_intent_that_was_removed_is_told_by_its_page(till: Till) -> None:
    intent = till.confirm()
    change(till, intent.payment_intent_id, metadata={})
    session_id = next(one.session_id for one in till.sessions)

    assert till.tell("checkout.session.completed", session_id) == DONE
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    assert till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id) == DONE

    assert till.stored().ledger.balance_minor == 5_000


def test_of_an_attempt_that_is_not_remembered_the_record_proves_and_nothing_else(till: Till) -> None:
    known = till.stripe.confirm(till.account_id, till.session_id(), method="sepa_debit")
    till.tell("payment_intent.processing", known.payment_intent_id)
    book = till.book
    forgotten = tuple(replace(till.current, number=2 + at, state=AttemptState.EXPIRED) for at in range(HISTORY))
    key = book.tenant_id, book.invoice_id
    till.held.store.checkout_books[key] = replace(book, made=HISTORY + 1, attempts=forgotten)
    till.stripe.settle(till.account_id, known.payment_intent_id)

    assert outcome(till.tell("payment_intent.succeeded", forged(till))) == NOT_OURS
    of_some_page = till.tell("payment_intent.succeeded", forged(till, with_session=True))
    assert outcome(of_some_page) == (InboxState.PARKED, ParkReason.NOT_OURS)  # it may have been one of those
    assert till.tell("payment_intent.succeeded", known.payment_intent_id) == DONE

    assert len(till.payments) == 1
    assert till.stored().ledger.balance_minor == 0


@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ({"tenant_id": "ten_other"}, ParkReason.OTHER_TENANT),
        ({"invoice_id": "inv_unknown"}, ParkReason.NOT_OURS),
        ({"attempt": "2"}, ParkReason.NOT_OURS),
        ({"attempt": "0"}, ParkReason.NOT_OURS),
    ],
)
@pytest.mark.parametrize("with_session", [False, True])
def test_whatever_a_company_writes_on_its_own_payments_wakes_nobody(
    till: Till, metadata: dict[str, str], reason: ParkReason, *, with_session: bool
) -> None:
    till.open()
    payment_intent_id = forged(till, with_session=with_session)
    written = till.stripe.intents[till.account_id, payment_intent_id].metadata
    change(till, payment_intent_id, metadata={**written, **metadata})

    for event_type in ("payment_intent.created", "payment_intent.succeeded", "charge.refunded"):
        assert outcome(till.tell(event_type, payment_intent_id)) == (InboxState.IGNORED, reason)

    assert till.counted == {"StripeEventIgnored": 3}
    kept = [one for one in till.held.store.stripe_events.values() if one.reason is reason]
    assert {one.subject for one in kept} == {payment_intent_id}
    assert night(till).differing == 0
    assert (till.payments, till.attempt_state()) == ([], AttemptState.OPEN)


@pytest.mark.parametrize("metadata", [{}, {"tenant_id": "ten_other"}, {"invoice_id": "inv_unknown"}, {"attempt": "7"}])
def test_what_was_paid_on_our_page_is_booked_whatever_the_company_wrote_on_it(
    till: Till, metadata: dict[str, str]
) -> None:
    """Its events say nothing any more: the page itself, which we know, leads to it."""
    intent = till.confirm()
    change(till, intent.payment_intent_id, metadata={**intent.metadata, **metadata} if metadata else {})
    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id)
    # We made it, and nothing here knows what it says of itself: a person is told.
    names_us = "invoice_id" in metadata or "attempt" in metadata
    assert ended.state is (InboxState.PARKED if names_us else InboxState.IGNORED)
    till.shop.clock.advance(timedelta(days=1))
    till.sweep()
    assert till.attempt_state() is AttemptState.PROCESSING
    till.shop.clock.advance(timedelta(hours=2))

    settle_waiting_checkouts(desk=till.desk())

    assert till.stored().ledger.balance_minor == 0
    assert till.attempt_state() is AttemptState.SUCCEEDED


def restored(till: Till) -> Any:
    """The table as it is now, to be put back later: of what was opened since, it knows nothing."""
    store = till.held.store
    kept = {name: dict(getattr(store, name)) for name in ("invoices", "checkout_books", "stripe_payments")}

    def put_back() -> None:
        for name, before in kept.items():
            held = getattr(store, name)
            held.clear()
            held.update(before)

    return put_back


@pytest.mark.parametrize("event_type", ["payment_intent.succeeded", "checkout.session.completed"])
@pytest.mark.parametrize("again", [False, True])
def test_a_real_payment_that_a_restored_table_does_not_know_is_parked(till: Till, event_type: str, again: bool) -> None:
    """``again``: the customer has opened another page since, of the same number."""
    put_back = restored(till)
    intent = till.confirm()
    put_back()
    if again:
        till.open(5_000)
    session_id = next(
        one.session_id for one in till.stripe.sessions.values() if one.payment_intent_id == intent.payment_intent_id
    )
    named = session_id if event_type.startswith("checkout") else intent.payment_intent_id

    assert outcome(till.tell(event_type, named)) == (InboxState.PARKED, ParkReason.NOT_REMEMBERED)

    assert till.counted["StripeEventParked"] == 1
    assert till.payments == []


def test_a_payment_of_an_invoice_that_a_restored_table_does_not_know_is_parked_and_a_difference(till: Till) -> None:
    put_back = restored(till)
    till.issue(till.shop.wanted(till.invoice.document.customer_id))
    intent = till.confirm()
    put_back()

    ended = till.tell("payment_intent.succeeded", intent.payment_intent_id)
    night(till)

    assert outcome(ended) == (InboxState.PARKED, ParkReason.NOT_REMEMBERED)
    [report] = till.held.store.stripe_days.values()
    assert [one.kind for one in report.differences] == [DifferenceKind.MISSING]
    assert report.is_for_operators


def test_what_another_platform_made_for_the_company_is_none_of_ours(till: Till) -> None:
    payment_intent_id = forged(till)
    change(till, payment_intent_id, application_id="ca_other", metadata={"order": "12"})

    assert outcome(till.tell("payment_intent.succeeded", payment_intent_id)) == (InboxState.IGNORED, None)
