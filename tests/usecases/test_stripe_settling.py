"""What a customer confirmed ends here even when Stripe's events are lost for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.domain.checkout import ASKED_AGAIN_AFTER, LOST_DAYS, SETTLED_AFTER, AttemptState
from billing.domain.errors import DependencyUnavailable, NothingLeftToPay
from billing.domain.events import EventType
from billing.domain.notices import NoticeKind
from billing.domain.stripe import CheckoutStatus, PaymentIntent, PaymentIntentStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.ports.stripe import StripeRefused
from billing.usecases.checkouts import close_due_checkouts
from billing.usecases.stripe_settling import SettlingRun, settle_waiting_checkouts
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_notices import mailed, notices


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def later(till: Till, after: timedelta = ASKED_AGAIN_AFTER) -> SettlingRun:
    till.shop.clock.advance(after)
    return settle_waiting_checkouts(desk=till.desk())


def debited(till: Till, *, told: bool = True) -> PaymentIntent:
    intent = till.confirm(method="sepa_debit")
    if told:
        till.tell("payment_intent.processing", intent.payment_intent_id)
    else:
        till.shop.clock.advance(timedelta(hours=24))
        close_due_checkouts(connections=till.held.stripe_connections, **till.ports())
    assert till.attempt_state() is AttemptState.PROCESSING
    return intent


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("success", [True, False])
def test_a_debit_whose_end_was_never_told_ends(till: Till, *, told: bool, success: bool) -> None:
    intent = debited(till, told=told)
    assert later(till, SETTLED_AFTER) == SettlingRun(waiting=1)
    assert later(till, timedelta(hours=1)) == SettlingRun()  # once a day
    for _ in range(13):
        assert later(till) == SettlingRun(waiting=1)
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=success)

    assert later(till) == SettlingRun(ended=1)

    assert till.attempt_state() is (AttemptState.SUCCEEDED if success else AttemptState.FAILED)
    assert till.stored().ledger.balance_minor == (0 if success else 12_000)
    assert later(till) == SettlingRun()
    till.adds_up()


def test_a_card_that_no_event_told_is_booked_without_its_metadata(till: Till) -> None:
    intent = till.confirm()
    till.shop.clock.advance(timedelta(hours=24))
    close_due_checkouts(connections=till.held.stripe_connections, **till.ports())
    key = till.account_id, intent.payment_intent_id
    object.__setattr__(till.stripe.intents[key], "metadata", {})

    assert later(till) == SettlingRun(ended=1)

    assert till.stored().ledger.balance_minor == 0


@pytest.mark.parametrize("gone", ["down", "refused"])
def test_one_that_cannot_be_read_has_its_turn_again_and_holds_up_nobody(till: Till, gone: str) -> None:
    first = debited(till)
    till.stripe.settle(till.account_id, first.payment_intent_id)
    if gone == "down":
        till.stripe.down = True
    else:
        till.stripe.refused["read_payment_intent"] = StripeRefused("more_permissions_required", status=403)

    assert later(till) == SettlingRun(failed=1)
    till.stripe.down = False
    till.stripe.refused.clear()

    assert later(till) == SettlingRun(ended=1)


def test_a_fault_in_one_keeps_no_other_waiting(till: Till) -> None:
    first = till.invoice
    intents = [debited(till)]
    till.issue(till.shop.wanted(first.document.customer_id))
    intents.append(debited(till))
    for intent in intents:
        till.stripe.settle(till.account_id, intent.payment_intent_id)
    key = first.tenant_id, first.invoice_id
    broken = till.held.store.invoices.pop(key)
    till.shop.clock.advance(ASKED_AGAIN_AFTER)
    settle_waiting_checkouts(desk=till.desk())
    till.held.store.invoices[key] = broken

    assert till.stored().ledger.balance_minor == 0
    assert later(till) == SettlingRun(ended=1)
    assert till.stored(first).ledger.balance_minor == 0


def test_stripe_that_is_away_is_no_failure_of_the_run(till: Till) -> None:
    debited(till)
    till.stripe.down = True
    with pytest.raises(DependencyUnavailable):
        till.stripe.read_account(till.account_id)

    assert later(till).failed == 1


def failed_debit(till: Till) -> PaymentIntent:
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    failed = till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)
    return failed


def confirm_again(till: Till, intent: PaymentIntent) -> None:
    """The company does, by its own means at Stripe, where no page of ours is asked."""
    key = till.account_id, intent.payment_intent_id
    till.stripe.intents[key] = replace(till.stripe.intents[key], status=PaymentIntentStatus.PROCESSING)
    till.tell("payment_intent.processing", intent.payment_intent_id)


def test_a_failed_debit_that_is_confirmed_again_and_comes_closes_the_page_that_followed_it(till: Till) -> None:
    failed = failed_debit(till)
    session_id = till.session_id()
    confirm_again(till, failed)
    till.stripe.settle(till.account_id, failed.payment_intent_id)
    till.tell("payment_intent.succeeded", failed.payment_intent_id)

    assert till.doubt()
    till.sweep()

    assert till.stripe.sessions[till.account_id, session_id].status is CheckoutStatus.EXPIRED
    assert (till.stored().ledger.balance_minor, till.credit()) == (0, 0)
    with pytest.raises(NothingLeftToPay):
        till.open()
    till.adds_up()


def test_a_failed_debit_that_comes_beside_another_payment_is_credit_of_the_customer_and_told(till: Till) -> None:
    failed = failed_debit(till)
    confirm_again(till, failed)
    paid = till.paid()
    till.stripe.settle(till.account_id, failed.payment_intent_id)

    assert till.tell("payment_intent.succeeded", failed.payment_intent_id).state is InboxState.DONE

    assert (till.stored().ledger.balance_minor, till.credit()) == (0, 12_000)
    assert {till.payment(one).credited_minor for one in (paid, failed)} == {0, 12_000}
    assert till.statement().closing_minor == -12_000
    till.adds_up()


def no_access() -> StripeRefused:
    return StripeRefused("account_invalid", status=403)


@pytest.mark.parametrize("gone", ["object", "account"])
def test_a_debit_of_an_account_that_left_frees_the_invoice_after_a_month(till: Till, gone: str) -> None:
    debited(till)
    if gone == "object":
        till.stripe.intents.clear()
    else:
        till.stripe.refused["read_payment_intent"] = no_access()

    assert [later(till).ended for _ in range(29)] == [0] * 29
    assert till.attempt_state() is AttemptState.PROCESSING
    assert later(till) == SettlingRun(ended=1)

    assert till.attempt_state() is AttemptState.FAILED
    assert till.stored().ledger.balance_minor == 12_000
    assert later(till) == SettlingRun()
    told = till.held.store.events[till.shop.caller.tenant_id, till.invoice.invoice_id]
    assert told[-1].event_type is EventType.ONLINE_PAYMENT_FAILED
    assert told[-1].data["failure_code"] == "account_invalid"


def test_one_answer_that_cannot_be_read_frees_no_invoice(till: Till) -> None:
    debited(till)
    for _ in range(35):
        later(till)
    till.stripe.refused["read_payment_intent"] = no_access()

    assert [later(till).ended for _ in range(LOST_DAYS - 1)] == [0] * (LOST_DAYS - 1)
    assert till.attempt_state() is AttemptState.PROCESSING


def test_only_days_in_a_row_count(till: Till) -> None:
    intent = debited(till)
    for _ in range(30):
        later(till)
    for _ in range(3):
        till.stripe.refused["read_payment_intent"] = no_access()
        assert [later(till).ended for _ in range(LOST_DAYS - 1)] == [0] * (LOST_DAYS - 1)
        till.stripe.refused.clear()
        later(till)
    assert till.attempt_state() is AttemptState.PROCESSING
    till.stripe.settle(till.account_id, intent.payment_intent_id)

    assert later(till, timedelta(days=7)) == SettlingRun(ended=1)

    assert till.stored().ledger.balance_minor == 0


def test_answers_of_one_day_count_once(till: Till) -> None:
    debited(till)
    for _ in range(30):
        later(till)
    till.stripe.refused["read_payment_intent"] = no_access()
    book = till.held.checkouts.book(till.shop.caller.tenant_id, till.invoice.invoice_id)
    now = till.shop.clock.now()
    for _ in range(LOST_DAYS * 2):
        book = book.asked_again(now, unread_on=now.date())

    assert book.live is not None
    assert book.live.unread_days == 1
    assert not book.is_lost(now)


def test_access_that_goes_late_does_not_leave_the_invoice_waiting_for_ever(till: Till) -> None:
    debited(till)
    for _ in range(39):
        later(till)
    till.stripe.refused["read_payment_intent"] = no_access()

    for _ in range(LOST_DAYS + 7):
        later(till)

    assert till.attempt_state() is AttemptState.FAILED


def test_the_company_is_written_once_of_a_payment_that_nobody_could_read(till: Till) -> None:
    intent = debited(till)
    confirmed = till.shop.clock.today()
    till.stripe.refused["read_payment_intent"] = no_access()
    for _ in range(40):
        later(till)

    [notice] = notices(till.shop)
    assert notice.fact.kind is NoticeKind.PAYMENT_UNREADABLE
    mail = mailed(till.shop, notice)
    number = till.invoice.document.number
    assert mail.subject == f"Prélèvement sans nouvelles : facture {number}"
    text = mail.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")
    url = f"https://dashboard.stripe.com/{till.account_id}/payments/{intent.payment_intent_id}"
    for said in ("personne n'a pu lire ce qu'il est devenu", "120,00 €", f"{confirmed:%Y}", url, "In English: Nobody"):
        assert said in text


@pytest.mark.parametrize("paid", [False, True])
def test_money_that_comes_after_all_is_booked_once_the_account_shows_it(till: Till, *, paid: bool) -> None:
    """Beside another payment it is credit of the customer."""
    intent = debited(till)
    till.stripe.refused["read_payment_intent"] = no_access()
    for _ in range(31):
        later(till)
    assert till.attempt_state() is AttemptState.FAILED
    if paid:
        till.shop.pay(till.invoice.invoice_id, 12_000)
    till.stripe.settle(till.account_id, intent.payment_intent_id)
    gone = till.told("payment_intent.succeeded", intent.payment_intent_id)

    assert till.process(gone).reason is ParkReason.NO_ACCESS
    till.stripe.refused.clear()

    assert till.tell("payment_intent.succeeded", intent.payment_intent_id).state is InboxState.DONE
    assert till.attempt_state() is AttemptState.SUCCEEDED
    assert (till.stored().ledger.balance_minor, till.credit()) == (0, 12_000 if paid else 0)
    till.adds_up()
