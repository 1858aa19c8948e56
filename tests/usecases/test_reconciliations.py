"""Each night Stripe's own balance is held against the ledger: what was missed is brought in, what differs is said."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest

from billing.api.reconciliations import PaymentDifferenceResponse
from billing.domain.access import Role
from billing.domain.checkout import AttemptState, CheckoutBook
from billing.domain.crediting import Excess
from billing.domain.errors import RefundRefused
from billing.domain.events import EventType
from billing.domain.reconciliation import Difference, DifferenceKind, Reconciliation, ReconciliationState
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState
from billing.ports.paging import PageRequest
from billing.ports.stripe import StripeRefused
from billing.usecases.payments import RefundInput
from billing.usecases.reconciliations import (
    AGAIN_AT_ONCE,
    LISTED_UNREAD,
    ReconciliationRun,
    list_payment_reconciliations,
    reconcile_stripe_days,
)
from billing.usecases.stripe_refunds import StripeRefundInput, refund_by_its_means
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit, part
from tests.usecases.test_currencies import DOLLARS


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def night(till: Till) -> ReconciliationRun:
    """The day is over."""
    till.shop.clock.advance(timedelta(days=1))
    return reconcile_stripe_days(reconciliations=till.held.reconciliations, desk=till.desk())


def reports(till: Till) -> list[Reconciliation]:
    page = list_payment_reconciliations(till.shop.caller, PageRequest(), reconciliations=till.held.reconciliations)
    return list(page.items)


def of_today(till: Till, day: date) -> Reconciliation:
    return next(one for one in reports(till) if one.day == day)


def ask_refund(till: Till, intent: PaymentIntent, amount_minor: int, *, credit_note_id: str = "") -> None:
    shop = till.shop
    refund_by_its_means(
        shop.caller,
        till.payment(intent).payment_id,
        RefundInput(amount_minor=amount_minor),
        StripeRefundInput(credit_note_id=credit_note_id),
        once=shop.once("refundPayment"),
        payments=till.held.payments,
        invoices=till.held.invoices,
        stripe=till.desk,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_a_day_that_was_told_balances(till: Till) -> None:
    today = till.shop.clock.today()
    intent = till.paid(7_000)
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)

    run = night(till)

    assert (run.differing, run.repaired) == (0, 0)
    report = of_today(till, today)
    assert report.state is ReconciliationState.BALANCED
    assert (report.movements, report.paid_minor, report.given_back_minor) == (2, 7_000, 1_000)
    assert intent.charge is not None
    assert report.fee_minor == intent.charge.fee_minor
    assert night(till).ended == 1  # the next day alone


def test_what_no_event_told_is_brought_in(till: Till) -> None:
    paid = till.confirm(5_000)
    till.stripe.refund(till.account_id, paid.payment_intent_id, 1_000)
    dispute = till.stripe.dispute(till.account_id, paid.payment_intent_id, 2_000)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.held.checkouts.save(till.book.moved(1, AttemptState.EXPIRED, till.shop.clock.now()))
    debited = till.confirm(3_000, method="sepa_debit")
    till.stripe.settle(till.account_id, debited.payment_intent_id)

    run = night(till)

    assert (run.differing, run.repaired) == (0, 2)
    assert len(till.payments) == 2
    assert till.stored().ledger.kept_minor == 5_000 - 1_000 - 2_000 + 3_000
    assert till.counted["PaymentSucceeded"] == 2
    till.adds_up()
    # and the events, should they come after all, change nothing
    for told in (paid, debited):
        assert till.tell("payment_intent.succeeded", told.payment_intent_id).state is InboxState.DONE
    assert till.counted["PaymentSucceeded"] == 2


def test_a_refund_that_came_back_unheard_of_is_brought_in(till: Till) -> None:
    intent = till.paid()
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", refund.refund_id, parent_id=intent.payment_intent_id)
    till.stripe.fail_refund(till.account_id, refund.refund_id)

    assert night(till).repaired >= 1
    assert till.stored().ledger.balance_minor == 0
    till.adds_up()


def test_what_does_not_fit_is_listed_told_and_alerted(till: Till) -> None:
    today = till.shop.clock.today()
    intent = till.confirm()
    till.stripe.intents[till.account_id, intent.payment_intent_id] = replace(intent, amount_minor=50, received_minor=50)

    run = night(till)

    assert run.differing == 1
    report = of_today(till, today)
    assert report.state is ReconciliationState.DIFFERS
    [difference] = report.differences
    assert (difference.kind, difference.stripe_minor, difference.ours_minor) == (DifferenceKind.MISSING, 12_000, 0)
    assert till.counted["StripeReconciliationDiffers"] == 1
    told = till.held.store.events[till.shop.caller.tenant_id, "STRIPE"]
    assert [one.event_type for one in told].count(EventType.STRIPE_RECONCILIATION_DIFFERS) == 1


@pytest.mark.parametrize(
    ("changes", "kind"),
    [({"amount_minor": 11_000}, DifferenceKind.OTHER_AMOUNT), ({"fee_minor": 1}, DifferenceKind.OTHER_FEE)],
)
def test_another_amount_or_fee_is_a_difference(till: Till, changes: dict[str, int], kind: DifferenceKind) -> None:
    today = till.shop.clock.today()
    till.paid()
    [moved] = till.stripe.balance[till.account_id]
    till.stripe.balance[till.account_id] = [replace(moved, **changes)]  # type: ignore[arg-type]

    night(till)

    assert [one.kind for one in of_today(till, today).differences] == [kind]


def test_what_the_company_takes_beside_zenbilling_is_foreign(till: Till) -> None:
    today = till.shop.clock.today()
    intent = till.confirm()
    till.stripe.intents[till.account_id, intent.payment_intent_id] = replace(intent, metadata={})

    assert night(till).differing == 0
    report = of_today(till, today)
    assert (report.foreign, report.paid_minor, report.state) == (1, 0, ReconciliationState.BALANCED)


def test_many_pages_are_read_and_a_run_that_dies_goes_on(till: Till) -> None:
    today = till.shop.clock.today()
    till.paid()
    [moved] = till.stripe.balance[till.account_id]
    till.stripe.balance[till.account_id] = [
        replace(moved, balance_transaction_id=f"txn_{number:04d}") for number in range(250)
    ]
    till.shop.clock.advance(timedelta(days=1))
    for at in range(1, 30):
        crash = CrashPoint(at=at, after=True)
        try:
            reconcile_stripe_days(
                reconciliations=crash.watch(till.held.reconciliations),
                desk=till.desk(stripe=crash.watch(till.stripe)),
            )
        except Crashed:
            continue
        break

    report = of_today(till, today)
    assert (report.movements, report.paid_minor) == (250, 250 * 12_000)
    assert report.version == 3


def test_a_missed_night_is_caught_up(till: Till) -> None:
    today = till.shop.clock.today()
    till.confirm()
    till.shop.clock.advance(timedelta(days=2))

    assert night(till).repaired == 1
    assert of_today(till, today).state is ReconciliationState.BALANCED


@pytest.mark.parametrize("nights", [2, 5, 20])
def test_nights_that_were_missed_are_made_good_day_by_day(till: Till, nights: int) -> None:
    today = till.shop.clock.today()
    till.confirm()
    till.shop.clock.advance(timedelta(days=nights))

    run = night(till)

    assert (run.ended, run.repaired) == (nights + 1, 1)
    assert {one.day for one in reports(till)} == {today + timedelta(days=ago) for ago in range(nights + 1)}


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("more_permissions_required_for_application", 403),
        ("secret_key_required", 403),
        ("parameter_invalid_integer", 400),
    ],
)
def test_a_refusal_of_our_own_request_rings_and_the_day_stays_open(till: Till, code: str, status: int) -> None:
    today = till.shop.clock.today()
    till.confirm()
    till.stripe.refused["list_balance_transactions"] = StripeRefused(code, status=status)
    for _ in range(5):
        with pytest.raises(StripeRefused):
            night(till)
    till.stripe.refused.clear()

    assert night(till).repaired == 1
    assert of_today(till, today).state is ReconciliationState.BALANCED


def test_a_fee_that_no_event_told_is_brought_in(till: Till) -> None:
    today = till.shop.clock.today()
    intent = till.confirm()
    assert intent.charge is not None
    key = till.account_id, intent.payment_intent_id
    unsettled = replace(intent.charge, fee_minor=None, net_minor=None, balance_transaction_id=None)
    till.stripe.intents[key] = replace(intent, charge=unsettled)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    till.stripe.intents[key] = intent

    assert night(till).repaired == 1
    assert till.payment(intent).fee_minor == intent.charge.fee_minor
    assert of_today(till, today).state is ReconciliationState.BALANCED


def test_an_account_whose_access_was_withdrawn_holds_up_nobody(till: Till) -> None:
    till.stripe.refused["list_balance_transactions"] = StripeRefused("account_invalid", status=403)

    assert night(till) == ReconciliationRun()


def test_days_of_an_account_that_left_are_listed_and_read_once_it_is_back(till: Till) -> None:
    today = till.shop.clock.today()
    intent = till.confirm()
    till.stripe.refused["list_balance_transactions"] = StripeRefused("account_invalid", status=403)

    assert [night(till) for _ in range(3)] == [ReconciliationRun()] * 3
    shown = {one.day: one.state for one in reports(till)}
    assert shown == {today + timedelta(days=n): ReconciliationState.UNREAD for n in range(3)}
    connections, caller = till.held.stripe_connections, till.shop.caller
    account = till.stripe.accounts[till.account_id]
    connections.save(caller, connections.read(caller).disconnected(till.shop.clock.now()))
    connections.save(caller, connections.read(caller).connected(account, till.shop.clock.now()))
    till.stripe.refused.clear()

    assert night(till).repaired == 1

    assert {one.state for one in reports(till)} == {ReconciliationState.BALANCED}
    assert till.payment(intent).amount_minor == 12_000


def test_an_account_that_is_gone_for_good_is_listed_for_three_months(till: Till) -> None:
    till.stripe.refused["list_balance_transactions"] = StripeRefused("account_invalid", status=403)
    for _ in range(100):
        night(till)

    assert len(till.held.store.stripe_days) == LISTED_UNREAD.days + 1


@pytest.mark.parametrize("gone", ["payment_intent_of_charge", "read_payment_intent", "session_of_payment_intent"])
def test_a_movement_that_cannot_be_followed_is_not_taken_for_a_stranger_s(till: Till, gone: str) -> None:
    today = till.shop.clock.today()
    till.confirm()
    till.stripe.refused[gone] = StripeRefused("account_invalid", status=403)

    assert night(till) == ReconciliationRun()
    assert of_today(till, today).state is ReconciliationState.UNREAD
    till.stripe.refused.clear()
    assert night(till).repaired == 1
    assert of_today(till, today).foreign == 0


def test_a_whole_day_told_again_and_reconciled_again_changes_nothing(till: Till) -> None:
    till.paid()
    night(till)
    before = (dict(till.held.store.invoices), dict(till.held.store.payments), dict(till.held.store.stripe_days))
    till.held.store.stripe_days_due.update(
        {key: day - timedelta(days=1) for key, day in till.held.store.stripe_days_due.items()}
    )
    reconcile_stripe_days(reconciliations=till.held.reconciliations, desk=till.desk())

    assert (till.held.store.invoices, till.held.store.payments, till.held.store.stripe_days) == before


def test_everybody_of_the_company_may_look(till: Till) -> None:
    for role in Role:
        caller = till.shop.person(role) if role is not Role.OWNER else till.shop.caller
        list_payment_reconciliations(caller, PageRequest(), reconciliations=till.held.reconciliations)


@pytest.mark.parametrize("kind", ["reserve_transaction", "transfer", "stripe_fee", "payout", "some_new_kind"])
def test_movements_of_stripe_s_own_are_no_alarm(till: Till, kind: str) -> None:
    till.paid()
    [moved] = till.stripe.balance[till.account_id]
    own = {"balance_transaction_id": "txn_own", "transaction_type": kind, "source_id": "", "fee_minor": 0}
    till.stripe.balance[till.account_id].append(replace(moved, **own, amount_minor=-500, net_minor=-500))  # type: ignore[arg-type]
    today = till.shop.clock.today()

    assert night(till).differing == 0
    assert of_today(till, today).given_back_minor == 0


@pytest.mark.parametrize("kind", ["charge", "refund", "adjustment"])
def test_what_belongs_to_a_payment_and_names_none_is_a_difference(till: Till, kind: str) -> None:
    till.paid()
    [moved] = till.stripe.balance[till.account_id]
    nameless = replace(moved, balance_transaction_id="txn_nameless", transaction_type=kind, source_id="")
    till.stripe.balance[till.account_id].append(nameless)
    today = till.shop.clock.today()

    assert night(till).differing == 1
    assert [one.kind for one in of_today(till, today).differences] == [DifferenceKind.UNKNOWN]


@pytest.mark.parametrize("lost", ["payment", "refund"])
def test_a_ledger_that_is_not_what_we_knew_of_stripe_is_a_difference(till: Till, lost: str) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    payment = till.payment(intent)
    if lost == "payment":
        parts = (replace(payment.allocations[0], amount_minor=11_999),)
        changed = replace(payment, amount_minor=11_999, allocations=parts)
    else:
        changed = replace(payment, refunds=())
    till.held.store.payments[payment.tenant_id, payment.payment_id] = changed

    night(till)

    assert [one.kind for one in of_today(till, today).differences] == [DifferenceKind.OTHER_AMOUNT]


@pytest.mark.parametrize("amount_minor", [-999, -1_001])
def test_another_amount_of_a_refund_is_a_difference(till: Till, amount_minor: int) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    paid, refunded = till.stripe.balance[till.account_id]
    till.stripe.balance[till.account_id] = [paid, replace(refunded, amount_minor=amount_minor)]

    night(till)

    [difference] = of_today(till, today).differences
    assert (difference.kind, difference.stripe_minor, difference.ours_minor) == (
        DifferenceKind.OTHER_AMOUNT,
        amount_minor,
        1_000,
    )


def test_a_refund_that_is_known_and_not_in_the_ledger_is_a_difference(till: Till) -> None:
    """It fits nowhere: the invoice keeps nothing of the payment, and the customer has no credit."""
    intent, today = till.paid(), till.shop.clock.today()
    credit(till.shop, till.invoice.invoice_id)  # what was paid is credit of the customer now
    till.held.store.credits.clear()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)

    night(till)

    assert [one.kind for one in of_today(till, today).differences] == [DifferenceKind.NOT_BORNE]


def test_a_refund_in_another_currency_than_the_account_s_is_not_compared_by_amount(till: Till) -> None:
    till.issue(till.shop.wanted(till.shop.customer().customer_id, particulars=DOLLARS))
    intent, today = till.paid(), till.shop.clock.today()
    till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    till.tell("charge.refunded", intent.payment_intent_id)
    till.stripe.balance[till.account_id] = [
        replace(one, currency="EUR", amount_minor=one.amount_minor * 9 // 10)
        for one in till.stripe.balance[till.account_id]
    ]

    night(till)

    assert of_today(till, today).state is ReconciliationState.BALANCED


def test_a_payment_that_stripe_never_moved_is_a_difference(till: Till) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    till.stripe.balance[till.account_id].clear()

    assert night(till).differing == 1

    report = of_today(till, today)
    assert intent.charge is not None
    [difference] = report.differences
    assert (difference.kind, difference.source_id) == (DifferenceKind.NOT_AT_STRIPE, intent.charge.charge_id)
    assert (difference.stripe_minor, difference.ours_minor) == (0, 12_000)
    assert difference.payment_id == till.payment(intent).payment_id
    assert (report.booked, report.movements) == (1, 0)
    assert till.counted["StripeReconciliationDiffers"] == 1
    for _ in range(5):
        assert night(till).differing == 0  # said once


@pytest.mark.parametrize("lost", ["refund", "dispute"])
def test_a_refund_or_a_lost_dispute_that_stripe_never_moved_is_a_difference(till: Till, lost: str) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    if lost == "refund":
        source = till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000).refund_id
        till.tell("charge.refunded", intent.payment_intent_id)
    else:
        source = till.stripe.dispute(till.account_id, intent.payment_intent_id, 1_000).dispute_id
        till.stripe.decide(till.account_id, source, won=False)
        till.tell("charge.dispute.closed", source, parent_id=intent.payment_intent_id)
    held = till.stripe.balance[till.account_id]
    held[:] = [one for one in held if one.source_id != source]

    night(till)

    [difference] = of_today(till, today).differences
    assert (difference.kind, difference.source_id) == (DifferenceKind.NOT_AT_STRIPE, source)
    assert (difference.stripe_minor, difference.ours_minor) == (0, -1_000)


def test_a_booking_whose_money_moved_another_day_is_asked_for_by_name(till: Till) -> None:
    """A dispute is lost weeks after it took the money; the days between say nothing of it."""
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    night(till)
    till.shop.clock.advance(timedelta(days=30))
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
    today = till.shop.clock.today()
    till.stripe.calls.clear()

    night(till)

    assert (of_today(till, today).booked, of_today(till, today).state) == (1, ReconciliationState.BALANCED)
    assert till.stripe.calls.count("balance_transactions_of") == 1


def test_what_the_day_itself_shows_is_asked_for_no_more(till: Till) -> None:
    till.paid(7_000)
    till.stripe.calls.clear()

    assert night(till).differing == 0
    assert "balance_transactions_of" not in till.stripe.calls


def test_a_movement_the_other_way_is_no_answer(till: Till) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    [moved] = till.stripe.balance[till.account_id]
    till.stripe.balance[till.account_id][:] = [replace(moved, amount_minor=-12_000)]

    night(till)

    kinds = {one.kind for one in of_today(till, today).differences}
    assert DifferenceKind.NOT_AT_STRIPE in kinds
    assert intent.charge is not None


def test_many_bookings_are_looked_for_page_by_page_and_a_run_that_dies_goes_on(till: Till) -> None:
    today = till.shop.clock.today()
    till.paid()
    [booking] = till.held.store.stripe_booked.values()
    tenant_id = till.shop.caller.tenant_id
    for number in range(60):
        other = replace(booking, source_id=f"ch_never{number:04d}")
        till.held.store.stripe_booked[tenant_id, today, till.account_id, other.source_id] = other
    till.shop.clock.advance(timedelta(days=1))
    crashes = 0
    for at in range(1, 200):
        crash = CrashPoint(at=at, after=True)
        try:
            reconcile_stripe_days(
                reconciliations=crash.watch(till.held.reconciliations),
                desk=till.desk(stripe=crash.watch(till.stripe)),
            )
        except Crashed:
            crashes += 1
            continue
        break

    report = of_today(till, today)
    assert crashes > 2
    assert (report.booked, len(report.differences)) == (61, 60)
    assert len({one.source_id for one in report.differences}) == 60


def test_a_refund_that_a_note_recorded_and_stripe_never_made_is_told_to_the_company_once(till: Till) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)

    assert night(till).differing == 1

    [difference] = of_today(till, today).differences
    assert (difference.kind, difference.source_id) == (DifferenceKind.ON_PAPER, note.invoice_id)
    assert (difference.stripe_minor, difference.ours_minor) == (0, -12_000)
    assert difference.payment_id == till.payment(intent).payment_id
    # The company's own to make: it is told, and no operator is woken.
    told = till.held.store.events[till.shop.caller.tenant_id, "STRIPE"]
    assert [one.event_type for one in told].count(EventType.STRIPE_RECONCILIATION_DIFFERS) == 1
    assert (till.counted["StripeReconciliationDiffers"], till.counted["StripeRefundOnPaper"]) == (0, 1)
    assert sum(night(till).differing for _ in range(5)) == 0


@pytest.mark.parametrize("asked", ["here", "in the dashboard"])
def test_a_refund_that_a_note_recorded_and_stripe_made_balances(till: Till, asked: str) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    note = credit(till.shop, till.invoice.invoice_id, part(3_333), excess=Excess.REFUND)
    given = note.document.totals.total_minor
    if asked == "here":
        ask_refund(till, intent, given, credit_note_id=note.invoice_id)
    else:
        till.stripe.refund(till.account_id, intent.payment_intent_id, given)
        till.tell("charge.refunded", intent.payment_intent_id)

    assert night(till).differing == 0
    assert of_today(till, today).booked == 2


def test_what_is_on_its_way_is_no_refund_on_paper(till: Till) -> None:
    intent = till.paid()
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000, status=StripeRefundStatus.PENDING)
    till.stripe.balance[till.account_id].pop()
    till.tell("charge.refunded", intent.payment_intent_id)

    assert night(till).differing == 0


def test_the_part_that_stripe_did_not_give_back_is_on_paper(till: Till) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000)
    till.tell("charge.refunded", intent.payment_intent_id)

    night(till)

    assert [(one.kind, one.ours_minor) for one in of_today(till, today).differences] == [
        (DifferenceKind.ON_PAPER, -7_000)
    ]


@pytest.mark.parametrize("failing", ["after it had come", "before it came"])
def test_a_note_s_refund_that_fails_later_is_on_paper_from_that_day(till: Till, failing: str) -> None:
    intent = till.paid()
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    real = till.stripe.refund
    if failing == "before it came":
        till.stripe.refund = partial(real, status=StripeRefundStatus.PENDING)  # type: ignore[method-assign]
    ask_refund(till, intent, 12_000, credit_note_id=note.invoice_id)
    assert night(till).differing == 0
    till.shop.clock.advance(timedelta(days=5))
    assert night(till).differing == 0
    [refund] = till.stripe.refunds.values()
    till.stripe.fail_refund(till.account_id, refund.refund_id)
    till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)
    today = till.shop.clock.today()

    night(till)

    assert [(one.kind, one.source_id, one.ours_minor) for one in of_today(till, today).differences] == [
        (DifferenceKind.ON_PAPER, refund.refund_id, -12_000)
    ]


def test_a_note_s_refund_that_stripe_refuses_later_is_on_paper_from_that_day(till: Till) -> None:
    intent = till.paid()
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    assert night(till).differing == 1
    till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    with pytest.raises(RefundRefused):
        ask_refund(till, intent, 12_000, credit_note_id=note.invoice_id)
    today = till.shop.clock.today()

    night(till)

    assert [one.kind for one in of_today(till, today).differences] == [DifferenceKind.ON_PAPER]


def test_what_was_paid_otherwise_is_no_matter_of_stripe(till: Till) -> None:
    till.pay(12_000)
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)

    assert night(till).differing == 0


def test_of_what_was_paid_both_ways_only_what_stripe_has_is_on_paper(till: Till) -> None:
    till.paid(5_000)
    till.pay(7_000)
    today = till.shop.clock.today()
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)

    night(till)

    assert [one.ours_minor for one in of_today(till, today).differences] == [-5_000]


def test_a_payment_that_is_known_and_in_no_ledger_is_a_difference(till: Till) -> None:
    """It was paid in dollars meanwhile, and a customer's credit is in euros: it fits nowhere."""
    till.issue(till.shop.wanted(till.shop.customer().customer_id, particulars=DOLLARS))
    intent, today = till.confirm(), till.shop.clock.today()
    till.pay(12_000)
    assert till.tell("payment_intent.succeeded", intent.payment_intent_id).state is InboxState.PARKED
    assert not till.record(intent).payment_id

    night(till)

    [difference] = of_today(till, today).differences
    assert intent.charge is not None
    assert (difference.kind, difference.source_id) == (DifferenceKind.MISSING, intent.charge.charge_id)
    assert (difference.stripe_minor, difference.ours_minor) == (12_000, 0)


