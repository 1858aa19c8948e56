"""While a payment online takes days, other money for its invoice is refused, unless a person says that it arrived."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from billing.domain.errors import PaymentExceedsBalance, PaymentInProgress
from billing.domain.invoice import IssuedInvoice
from billing.domain.ledger import InvoiceStatus, PaymentMethod
from billing.domain.payments import Payment, PaymentExcess, WantedAllocation
from billing.domain.stripe import PaymentIntent
from billing.usecases import invoices, payments
from tests.usecases.conftest import Shop
from tests.usecases.stripe_desk import Till
from tests.usecases.test_credit_notes import credit
from tests.usecases.test_currencies import DOLLARS

TRANSFER = PaymentMethod.TRANSFER


@pytest.fixture
def till(shop: Shop) -> Till:
    return Till(shop)


def debit(till: Till, amount_minor: int | None = None) -> PaymentIntent:
    """A customer confirmed a SEPA debit, and Stripe told."""
    intent = till.confirm(amount_minor, method="sepa_debit")
    till.tell("payment_intent.processing", intent.payment_intent_id)
    return intent


def record(till: Till, amount_minor: int, *, confirmed: bool = False) -> IssuedInvoice:
    return payments.record_invoice_payment(
        till.shop.caller,
        till.invoice.invoice_id,
        payments.PaymentInput(amount_minor=amount_minor, method=TRANSFER, confirm_payment_in_progress=confirmed),
        once=till.shop.once("recordInvoicePayment"),
        invoices=till.held.invoices,
        payments=till.held.payments,
        clock=till.shop.clock,
        ids=till.shop.ids,
    ).invoice


def spread(
    till: Till,
    amount_minor: int,
    allocated: int | None,
    *,
    excess: PaymentExcess = PaymentExcess.REFUSE,
    confirmed: bool = False,
) -> Payment:
    return payments.record_payment(
        till.shop.caller,
        till.invoice.document.customer_id,
        payments.PaymentInput(amount_minor=amount_minor, method=TRANSFER, confirm_payment_in_progress=confirmed),
        (WantedAllocation(invoice_id=till.invoice.invoice_id, amount_minor=allocated),),
        excess,
        once=till.shop.once("recordPayment"),
        payments=till.held.payments,
        clock=till.shop.clock,
        ids=till.shop.ids,
    )


def test_an_invoice_shows_what_was_confirmed_by_which_means_and_since_when(till: Till) -> None:
    debit(till)

    read = invoices.read_invoice(till.shop.caller, till.invoice.invoice_id, invoices=till.held.invoices)

    online = read.checkouts.in_progress
    assert online is not None
    assert (online.amount_minor, online.method, online.in_progress_since) == (
        12_000,
        "sepa_debit",
        till.shop.clock.now(),
    )


def test_means_that_stripe_says_later_are_kept_beside_what_was_known(till: Till) -> None:
    intent = till.confirm(method="sepa_debit")
    with pytest.raises(PaymentInProgress):
        till.open()
    assert till.current.method == ""
    since = till.current.in_progress_since
    till.shop.clock.advance(timedelta(minutes=1))

    till.tell("payment_intent.processing", intent.payment_intent_id)

    assert (till.current.method, till.current.in_progress_since) == ("sepa_debit", since)


@pytest.mark.parametrize("excess", list(PaymentExcess))
def test_a_transfer_is_not_recorded_over_a_debit_on_its_way(till: Till, excess: PaymentExcess) -> None:
    debit(till)

    with pytest.raises(PaymentInProgress) as alone:
        record(till, 12_000)
    with pytest.raises(PaymentInProgress) as spread_over:
        spread(till, 12_000, None, excess=excess)

    for refused in (alone.value, spread_over.value):
        [error] = refused.errors
        assert error.pointer == "/confirm_payment_in_progress"
        assert "120,00\u00a0€ (prélèvement SEPA)" in refused.detail_fr
        assert "aucun autre paiement ne peut être affecté" in refused.detail_fr
        assert " 0,00" not in refused.detail_fr
        assert "€0.00" not in refused.detail_en
        assert "crédit du client" in refused.detail_fr
    assert till.payments == []


def credited(till: Till) -> None:
    """The customer has a credit of 120 €."""
    other = till.shop.issue(till.shop.draft(till.shop.wanted(till.invoice.document.customer_id)))
    till.shop.pay(other.invoice_id, 12_000)
    credit(till.shop, other.invoice_id)


def apply(till: Till, amount_minor: int | None, *, confirmed: bool = False) -> Payment:
    return payments.apply_customer_credit(
        till.shop.caller,
        till.invoice.document.customer_id,
        (WantedAllocation(invoice_id=till.invoice.invoice_id, amount_minor=amount_minor),),
        confirm_payment_in_progress=confirmed,
        once=till.shop.once("applyCustomerCredit"),
        payments=till.held.payments,
        clock=till.shop.clock,
        ids=till.shop.ids,
    )


@pytest.mark.parametrize("amount_minor", [None, 12_000, 1])
def test_the_customers_credit_is_not_put_over_a_debit_on_its_way(till: Till, amount_minor: int | None) -> None:
    credited(till)
    debit(till)

    with pytest.raises(PaymentInProgress) as refused:
        apply(till, amount_minor)

    assert refused.value.errors[0].pointer == "/confirm_payment_in_progress"
    assert till.credit() == 12_000


def test_the_customers_credit_takes_the_room_that_is_left_or_more_once_confirmed(till: Till) -> None:
    credited(till)
    intent = debit(till, 5_000)

    apply(till, 7_000)
    with pytest.raises(PaymentInProgress):
        apply(till, 1)
    apply(till, 5_000, confirmed=True)
    till.stripe.settle(till.account_id, intent.payment_intent_id)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    assert till.stored().ledger.status is InvoiceStatus.PAID
    assert till.credit() == 5_000
    till.adds_up()


def test_other_money_takes_the_room_that_is_left_to_the_cent(till: Till) -> None:
    debit(till, 5_000)

    with pytest.raises(PaymentInProgress, match=r"at most €70\.00 of another payment") as refused:
        record(till, 7_001)
    assert "un autre paiement peut être affecté" in refused.value.detail_fr
    assert "jusqu'à 70,00\u00a0€" in refused.value.detail_fr
    with pytest.raises(PaymentInProgress):
        spread(till, 7_001, 7_001)

    assert record(till, 7_000).ledger.balance_minor == 5_000


def test_what_exceeds_the_balance_is_refused_as_ever(till: Till) -> None:
    debit(till)

    with pytest.raises(PaymentExceedsBalance):
        record(till, 12_001, confirmed=True)


@pytest.mark.parametrize("whole", [True, False])
def test_what_did_arrive_is_recorded_and_the_debit_becomes_credit(till: Till, whole: bool) -> None:
    intent = debit(till)

    if whole:
        record(till, 12_000, confirmed=True)
    else:
        spread(till, 12_000, 12_000, confirmed=True)
    till.stripe.settle(till.account_id, intent.payment_intent_id)
    till.tell("payment_intent.succeeded", intent.payment_intent_id)

    assert till.stored().ledger.status is InvoiceStatus.PAID
    assert till.credit() == 12_000
    till.adds_up()


def test_once_the_bank_refused_nothing_is_in_progress(till: Till) -> None:
    intent = debit(till)
    till.stripe.settle(till.account_id, intent.payment_intent_id, success=False)
    till.tell("payment_intent.payment_failed", intent.payment_intent_id)

    assert record(till, 12_000).ledger.status is InvoiceStatus.PAID


def test_a_page_that_is_open_holds_nobody(till: Till) -> None:
    till.open()

    assert record(till, 12_000).ledger.status is InvoiceStatus.PAID


def test_another_currency_is_named(till: Till) -> None:
    till.issue(till.shop.wanted(till.shop.customer().customer_id, particulars=DOLLARS))
    debit(till)

    with pytest.raises(PaymentInProgress) as refused:
        record(till, till.invoice.ledger.balance_minor)

    assert "USD (prélèvement SEPA)" in refused.value.detail_fr
    assert "€" not in refused.value.detail_fr
    assert "à rembourser" in refused.value.detail_fr  # credit is in euros


def test_the_day_is_the_one_in_paris(till: Till) -> None:
    debit(till)

    with pytest.raises(PaymentInProgress) as refused:
        record(till, 12_000)

    today: date = till.shop.clock.today()
    assert f"le {today:%d/%m/%Y}" in refused.value.detail_fr
