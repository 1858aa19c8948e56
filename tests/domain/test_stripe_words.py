"""Beside each code of Stripe stands a sentence, and beside a code that nobody knows where to look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from billing.domain import stripe_words as words
from billing.domain.stripe import DisputeStatus, StripeAccount, StripeRefundStatus
from billing.domain.stripe_connection import ConnectionState, StripeConnection
from billing.domain.stripe_payment import (
    MirroredRefund,
    RefundRequest,
    RequestState,
    StripePayment,
    StripePaymentState,
)
from billing.domain.stripe_words import Explained

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
UNKNOWN = "a_code_of_tomorrow"
ACCOUNT = StripeAccount(
    account_id="acct_1",
    charges_enabled=True,
    payouts_enabled=True,
    details_submitted=True,
    requirements_due=(),
    disabled_reason="",
    capabilities=("card_payments",),
)
PAYMENT = StripePayment(
    tenant_id="ten_1",
    payment_intent_id="pi_1",
    account_id="acct_1",
    invoice_id="inv_1",
    attempt=1,
    amount_minor=12_000,
    currency="EUR",
    created=NOW,
)


def refund(status: StripeRefundStatus, failure_reason: str = "") -> Explained:
    return words.explain_refund(
        MirroredRefund(refund_id="re_1", status=status, amount_minor=1, created=NOW, failure_reason=failure_reason)
    )


def request(state: RequestState, refusal: str = "") -> Explained:
    return words.explain_refund_request(
        RefundRequest(
            request_id="req_1",
            amount_minor=1,
            reason="",
            requested_at=NOW,
            requested_by="usr_1",
            state=state,
            refusal=refusal,
        )
    )


def connection(state: ConnectionState, account: StripeAccount | None = None) -> Explained:
    return words.explain_connection(StripeConnection(tenant_id="ten_1", state=state, account=account))


SAID = [
    *(words.explain_dispute(status) for status in DisputeStatus),
    *(refund(status) for status in StripeRefundStatus),
    *(request(state) for state in RequestState),
    *(words.explain_payment(replace(PAYMENT, state=state)) for state in StripePaymentState),
    *(connection(state, ACCOUNT) for state in ConnectionState),
    *(words.explain_failure(code) for code in words._FAILURES),
    *(words.explain_dispute_reason(code) for code in words._DISPUTE_REASONS),
    *(words.explain_refund_refusal(code) for code in words._REFUND_REFUSALS),
    *(words.explain_subscription_refusal(code) for code in words._SUBSCRIPTION_REFUSALS),
]


@pytest.mark.parametrize("said", SAID, ids=lambda said: f"{said.code} {said.english[:20]}")
def test_every_code_has_its_sentence_in_both_languages(said: Explained) -> None:
    for text in (said.french, said.english):
        assert text.endswith(".")
        assert text[0].isupper()
        assert not said.code or "_" not in text
    assert said.french != said.english


@pytest.mark.parametrize(
    "explain",
    [
        words.explain_failure,
        words.explain_dispute_reason,
        words.explain_refund_refusal,
        words.explain_subscription_refusal,
        words.explain_requirement,
        words.explain_reason,
    ],
)
def test_a_code_that_is_not_known_is_shown_within_a_sentence(explain: Callable[[str], Explained | None]) -> None:
    said = explain(UNKNOWN)

    assert said is not None
    assert said.code == UNKNOWN
    assert UNKNOWN in said.french
    assert UNKNOWN in said.english
    assert said.french != UNKNOWN
    assert said.french.endswith(".")


@pytest.mark.parametrize("method", ["sepa_debit", "klarna"])
@pytest.mark.parametrize("code", [*words._DEBIT_REFUSALS, UNKNOWN, ""])
def test_a_customer_reads_of_a_refusal_and_never_its_code(code: str, method: str) -> None:
    said = words.explain_refused_payment(code, method, day=NOW.date(), amount=("120,00 €", "€120.00"))

    assert said.french.startswith("Votre p")
    assert "du 23/11/2026 a été refusé par votre banque" in said.french
    assert said.french.endswith(".")
    assert said.english.endswith(".")
    assert not code or code not in said.french + said.english


def test_what_failed_says_why() -> None:
    failed = refund(StripeRefundStatus.FAILED, "lost_or_stolen_card")
    refused = request(RequestState.REFUSED, "charge_disputed")
    declined = words.explain_payment(
        replace(PAYMENT, state=StripePaymentState.FAILED, last_error_code="debit_not_authorized")
    )

    assert "perdue ou volée : remboursez par virement" in failed.french
    assert "répondez dans Stripe" in refused.french
    assert declined.french == "La banque a refusé le paiement. Le client n'a pas autorisé ce prélèvement."


def test_a_payment_that_succeeded_says_nothing_of_a_card_that_was_declined_before() -> None:
    paid = replace(PAYMENT, state=StripePaymentState.SUCCEEDED, last_error_code="card_declined")

    assert words.explain_payment(paid).french == "Le paiement est encaissé."


def test_an_account_says_what_comes_next() -> None:
    linked = ConnectionState.CONNECTED

    assert connection(linked, ACCOUNT).french == "Vos factures peuvent être payées en ligne."
    assert "garde l'argent" in connection(linked, replace(ACCOUNT, payouts_enabled=False)).french
    assert "n'encaisse pas encore" in connection(linked, replace(ACCOUNT, charges_enabled=False)).french


@pytest.mark.parametrize(
    ("method", "french"), [("sepa_debit", "prélèvement SEPA"), ("blik", "blik"), ("", "paiement en ligne")]
)
def test_a_means_of_payment_has_its_name_or_the_one_of_stripe(method: str, french: str) -> None:
    assert words.method_words(method).french == french