@pytest.mark.parametrize("made", ["refund", "dispute"])
def test_what_no_event_told_of_a_payment_that_we_have_is_brought_in(till: Till, made: str) -> None:
    intent = till.paid()
    if made == "refund":
        till.stripe.refund(till.account_id, intent.payment_intent_id, 1_000)
    else:
        dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, 1_000)
        till.stripe.decide(till.account_id, dispute.dispute_id, won=False)

    run = night(till)

    assert (run.differing, run.repaired) == (0, 1)
    assert till.stored().ledger.balance_minor == 1_000
    assert night(till).differing == 0  # what the night booked is found again by its name


def test_a_note_is_a_matter_of_the_account_that_was_paid(till: Till) -> None:
    today = till.shop.clock.today()
    till.paid()
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    till.held.store.stripe_days_due[till.shop.caller.tenant_id, "acct_other"] = today

    run = night(till)

    assert (run.ended, run.differing) == (2, 1)


def test_a_refusal_that_no_note_asked_for_says_nothing_again(till: Till) -> None:
    intent = till.paid()
    credit(till.shop, till.invoice.invoice_id, part(3_333), excess=Excess.REFUND)
    assert night(till).differing == 1
    till.stripe.refused["create_refund"] = StripeRefused("insufficient_funds", status=400)
    with pytest.raises(RefundRefused):
        ask_refund(till, intent, 1_000)

    assert night(till).differing == 0


