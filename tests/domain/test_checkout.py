"""Attempts to pay an invoice online: one at a time, states only go up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.domain.checkout import HISTORY, AttemptState, CheckoutAttempt, CheckoutBook, ComingBack
from billing.domain.stripe import CheckoutPaymentStatus, CheckoutSession, CheckoutStatus

NOW = datetime(2026, 11, 2, 10, tzinfo=UTC)


def attempt(number: int, **changes: object) -> CheckoutAttempt:
    made = CheckoutAttempt(
        number=number,
        state=AttemptState.OPENING,
        account_id="acct_1",
        amount_minor=12000,
        currency="EUR",
        ledger_rank=0,
        opened_at=NOW,
        expires_at=NOW + timedelta(hours=23),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def book() -> CheckoutBook:
    return CheckoutBook(tenant_id="ten_1", invoice_id="inv_1")


def session() -> CheckoutSession:
    return CheckoutSession(
        session_id="cs_1",
        status=CheckoutStatus.OPEN,
        payment_status=CheckoutPaymentStatus.UNPAID,
        amount_minor=12000,
        currency="EUR",
        expires_at=NOW + timedelta(hours=23),
        url="https://checkout.stripe.example/cs_1",
    )


NAMED = {"tenant_id": "ten_1", "invoice_id": "inv_1", "attempt": "1"}


@pytest.mark.parametrize(
    ("changes", "said", "is_of"),
    [
        ({}, {}, True),
        ({}, {"metadata": NAMED | {"more": "x"}}, True),
        ({}, {"amount_minor": 11999}, False),
        ({}, {"currency": "USD"}, False),
        ({}, {"expires_at": NOW}, False),
        ({}, {"metadata": NAMED | {"attempt": "2"}}, False),
        ({}, {"metadata": {}}, False),
        ({"state": AttemptState.REFUSED}, {}, False),
        ({"session_id": "cs_1"}, {"metadata": {}, "amount_minor": 1}, True),
        ({"session_id": "cs_2"}, {}, False),
    ],
)
def test_a_session_is_of_the_attempt_that_asked_for_it(
    changes: dict[str, object], said: dict[str, object], is_of: bool
) -> None:
    told = replace(session(), **{"metadata": NAMED} | said)  # type: ignore[arg-type]

    assert attempt(1, **changes).is_of(told, NAMED) is is_of


def test_second_attempt_waits_for_the_first_to_end() -> None:
    begun = book().beginning(attempt(1))

    with pytest.raises(ValueError, match="one attempt at a time"):
        begun.beginning(attempt(2))
    assert begun.moved(1, AttemptState.EXPIRED, NOW).beginning(attempt(2)).live == attempt(2)


def test_a_new_page_is_looked_at_at_its_own_end() -> None:
    doubted = book().beginning(attempt(1)).to_check(NOW)
    assert doubted.due_at == NOW

    begun = doubted.moved(1, AttemptState.EXPIRED, NOW).beginning(attempt(2))

    assert begun.due_at == attempt(2).expires_at


def test_an_attempt_is_numbered_after_the_one_before() -> None:
    with pytest.raises(ValueError, match="numbered"):
        book().beginning(attempt(2))


def test_opened_attempt_shows_its_page_until_it_ends() -> None:
    opened = book().beginning(attempt(1)).opened(1, session())
    processing = opened.moved(1, AttemptState.PROCESSING, NOW, payment_intent_id="pi_1")

    assert opened.live is not None
    assert opened.live.url == "https://checkout.stripe.example/cs_1"
    assert processing.live is not None
    assert (processing.live.url, processing.live.payment_intent_id) == (None, "pi_1")


@given(st.lists(st.sampled_from(list(AttemptState)), min_size=1, max_size=12))
def test_states_only_go_up_in_whatever_order_they_are_told(told: list[AttemptState]) -> None:
    begun = book().beginning(attempt(1))
    ranks = []
    for state in told:
        begun = begun.moved(1, state, NOW)
        known = begun.attempt(1)
        assert known is not None
        ranks.append(known.state.rank)

    assert ranks == sorted(ranks)
    assert ranks[-1] == max(state.rank for state in told)


def test_the_key_of_a_request_is_made_of_what_it_is_about() -> None:
    first, second = attempt(1), attempt(1, opened_at=NOW + timedelta(hours=1))

    assert book().idempotency_key(first) == book().idempotency_key(second)
    assert book().idempotency_key(first) != book().idempotency_key(attempt(2))
    assert book().idempotency_key(first) != book().idempotency_key(attempt(1, amount_minor=11999))
    for other in (replace(book(), tenant_id="ten_other"), replace(book(), invoice_id="inv_other")):
        assert book().idempotency_key(first) != other.idempotency_key(first)


def test_only_the_latest_attempts_are_kept_and_all_are_counted() -> None:
    kept = book()
    for number in range(1, HISTORY + 6):
        kept = kept.beginning(attempt(number)).moved(number, AttemptState.EXPIRED, NOW)

    assert len(kept.attempts) == HISTORY
    assert kept.made == HISTORY + 5


def test_a_book_moves_along_with_the_ledger_where_something_was_paid_or_may_have_been() -> None:
    begun = book().beginning(attempt(1))
    assert (book().moved_along(), begun.moved_along()) == (None, None)
    paid = begun.moved(1, AttemptState.SUCCEEDED, NOW)
    coming = begun.with_coming_back(ComingBack(payment_intent_id="pi_1", own_minor=5))
    forgotten = replace(begun, made=HISTORY + 1)

    for moved in (paid, coming, forgotten):
        assert moved.moved_along() == replace(moved, version=moved.version + 1)


def test_what_each_payment_is_about_to_give_back_is_known_until_nothing_is() -> None:
    one = ComingBack(payment_intent_id="pi_1", by_notes_minor=10, open_minor=20, own_minor=30)
    other = ComingBack(payment_intent_id="pi_2", own_minor=5)
    assert (one.for_notes_minor, one.moving_minor, one.total_minor) == (30, 50, 60)

    known = book().with_coming_back(one).with_coming_back(other)

    assert (known.version, known.coming_back) == (2, (one, other))
    assert known.with_coming_back(replace(one)) is known
    assert known.coming_besides("pi_1") == (other,)
    assert known.coming_besides("pi_1", "pi_2") == ()
    less = replace(one, own_minor=0)
    assert known.with_coming_back(less).coming_back == (other, less)
    ended = known.with_coming_back(ComingBack(payment_intent_id="pi_1"))
    assert (ended.version, ended.coming_back) == (3, (other,))
    assert book().with_coming_back(ComingBack(payment_intent_id="pi_1")) == book()
