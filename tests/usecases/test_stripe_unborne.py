"""What Stripe gave back, or a bank took, and the books cannot bear: told to the company once, booked once they can."""

from __future__ import annotations

import contextlib
import itertools
from datetime import timedelta

import pytest

from billing.api.reconciliations import PaymentDifferenceResponse
from billing.domain.crediting import Excess
from billing.domain.errors import CustomerCreditExceeded, DependencyUnavailable, RefundExceedsPayment
from billing.domain.events import Event, EventType
from billing.domain.ledger import EntryKind, PaymentMethod
from billing.domain.notices import CompanyNotice, NoticeKind
from billing.domain.payments import Payment, RefundCause, WantedAllocation
from billing.domain.reconciliation import DifferenceKind
from billing.domain.stripe import DisputeStatus, PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import InboxState, ParkReason
from billing.domain.stripe_payment import REQUEST_KEY
from billing.ports.stripe import NO_ACCESS, StripeRefused
from billing.usecases.payments import apply_customer_credit, reverse_payment
from billing.usecases.stripe_events import process_stripe_event
from billing.usecases.stripe_refunds import finish_stripe_refunds
from tests.fakes.crashes import Crashed, CrashPoint
from tests.usecases.conftest import Shop
from tests.usecases.test_notices import mailed, notices, plain
from tests.usecases.test_reconciliations import night, of_today
from tests.usecases.test_stripe_disputes_and_returns import lost_in_part, settled
from tests.usecases.test_stripe_given_back import HALF, HALF_NET, TOTAL, Desk
from tests.usecases.test_stripe_mixed import fails, lost, won_after_all

CREDIT = Excess.CUSTOMER_CREDIT
DAY = timedelta(days=1)
A_DAY_LATER = DAY + timedelta(minutes=6)


def spent(desk: Desk, amount_minor: int = HALF) -> Payment:
    """Of the customer's credit, on another invoice."""
    shop, customer_id = desk.till.shop, desk.till.invoice.document.customer_id
    other = shop.issue(shop.draft(shop.wanted(customer_id)))
    return apply_customer_credit(
        shop.caller,
        customer_id,
        (WantedAllocation(invoice_id=other.invoice_id, amount_minor=amount_minor),),
        once=shop.once("applyCustomerCredit"),
        payments=desk.till.held.payments,
        clock=shop.clock,
        ids=shop.ids,
    )


def reverse(desk: Desk, payment: Payment) -> None:
    shop, payments = desk.till.shop, desk.till.held.payments
    once = shop.once("reversePayment")
    reverse_payment(
        shop.caller, payment.payment_id, "Erreur", once=once, payments=payments, clock=shop.clock, ids=shop.ids
    )


def looked_at(desk: Desk, after: timedelta = A_DAY_LATER) -> int:
    """How many could not be read."""
    desk.till.shop.clock.advance(after)
    return finish_stripe_refunds(desk=desk.till.desk()).failed


def credit_spent(shop: Shop) -> tuple[Desk, Payment]:
    """An invoice of 120 that is paid at Stripe and credited of 60; these 60 settled another invoice."""
    desk = Desk.of(shop, TOTAL)
    desk.note(excess=CREDIT)
    return desk, spent(desk)


def told_of(desk: Desk) -> list[CompanyNotice]:
    kinds = {NoticeKind.REFUND_NOT_BORNE, NoticeKind.DISPUTE_LOST}
    return [one for one in notices(desk.till.shop) if one.fact.kind in kinds]


def timeline(desk: Desk) -> list[Event]:
    events = desk.till.shop.events(desk.till.invoice.invoice_id)
    return [one for one in events if one.event_type is EventType.PAYMENT_NOT_BORNE]


def test_a_refund_that_the_books_cannot_bear_is_told_once_with_what_to_do(shop: Shop) -> None:
    desk, _ = credit_spent(shop)
    till = desk.till
    for _ in range(3):
        desk.in_dashboard(0, 9_000) if not till.stripe.refunds else till.tell(
            "charge.refunded", next(iter(till.stripe.refunds))[1], parent_id=desk.payments[0].payment_intent_id
        )
        looked_at(desk)

    [notice] = told_of(desk)
    mail = mailed(shop, notice)
    text = plain(mail.text)
    assert mail.subject == f"Remboursement que vos comptes ne suivent pas : facture {till.invoice.document.number}"
    for said in (
        "Stripe a rendu 90,00 €",
        "a été dépensé ou rendu autrement",
        "Il manque 30,00 € au crédit du client",
        "Annulez les paiements faits avec ce crédit",
        "réclamez-le-lui",
        "ZenBilling l'enregistre de lui-même",
        "In English: Stripe gave €90.00",
    ):
        assert said in text
    [event] = timeline(desk)
    assert (event.data["amount_minor"], event.data["unbooked_minor"], event.data["missing_minor"]) == (
        9_000,
        9_000,
        3_000,
    )
    assert event.data["cause"] == "credit_spent"
    assert till.counted["StripeEventParked"] == 3  # of the events; looking at it again rings nobody


