"""What a company is written of its money: once for each fact, whatever is repeated, late, out of order or cut off."""

from __future__ import annotations

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from billing.domain.delivery import ClaimState, DeliveryState
from billing.domain.errors import MailTemporarilyRefused
from billing.domain.events import EventType
from billing.domain.notices import CompanyNotice, NoticeKind
from billing.domain.plans import FREE
from billing.domain.stripe import (
    DisputeStatus,
    PaymentIntent,
    StripeRefundStatus,
    StripeSubscription,
    SubscriptionStatus,
)
from billing.domain.stripe_inbox import InboxState
from billing.ports.delivery import OutgoingMail
from billing.ports.idempotency import AlreadyAnswered
from billing.usecases.deliveries import delivery_reference, receive_mail_event
from billing.usecases.disputes import remind_of_disputes
from tests.fakes.crashes import Crashed, CrashPoint
from tests.fakes.delivery import Relay
from tests.usecases.conftest import HOUSE, Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_subscriptions import Office

DONE = InboxState.DONE


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


@pytest.fixture
def office(shop: Shop) -> Office:
    shop.describe()
    return Office(shop)


def notices(shop: Shop) -> list[CompanyNotice]:
    """In the order in which they were written; each is asked to be mailed, once."""
    store = shop.repositories.store
    found = sorted(store.notices.values(), key=lambda one: one.created_at)
    assert all((one.tenant_id, one.notice_id, 1) in store.requests for one in found)
    return found


def kinds(shop: Shop) -> list[NoticeKind]:
    return [one.fact.kind for one in notices(shop)]


def mailed(shop: Shop, notice: CompanyNotice) -> OutgoingMail:
    rendering = shop.render(notice)
    assert (rendering.pdf, rendering.send, rendering.judged) == (None, True, False)
    shop.mail(notice)
    outcome = shop.record(notice)
    assert outcome.state is DeliveryState.SENT
    return shop.mailer.accepted[-1]


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def contest(till: Till, **changes: object) -> str:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.disputes[till.account_id, dispute.dispute_id] = replace(dispute, **changes)  # type: ignore[arg-type]
    return dispute.dispute_id


def test_a_dispute_is_written_of_with_its_deadline(till: Till) -> None:
    dispute_id = contest(till, reason="product_not_received")
    for _ in range(2):
        for event_type in ("charge.dispute.created", "charge.dispute.funds_withdrawn", "charge.dispute.updated"):
            assert till.tell(event_type, dispute_id).state is DONE

    [notice] = notices(till.shop)
    mail = mailed(till.shop, notice)
    company = till.held.companies.read(till.shop.caller)
    assert company is not None
    assert mail.recipient == company.description.email
    assert (mail.sender_name, mail.reply_to, mail.attachment_name) == ("Paiements", HOUSE.reply_to, "")
    number = till.invoice.document.number
    assert mail.subject == f"Litige sur la facture {number}, répondez avant le 02/12/2026"
    url = f"https://dashboard.stripe.com/{till.account_id}/disputes/{dispute_id}"
    for said in ("120,00 €", "2 décembre 2026", "Le client dit n'avoir pas reçu ce qu'il a payé.", url):
        assert said in plain(mail.text)
    assert url in mail.html
    assert till.held.store.events[notice.tenant_id, notice.notice_id][-1].event_type is EventType.NOTICE_SENT


def test_an_inquiry_that_becomes_a_dispute_is_written_of_twice(till: Till) -> None:
    dispute_id = contest(till, status=DisputeStatus.WARNING_NEEDS_RESPONSE)
    till.tell("charge.dispute.created", dispute_id)
    for status in (DisputeStatus.WARNING_UNDER_REVIEW, DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW):
        till.shop.clock.advance(timedelta(minutes=1))
        held = till.stripe.disputes[till.account_id, dispute_id]
        till.stripe.disputes[till.account_id, dispute_id] = replace(held, status=status)
        till.tell("charge.dispute.updated", dispute_id)

    assert kinds(till.shop) == [NoticeKind.INQUIRY_OPENED, NoticeKind.DISPUTE_OPENED]