def test_a_refund_that_is_booked_while_the_night_looks_is_no_difference(till: Till) -> None:
    intent = till.paid(5_000)
    till.paid(7_000)
    before = till.book
    note = credit(till.shop, till.invoice.invoice_id, part(3_333), excess=Excess.REFUND)
    till.stripe.refund(till.account_id, intent.payment_intent_id, note.document.totals.total_minor)
    till.tell("charge.refunded", intent.payment_intent_id)

    class SlowReader:
        read = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(till.held.checkouts, name)

        def book(self, tenant_id: str, invoice_id: str) -> CheckoutBook:
            self.read += 1
            return before if self.read == 1 else till.held.checkouts.book(tenant_id, invoice_id)

    till.shop.clock.advance(timedelta(days=1))
    slow = SlowReader()
    run = reconcile_stripe_days(reconciliations=till.held.reconciliations, desk=till.desk(checkouts=slow))

    assert run.differing == 0
    assert slow.read > 1


@pytest.mark.parametrize("kind", list(DifferenceKind))
def test_a_difference_says_in_words_what_differs(kind: DifferenceKind) -> None:
    shown = PaymentDifferenceResponse.of(Difference(kind=kind, source_id="ch_1", stripe_minor=1, ours_minor=0))

    assert shown.detail_fr.endswith(".")
    assert shown.detail_en.endswith(".")
    assert shown.detail_fr != shown.detail_en


