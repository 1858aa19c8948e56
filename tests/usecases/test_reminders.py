"""Reminders: each level once per document, never after payment, whatever runs twice, is late, or dies in the middle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from billing.domain.access import Role
from billing.domain.checkout import CheckoutBook
from billing.domain.credit_notes import CreditInFull, CreditNoteInput
from billing.domain.delivery import ClaimState, DeliveryState
from billing.domain.errors import (
    DocumentNotConformant,
    FieldErrors,
    Forbidden,
    InvoiceNotIssued,
    MailRefused,
    NotFound,
    NothingLeftToPay,
    RecipientMissing,
    ReminderAlreadySent,
    ReminderNotDue,
    StaleVersion,
)
from billing.domain.events import EventType
from billing.domain.invoice import IssuedInvoice
from billing.domain.parties import Contact, CustomerKind
from billing.domain.reminders import (
    DEFAULT_STEPS,
    HoldReason,
    Reminder,
    ReminderLevel,
    ReminderPlan,
    ReminderStep,
    reminder_id_of,
)
from billing.ports.reminders import ReminderInput, RemindersOfInvoice
from billing.usecases import credit_notes, reminders
from billing.usecases.portal_invoices import read_portal_invoice
from billing.usecases.reminders import RemindersRunResult
from tests import factories
from tests.fakes.clock import FakeClock
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import FakeConformityRules, Relay
from tests.usecases.conftest import Shop
from tests.usecases.test_conformity import BROKEN, judge

ISSUED = date(2026, 11, 23)  # a Monday
DUE = date(2026, 12, 23)
BEFORE, FIRST, SECOND, THIRD, FORMAL = ReminderLevel
AUTOMATIC = tuple(replace(step, automatic=True) for step in DEFAULT_STEPS)


class Dunning:
    """Short ways to remind in a shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.held = shop.repositories
        self.store = self.held.store
        self.rules = FakeConformityRules()

    @property
    def ports(self) -> dict[str, Any]:
        return {"reminders": self.held.reminders, "clock": self.shop.clock, "ids": self.shop.ids}

    def plan(self, steps: tuple[ReminderStep, ...] = AUTOMATIC, *, active: bool = True) -> ReminderPlan:
        version = reminders.read_reminder_plan(self.shop.caller, reminders=self.held.reminders).version
        return reminders.edit_reminder_plan(
            self.shop.caller, active=active, steps=steps, expected_version=version, **self.ports
        )

    def owed(self, **customer: Any) -> IssuedInvoice:
        """An invoice of 120 € with its PDF stored."""
        draft = self.shop.draft(self.shop.wanted(self.shop.customer(**customer).customer_id))
        invoice = self.shop.issue(draft)
        self.shop.render(invoice)
        self.shop.record(invoice)
        return self.shop.stored(invoice)

    def go_to(self, day: date, hour: int = 9) -> None:
        self.shop.clock.set(datetime(day.year, day.month, day.day, hour, 0, tzinfo=UTC))

    def run(self, **ports: Any) -> RemindersRunResult:
        return reminders.run_reminders(**{**self.ports, "invoices": self.held.invoices, **ports})

    def live_until(self, last: date, *, runs: int = 1) -> None:
        day = self.shop.clock.today()
        while day < last:
            day += timedelta(days=1)
            self.go_to(day)
            for _ in range(runs):
                self.run()
            self.deliver()

    def deliver(self) -> None:
        """What the delivery workflow does of each reminder that waits."""
        for entity, tenant_id, document_id, attempt in list(self.store.outbox):
            if entity != "delivery_request" or not document_id.startswith("rem_"):
                continue
            reminder = self.store.reminders[tenant_id, document_id]
            error = None
            try:
                rendering = self.shop.render(reminder, attempt)
                if rendering.judged and not judge(self.shop, reminder, self.rules).conforms:
                    raise DocumentNotConformant  # noqa: TRY301 - as the workflow's task does
                if rendering.send:
                    self.shop.mail(reminder, attempt)
            except (DocumentNotConformant, MailRefused) as refused:
                error = type(refused).__name__
            self.shop.record(reminder, attempt, error=error)

    def send(self, invoice: IssuedInvoice, **wanted: Any) -> Reminder:
        return reminders.send_reminder(
            self.shop.caller,
            invoice.invoice_id,
            ReminderInput(**wanted),
            correlation_id="corr",
            once=self.shop.once("sendReminder"),
            **self.ports,
        )

    def hold(self, invoice: IssuedInvoice, reason: HoldReason, until: date | None = None) -> RemindersOfInvoice:
        return reminders.hold_reminder(
            self.shop.caller,
            invoice.invoice_id,
            reason=reason,
            until=until,
            once=self.shop.once("holdReminder"),
            **self.ports,
        )

    def release(self, invoice: IssuedInvoice) -> RemindersOfInvoice:
        return reminders.release_reminder(
            self.shop.caller, invoice.invoice_id, once=self.shop.once("releaseReminder"), **self.ports
        )

    def pause(self, invoice: IssuedInvoice, until: date | None = None) -> None:
        reminders.pause_reminder(
            self.shop.caller,
            invoice.document.customer_id,
            until=until,
            once=self.shop.once("pauseReminder"),
            **self.ports,
        )

    def shown(self, invoice: IssuedInvoice) -> RemindersOfInvoice:
        return reminders.list_reminders(
            self.shop.caller, invoice.invoice_id, reminders=self.held.reminders, clock=self.shop.clock
        )

    def levels(self, invoice: IssuedInvoice) -> list[ReminderLevel]:
        return [reminder.level for reminder in self.shown(invoice).made]

    @property
    def subjects(self) -> list[str]:
        return [mail.subject.partition(" : ")[0] for mail in self.shop.mailer.accepted]


