"""What the holder of a link reads of money that was taken, and of what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from billing.api.customer_payments import PaymentResponse
from billing.api.portal_invoices import PortalInvoiceResponse, PortalMovementKind
from billing.domain.checkout import WhyNotOnline
from billing.domain.credit_notes import CreditNoteInput, CreditScope
from billing.domain.crediting import Excess
from billing.domain.dates import format_french
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import EntryKind, PaymentMethod
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import ParkReason
from billing.domain.stripe_payment import RefundRequest
from billing.domain.stripe_words import explain_payment
from billing.domain.warnings import Notice, WarningCode
from billing.usecases.credit_notes import preview_credit_note
from billing.usecases.payments import RefundInput
from billing.usecases.stripe_refunds import StripeRefundInput, refund_by_its_means
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import FULL, credit, part
from tests.usecases.test_stripe_given_back import HALF, TOTAL, Desk

TODAY, LATER = "23/11/2026", "25/11/2026"


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def page(till: Till) -> PortalInvoiceResponse:
    shared = till.held.invoice_links.open(till.invoice.tenant_id, till.invoice.invoice_id)
    return PortalInvoiceResponse.of_shared(shared, till.shop.clock.today())


def taken_for_a_cancelled_invoice(till: Till) -> PaymentIntent:
    intent = till.confirm()
    credit(till.shop, till.invoice.invoice_id)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    return intent


def test_money_taken_for_an_invoice_that_was_cancelled_meanwhile_is_shown(till: Till) -> None:
    taken_for_a_cancelled_invoice(till)

    [paid] = page(till).paid_online

    assert (paid.amount_minor, paid.method, paid.given_back_minor, paid.coming_back_minor) == (12_000, "card", 0, 0)
    assert paid.detail_fr == (
        f"120,00\u00a0€ payés en ligne le {TODAY} (carte bancaire). La facture ne retient plus 120,00\u00a0€ : "
        "l'entreprise les a à votre crédit, ou les rend autrement."
    )


def test_what_is_being_given_back_is_said_until_the_customer_has_it(till: Till) -> None:
    intent = taken_for_a_cancelled_invoice(till)
    till.shop.clock.advance(timedelta(days=2))
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000, status=StripeRefundStatus.PENDING)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)

    [coming] = page(till).paid_online
    arrived = replace(refund, status=StripeRefundStatus.SUCCEEDED)
    till.stripe.refunds[till.account_id, refund.refund_id] = arrived
    till.tell("refund.updated", refund.refund_id, parent_id=intent.payment_intent_id)
    [given] = page(till).paid_online

    assert (coming.coming_back_minor, coming.given_back_minor, coming.given_back_on) == (12_000, 0, None)
    assert "Remboursement de 120,00\u00a0€ en cours, par le même moyen" in coming.detail_fr
    assert (given.coming_back_minor, given.given_back_minor) == (0, 12_000)
    assert given.detail_fr == (
        f"120,00\u00a0€ payés en ligne le {TODAY} (carte bancaire). "
        f"120,00\u00a0€ remboursés le {LATER}, par le même moyen."
    )
    assert "The invoice keeps" not in given.detail_en


def test_a_refund_that_failed_is_with_the_company_again(till: Till) -> None:
    intent = taken_for_a_cancelled_invoice(till)
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)
    till.stripe.fail_refund(till.account_id, refund.refund_id)
    till.tell("refund.failed", refund.refund_id, parent_id=intent.payment_intent_id)

    [paid] = page(till).paid_online

    assert (paid.given_back_minor, paid.given_back_on, paid.coming_back_minor) == (0, None, 0)
    assert "La facture ne retient plus" in paid.detail_fr


def test_a_lost_dispute_is_given_back_on_the_day_the_ledger_learnt_of_it(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.tell("charge.dispute.created", dispute.dispute_id)
    till.shop.clock.advance(timedelta(days=60))
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id)
    decided = till.shop.clock.today()
    till.shop.clock.advance(timedelta(days=3))
    till.tell("charge.dispute.updated", dispute.dispute_id)

    [paid] = page(till).paid_online

    [refund] = till.payment(intent).refunds
    assert paid.given_back_on == refund.refunded_on == decided
    assert f"remboursés le {decided:%d/%m/%Y}" in paid.detail_fr


def test_a_dispute_that_is_lost_again_has_its_last_day(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    for won in (False, True, False):
        till.shop.clock.advance(timedelta(days=10))
        till.stripe.decide(till.account_id, dispute.dispute_id, won=won)
        till.tell("charge.dispute.closed", dispute.dispute_id)

    [paid] = page(till).paid_online

    assert (paid.given_back_minor, paid.given_back_on) == (12_000, till.shop.clock.today())


def test_a_lost_dispute_of_another_currency_is_not_added_to_what_was_given_back(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    yen = replace(dispute, amount_minor=1_900_000, currency="JPY")
    till.stripe.disputes[till.account_id, dispute.dispute_id] = yen
    till.tell("charge.dispute.created", dispute.dispute_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    told = till.tell("charge.dispute.closed", dispute.dispute_id)

    [paid] = page(till).paid_online

    assert told.reason is ParkReason.OTHER_CURRENCY
    assert (paid.amount_minor, paid.given_back_minor, paid.given_back_on) == (12_000, 0, None)
    assert "19" not in paid.detail_fr


def test_a_payment_that_the_invoice_keeps_says_no_more_than_that(till: Till) -> None:
    till.paid(5_000)

    [paid] = page(till).paid_online

    assert paid.detail_fr == f"50,00\u00a0€ payés en ligne le {TODAY} (carte bancaire)."


def test_what_a_credit_note_keeps_for_the_customer_is_not_said_to_be_given_back(till: Till) -> None:
    till.paid()
    credit(till.shop, till.invoice.invoice_id)

    kinds = {one.kind: one for one in page(till).movements}

    assert set(kinds) == {PortalMovementKind.PAYMENT, PortalMovementKind.KEPT_AS_CREDIT, PortalMovementKind.CREDIT}
    assert "à votre crédit" in kinds[PortalMovementKind.KEPT_AS_CREDIT].detail_fr
    assert kinds[PortalMovementKind.PAYMENT].detail_fr == "Payé par carte bancaire."


def test_a_refund_that_stripe_may_refuse_is_not_said_to_be_coming(till: Till) -> None:
    intent = taken_for_a_cancelled_invoice(till)
    record = till.record(intent)
    asked = RefundRequest(
        request_id="rfd_1", amount_minor=12_000, reason="", requested_at=till.shop.clock.now(), requested_by="usr_1"
    )

    assert record.requested(asked).on_its_way_back_minor == 0


def credited_by_card(till: Till, scope: CreditScope = FULL) -> IssuedInvoice:
    return credit(till.shop, till.invoice.invoice_id, scope, excess=Excess.REFUND, method=PaymentMethod.CARD)


def test_a_refund_on_paper_warns_the_company_that_no_money_moves(till: Till) -> None:
    till.paid()
    wanted = CreditNoteInput(scope=FULL, reason="Retour", excess=Excess.REFUND, refund_method=PaymentMethod.CARD)
    told = (Notice(code=WarningCode.REFUND_NOT_MADE_AT_STRIPE, pointer="/excess"),)

    preview = preview_credit_note(
        till.shop.caller, till.invoice.invoice_id, wanted, credit_notes=till.held.credit_notes
    )

    assert preview.warnings == told
    assert credited_by_card(till).warnings == told


def test_a_refund_of_what_stripe_does_not_hold_warns_nobody(till: Till) -> None:
    till.pay(12_000)

    assert credited_by_card(till).warnings == ()


def test_what_stays_credit_of_the_customer_warns_nobody(till: Till) -> None:
    till.paid()

    assert credit(till.shop, till.invoice.invoice_id).warnings == ()


def test_who_credits_what_is_being_paid_is_told(till: Till) -> None:
    debit = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", debit.payment_intent_id)

    note = credit(till.shop, till.invoice.invoice_id)

    assert [one.code for one in note.warnings] == [WarningCode.CREDITED_WHILE_BEING_PAID]
    till.stripe.settle(till.account_id, debit.payment_intent_id)
    till.tell("payment_intent.succeeded", debit.payment_intent_id)
    assert till.credit() == 12_000


def test_a_refund_on_paper_is_to_be_given_back_until_stripe_made_it(till: Till) -> None:
    intent = till.paid()
    note = credited_by_card(till)

    before = page(till)
    refund_by_its_means(
        till.shop.caller,
        till.payment(intent).payment_id,
        RefundInput(amount_minor=12_000),
        StripeRefundInput(reason="", credit_note_id=note.invoice_id),
        once=till.shop.once("refundPayment"),
        payments=till.held.payments,
        invoices=till.held.invoices,
        stripe=till.desk,
        clock=till.shop.clock,
        ids=till.shop.ids,
    )
    after = page(till)

    [awaited] = [one for one in before.movements if one.method and one.kind is not PortalMovementKind.PAYMENT]
    assert awaited.kind is PortalMovementKind.TO_BE_GIVEN_BACK
    assert awaited.detail_fr == ("À rembourser par carte bancaire : 120,00\u00a0€ ne vous ont pas encore été rendus.")
    assert before.paid_online[0].to_be_given_back_minor == 12_000
    assert before.paid_online[0].detail_fr == (
        f"120,00\u00a0€ payés en ligne le {TODAY} (carte bancaire). 120,00\u00a0€ sont à vous rembourser par le même "
        "moyen : l'entreprise ne l'a pas encore fait."
    )
    [given] = [one for one in after.movements if one.method and one.kind is not PortalMovementKind.PAYMENT]
    assert (given.kind, given.detail_fr) == (PortalMovementKind.GIVEN_BACK, "Remboursé par carte bancaire.")
    assert (after.paid_online[0].given_back_minor, after.paid_online[0].to_be_given_back_minor) == (12_000, 0)
    assert "à vous rembourser" not in after.paid_online[0].detail_fr


def test_what_stripe_is_giving_back_is_not_said_twice(till: Till) -> None:
    intent = till.paid()
    credited_by_card(till)
    refund = till.stripe.refund(till.account_id, intent.payment_intent_id, 5_000, status=StripeRefundStatus.PENDING)
    till.tell("refund.created", refund.refund_id, parent_id=intent.payment_intent_id)

    [paid] = page(till).paid_online

    assert (paid.coming_back_minor, paid.to_be_given_back_minor) == (5_000, 7_000)
    assert "La facture ne retient plus" not in paid.detail_fr


def test_a_refund_of_other_money_is_said_as_it_was_recorded(till: Till) -> None:
    till.pay(12_000)
    credited_by_card(till)

    assert PortalMovementKind.TO_BE_GIVEN_BACK not in {one.kind for one in page(till).movements}


def test_a_debit_that_the_bank_refused_is_said_with_what_is_next(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    assert page(till).refused_online == []
    till.shop.clock.advance(timedelta(days=2))
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    [refused] = page(till).refused_online

    assert (refused.amount_minor, refused.method) == (12_000, "sepa_debit")
    assert refused.detail_fr == (
        f"Votre prélèvement de 120,00\u00a0€ du {TODAY} a été refusé par votre banque : le prélèvement n'était pas "
        "autorisé. Vous pouvez payer à nouveau."
    )
    assert format_french(refused.refused_on) == LATER
    till.pay(12_000)
    assert "payer" not in page(till).refused_online[0].detail_fr


def test_a_card_payment_that_is_told_late_has_one_date(till: Till) -> None:
    intent = till.confirm()
    till.shop.clock.advance(timedelta(days=2))
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    shown = page(till)

    assert shown.paid_online[0].paid_on == shown.movements[0].date
    assert f"payés en ligne le {TODAY}" in shown.paid_online[0].detail_fr


def test_a_debit_has_come_on_the_day_on_which_it_is_booked(till: Till) -> None:
    till.confirm(method="sepa_debit")
    [intent] = till.stripe.intents.values()
    till.stripe.settle(till.account_id, intent.payment_intent_id)
    till.shop.clock.advance(timedelta(days=2))
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    shown = page(till)

    assert format_french(shown.paid_online[0].paid_on) == LATER
    assert shown.paid_online[0].paid_on == shown.movements[0].date


@pytest.mark.parametrize(("method", "said"), [
    ("card", "Votre paiement est en cours : la réponse arrive d'habitude en quelques minutes."),
    ("sepa_debit", "Votre paiement est en cours : la banque peut mettre plusieurs jours à répondre."),
    ("", ("Votre paiement est en cours : une carte est confirmée en quelques minutes, un prélèvement en plusieurs "
     "jours.")),
])  # fmt: skip
def test_a_payment_in_progress_says_when_its_answer_comes(till: Till, method: str, said: str) -> None:
    intent = till.confirm(method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    book = till.book
    till.held.store.checkout_books[book.tenant_id, book.invoice_id] = replace(
        book, attempts=(replace(till.current, method=method),)
    )

    assert page(till).online_payment.why_not_fr == said


def test_a_company_that_takes_nothing_online_is_paid_by_other_means(till: Till) -> None:
    till.disconnect()

    online = page(till).online_payment

    assert (online.why_not, online.why_not_fr) == (
        WhyNotOnline.NOT_ACCEPTED,
        "Cette facture ne se paie pas en ligne : payez par un autre moyen qu'elle indique.",
    )


@pytest.mark.parametrize("refunded_before", [0, 1_000])
def test_what_was_too_much_in_part_is_said(till: Till, refunded_before: int) -> None:
    """The customer paid all of it while a half was credited; events may come after a refund."""
    intent = till.confirm()
    credit(till.shop, till.invoice.invoice_id, part(5_000))
    if refunded_before:
        till.stripe.refund(till.account_id, intent.payment_intent_id, refunded_before)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    shown = page(till)

    assert (shown.paid_minor, till.credit()) == (6_000 - refunded_before, 6_000)
    assert "60,00\u00a0€ n'étaient plus dus : l'entreprise les a à votre crédit" in shown.paid_online[0].detail_fr


def test_a_debit_whose_refusal_is_read_first_is_on_the_page(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    for event_type in ("payment_intent.processing", "payment_intent.payment_failed"):
        till.tell(event_type, intent.payment_intent_id)

    assert [one.amount_minor for one in page(till).refused_online] == [12_000]


def test_a_card_that_is_declined_leaves_the_page_and_no_trace_on_it(till: Till) -> None:
    intent = till.stripe.decline(till.account_id, till.session_id())
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    shown = page(till)

    assert (shown.refused_online, shown.online_payment.possible) == ([], True)
    assert shown.online_payment.page_opened_at is not None
    assert shown.online_payment.detail_fr == (
        "Une page de paiement est ouverte. Si vous venez d'y payer, la confirmation arrive dans la minute."
    )


def test_who_gave_it_back_is_said(till: Till) -> None:
    intent = till.paid()
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id, 4_000)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)
    Desk(till, [intent]).ask(0, 2_000, method=PaymentMethod.CHEQUE)

    shown = page(till)

    assert [one.detail_fr for one in shown.movements][1:] == [
        "Rendu par votre banque, auprès de laquelle ce paiement a été contesté.",
        "Remboursé par chèque.",
    ]
    assert shown.paid_online[0].given_back_otherwise_minor == 2_000
    assert "20,00\u00a0€ remboursés par un autre moyen." in shown.paid_online[0].detail_fr


def test_a_note_of_a_card_that_was_given_back_otherwise_names_what_it_was_given_back_by(till: Till) -> None:
    intent = till.paid()
    note = credited_by_card(till)
    Desk(till, [intent], [note]).ask(0, 12_000, note, method=PaymentMethod.TRANSFER)

    shown = page(till)

    assert refunds_of(till) == ["Remboursé par virement."]
    assert (shown.paid_online[0].to_be_given_back_minor, shown.paid_online[0].given_back_otherwise_minor) == (0, 12_000)


AWAITED = "À rembourser par carte bancaire : 60,00\u00a0€ ne vous ont pas encore été rendus."
BY_CARD, BY_TRANSFER, SOMEHOW = "Remboursé par carte bancaire.", "Remboursé par virement.", "Remboursé."


def refunds_of(till: Till) -> list[str]:
    """What the page says of each refund that a note recorded."""
    kinds = {PortalMovementKind.GIVEN_BACK, PortalMovementKind.TO_BE_GIVEN_BACK}
    return [one.detail_fr for one in page(till).movements if one.kind in kinds]


@pytest.mark.parametrize("first", [PaymentMethod.TRANSFER, PaymentMethod.CARD])
def test_what_stripe_gave_back_of_one_note_is_not_taken_for_another_s(shop: Shop, first: PaymentMethod) -> None:
    """Whatever the notes say: each line says how its own money came back."""
    desk = Desk.of(shop, TOTAL)
    one, other = desk.note(method=first), desk.note(method=PaymentMethod.CARD)

    desk.ask(0, HALF, one)
    assert refunds_of(desk.till) == [BY_CARD, AWAITED]
    assert page(desk.till).paid_online[0].to_be_given_back_minor == HALF

    desk.ask(0, HALF, other)
    assert refunds_of(desk.till) == [BY_CARD, BY_CARD]


def test_the_later_of_two_notes_may_be_refunded_first(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    _, second = desk.note(method=PaymentMethod.CARD), desk.note(method=PaymentMethod.CARD)

    desk.ask(0, HALF, second)
    assert refunds_of(desk.till) == [AWAITED, BY_CARD]

    desk.comes_back(0)
    assert refunds_of(desk.till) == [AWAITED, AWAITED]


@pytest.mark.parametrize("named", [True, False])
def test_one_note_by_transfer_and_another_by_stripe(shop: Shop, *, named: bool) -> None:
    desk = Desk.of(shop, TOTAL)
    first, second = desk.note(method=PaymentMethod.CARD), desk.note(method=PaymentMethod.CARD)

    desk.ask(0, HALF, second if named else None, method=PaymentMethod.TRANSFER)
    assert refunds_of(desk.till) == ([AWAITED, BY_TRANSFER] if named else [SOMEHOW, AWAITED])

    desk.ask(0, HALF, first if named else second)
    assert refunds_of(desk.till) == ([BY_CARD, BY_TRANSFER] if named else [SOMEHOW, BY_CARD])


def test_a_note_of_a_transfer_that_stripe_is_giving_back_is_not_said_to_be_transferred(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk.of(shop, TOTAL)
    till, note = desk.till, desk.note()
    assert refunds_of(till) == [BY_TRANSFER]
    refund_at_stripe = till.stripe.refund
    monkeypatch.setattr(till.stripe, "refund", partial(refund_at_stripe, status=StripeRefundStatus.PENDING))

    desk.ask(0, HALF, note)

    assert refunds_of(till) == [AWAITED]
    assert page(till).paid_online[0].to_be_given_back_minor == 0
    [refund] = till.stripe.refunds.values()
    till.stripe.refunds[till.account_id, refund.refund_id] = replace(refund, status=StripeRefundStatus.SUCCEEDED)
    till.tell("refund.updated", refund.refund_id, parent_id=desk.payments[0].payment_intent_id)
    assert refunds_of(till) == [BY_CARD]


def test_a_refund_that_names_no_note_is_the_oldest_s_that_stripe_has_to_make(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note(), desk.note(method=PaymentMethod.CARD)

    desk.in_dashboard(0, HALF)
    assert refunds_of(desk.till) == [BY_TRANSFER, BY_CARD]

    desk.in_dashboard(0, HALF)
    assert refunds_of(desk.till) == [SOMEHOW, BY_CARD]


def test_the_means_of_a_note_are_those_of_the_payment_that_was_given_back(shop: Shop) -> None:
    till = Till(shop)
    desk = Desk(till, [till.paid(method="sepa_debit")])
    note = desk.note(method=PaymentMethod.CARD)

    desk.ask(0, HALF, note)

    assert refunds_of(till) == ["Remboursé par prélèvement."]


def said_of_credit(till: Till) -> list[str]:
    """What the page says of each payment besides that it was made."""
    return [one.detail_fr.partition("). ")[2] for one in page(till).paid_online]


RELEASED = "60,00\u00a0€ ne sont plus dus, par un avoir : l'entreprise les a à votre crédit, ou les rend autrement."


def test_what_a_later_note_made_credit_of_is_said_of_its_payment(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)

    desk.note(excess=Excess.CUSTOMER_CREDIT)

    assert said_of_credit(desk.till) == [RELEASED]
    assert page(desk.till).paid_online[0].to_be_given_back_minor == 0


def test_credit_is_said_of_the_payment_that_came_last(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)

    desk.note(excess=Excess.CUSTOMER_CREDIT)

    assert said_of_credit(desk.till) == ["", RELEASED]


def test_credit_that_stripe_gave_back_is_said_no_more(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    note = desk.note(excess=Excess.CUSTOMER_CREDIT)

    desk.ask(0, HALF, note)

    assert said_of_credit(desk.till) == [f"60,00\u00a0€ remboursés le {TODAY}, par le même moyen."]


PUT_TO_CREDIT = (
    "Cette somme n'est plus due sur cette facture : elle a été portée à votre crédit auprès de l'entreprise."
)
HANDED_BACK = "Cette somme n'est plus due sur cette facture : elle vous a été rendue."
BY_BANK = "Rendu par votre banque, auprès de laquelle ce paiement a été contesté."


def lost(till: Till, intent: PaymentIntent) -> None:
    dispute = till.stripe.dispute(till.account_id, intent.payment_intent_id)
    till.stripe.decide(till.account_id, dispute.dispute_id, won=False)
    till.tell("charge.dispute.closed", dispute.dispute_id, parent_id=intent.payment_intent_id)


def released(till: Till) -> list[tuple[str, str]]:
    """What the page says of what notes left as credit."""
    entries = till.held.invoices.last_entries(till.shop.caller, till.stored())
    shown = zip(entries, page(till).movements, strict=True)
    return [(said.kind.value, said.detail_fr) for entry, said in shown if entry.kind is EntryKind.RELEASE]


@pytest.mark.parametrize("how", ["stripe", "unnamed", "elsewhere", "bank"])
def test_credit_of_a_note_that_came_back_is_credit_no_more(shop: Shop, how: str) -> None:
    """As the payment itself says."""
    desk = Desk.of(shop, TOTAL)
    note = desk.note(excess=Excess.CUSTOMER_CREDIT)
    assert released(desk.till) == [("kept_as_credit", PUT_TO_CREDIT)]

    match how:
        case "stripe":
            desk.ask(0, HALF, note)
        case "unnamed":
            desk.in_dashboard(0, TOTAL)
        case "elsewhere":
            desk.ask(0, HALF, note, method=PaymentMethod.TRANSFER)
        case _:
            lost(desk.till, desk.payments[0])

    assert released(desk.till) == [("given_back", HANDED_BACK)]
    assert "crédit" not in said_of_credit(desk.till)[0]


def test_credit_of_a_note_that_came_back_in_part_says_so(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    note, other = desk.note(excess=Excess.CUSTOMER_CREDIT), desk.note(2_500, excess=Excess.CUSTOMER_CREDIT)
    assert other.document.settlement is not None

    desk.ask(0, 1_500, note)

    part_of = f"{PUT_TO_CREDIT} Vous en avez reçu 15,00\u00a0€ depuis."
    assert released(desk.till) == [("kept_as_credit", part_of), ("kept_as_credit", PUT_TO_CREDIT)]


def test_what_an_invoice_is_owed_again_is_not_taken_for_credit_that_came_back(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note(2_500, excess=Excess.CUSTOMER_CREDIT)

    desk.in_dashboard(0, HALF)

    assert released(desk.till) == [("kept_as_credit", PUT_TO_CREDIT)]


def test_a_note_that_names_no_means_gives_back_as_it_was_paid(shop: Shop) -> None:
    """Nothing is said to be transferred that Stripe is to make."""
    desk = Desk.of(shop, TOTAL)
    note = desk.note(method=None)
    assert refunds_of(desk.till) == [AWAITED]

    desk.ask(0, HALF, note)

    assert refunds_of(desk.till) == [BY_CARD]


@pytest.mark.parametrize("paid_online", [True, False])
def test_a_note_on_other_money_is_by_transfer_unless_it_says_so(till: Till, *, paid_online: bool) -> None:
    if paid_online:
        till.paid(6_000)
    till.pay(till.stored().ledger.balance_minor)

    credit(till.shop, till.invoice.invoice_id, part(5_000), excess=Excess.REFUND, method=None)

    assert refunds_of(till) == [BY_TRANSFER]


@pytest.mark.parametrize("method", [PaymentMethod.CARD, PaymentMethod.TRANSFER])
def test_what_a_bank_gave_back_under_a_note_is_not_said_to_be_refunded(shop: Shop, method: PaymentMethod) -> None:
    desk = Desk.of(shop, TOTAL)
    desk.note(method=method)

    lost(desk.till, desk.payments[0])

    assert refunds_of(desk.till) == [BY_BANK, BY_BANK]  # the note's, and what the invoice is owed again


def test_of_two_notes_one_is_refunded_and_the_other_s_money_taken_by_a_bank(shop: Shop) -> None:
    desk = Desk.of(shop, HALF, HALF)
    first, _ = desk.note(method=PaymentMethod.CARD), desk.note(method=PaymentMethod.CARD)
    desk.ask(0, HALF, first)

    lost(desk.till, desk.payments[1])

    assert refunds_of(desk.till) == [BY_CARD, BY_BANK]


def test_a_single_euro_is_said_in_the_singular(shop: Shop) -> None:
    till = Till(shop)
    desk = Desk(till, [till.paid(199)])
    desk.in_dashboard(0, 100)

    assert page(till).paid_online[0].detail_fr == (
        f"1,99\u00a0€ payé en ligne le {TODAY} (carte bancaire). 1,00\u00a0€ remboursé le {TODAY}, par le même moyen."
    )
    [refund] = PaymentResponse.of(till.payment(desk.payments[0])).refunds
    number = till.invoice.document.number
    assert refund.detail_fr == (
        f"1,00\u00a0€ est de nouveau dû sur la facture {number}, sauf si un avoir l'a retiré depuis."
    )
    assert "1,00\u00a0€ en a été rendu au client" in explain_payment(till.record(desk.payments[0])).french


def test_what_was_too_much_and_given_back_is_said_no_more(shop: Shop) -> None:
    till = Till(shop)
    intent = till.confirm()
    credit(shop, till.invoice.invoice_id, part(5_000), excess=Excess.CUSTOMER_CREDIT)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)
    assert said_of_credit(till) == [RELEASED.replace("ne sont plus dus, par un avoir", "n'étaient plus dus")]

    till.stripe.refund(till.account_id, intent.payment_intent_id, 12_000)
    till.tell("charge.refunded", intent.payment_intent_id)

    assert "crédit" not in said_of_credit(till)[0]


def test_of_what_a_note_gave_back_by_transfer_no_credit_is_said(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)

    desk.note(), desk.note()

    assert (refunds_of(desk.till), said_of_credit(desk.till)) == ([BY_TRANSFER, BY_TRANSFER], [""])


def test_of_credit_and_of_what_is_to_be_given_back_each_is_said_once(shop: Shop) -> None:
    desk = Desk.of(shop, TOTAL)

    desk.note(excess=Excess.CUSTOMER_CREDIT), desk.note(method=PaymentMethod.CARD)

    [said] = said_of_credit(desk.till)
    assert said == (
        "60,00\u00a0€ sont à vous rembourser par le même moyen : l'entreprise ne l'a pas encore fait. La facture ne "
        "retient plus 60,00\u00a0€ : l'entreprise les a à votre crédit, ou les rend autrement."
    )


def test_a_payment_that_is_credit_is_not_to_be_given_back_for_a_note(till: Till) -> None:
    """The invoice was paid by other means meanwhile: that is what the note gives back."""
    intent = till.confirm()
    till.pay(12_000)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    credited_by_card(till)

    assert page(till).paid_online[0].to_be_given_back_minor == 0
    assert "à votre crédit" in page(till).paid_online[0].detail_fr


def test_while_other_money_may_be_what_became_credit_nothing_is_said_of_a_payment(till: Till) -> None:
    till.paid(6_000)
    till.pay(6_000)

    credit(till.shop, till.invoice.invoice_id, part(5_000))

    assert said_of_credit(till) == [""]
    assert PortalMovementKind.KEPT_AS_CREDIT in {one.kind for one in page(till).movements}