def told_of_differences(till: Till) -> int:
    told = till.held.store.events[till.shop.caller.tenant_id, "STRIPE"]
    return [one.event_type for one in told].count(EventType.STRIPE_RECONCILIATION_DIFFERS)


def unread_payment(till: Till) -> PaymentIntent:
    """Stripe moved its money, and says another amount of it than the page had: it is parked, and differs."""
    intent = till.confirm()
    key = (till.account_id, intent.payment_intent_id)
    till.stripe.intents[key] = replace(intent, amount_minor=50, received_minor=50)
    return intent


def test_a_day_whose_advice_was_followed_agrees_the_night_after(till: Till) -> None:
    intent, today = till.paid(), till.shop.clock.today()
    note = credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    night(till)
    differed_at = till.shop.clock.now()
    assert of_today(till, today).state is ReconciliationState.DIFFERS
    ask_refund(till, intent, 12_000, credit_note_id=note.invoice_id)

    run = night(till)

    report = of_today(till, today)
    assert (run.again, run.agreed, run.differing) == (1, 1, 0)
    assert (report.state, report.differences) == (ReconciliationState.BALANCED, ())
    assert (report.differed_at, report.ended_at) == (differed_at, till.shop.clock.now())
    assert (report.movements, report.booked, report.paid_minor) == (1, 1, 12_000)
    assert (told_of_differences(till), till.counted["StripeRefundOnPaper"]) == (1, 1)
    assert night(till).again == 0


