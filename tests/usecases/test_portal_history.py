"""What the holder of a link reads of money that was taken, and of what became of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.api.portal_invoices import PortalInvoiceResponse, PortalMovementKind
from billing.domain.stripe import PaymentIntent, StripeRefundStatus
from billing.domain.stripe_inbox import ParkReason
from billing.domain.stripe_payment import RefundRequest
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit

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