def test_it_is_booked_by_itself_once_the_books_can_bear_it(shop: Shop) -> None:
    desk, from_credit = credit_spent(shop)
    till = desk.till
    desk.in_dashboard(0, 9_000)
    looked_at(desk)
    assert till.record(desk.payments[0]).bookings
    reverse(desk, from_credit)

    looked_at(desk)

    record = till.record(desk.payments[0])
    assert (record.bookings, record.unborne, record.look_again_at) == ((), (), None)
    assert (till.stored().ledger.kept_minor, till.credit()) == (0, HALF - 3_000)
    desk.adds_up()
    till.adds_up()
    looked_at(desk)
    desk.adds_up()


def test_it_is_looked_at_each_day_then_each_week_and_for_a_year(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, _ = credit_spent(shop)
    desk.in_dashboard(0, 9_000)
    stripe, looks = desk.till.stripe, []
    read = stripe.read_payment_intent

    def looked(account_id: str, payment_intent_id: str) -> PaymentIntent | None:
        looks.append(shop.clock.now())
        return read(account_id, payment_intent_id)

    monkeypatch.setattr(stripe, "read_payment_intent", looked)
    for _ in range(800):
        looked_at(desk)

    apart = [later - before for before, later in itertools.pairwise(looks)]
    assert len(looks) < 100
    assert set(apart[:35]) == {A_DAY_LATER}
    assert set(apart[45:]) == {7 * A_DAY_LATER}
    assert len(told_of(desk)) == 1


@pytest.mark.parametrize("away", ["down", "account"])
def test_one_that_cannot_be_read_has_its_turn_another_day(shop: Shop, away: str) -> None:
    desk, from_credit = credit_spent(shop)
    stripe = desk.till.stripe
    desk.in_dashboard(0, 9_000)
    reverse(desk, from_credit)
    if away == "down":
        stripe.down = True
    else:
        stripe.refused["read_payment_intent"] = StripeRefused(NO_ACCESS, status=403)

    assert looked_at(desk) == (away == "down")
    assert looked_at(desk, timedelta(minutes=10)) == 0
    stripe.down = False
    stripe.refused.clear()
    looked_at(desk)

    desk.adds_up()


def test_a_dispute_is_booked_in_part_told_once_and_its_rest_follows(shop: Shop) -> None:
    desk, from_credit = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    assert lost(till, intent).reason is ParkReason.NOTHING_TO_REFUND
    for _ in range(2):
        looked_at(desk)
    assert [one.amount_minor for one in till.payment(intent).refunds] == [HALF]

    [notice] = told_of(desk)
    text = plain(mailed(shop, notice).text)
    for said in ("ZenBilling en a enregistré 60,00 €, et pas le reste", "Il manque 60,00 €", "Pas dans vos comptes"):
        assert said in text
    assert "établissez un avoir" not in text
    [event] = timeline(desk)
    assert (event.data["amount_minor"], event.data["unbooked_minor"]) == (TOTAL, HALF)
    reverse(desk, from_credit)
    looked_at(desk)

    record, payment = till.record(intent), till.payment(intent)
    assert (record.bookings, record.unborne, record.short_minor, record.reserved_minor) == ((), (), 0, TOTAL)
    assert [(one.amount_minor, one.cause) for one in payment.refunds] == [(HALF, RefundCause.DISPUTE)] * 2
    assert (till.stored().ledger.kept_minor, till.credit()) == (0, 0)
    till.adds_up()


def test_a_dispute_whose_rest_was_booked_is_won_and_lost_again(shop: Shop) -> None:
    desk, from_credit = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    lost(till, intent)
    reverse(desk, from_credit)
    looked_at(desk)
    [dispute] = till.stripe.disputes.values()

    for _ in range(2):
        assert won_after_all(till, intent).state is InboxState.DONE
        assert till.payment(intent).refunded_minor == 0
        till.adds_up()
        till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
        told = till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
        assert told.state is InboxState.DONE
        assert till.payment(intent).refunded_minor == TOTAL
        till.adds_up()


def test_a_dispute_of_what_was_spent_whole_says_that_nothing_is_in_the_books(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.note(2 * HALF_NET, excess=CREDIT)
    from_credit = spent(desk, TOTAL)

    assert lost(till, intent).reason is ParkReason.NOTHING_TO_REFUND

    [notice] = told_of(desk)
    assert "ZenBilling n'a rien pu en enregistrer" in mailed(shop, notice).text
    reverse(desk, from_credit)
    looked_at(desk)
    assert (till.payment(intent).refunded_minor, till.credit()) == (TOTAL, 0)
    assert len(told_of(desk)) == 1
    till.adds_up()


def test_what_the_customer_has_twice_is_to_be_claimed_and_needs_no_credit(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost(till, intent)

    [notice] = told_of(desk)
    text = plain(mailed(shop, notice).text)
    assert "Le client a reçu 30,00 € deux fois : réclamez-lui cette somme." in text
    assert "Annulez les paiements" not in text
    assert fails(till, intent).state is InboxState.DONE
    assert (till.record(intent).unborne, till.record(intent).look_again_at) == ((), None)


def test_spent_in_part_and_given_back_twice_in_part_is_told_apart(shop: Shop) -> None:
    desk, _ = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost(till, intent)

    [notice] = told_of(desk)
    text = plain(mailed(shop, notice).text)
    for said in (
        "ZenBilling en a enregistré 30,00 €, et pas le reste",
        "Il manque 60,00 € au crédit du client",
        "Le client a de plus reçu 30,00 € deux fois : réclamez-lui cette somme.",
        "The customer has €30.00 of it twice: claim it.",
    ):
        assert said in text
    [event] = timeline(desk)
    assert [event.data[f"{name}_minor"] for name in ("unbooked", "missing", "twice")] == [9_000, HALF, 3_000]


def test_what_a_bank_took_and_is_in_no_books_is_not_given_back_elsewhere(shop: Shop) -> None:
    """The bank has all of the payment: nothing of it is left to give back, booked or not."""
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    desk.note(2 * HALF_NET, excess=CREDIT)
    from_credit = spent(desk, TOTAL)
    lost(till, intent)
    reverse(desk, from_credit)  # as the mail asks for; the sweep follows within the day

    with pytest.raises(RefundExceedsPayment):
        desk.ask(0, TOTAL, method=PaymentMethod.TRANSFER)


@pytest.mark.parametrize("how", ["dashboard", "dispute", "in part"])
def test_credit_that_a_fact_waits_for_is_not_spent_again(shop: Shop, how: str) -> None:
    """The company reverses what the mail names; until it is looked at again nobody else has that credit."""
    desk, from_credit = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    if how == "dashboard":
        desk.in_dashboard(0, TOTAL)
    elif how == "dispute":
        desk.note(excess=CREDIT)
        spent(desk)
        lost(till, intent)
    else:
        lost(till, intent)
    reverse(desk, from_credit)
    assert till.credit() == HALF

    with pytest.raises(CustomerCreditExceeded, match="is kept for what Stripe or a bank gives back"):
        spent(desk)

    looked_at(desk)
    assert till.credit() == 0
    assert bool(till.record(intent).unborne) is (how == "dispute")  # the other half was spent, too
    till.adds_up()


def test_what_of_a_rest_became_a_note_s_is_told(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    till, [first, _] = desk.till, desk.payments
    desk.in_dashboard(0, HALF)
    lost_in_part(till, first, HALF)
    desk.note()
    desk.note()
    before = {one.event_id for one in shop.events(till.invoice.invoice_id)}

    for _ in range(2):
        looked_at(desk)

    assert till.book.by_notes_minor == HALF
    [told] = [one for one in shop.events(till.invoice.invoice_id) if one.event_id not in before]
    assert (told.event_type, told.data["refund_amount_minor"]) == (EventType.PAYMENT_REFUNDED, HALF)


@pytest.mark.parametrize("at", range(1, 12))
@pytest.mark.parametrize("after", [False, True])
def test_each_loss_is_written_of_wherever_who_read_of_the_win_died(shop: Shop, at: int, *, after: bool) -> None:
    desk, _ = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost(till, intent)
    fails(till, intent)
    [dispute] = till.record(intent).disputes
    assert till.record(intent).unborne
    till.stripe.decide(till.account_id, dispute.dispute_id, won=True)
    crash, held = CrashPoint(at=at, after=after), till.held
    dying = till.desk(stripe_payments=crash.watch(held.stripe_payments), payments=crash.watch(held.payments))
    with contextlib.suppress(Crashed):
        settled(till, intent, dying)
    knew = till.record(intent).disputes[0].status is DisputeStatus.WON

    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    settled(till, intent)
    for _ in range(3):
        looked_at(desk)

    written = [one for one in told_of(desk) if one.fact.kind is NoticeKind.DISPUTE_LOST]
    assert len(written) == (2 if knew else 1)
    till.adds_up()


def mail_of_loss(desk: Desk) -> str:
    lost(desk.till, desk.payments[0])
    [notice] = told_of(desk)
    return plain(mailed(desk.till.shop, notice).text)


def test_a_loss_is_worded_by_what_was_booked(shop: Shop) -> None:
    text = mail_of_loss(Desk.of(shop, TOTAL))

    assert "ZenBilling l'enregistre comme un remboursement." in text
    assert "si elle ne l'est plus, établissez un avoir." in text


@pytest.mark.parametrize(
    ("net_minor", "excess", "said"),
    [
        (2 * HALF_NET, Excess.REFUND, "Vos avoirs l'avaient déjà rendue au client dans vos comptes"),
        (HALF_NET, Excess.REFUND, "sauf 60,00 € que vos avoirs avaient déjà rendus"),
        (2 * HALF_NET, CREDIT, "L'avoir qui annule cette facture existe déjà"),
        (HALF_NET, CREDIT, "la facture porte déjà 60,00 € d'avoirs"),
    ],
)
def test_a_loss_after_a_credit_note_asks_for_no_other(shop: Shop, net_minor: int, excess: Excess, said: str) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note(net_minor, excess=excess, method=PaymentMethod.CARD)

    text = mail_of_loss(desk)

    assert said in text
    assert "si elle ne l'est plus, établissez un avoir" not in text


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("dispute", [False, True])
def test_a_crash_anywhere_tells_once_and_books_once(*, after: bool, dispute: bool) -> None:
    for at in itertools.count(1):
        shop = Shop()
        shop.describe()
        desk, from_credit = credit_spent(shop)
        till, [intent] = desk.till, desk.payments
        if dispute:
            opened = till.stripe.dispute(till.account_id, intent.payment_intent_id)
            till.stripe.decide(till.account_id, opened.dispute_id, won=False)
            subject, kind = opened.dispute_id, "charge.dispute.closed"
        else:
            subject = till.stripe.refund(till.account_id, intent.payment_intent_id, 9_000).refund_id
            kind = "charge.refunded"
        event_id = till.told(kind, subject, parent_id=intent.payment_intent_id)
        crash = CrashPoint(at=at, after=after)
        ended = dies(desk, crash, event_id)
        process_stripe_event(event_id, desk=till.desk())
        assert len(told_of(desk)) == len(timeline(desk)) == 1
        assert till.held.stripe_inbox.read(event_id).state is InboxState.PARKED  # type: ignore[union-attr]

        reverse(desk, from_credit)
        shop.clock.advance(2 * DAY)
        ended = dies(desk, crash, None) if ended else False
        shop.clock.advance(2 * DAY)
        finish_stripe_refunds(desk=till.desk())

        assert not till.record(intent).bookings
        assert not till.record(intent).unborne
        kept = [one.kind for one in till.held.invoices.last_entries(shop.caller, till.stored())]
        assert kept.count(EntryKind.REFUND) == 1
        till.adds_up()
        if ended:
            return


def dies(desk: Desk, crash: CrashPoint, event_id: str | None) -> bool:
    """Whether it ended instead."""
    names = ("inbox", "stripe", "checkouts", "stripe_payments", "payments", "companies")
    watched = desk.till.desk(**{name: crash.watch(getattr(desk.till.desk(), name)) for name in names})
    try:
        process_stripe_event(event_id, desk=watched) if event_id else finish_stripe_refunds(desk=watched)
    except (Crashed, DependencyUnavailable):
        return False
    return True


def disputed(desk: Desk) -> None:
    """Opened, and its money taken, on a day that is over and balanced."""
    till, [intent] = desk.till, desk.payments
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id, parent_id=intent.payment_intent_id)
    assert night(till).differing == 0


def lose(desk: Desk) -> None:
    [dispute] = desk.till.stripe.disputes.values()
    desk.till.stripe.decide(desk.till.account_id, dispute.dispute_id, won=False)
    named = desk.payments[0].payment_intent_id
    desk.till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=named)


@pytest.mark.parametrize(("net_minor", "unbooked"), [(HALF_NET, HALF), (2 * HALF_NET, TOTAL)])
@pytest.mark.parametrize("earlier", [False, True])
def test_the_night_lists_what_the_books_lack_of_a_dispute(
    shop: Shop, net_minor: int, unbooked: int, *, earlier: bool
) -> None:
    desk = Desk.of(shop, TOTAL)
    till = desk.till
    desk.note(net_minor, excess=CREDIT)
    from_credit = spent(desk, unbooked)
    if earlier:
        disputed(desk)
    else:
        till.stripe.dispute(till.account_id, desk.payments[0].payment_intent_id)
    lose(desk)
    today = shop.clock.today()

    assert night(till).differing == 1

    report = of_today(till, today)
    [difference] = report.differences
    assert difference.kind is DifferenceKind.NOT_BORNE
    assert (difference.stripe_minor, difference.ours_minor) == (-TOTAL, unbooked - TOTAL)
    assert report.booked == (not earlier) + (unbooked < TOTAL)
    assert "ZenBilling enregistre alors le reste de lui-même" in PaymentDifferenceResponse.of(difference).detail_fr
    reverse(desk, from_credit)
    looked_at(desk)
    assert [night(till).differing for _ in range(2)] == [0, 0]


def test_the_night_lists_a_refund_that_the_books_cannot_bear(shop: Shop) -> None:
    desk, _ = credit_spent(shop)
    today = shop.clock.today()
    desk.in_dashboard(0, 9_000)

    night(desk.till)

    [difference] = of_today(desk.till, today).differences
    assert (difference.kind, difference.stripe_minor, difference.ours_minor) == (DifferenceKind.NOT_BORNE, -9_000, 0)


@pytest.mark.parametrize("how", ["waiting", "pending"])
def test_what_a_dispute_lacks_is_first_what_notes_gave_back_by_then(shop: Shop, how: str) -> None:
    desk = Desk.of(shop, TOTAL)
    till, [intent] = desk.till, desk.payments
    note = desk.note(2_500, method=PaymentMethod.CARD)  # 30 on paper
    desk.ask_in_vain(0, 3_000, note)
    refund = None
    if how == "pending":
        named = {REQUEST_KEY: till.record(intent).requests[0].request_id}
        pending = StripeRefundStatus.PENDING
        refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 3_000, status=pending, of=named)
        till.tell("refund.updated", refund.refund_id, parent_id=intent.payment_intent_id)
    lost_in_part(till, intent, TOTAL)
    if refund is not None:
        till.stripe.fail_refund(till.account_id, refund.refund_id)
        till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)
    for _ in range(3):
        looked_at(desk)

    record = till.record(intent)
    [dispute] = record.disputes
    assert (dispute.by_note_minor, dispute.short_minor, dispute.rest_minor) == (3_000, 0, 0)
    assert (till.book.noted_minor, record.unborne) == (3_000, ())
    assert desk.till.desk().ledger.left_by_notes(shop.caller, (record,), till.book) == 0
    till.adds_up()