def test_what_is_brought_in_by_judging_a_day_again_is_counted_once(till: Till) -> None:
    today = till.shop.clock.today()
    intent = unread_payment(till)
    assert night(till).repaired == 0
    till.stripe.intents[till.account_id, intent.payment_intent_id] = intent

    assert [night(till).repaired, night(till).repaired] == [1, 0]
    assert (of_today(till, today).state, of_today(till, today).repaired) == (ReconciliationState.BALANCED, 1)
    till.adds_up()


def test_a_day_that_goes_on_differing_is_told_once_and_looked_at_less_and_less(till: Till) -> None:
    today = till.shop.clock.today()
    unread_payment(till)
    nights = [night(till) for _ in range(110)]

    assert [number for number, run in enumerate(nights, 1) if run.again] == [*range(2, 9), *range(15, 93, 7)]
    assert sum(run.differing for run in nights) == 1
    assert (told_of_differences(till), till.counted["StripeReconciliationDiffers"]) == (1, 1)
    [report] = [one for (_, _, day), one in till.held.store.stripe_days.items() if day == today]
    assert (report.state, report.again_on) == (ReconciliationState.DIFFERS, None)


def test_a_run_takes_a_few_days_of_an_account_and_the_next_run_the_others(till: Till) -> None:
    unread_payment(till)
    first = till.shop.clock.today()
    night(till)
    report = of_today(till, first)
    for age in range(1, 8):
        day = first - timedelta(days=age)
        till.held.store.stripe_days[report.tenant_id, report.account_id, day] = replace(report, day=day)

    assert night(till).again == AGAIN_AT_ONCE
    assert min(one.again_on for one in reports(till) if one.again_on) == till.shop.clock.today()
    again = reconcile_stripe_days(reconciliations=till.held.reconciliations, desk=till.desk())
    assert again.again == 8 - AGAIN_AT_ONCE
    assert reconcile_stripe_days(reconciliations=till.held.reconciliations, desk=till.desk()).again == 0


