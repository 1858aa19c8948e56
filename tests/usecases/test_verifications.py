"""The proof of a company's invoices, as a paged job."""

from __future__ import annotations

from dataclasses import replace

import pytest

from billing.domain.errors import NotFound
from billing.domain.verification import Rule, Verification, VerificationState
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.usecases import verifications
from billing.usecases.verifications import PAGE_LIMIT
from tests.fakes import samples
from tests.usecases.conftest import Shop


def _start(shop: Shop, *, once: IdempotentRequest | None = None) -> Verification:
    return verifications.start_invoice_verification(
        shop.caller,
        correlation_id="corr",
        once=once or shop.once("startInvoiceVerification"),
        verifications=shop.repositories.verifications,
        clock=shop.clock,
        ids=shop.ids,
    )


def _step(shop: Shop, started: Verification) -> Verification:
    return verifications.verify_ledger_page(
        started.tenant_id,
        started.verification_id,
        verifications=shop.repositories.verifications,
        clock=shop.clock,
    )


def _finish(shop: Shop, started: Verification) -> Verification:
    result = started
    for _ in range(20):
        result = _step(shop, started)
        if result.state is not VerificationState.RUNNING:
            return result
    raise AssertionError("the job never ends")


def test_issued_and_paid_invoices_pass(shop: Shop) -> None:
    for _ in range(3):
        shop.pay(shop.issue().invoice_id, 100)
    started = _start(shop)

    result = _finish(shop, started)

    assert (result.state, result.documents_checked, result.findings) == (VerificationState.PASSED, 3, ())
    read = verifications.read_invoice_verification(
        shop.caller, started.verification_id, verifications=shop.repositories.verifications
    )
    assert read == result


def test_nothing_issued_passes_at_once(shop: Shop) -> None:
    assert _step(shop, _start(shop)).state is VerificationState.PASSED


def test_many_invoices_take_many_pages_and_what_is_issued_meanwhile_waits_for_the_next_proof(shop: Shop) -> None:
    for _ in range(PAGE_LIMIT + 1):
        shop.issue()
    started = _start(shop)
    shop.issue()

    first = _step(shop, started)

    assert (first.state, first.documents_checked) == (VerificationState.RUNNING, PAGE_LIMIT)
    assert _finish(shop, started).documents_checked == PAGE_LIMIT + 1


def test_a_balance_set_by_hand_fails_the_proof(shop: Shop) -> None:
    invoice = shop.issue()
    forged = replace(invoice, ledger=replace(invoice.ledger, paid_minor=12_000))
    shop.repositories.store.invoices[invoice.tenant_id, invoice.invoice_id] = forged

    result = _finish(shop, _start(shop))

    assert result.state is VerificationState.FAILED
    assert [finding.rule for finding in result.findings] == [Rule.LEDGER_MATCHES_ENTRIES]


def test_a_number_record_that_is_missing_fails_the_proof(shop: Shop) -> None:
    for _ in range(3):
        shop.issue()
    store = shop.repositories.store
    del store.places[next(place for place in store.places if place[3] == 2)]

    result = _finish(shop, _start(shop))

    assert {finding.rule for finding in result.findings} == {Rule.NUMBERS_DENSE, Rule.CHAIN_UNBROKEN}


def test_two_runs_of_one_job_read_each_page_once(shop: Shop) -> None:
    for _ in range(PAGE_LIMIT + 1):
        shop.issue()
    started = _start(shop)
    stale = shop.repositories.verifications.load(started.tenant_id, started.verification_id)
    _step(shop, started)

    assert not shop.repositories.verifications.save(stale.advanced((), shop.clock.now()))
    assert _finish(shop, started).documents_checked == PAGE_LIMIT + 1
    assert _step(shop, started).documents_checked == PAGE_LIMIT + 1


def test_an_aborted_job_says_so_and_stays_so(shop: Shop) -> None:
    started = _start(shop)

    def abort(error: str) -> Verification:
        return verifications.abort_invoice_verification(
            started.tenant_id,
            started.verification_id,
            error,
            verifications=shop.repositories.verifications,
            clock=shop.clock,
        )

    assert (abort("Timeout").state, abort("Other").error) == (VerificationState.ABORTED, "Timeout")
    assert _step(shop, started).state is VerificationState.ABORTED


def test_a_proof_asked_twice_is_one_job_and_another_companys_is_not_found(shop: Shop) -> None:
    once = shop.once("startInvoiceVerification")
    started = _start(shop, once=once)
    stranger = samples.caller("ten_b", user_id="user-b")
    shop.repositories.memberships.found(samples.membership(stranger), at=shop.clock.now())

    with pytest.raises(AlreadyAnswered):
        _start(shop, once=once)
    with pytest.raises(NotFound):
        verifications.read_invoice_verification(
            stranger, started.verification_id, verifications=shop.repositories.verifications
        )

    assert len(shop.repositories.store.verifications) == 1
