"""The proof of a company's invoices, as a paged job."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from billing.domain.errors import NotFound
from billing.domain.numbering import Series, SeriesState
from billing.domain.verification import MAX_FINDINGS, Rule, Verification, VerificationState
from billing.ports.idempotency import AlreadyAnswered, IdempotentRequest
from billing.usecases import verifications
from billing.usecases.verifications import PAGE_LIMIT
from tests import factories
from tests.fakes.store import Placed
from tests.usecases.conftest import Shop

# Step Functions ends a standard execution at so many events. A page is a task (entered, scheduled, started, succeeded,
# exited) and a choice (entered, exited).
HISTORY_LIMIT = 25_000
EVENTS_OF_A_PAGE = 7
EVENTS_AROUND = 20


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


def test_nothing_issued_passes_in_a_step_for_each_series_and_one_for_the_credits(shop: Shop) -> None:
    started = _start(shop)

    states = [_step(shop, started).state for _ in range(3)]

    assert states == [VerificationState.RUNNING, VerificationState.RUNNING, VerificationState.PASSED]


def test_many_invoices_take_many_pages_and_what_is_issued_meanwhile_waits_for_the_next_proof(shop: Shop) -> None:
    shop.subscribe()
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


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_an_invoice_that_is_gone_or_a_draft_again_fails_the_proof_and_nothing_else(shop: Shop, rank: int) -> None:
    drafts = [shop.draft() for _ in range(3)]
    issued = [shop.issue(draft) for draft in drafts]
    store = shop.repositories.store
    store.invoices[issued[rank - 1].tenant_id, issued[rank - 1].invoice_id] = drafts[rank - 1]
    unreadable = _finish(shop, _start(shop))
    del store.invoices[issued[rank - 1].tenant_id, issued[rank - 1].invoice_id]
    gone = _finish(shop, _start(shop))

    for result in (unreadable, gone):
        assert (result.state, result.documents_checked) == (VerificationState.FAILED, 3)
        assert [(finding.rule, finding.subject) for finding in result.findings] == [
            (Rule.DOCUMENT_PRESENT, f"F2026-0000{rank}")
        ]


def test_ten_thousand_documents_take_one_execution_of_the_workflow(shop: Shop) -> None:
    """Places alone stand for the documents: what is bounded is the walk."""
    definition = json.loads(Path("statemachines/ledger_verification.asl.json").read_text())
    page_states = [definition["StartAt"], definition["States"][definition["StartAt"]]["Next"]]
    assert definition["States"][page_states[1]]["Default"] == page_states[0]
    documents = 10_000
    store = shop.repositories.store
    for rank in range(1, documents + 1):
        place = (shop.caller.tenant_id, Series.INVOICE, 2026, rank)
        store.places[place] = Placed(f"F2026-{rank:05d}", f"inv_{rank}", "f" * 64)
    store.series[shop.caller.tenant_id, Series.INVOICE] = SeriesState(
        series=Series.INVOICE, year=2026, last_rank=documents, last_date=None, last_hash="f" * 64
    )
    result = started = _start(shop)
    steps = 0

    while result.state is VerificationState.RUNNING:
        result = _step(shop, started)
        steps += 1

    assert (result.documents_checked, steps) == (documents, documents // PAGE_LIMIT + 3)
    assert len(result.findings) == MAX_FINDINGS
    assert steps * EVENTS_OF_A_PAGE + EVENTS_AROUND < HISTORY_LIMIT


def test_two_runs_of_one_job_read_each_page_once(shop: Shop) -> None:
    shop.subscribe()
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
    stranger = factories.caller("ten_b", user_id="user-b")
    shop.repositories.memberships.found(factories.membership(stranger), at=shop.clock.now())

    with pytest.raises(AlreadyAnswered):
        _start(shop, once=once)
    with pytest.raises(NotFound):
        verifications.read_invoice_verification(
            stranger, started.verification_id, verifications=shop.repositories.verifications
        )

    assert len(shop.repositories.store.verifications) == 1
