"""While the bank of a customer who paid online takes its days, nobody asks them for the same money."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from billing.api.reminders import RemindersResponse
from billing.domain.delivery import ClaimState, DeliveryState
from billing.domain.errors import PaymentInProgress
from billing.domain.events import EventType
from billing.domain.reminders import HoldReason, ReminderLevel
from billing.domain.stripe import PaymentIntent
from billing.ports.reminders import ReminderInput
from billing.usecases.reminders import preview_reminder
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_reminders import DUE, Dunning, Meanwhile

FIRST_DAY = DUE + timedelta(days=7)  # a Wednesday


@dataclass
class Debit:
    """An invoice of 120 € that is due, a plan that is on, and a debit of it."""

    till: Till
    dunning: Dunning

    def confirm(self, amount_minor: int | None = None) -> PaymentIntent:
        intent = self.till.confirm(amount_minor, method="sepa_debit")
        self.till.tell("payment_intent.processing", intent.payment_intent_id)
        return intent

    def end(self, intent: PaymentIntent, *, success: bool) -> None:
        self.till.stripe.settle(self.till.account_id, intent.payment_intent_id, success=success)
        self.till.tell(f"payment_intent.{'succeeded' if success else 'payment_failed'}", intent.payment_intent_id)

    @property
    def left(self) -> list[tuple[ReminderLevel, date]]:
        """What was mailed, and on which day."""
        made = self.dunning.store.reminders.values()
        return [(one.level, one.claim.on) for one in made if one.delivery.state is DeliveryState.SENT]

    @property
    def shown(self) -> RemindersResponse:
        return RemindersResponse.of(self.dunning.shown(self.till.invoice))


@pytest.fixture
def debit(shop: Shop) -> Debit:
    till, dunning = Till(shop), Dunning(shop)
    shop.render(till.invoice)
    shop.record(till.invoice)
    dunning.go_to(DUE)
    dunning.plan()
    return Debit(till, dunning)


@pytest.mark.parametrize("amount_minor", [None, 5_000])
def test_no_reminder_leaves_while_a_debit_is_on_its_way(debit: Debit, amount_minor: int | None) -> None:
    debit.confirm(amount_minor)

    debit.dunning.live_until(DUE + timedelta(days=12), runs=2)

    assert debit.left == []
    assert debit.till.shop.mailer.accepted == []


def test_once_the_bank_refused_the_level_that_was_held_leaves_on_the_next_day(debit: Debit) -> None:
    intent = debit.confirm()
    debit.dunning.live_until(FIRST_DAY + timedelta(days=1))

    debit.end(intent, success=False)
    debit.dunning.live_until(FIRST_DAY + timedelta(days=10))

    assert debit.left == [
        (ReminderLevel.FIRST, FIRST_DAY + timedelta(days=2)),
        (ReminderLevel.SECOND, DUE + timedelta(days=15)),
    ]


def test_a_refusal_on_a_week_end_is_reminded_of_on_the_monday(debit: Debit) -> None:
    intent = debit.confirm()
    debit.dunning.live_until(FIRST_DAY + timedelta(days=2))  # a Friday

    debit.end(intent, success=False)
    debit.dunning.live_until(FIRST_DAY + timedelta(days=5))

    assert debit.left == [(ReminderLevel.FIRST, FIRST_DAY + timedelta(days=5))]


def test_once_it_is_paid_nobody_is_reminded(debit: Debit) -> None:
    intent = debit.confirm()
    debit.dunning.live_until(FIRST_DAY)

    debit.end(intent, success=True)
    debit.dunning.live_until(date(2027, 3, 1))

    assert debit.left == []


def test_what_holds_is_told_in_words_and_once_on_the_timeline(debit: Debit) -> None:
    intent = debit.confirm()
    before = debit.shown
    debit.dunning.live_until(FIRST_DAY + timedelta(days=2))
    while_held = debit.shown
    debit.end(intent, success=False)

    for said in (before, while_held):
        assert said.hold is not None
        assert (said.hold.reason, said.hold.until) == (HoldReason.PAYMENT_IN_PROGRESS, None)
        assert said.payment_in_progress is not None
        assert "120,00\u00a0€ (prélèvement SEPA)" in said.payment_in_progress.detail_fr
    assert (debit.shown.hold, debit.shown.payment_in_progress) == (None, None)
    held = [
        event
        for event in debit.dunning.shop.events(debit.till.invoice.invoice_id)
        if event.event_type is EventType.REMINDERS_HELD
    ]
    assert [event.data["reason"] for event in held] == ["payment_in_progress"]


def test_what_a_person_holds_stays_theirs(debit: Debit) -> None:
    intent = debit.confirm()
    debit.dunning.hold(debit.till.invoice, HoldReason.DISPUTE)

    debit.dunning.live_until(FIRST_DAY + timedelta(days=1))
    debit.end(intent, success=False)
    debit.dunning.live_until(FIRST_DAY + timedelta(days=5))

    assert debit.left == []
    assert debit.shown.hold is not None
    assert debit.shown.hold.reason is HoldReason.DISPUTE


def test_a_person_who_reminds_is_told_of_it(debit: Debit) -> None:
    intent = debit.confirm()
    debit.dunning.go_to(FIRST_DAY)
    invoice, shop = debit.till.invoice, debit.dunning.shop

    with pytest.raises(PaymentInProgress) as refused:
        debit.dunning.send(invoice)
    with pytest.raises(PaymentInProgress):
        preview_reminder(
            shop.caller, invoice.invoice_id, ReminderInput(), reminders=debit.dunning.held.reminders, clock=shop.clock
        )

    assert "Attendez sa réponse avant de relancer" in refused.value.detail_fr
    debit.end(intent, success=False)
    assert debit.dunning.send(invoice).level is ReminderLevel.FIRST


@pytest.mark.parametrize("moment", ["before the task", "at the hand-over"])
def test_a_reminder_is_dropped_when_its_customer_pays_before_the_mail_leaves(debit: Debit, moment: str) -> None:
    dunning, shop = debit.dunning, debit.dunning.shop
    dunning.go_to(FIRST_DAY)
    dunning.run()
    (reminder,) = dunning.store.reminders.values()
    if moment == "before the task":
        debit.confirm()
    shop.render(reminder)
    deliveries = Meanwhile(dunning.held.deliveries, debit.confirm if moment == "at the hand-over" else None)
    claim: Any = shop.mail(reminder, deliveries=deliveries)
    outcome = shop.record(reminder)

    assert shop.mailer.accepted == []
    assert claim.state is ClaimState.ABANDONED
    assert (outcome.state, outcome.error) == (DeliveryState.NOT_SENT, "PaymentInProgress")