def test_of_two_disputes_the_rest_is_booked_once_it_fits_whole(shop: Shop) -> None:
    desk, from_credit = credit_spent(shop)  # paid 120: 60 of the invoice, 60 of credit that was spent
    till, [intent] = desk.till, desk.payments
    lost_in_part(till, intent, 3_000)
    [first] = till.stripe.disputes.values()
    lost_in_part(till, intent, TOTAL)
    reverse(desk, from_credit)
    looked_at(desk)
    assert till.record(intent).unborne

    till.stripe.decide(till.account_id, first.dispute_id, won=True)
    till.tell("charge.dispute.closed", first.dispute_id, parent_id=intent.payment_intent_id)
    looked_at(desk)

    record = till.record(intent)
    assert (till.payment(intent).refunded_minor, record.short_minor, record.unborne) == (TOTAL, 0, ())
    till.adds_up()


def test_what_the_customer_has_twice_stays_told_until_it_comes_back(shop: Shop) -> None:
    desk, from_credit = credit_spent(shop)
    till, [intent] = desk.till, desk.payments
    desk.in_dashboard(0, 3_000)
    lost_in_part(till, intent, TOTAL)
    reverse(desk, from_credit)
    for _ in range(3):
        looked_at(desk)

    record = till.record(intent)
    assert record.short_minor > 0
    assert len(record.unborne) == 1