@pytest.fixture
def dunning(shop: Shop) -> Dunning:
    return Dunning(shop)


def test_each_level_goes_out_once_on_its_day(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()

    dunning.live_until(date(2027, 3, 1), runs=3)

    assert [(reminder.level, reminder.claim.on) for reminder in dunning.shown(invoice).made] == [
        (BEFORE, date(2026, 12, 21)),  # the 20th is a Sunday
        (FIRST, date(2026, 12, 30)),
        (SECOND, date(2027, 1, 7)),
        (THIRD, date(2027, 1, 22)),
        (FORMAL, date(2027, 2, 8)),  # the 6th is a Saturday
    ]
    assert dunning.subjects == [
        "Échéance proche",
        "Relance",
        "Deuxième relance",
        "Dernière relance",
        "Mise en demeure de payer",
    ]
    assert {mail.attachment_name for mail in dunning.shop.mailer.accepted} == {f"{invoice.document.number}.pdf"}


def test_each_reminder_has_a_link_of_its_own_to_the_invoice(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.live_until(date(2027, 1, 8))

    urls = [mail.text.partition("Voir la facture : ")[2].split()[0] for mail in dunning.shop.mailer.accepted]
    links = dunning.shop.repositories.invoice_links
    tokens = [url.rpartition("/")[2] for url in urls]
    assert len(set(tokens)) == 3
    opened = [read_portal_invoice(token, links=links, clock=dunning.shop.clock) for token in tokens]
    assert {one.issued.invoice_id for one in opened} == {invoice.invoice_id}


def test_a_plan_that_is_off_sends_nothing_and_one_switched_on_late_leaves_the_past_to_people(
    dunning: Dunning,
) -> None:
    invoice = dunning.owed()
    dunning.live_until(DUE + timedelta(days=16))
    assert dunning.levels(invoice) == []

    dunning.plan()
    dunning.live_until(DUE + timedelta(days=29))
    assert dunning.levels(invoice) == []
    dunning.live_until(DUE + timedelta(days=31))
    assert dunning.levels(invoice) == [THIRD]


def test_after_an_outage_only_the_furthest_level_goes_out(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.go_to(DUE + timedelta(days=20))

    dunning.run()
    dunning.deliver()

    assert dunning.levels(invoice) == [SECOND]
    assert "Malgré notre précédent message" not in dunning.shop.mailer.accepted[0].text


def test_nothing_leaves_at_night_or_on_a_week_end(dunning: Dunning) -> None:
    dunning.plan()
    dunning.owed()

    dunning.go_to(date(2026, 12, 20))  # a Sunday
    assert dunning.run() == RemindersRunResult()
    dunning.go_to(date(2026, 12, 21), hour=6)  # seven o'clock in Paris
    assert dunning.run() == RemindersRunResult()
    dunning.go_to(date(2026, 12, 21), hour=7)
    assert dunning.run() == RemindersRunResult(requested=1)


def test_a_paid_or_credited_invoice_is_no_longer_reminded(dunning: Dunning) -> None:
    dunning.plan()
    paid, credited, partly = dunning.owed(), dunning.owed(), dunning.owed()
    dunning.live_until(DUE + timedelta(days=8))

    dunning.shop.pay(paid.invoice_id, 12_000)
    credit_notes.issue_credit_note(
        dunning.shop.caller,
        credited.invoice_id,
        CreditNoteInput(scope=CreditInFull(), reason="Annulation"),
        send=False,
        correlation_id="corr",
        once=dunning.shop.once(),
        credit_notes=dunning.held.credit_notes,
        clock=dunning.shop.clock,
        ids=dunning.shop.ids,
    )
    dunning.shop.pay(partly.invoice_id, 5_000)
    dunning.live_until(DUE + timedelta(days=16))

    assert dunning.levels(paid) == dunning.levels(credited) == [BEFORE, FIRST]
    assert dunning.levels(partly) == [BEFORE, FIRST, SECOND]
    assert dunning.shown(partly).made[-1].claim.balance_minor == 7_000


class Meanwhile:
    """Port Deliveries: something happens once a reminder has been judged, while its mail is being prepared."""

    def __init__(self, deliveries: Any, happens: Callable[[], object] | None) -> None:
        self._deliveries = deliveries
        self._happens = happens
        self._looked = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._deliveries, name)

    def owed(self, tenant_id: str, invoice_id: str) -> tuple[IssuedInvoice, CheckoutBook]:
        self._looked += 1
        if self._looked == 2 and self._happens is not None:
            self._happens()
        found: tuple[IssuedInvoice, CheckoutBook] = self._deliveries.owed(tenant_id, invoice_id)
        return found


@pytest.mark.parametrize("moment", ["before the task", "at the hand-over"])
def test_what_is_paid_before_the_mail_leaves_is_dropped(dunning: Dunning, moment: str) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.go_to(DUE + timedelta(days=7))
    dunning.run()
    (reminder,) = dunning.store.reminders.values()

    def pay() -> None:
        dunning.shop.pay(invoice.invoice_id, 12_000)

    if moment == "before the task":
        pay()
    dunning.shop.render(reminder)
    deliveries = Meanwhile(dunning.held.deliveries, pay if moment == "at the hand-over" else None)
    claim: Any = dunning.shop.mail(reminder, deliveries=deliveries)
    again: Any = dunning.shop.mail(reminder)
    outcome = dunning.shop.record(reminder)

    assert dunning.shop.mailer.accepted == []
    assert claim.state is again.state is ClaimState.ABANDONED
    assert (outcome.state, outcome.error) == (DeliveryState.NOT_SENT, "NoLongerOwed")
    assert [event.event_type for event in dunning.shop.events(invoice.invoice_id)][-1] is EventType.REMINDER_DROPPED


def test_a_business_owes_penalties_at_the_printed_rate_and_forty_euros_a_consumer_neither(dunning: Dunning) -> None:
    dunning.plan()
    business = dunning.owed()
    dunning.owed(
        kind=CustomerKind.INDIVIDUAL, siren=None, siret=None, vat_number=None, name="Client Particulier (exemple)"
    )
    rate = business.document.seller.late_penalty_rate
    dunning.live_until(DUE + timedelta(days=7))

    to_business, to_consumer = dunning.shop.mailer.accepted[-2:]
    if "Indemnité" in to_consumer.text:
        to_business, to_consumer = to_consumer, to_business
    claim = dunning.shown(business).made[-1].claim
    assert claim.late_fees is not None
    assert (claim.days_late, claim.late_fees.rate, claim.late_fees.fee_minor) == (7, rate, 4_000)
    assert claim.late_fees.penalty_minor == round(12_000 * 7 * rate / Decimal(36_500))
    said = to_business.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert f"Pénalités de retard ({str(rate).replace('.', ',')} % l'an)" in said
    assert "Indemnité forfaitaire de recouvrement : 40,00" in to_business.text
    assert "Pénalités" not in to_consumer.text
    assert "Indemnité" not in to_consumer.text
    assert "120,00" in to_consumer.text


def test_no_late_fee_is_claimed_before_the_invoice_is_late(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.live_until(date(2026, 12, 21))

    (reminder,) = dunning.shown(invoice).made
    assert reminder.claim.late_fees is None
    assert reminder.claim.days_late == 0


def test_a_promise_is_waited_for_and_a_broken_one_reminded_of(dunning: Dunning) -> None:
    dunning.plan()
    kept, broken = dunning.owed(), dunning.owed()
    dunning.live_until(DUE + timedelta(days=5))
    for invoice in (kept, broken):
        dunning.hold(invoice, HoldReason.PROMISE, DUE + timedelta(days=20))

    dunning.live_until(DUE + timedelta(days=20))
    assert dunning.levels(kept) == dunning.levels(broken) == [BEFORE]
    dunning.shop.pay(kept.invoice_id, 12_000)
    dunning.live_until(DUE + timedelta(days=21))

    assert dunning.levels(kept) == [BEFORE]
    assert dunning.levels(broken) == [BEFORE, SECOND]
    dunning.live_until(DUE + timedelta(days=31))
    assert dunning.levels(broken) == [BEFORE, SECOND, THIRD]


def test_a_dispute_stops_reminders_until_it_is_lifted(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.hold(invoice, HoldReason.DISPUTE)
    dunning.live_until(DUE + timedelta(days=20))
    assert dunning.levels(invoice) == []

    dunning.release(invoice)
    dunning.live_until(DUE + timedelta(days=29))
    assert dunning.levels(invoice) == []
    dunning.live_until(DUE + timedelta(days=31))
    assert dunning.levels(invoice) == [THIRD]


def test_a_paused_customer_is_not_reminded_and_what_passed_is_passed_over(dunning: Dunning) -> None:
    dunning.plan()
    paused, other = dunning.owed(), dunning.owed()
    dunning.pause(paused, DUE + timedelta(days=10))

    dunning.live_until(DUE + timedelta(days=14))
    assert dunning.levels(paused) == []
    assert dunning.levels(other) == [BEFORE, FIRST]
    dunning.live_until(DUE + timedelta(days=16))
    assert dunning.levels(paused) == [SECOND]


def test_a_step_that_is_not_automatic_waits_for_a_person(dunning: Dunning) -> None:
    dunning.plan(DEFAULT_STEPS)
    invoice = dunning.owed()
    dunning.live_until(DUE + timedelta(days=60))
    assert dunning.levels(invoice) == [BEFORE, FIRST, SECOND, THIRD]

    sent = dunning.send(invoice)
    dunning.deliver()

    assert sent.level is FORMAL
    assert "mettons en demeure" in dunning.shop.mailer.accepted[-1].text
    with pytest.raises(ReminderAlreadySent):
        dunning.send(invoice)
    with pytest.raises(ReminderAlreadySent):
        dunning.send(invoice, level=FIRST)


def test_a_person_reminds_whatever_is_paused_and_the_plan_does_not_repeat_it(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.pause(invoice)
    dunning.go_to(DUE + timedelta(days=2))

    dunning.send(invoice, level=SECOND, recipient="direction@client.exemple.test", french="Merci de régler {number}.")
    dunning.deliver()
    dunning.shop.repositories.store.reminder_pauses.clear()
    dunning.live_until(DUE + timedelta(days=16))

    assert dunning.levels(invoice) == [SECOND]
    (mail,) = dunning.shop.mailer.accepted
    assert mail.recipient == "direction@client.exemple.test"
    assert f"Merci de régler {invoice.document.number}." in mail.text


def test_what_cannot_be_reminded_of_is_refused(dunning: Dunning) -> None:
    invoice = dunning.owed()
    with pytest.raises(ReminderNotDue):
        dunning.send(invoice, level=FIRST)
    with pytest.raises(FieldErrors) as refused:
        dunning.send(invoice, french="Bonjour {prénom}")
    assert refused.value.errors[0].pointer == "/french"
    dunning.go_to(DUE + timedelta(days=1))
    with pytest.raises(ReminderNotDue):
        dunning.send(invoice, level=BEFORE)
    dunning.shop.pay(invoice.invoice_id, 12_000)
    with pytest.raises(NothingLeftToPay):
        dunning.send(invoice)
    with pytest.raises(InvoiceNotIssued):
        dunning.send(dunning.shop.draft())  # type: ignore[arg-type]
    with pytest.raises(RecipientMissing):
        dunning.send(dunning.owed(email=None))


def test_an_invoice_without_an_address_is_told_and_can_be_sent_to_one(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed(email=None)
    dunning.go_to(DUE + timedelta(days=7))

    assert dunning.run() == RemindersRunResult(unaddressed=1)
    assert dunning.run() == RemindersRunResult()
    (reminder,) = dunning.shown(invoice).made
    assert (reminder.delivery.state, reminder.delivery.error) == (DeliveryState.FAILED, "RecipientMissing")

    dunning.send(invoice, recipient="compta@client.exemple.test")
    dunning.deliver()
    assert dunning.shown(invoice).made[0].delivery.state is DeliveryState.SENT


@pytest.mark.parametrize(
    ("wants", "reached"),
    [
        ({"receives_invoices": True}, "compta@autre.exemple.test"),
        ({"receives_reminders": True}, "compta@autre.exemple.test"),
        ({}, "client@exemple.example"),
    ],
)
def test_a_reminder_goes_to_the_contact_that_wants_it(dunning: Dunning, wants: dict[str, bool], reached: str) -> None:
    dunning.plan()
    contact = replace(Contact(name="Comptabilité (exemple)", email="compta@autre.exemple.test"), **wants)  # type: ignore[arg-type]
    dunning.owed(email="client@exemple.example", contacts=(contact,))
    dunning.go_to(DUE + timedelta(days=7))

    dunning.run()
    dunning.deliver()

    assert [mail.recipient for mail in dunning.shop.mailer.accepted] == [reached]


def test_a_refused_reminder_may_go_again_and_is_mailed_once(dunning: Dunning) -> None:
    dunning.plan()
    invoice = dunning.owed()
    dunning.go_to(DUE + timedelta(days=7))
    dunning.shop.mailer.script = [Relay.REFUSES]
    dunning.run()
    dunning.deliver()
    assert dunning.shown(invoice).made[0].delivery.state is DeliveryState.FAILED
    assert dunning.run() == RemindersRunResult()

    again = dunning.send(invoice, recipient="autre@client.exemple.test")
    with pytest.raises(ReminderAlreadySent):
        dunning.send(invoice)
    dunning.deliver()

    assert again.delivery.attempt == 2
    assert len(dunning.shop.mailer.accepted) == 1


def test_what_a_rule_refuses_is_not_sent_by_a_reminder_either(dunning: Dunning) -> None:
    dunning.plan()
    dunning.rules = FakeConformityRules(broken=(BROKEN,))
    invoice = dunning.owed()

    dunning.live_until(DUE + timedelta(days=20))

    assert dunning.shop.mailer.accepted == []
    reminded = dunning.store.reminders[invoice.tenant_id, reminder_id_of(invoice.invoice_id, FIRST)]
    assert reminded.delivery.state is DeliveryState.FAILED
    assert dunning.rules.asked == 1, "the report of the invoice stands"


def test_eight_runs_at_once_send_one_mail_a_level(dunning: Dunning) -> None:
    dunning.plan()
    invoices = [dunning.owed() for _ in range(12)]
    dunning.go_to(DUE + timedelta(days=7))

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: dunning.run(clock=FakeClock(dunning.shop.clock.now())), range(8)))
    dunning.deliver()

    assert sum(result.requested for result in results) == len(invoices)
    assert Counter(mail.recipient for mail in dunning.shop.mailer.accepted).total() == len(invoices)
    assert len({mail.delivery_reference for mail in dunning.shop.mailer.accepted}) == len(invoices)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_dies_anywhere_is_made_good_by_the_next(after: bool) -> None:
    at = 0
    while True:
        at += 1
        shop = Shop()
        shop.describe()
        dunning = Dunning(shop)
        dunning.plan()
        invoices = [dunning.owed() for _ in range(2)]
        dunning.go_to(DUE + timedelta(days=7))
        crash = CrashPoint(at, after)
        try:
            dunning.run(reminders=crash.watch(dunning.held.reminders), invoices=crash.watch(dunning.held.invoices))
            died = False
        except Crashed:
            died = True
        dunning.run()
        dunning.deliver()

        assert all(dunning.levels(invoice) == [FIRST] for invoice in invoices)
        assert len(shop.mailer.accepted) == 2
        if not died:
            assert at > 5
            return


def test_only_the_invoices_of_the_day_are_read(dunning: Dunning) -> None:
    """The run's cost follows what is due, not the history."""
    dunning.plan()
    dunning.shop.subscribe()
    for _ in range(30):
        dunning.owed()
    dunning.go_to(ISSUED + timedelta(days=2))
    late = dunning.owed()
    dunning.live_until(DUE + timedelta(days=8))
    crash = CrashPoint(-1, False)

    dunning.go_to(DUE + timedelta(days=9))
    dunning.run(reminders=crash.watch(dunning.held.reminders), invoices=crash.watch(dunning.held.invoices))

    assert dunning.levels(late) == [BEFORE, FIRST]
    assert crash.calls < 20


def test_a_plan_is_checked_and_versioned(dunning: Dunning) -> None:
    with pytest.raises(FieldErrors) as refused:
        dunning.plan((replace(AUTOMATIC[1], days=30), replace(AUTOMATIC[2], days=20), replace(AUTOMATIC[0], days=2)))
    assert [error.pointer for error in refused.value.errors] == ["/steps/1/days", "/steps/2/days", "/steps/2/level"]
    with pytest.raises(FieldErrors) as refused:
        dunning.plan((replace(AUTOMATIC[1], english="{nobody}"),))
    assert refused.value.errors[0].pointer == "/steps/0/english"

    dunning.plan()
    with pytest.raises(StaleVersion):
        reminders.edit_reminder_plan(
            dunning.shop.caller, active=True, steps=AUTOMATIC, expected_version=0, **dunning.ports
        )
    with pytest.raises(Forbidden):
        reminders.edit_reminder_plan(
            dunning.shop.person(Role.MEMBER), active=True, steps=AUTOMATIC, expected_version=1, **dunning.ports
        )


def test_a_promise_names_its_day_and_no_hold_lasts_for_ever(dunning: Dunning) -> None:
    invoice = dunning.owed()
    for reason, until in ((HoldReason.PROMISE, None), (HoldReason.DISPUTE, ISSUED - timedelta(days=1))):
        with pytest.raises(FieldErrors) as refused:
            dunning.hold(invoice, reason, until)
        assert refused.value.errors[0].pointer == "/until"
    with pytest.raises(FieldErrors):
        dunning.hold(invoice, HoldReason.OTHER, ISSUED + timedelta(days=400))


def test_the_company_of_another_is_not_reminded(dunning: Dunning) -> None:
    invoice = dunning.owed()
    stranger = Shop(repositories=dunning.held, caller=factories.caller("ten_other", user_id="user-other"))

    with pytest.raises(NotFound):
        reminders.list_reminders(
            stranger.caller, invoice.invoice_id, reminders=dunning.held.reminders, clock=dunning.shop.clock
        )


def test_a_preview_shows_the_mail_and_keeps_nothing(dunning: Dunning) -> None:
    invoice = dunning.owed()
    dunning.go_to(DUE + timedelta(days=20))

    reminder, mail, recipient = reminders.preview_reminder(
        dunning.shop.caller,
        invoice.invoice_id,
        ReminderInput(level=SECOND),
        reminders=dunning.held.reminders,
        clock=dunning.shop.clock,
    )

    assert mail.subject.startswith("Deuxième relance : F2026-")
    assert reminder.claim.days_late == 20
    assert recipient is not None
    assert dunning.levels(invoice) == []
    assert reminder.reminder_id == reminder_id_of(invoice.invoice_id, SECOND)