@pytest.mark.parametrize(("won", "kind"), [(True, NoticeKind.DISPUTE_WON), (False, NoticeKind.DISPUTE_LOST)])
def test_a_dispute_that_is_known_at_its_end_only_is_written_of_once(till: Till, won: bool, kind: NoticeKind) -> None:
    dispute_id = contest(till)
    opened = till.told("charge.dispute.created", dispute_id)
    till.stripe.decide(till.account_id, dispute_id, won=won)

    till.tell("charge.dispute.closed", dispute_id)
    till.process(opened)

    assert kinds(till.shop) == [kind]
    [notice] = notices(till.shop)
    assert till.invoice.document.number in mailed(till.shop, notice).subject


def test_each_decision_on_a_dispute_is_written_of(till: Till) -> None:
    dispute_id = contest(till)
    till.tell("charge.dispute.created", dispute_id)
    for won in (False, True, False):
        till.shop.clock.advance(timedelta(minutes=1))
        till.stripe.decide(till.account_id, dispute_id, won=won)
        till.tell("charge.dispute.closed", dispute_id)

    lost, won_after = NoticeKind.DISPUTE_LOST, NoticeKind.DISPUTE_WON
    assert kinds(till.shop) == [NoticeKind.DISPUTE_OPENED, lost, won_after, lost]