def test_a_day_that_is_judged_again_page_by_page_goes_on_after_a_run_that_dies(till: Till) -> None:
    today = till.shop.clock.today()
    unread_payment(till)
    [moved] = till.stripe.balance[till.account_id]
    others = [
        replace(moved, balance_transaction_id=f"txn_{number:04d}", transaction_type="transfer") for number in range(250)
    ]
    till.stripe.balance[till.account_id] = [moved, *others]
    night(till)
    found = of_today(till, today)
    till.shop.clock.advance(timedelta(days=1))
    for at in range(1, 60):
        crash = CrashPoint(at=at, after=True)
        try:
            reconcile_stripe_days(
                reconciliations=crash.watch(till.held.reconciliations),
                desk=till.desk(stripe=crash.watch(till.stripe)),
            )
        except Crashed:
            continue
        break

    report = of_today(till, today)
    assert (found.movements, report.movements, report.differences) == (251, 251, found.differences)
    assert (report.state, report.differed_at) == (ReconciliationState.DIFFERS, found.ended_at)
    assert (told_of_differences(till), till.counted["StripeReconciliationDiffers"]) == (1, 1)


def test_a_day_of_an_account_that_left_says_what_it_said_and_is_asked_for_another_night(till: Till) -> None:
    today = till.shop.clock.today()
    unread_payment(till)
    night(till)
    found = of_today(till, today)
    till.stripe.refused["list_balance_transactions"] = StripeRefused("account_invalid", status=403)

    assert night(till).again == 0
    tomorrow = till.shop.clock.today() + timedelta(days=1)
    assert of_today(till, today) == replace(found, version=found.version + 1, again_on=tomorrow)
    till.stripe.refused.clear()
    assert night(till).again == 1


def test_a_day_that_cannot_be_judged_again_is_left_for_another_night_and_says_what_it_said(till: Till) -> None:
    today = till.shop.clock.today()
    unread_payment(till)
    night(till)
    found = of_today(till, today)
    till.stripe.refused["list_balance_transactions"] = StripeRefused("parameter_invalid", status=400)

    with pytest.raises(StripeRefused):
        night(till)

    assert of_today(till, today).again_on == till.shop.clock.today() + timedelta(days=1)
    assert of_today(till, today).differences == found.differences
    reconciliations = till.held.reconciliations
    assert [reconciliations.due_again(till.shop.clock.today(), shard=one, limit=9) for one in range(4)] == [
        ((), None)
    ] * 4


@pytest.mark.parametrize("age", [1, 100], ids=["to-be-judged-again", "too-old-for-it"])
def test_an_account_that_leaves_while_its_day_is_read_page_by_page_keeps_what_the_day_said(
    till: Till, age: int
) -> None:
    unread_payment(till)
    night(till)
    [found] = [one for one in reports(till) if one.again_on]
    reading = replace(found.judged_again(till.shop.clock.now()), version=found.version + 1, position="txn_1")

    put_off = reading.put_off(found.day + timedelta(days=age))

    assert (put_off.state, put_off.differences, put_off.version) == (
        found.state,
        found.differences,
        reading.version + 1,
    )
    assert (put_off.ended_at, put_off.differed_at, put_off.earlier) == (found.ended_at, found.ended_at, ())
    assert (put_off.again_on is None) is (age > 90)
    assert put_off.judged_again(till.shop.clock.now()).rang