def test_a_debit_that_fails_after_all_is_written_of(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    late = till.told("payment_intent.processing", intent.payment_intent_id)
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    for _ in range(2):
        till.tell("payment_intent.payment_failed", intent.payment_intent_id)
        till.tell("checkout.session.async_payment_failed", next(iter(till.stripe.sessions))[1])
    till.process(late)

    [notice] = notices(till.shop)
    mail = mailed(till.shop, notice)
    assert mail.subject == f"Prélèvement refusé : facture {till.invoice.document.number}"
    assert "Le client n'a pas autorisé ce prélèvement." in mail.text


def test_a_deadline_that_is_near_is_written_of_once_more(till: Till) -> None:
    dispute_id = contest(till)
    till.tell("charge.dispute.created", dispute_id)
    due_by = till.stripe.disputes[till.account_id, dispute_id].evidence_due_by
    assert due_by is not None
    till.shop.clock.set(due_by - timedelta(days=2, minutes=1))
    assert remind_of_disputes(desk=till.desk()) == 0
    till.shop.clock.advance(timedelta(minutes=2))

    assert [remind_of_disputes(desk=till.desk()) for _ in range(2)] == [1, 0]
    till.tell("charge.dispute.updated", dispute_id)
    assert remind_of_disputes(desk=till.desk()) == 0

    assert kinds(till.shop) == [NoticeKind.DISPUTE_OPENED, NoticeKind.DISPUTE_DUE]
    mail = mailed(till.shop, notices(till.shop)[-1])
    assert (
        mail.subject == f"Rappel : litige sur la facture {till.invoice.document.number}, répondez avant le 02/12/2026"
    )
    till.adds_up()


def test_a_bank_that_inquires_decides_nothing_and_the_reminder_says_so(till: Till) -> None:
    dispute_id = contest(till, status=DisputeStatus.WARNING_NEEDS_RESPONSE)
    till.tell("charge.dispute.created", dispute_id)
    till.shop.clock.advance(timedelta(days=8))

    assert [remind_of_disputes(desk=till.desk()) for _ in range(2)] == [1, 0]

    assert kinds(till.shop) == [NoticeKind.INQUIRY_OPENED, NoticeKind.INQUIRY_DUE]
    number = till.invoice.document.number
    for notice, what in zip(notices(till.shop), ("Demande", "Rappel : demande"), strict=True):
        mail = mailed(till.shop, notice)
        assert mail.subject == f"{what} de la banque sur la facture {number}, répondez avant le 02/12/2026"
        assert "la demande peut devenir un litige" in mail.text
        for untrue in ("conteste", "tranche", "contesté"):
            assert untrue not in mail.text


@pytest.mark.parametrize(
    ("fee_minor", "currency", "said"),
    [
        (2_000, "EUR", "Frais de litige de Stripe : 20,00 €"),
        (2_000, "USD", "Stripe garde aussi ses frais de litige"),
        (0, "EUR", ""),
    ],
)
def test_a_lost_dispute_says_what_stripe_keeps_for_it(till: Till, fee_minor: int, currency: str, said: str) -> None:
    dispute_id = contest(till, fee_minor=fee_minor, currency=currency)
    till.stripe.decide(till.account_id, dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute_id)

    [notice] = notices(till.shop)
    text = plain(mailed(till.shop, notice).text)

    assert notice.fact.fee_minor == fee_minor
    assert said in text
    assert ("frais" in text.casefold()) is bool(said)
    assert (" 20,00" in text) is said.endswith("€")


@pytest.mark.parametrize("status", [DisputeStatus.UNDER_REVIEW, DisputeStatus.WON, DisputeStatus.LOST])
def test_what_was_answered_or_decided_has_no_deadline(till: Till, status: DisputeStatus) -> None:
    dispute_id = contest(till)
    till.tell("charge.dispute.created", dispute_id)
    held = till.stripe.disputes[till.account_id, dispute_id]
    till.stripe.disputes[till.account_id, dispute_id] = replace(held, status=status)
    till.tell("charge.dispute.updated", dispute_id)
    till.shop.clock.advance(timedelta(days=8))

    assert remind_of_disputes(desk=till.desk()) == 0
    assert NoticeKind.DISPUTE_DUE not in kinds(till.shop)


@pytest.mark.parametrize(("due_in", "later"), [(timedelta(days=2, hours=23), 1), (timedelta(days=9), 10)])
def test_nobody_is_reminded_at_once_or_too_late(till: Till, due_in: timedelta, later: int) -> None:
    dispute_id = contest(till, evidence_due_by=till.shop.clock.now() + due_in)
    till.tell("charge.dispute.created", dispute_id)
    till.shop.clock.advance(timedelta(days=later))

    assert [remind_of_disputes(desk=till.desk()) for _ in range(2)] == [0, 0]
    assert kinds(till.shop) == [NoticeKind.DISPUTE_OPENED]


def test_another_deadline_is_another_reminder(till: Till) -> None:
    dispute_id = contest(till)
    till.tell("charge.dispute.created", dispute_id)
    till.shop.clock.advance(timedelta(days=8))
    assert remind_of_disputes(desk=till.desk()) == 1
    held = till.stripe.disputes[till.account_id, dispute_id]
    moved = replace(held, evidence_due_by=till.shop.clock.now() + timedelta(days=20))
    till.stripe.disputes[till.account_id, dispute_id] = moved
    till.tell("charge.dispute.updated", dispute_id)
    till.shop.clock.advance(timedelta(days=18, hours=1))

    assert remind_of_disputes(desk=till.desk()) == 1


def crashes(till: Till, event_id: str, crash: CrashPoint) -> bool:
    """Whether the processing of an event died at that call; else it ended."""
    names = ("inbox", "stripe", "connections", "checkouts", "stripe_payments", "payments", "companies")
    desk = till.desk()
    try:
        till.process(event_id, **{name: crash.watch(getattr(desk, name)) for name in names})
    except Crashed:
        return True
    return False


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_reminds_once(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        till = Till(shop)
        till.tell("charge.dispute.created", contest(till))
        shop.clock.advance(timedelta(days=8))
        crash = CrashPoint(at=at, after=after)
        desk = till.desk()
        watched = {name: crash.watch(getattr(desk, name)) for name in ("stripe_payments", "companies")}
        try:
            remind_of_disputes(desk=replace(desk, **watched))
        except Crashed:
            pass
        else:
            assert at > 4
            return
        remind_of_disputes(desk=desk)

        assert kinds(shop) == [NoticeKind.DISPUTE_OPENED, NoticeKind.DISPUTE_DUE]


def test_a_card_that_is_declined_is_the_customers_business(till: Till) -> None:
    intent = till.stripe.decline(till.account_id, till.session_id())
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    assert notices(till.shop) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("won", [False, True])
def test_a_crash_anywhere_leaves_one_mail_for_each_fact(after: bool, won: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        till = Till(shop)
        dispute_id = contest(till)
        till.stripe.decide(till.account_id, dispute_id, won=won)
        event_id = till.told("charge.dispute.closed", dispute_id)
        if not crashes(till, event_id, CrashPoint(at=at, after=after)):
            assert at > 6
            return
        till.process(event_id)

        assert kinds(till.shop) == [NoticeKind.DISPUTE_WON if won else NoticeKind.DISPUTE_LOST]


def test_a_mail_that_is_refused_or_comes_back_is_told(till: Till) -> None:
    till.tell("charge.dispute.created", contest(till))
    [notice] = notices(till.shop)
    shop, store = till.shop, till.held.store
    shop.mailer.script = [Relay.GREYLISTS]
    refused = 0
    for _ in range(2):
        try:
            shop.mail(notice)
        except MailTemporarilyRefused:
            refused += 1
    shop.record(notice)

    assert (refused, len(shop.mailer.accepted)) == (1, 1)
    reference = delivery_reference(notice.tenant_id, notice.notice_id, 1)
    ports = {"deliveries": till.held.deliveries, "clock": shop.clock, "ids": shop.ids}
    assert receive_mail_event(reference, notice.recipient, ClaimState.BOUNCED, "m-1", **ports)  # type: ignore[arg-type]
    assert store.notices[notice.tenant_id, notice.notice_id].delivery.state is DeliveryState.BOUNCED
    assert store.events[notice.tenant_id, notice.notice_id][-1].event_type is EventType.NOTICE_BOUNCED


# A refund that came back


def refund(till: Till, intent: PaymentIntent, *, status: StripeRefundStatus = StripeRefundStatus.SUCCEEDED) -> str:
    made = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000, status=status)
    return made.refund_id


@pytest.mark.parametrize("status", [StripeRefundStatus.PENDING, StripeRefundStatus.SUCCEEDED])
@pytest.mark.parametrize("known", [True, False])
def test_a_refund_that_the_bank_sends_back_is_written_of_once(
    till: Till, status: StripeRefundStatus, *, known: bool
) -> None:
    intent = till.paid()
    refund_id = refund(till, intent, status=status)
    late = till.told("refund.created", refund_id, parent_id=intent.payment_intent_id)
    if known:
        till.process(late)
    assert notices(till.shop) == []
    till.stripe.fail_refund(till.account_id, refund_id)

    for event_type in ("refund.failed", "refund.updated", "charge.refunded"):
        assert till.tell(event_type, refund_id, parent_id=intent.payment_intent_id).state is DONE
    till.process(late)

    [notice] = notices(till.shop)
    mail = mailed(till.shop, notice)
    assert (notice.fact.kind, notice.fact.amount_minor) == (NoticeKind.REFUND_FAILED, 5_000)
    assert mail.subject == f"Remboursement refusé par la banque : facture {till.invoice.document.number}"
    assert "remboursez-le par virement" in mail.text
    assert "Montant revenu chez vous : 50,00 €" in plain(mail.text)
    till.adds_up()


@pytest.mark.parametrize(
    ("status", "reason"),
    [(StripeRefundStatus.CANCELED, "lost_or_stolen_card"), (StripeRefundStatus.FAILED, "merchant_request")],
)
def test_a_refund_that_the_company_takes_back_is_no_news(till: Till, status: StripeRefundStatus, reason: str) -> None:
    intent = till.paid()
    refund_id = refund(till, intent, status=StripeRefundStatus.PENDING)
    till.tell("refund.created", refund_id, parent_id=intent.payment_intent_id)
    held = till.stripe.fail_refund(till.account_id, refund_id)
    till.stripe.refunds[till.account_id, refund_id] = replace(held, status=status, failure_reason=reason)

    till.tell("refund.failed", refund_id, parent_id=intent.payment_intent_id)

    assert notices(till.shop) == []


def test_a_refund_that_failed_because_the_payment_is_contested_is_not_made_by_transfer(till: Till) -> None:
    intent = till.paid()
    refund_id = refund(till, intent, status=StripeRefundStatus.PENDING)
    held = till.stripe.fail_refund(till.account_id, refund_id)
    contested = replace(held, failure_reason="charge_for_pending_refund_disputed")
    till.stripe.refunds[till.account_id, refund_id] = contested

    till.tell("refund.failed", refund_id, parent_id=intent.payment_intent_id)

    [notice] = notices(till.shop)
    text = mailed(till.shop, notice).text
    assert "Ne le remboursez pas une seconde fois" in text
    assert "virement" not in text


# Money that an invoice did not owe any more


@pytest.mark.parametrize(
    ("meanwhile", "credited", "said"),
    [
        ("credited", "120,00 €", "remboursez-lui ce paiement"),
        ("paid", "120,00 €", "remboursez-lui ce paiement"),
        ("partly", "20,00 €", "puis imputez le crédit à la facture"),
    ],
)
def test_money_beyond_what_was_owed_is_written_of_once(till: Till, meanwhile: str, credited: str, said: str) -> None:
    intent = till.confirm()
    processing = till.told("payment_intent.processing", intent.payment_intent_id)
    if meanwhile == "credited":
        credit(till.shop, till.invoice.invoice_id)
    else:
        till.pay(12_000 if meanwhile == "paid" else 2_000)

    for _ in range(2):
        till.tell("payment_intent.succeeded", intent.payment_intent_id)
        till.tell("charge.updated", intent.payment_intent_id)
    till.process(processing)

    [notice] = notices(till.shop)
    mail = mailed(till.shop, notice)
    assert (notice.fact.kind, notice.fact.amount_minor) == (NoticeKind.PAID_BEYOND, till.credit())
    assert plain(mail.subject) == f"Payé en trop : {credited} sur la facture {till.invoice.document.number}"
    assert said in mail.text
    till.adds_up()


def test_money_that_was_owed_is_not_written_of(till: Till) -> None:
    till.paid()

    assert notices(till.shop) == []


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("kind", [NoticeKind.REFUND_FAILED, NoticeKind.PAID_BEYOND, NoticeKind.CHARGES_CLOSED])
def test_a_crash_anywhere_leaves_one_mail_of_money_and_of_the_account(kind: NoticeKind, after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        till = Till(shop)
        if kind is NoticeKind.CHARGES_CLOSED:
            close(till)
            event_id = till.told("account.updated", till.account_id)
        elif kind is NoticeKind.PAID_BEYOND:
            intent = till.confirm()
            till.pay(12_000)
            event_id = till.told("payment_intent.succeeded", intent.payment_intent_id)
        else:
            intent = till.paid()
            refund_id = refund(till, intent)
            till.tell("refund.created", refund_id, parent_id=intent.payment_intent_id)
            till.stripe.fail_refund(till.account_id, refund_id)
            event_id = till.told("refund.failed", refund_id, parent_id=intent.payment_intent_id)
        if not crashes(till, event_id, CrashPoint(at=at, after=after)):
            assert at > 5
            return
        till.process(event_id)

        assert kinds(shop) == [kind]


# The account at Stripe


def close(till: Till, *awaited: str, reason: str = "requirements.past_due") -> None:
    held = till.stripe.accounts[till.account_id]
    closed = replace(held, charges_enabled=False, requirements_due=awaited, disabled_reason=reason)
    till.stripe.accounts[till.account_id] = closed


def test_an_account_that_stripe_closes_is_written_of_each_time(till: Till) -> None:
    opened = till.stripe.accounts[till.account_id]
    before = till.told("account.updated", till.account_id)
    till.process(before)
    for _ in range(2):
        till.shop.clock.advance(timedelta(minutes=1))
        close(till, "individual.verification.document", "company.tax_id", "company.registration_number")
        for _ in range(2):
            assert till.tell("account.updated", till.account_id).state is DONE
        close(till, "company.tax_id")  # closed still: what is awaited is on the page of the account
        till.tell("account.updated", till.account_id)
        till.stripe.accounts[till.account_id] = opened
        till.tell("account.updated", till.account_id)

    assert kinds(till.shop) == [NoticeKind.CHARGES_CLOSED] * 2
    mail = mailed(till.shop, notices(till.shop)[0])
    assert mail.subject == "Vos factures ne se paient plus en ligne : Stripe attend des informations"
    assert "À fournir : Stripe attend une pièce d'identité du dirigeant." in plain(mail.text)
    assert mail.text.count("Stripe attend le numéro SIREN de l'entreprise.") == 1
    assert "Des informations demandées par Stripe manquent." in mail.text


def test_an_account_that_stripe_rejects_says_so(till: Till) -> None:
    close(till, reason="rejected.fraud")
    till.tell("account.updated", till.account_id)

    [notice] = notices(till.shop)
    mail = mailed(till.shop, notice)
    assert mail.subject == "Vos factures ne se paient plus en ligne : Stripe a fermé les paiements"
    assert "Stripe a refusé le compte" in mail.text
    assert "Stripe ne dit pas ce qu'il attend" in mail.text


def test_an_account_that_only_holds_payouts_back_or_was_let_go_is_not_written_of(till: Till) -> None:
    held = till.stripe.accounts[till.account_id]
    till.stripe.accounts[till.account_id] = replace(held, payouts_enabled=False)
    till.tell("account.updated", till.account_id)
    till.disconnect()
    close(till)
    till.tell("account.updated", till.account_id)

    assert notices(till.shop) == []


# The plan


def test_the_plan_is_written_of_when_it_is_nearly_used_and_when_it_is_full(shop: Shop) -> None:
    shop.describe()
    customer_id = shop.customer().customer_id
    numbers = []
    for _ in range(FREE.stops_at or 0):
        known = len(notices(shop))
        draft, once = shop.draft(shop.wanted(customer_id)), shop.once("issueInvoice")
        issued = shop.issue(draft, once=once)
        with pytest.raises(AlreadyAnswered):
            shop.issue(draft, once=once)
        shop.clock.advance(timedelta(seconds=1))
        numbers += [issued.document.rank] if len(notices(shop)) > known else []

    assert numbers == [FREE.near, FREE.stops_at]
    assert kinds(shop) == [NoticeKind.PLAN_NEAR, NoticeKind.PLAN_FULL]
    near, full = (mailed(shop, notice) for notice in notices(shop))
    assert near.sender_name == "Abonnement"
    assert near.subject == "Offre gratuite : 16 factures sur 20 ce mois-ci"
    assert full.subject == "Offre gratuite : plus de nouvelle facture avant le 01/12/2026"
    assert HOUSE.subscription_url in full.text
    words = [" ".join(mail.text.replace("\u00a0", " ").split()) for mail in (near, full)]
    assert all("restent en brouillon : vous pourrez les émettre à partir du 1er décembre 2026." in one for one in words)
    assert all("stay drafts, which you can issue from 1 December 2026 on." in one for one in words)


def test_another_month_is_another_mail_and_a_paid_plan_is_not_written_of(shop: Shop) -> None:
    shop.describe()
    customer_id = shop.customer().customer_id
    for month in (11, 12):
        shop.clock.set(datetime(2026, month, 25, 9, tzinfo=UTC))
        for _ in range(FREE.near + 1):
            shop.issue(shop.draft(shop.wanted(customer_id)))
    shop.subscribe()
    for _ in range(FREE.stops_at or 0):
        shop.issue(shop.draft(shop.wanted(customer_id)))

    assert kinds(shop) == [NoticeKind.PLAN_NEAR] * 2


def test_many_who_issue_at_once_write_of_the_plan_once(shop: Shop) -> None:
    shop.describe()
    customer_id = shop.customer().customer_id
    drafts = [shop.draft(shop.wanted(customer_id)) for _ in range(FREE.near + 2)]
    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(shop.issue, drafts))

    assert kinds(shop) == [NoticeKind.PLAN_NEAR]


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_writes_once_of_the_plan(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        customer_id = shop.customer().customer_id
        for _ in range(FREE.near - 1):
            shop.issue(shop.draft(shop.wanted(customer_id)))
        draft, once = shop.draft(shop.wanted(customer_id)), shop.once("issueInvoice")
        crash = CrashPoint(at=at, after=after)
        held = shop.repositories
        try:
            shop.issue(draft, once=once, invoices=crash.watch(held.invoices), customers=crash.watch(held.customers))
        except Crashed:
            pass
        else:
            assert at > 2
            return
        with contextlib.suppress(AlreadyAnswered):
            shop.issue(draft, once=once)

        assert kinds(shop) == [NoticeKind.PLAN_NEAR]


def trial(office: Office) -> StripeSubscription:
    held = office.subscribed()
    assert held.trial_end is not None
    return held


def test_the_end_of_a_trial_is_written_of_once(office: Office) -> None:
    held = trial(office)
    assert notices(office.shop) == []
    assert held.trial_end is not None
    office.shop.clock.advance(held.trial_end - timedelta(days=3) - office.shop.clock.now())
    for event_type in ("customer.subscription.trial_will_end", "customer.subscription.updated"):
        for _ in range(2):
            office.tell(event_type)
    office.refresh()

    [notice] = notices(office.shop)
    assert (notice.fact.kind, notice.fact.due_at) == (NoticeKind.TRIAL_ENDING, held.trial_end)
    mail = mailed(office.shop, notice)
    assert mail.sender_name == "Abonnement"
    assert mail.subject.startswith("Votre essai de l'offre Pro se termine le ")
    assert "19,00" in mail.text
    assert "se poursuit ensuite sans action de votre part" in mail.text
    assert "arrêtez-le avant le 7 décembre 2026 : rien ne sera prélevé" in plain(mail.text)
    assert HOUSE.subscription_url in mail.text
    assert office.news == [EventType.SUBSCRIPTION_STARTED]


def test_a_trial_that_is_over_is_not_announced(office: Office) -> None:
    held = trial(office)
    late = office.told("customer.subscription.trial_will_end")
    office.shop.clock.advance(timedelta(days=15))
    office.stripe.renew(held.subscription_id)

    assert office.process(late).state is DONE

    assert notices(office.shop) == []


@pytest.mark.parametrize("told", [True, False])
def test_each_payment_of_the_subscription_that_fails_is_written_of(office: Office, told: bool) -> None:
    held = office.subscribed()
    for _ in range(2):
        office.shop.clock.advance(timedelta(days=20))
        office.stripe.renew(held.subscription_id, works=False)
        if told:
            office.tell("invoice.payment_failed")
            office.tell("customer.subscription.updated")
        office.refresh()

    assert kinds(office.shop) == [NoticeKind.SUBSCRIPTION_PAYMENT_FAILED] * 2
    assert office.read().status is SubscriptionStatus.PAST_DUE
    last = notices(office.shop)[-1]
    assert last.fact.due_at == office.read().owing_ends_at
    assert "changez-en" in mailed(office.shop, last).text


@pytest.mark.parametrize("after", [False, True])
def test_a_crash_anywhere_writes_once_of_the_subscription(after: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        office = Office(shop)
        held = office.subscribed()
        office.stripe.renew(held.subscription_id, works=False)
        event_id = office.told("invoice.payment_failed")
        crash = CrashPoint(at=at, after=after)
        desk = office.desk()
        names = ("inbox", "stripe", "subscriptions", "companies")
        try:
            office.process(event_id, **{name: crash.watch(getattr(desk, name)) for name in names})
        except Crashed:
            pass
        else:
            assert at > 4
            return
        office.process(event_id)

        assert kinds(shop) == [NoticeKind.SUBSCRIPTION_PAYMENT_FAILED]