def test_what_is_counted_is_written_with_what_it_counts(till: Till) -> None:
    """A run that dies right after has counted it: the table's stream tells."""
    unread_payment(till)
    till.shop.clock.advance(timedelta(days=1))
    for at in range(1, 40):
        crash = CrashPoint(at=at, after=True)
        with suppress(Crashed):
            reconcile_stripe_days(reconciliations=crash.watch(till.held.reconciliations), desk=till.desk())

    assert [one.state for one in reports(till) if one.differences] == [ReconciliationState.DIFFERS]
    assert (told_of_differences(till), till.counted["StripeReconciliationDiffers"]) == (1, 1)


def test_what_was_the_company_s_matter_and_is_more_now_wakes_operators_once(till: Till) -> None:
    till.paid()
    today = till.shop.clock.today()
    credit(till.shop, till.invoice.invoice_id, excess=Excess.REFUND)
    night(till)
    assert till.counted["StripeReconciliationDiffers"] == 0
    [moved] = till.stripe.balance[till.account_id]
    till.stripe.balance[till.account_id] = [replace(moved, fee_minor=moved.fee_minor + 1)]

    night(till)
    night(till)

    assert {one.kind for one in of_today(till, today).differences} == {
        DifferenceKind.OTHER_FEE,
        DifferenceKind.ON_PAPER,
    }
    assert (till.counted["StripeReconciliationDiffers"], till.counted["StripeRefundOnPaper"]) == (1, 1)
    assert told_of_differences(till) == 1
