"""The outbox: what a commit asked for is started, started again, and given up visibly."""

from __future__ import annotations

from datetime import timedelta

import pytest

from billing.domain.delivery import DeliveryState
from billing.domain.errors import DependencyUnavailable
from billing.domain.verification import Verification, VerificationState
from billing.ports.repositories import OpenRequest
from billing.usecases.verifications import PAGE_LIMIT, start_invoice_verification, verify_ledger_page
from billing.usecases.workflows import MAX_EXECUTIONS, SWEEP_LIMIT, restart_workflows, start_workflow
from tests.usecases.conftest import Shop

AFTER_SECONDS = 900


def _waiting(shop: Shop) -> list[OpenRequest]:
    requests = shop.repositories.requests
    later = shop.clock.now() + timedelta(days=1)
    return [item for shard in range(requests.shards) for item in requests.stale(later, shard=shard, limit=100)]


def _start(shop: Shop, request: OpenRequest) -> None:
    start_workflow(request, requests=shop.repositories.requests, workflows=shop.workflows, clock=shop.clock)


def _sweep(shop: Shop) -> tuple[int, int]:
    return restart_workflows(
        AFTER_SECONDS,
        requests=shop.repositories.requests,
        workflows=shop.workflows,
        deliveries=shop.repositories.deliveries,
        verifications=shop.repositories.verifications,
        bulk_jobs=shop.repositories.bulk_jobs,
        clock=shop.clock,
        ids=shop.ids,
    )


def _verification(shop: Shop) -> Verification:
    return start_invoice_verification(
        shop.caller,
        correlation_id="corr-v",
        once=shop.once("startInvoiceVerification"),
        verifications=shop.repositories.verifications,
        clock=shop.clock,
        ids=shop.ids,
    )


def test_an_issued_invoice_starts_one_execution_named_by_document_attempt_and_rank(shop: Shop) -> None:
    invoice = shop.issue()
    (request,) = _waiting(shop)

    _start(shop, request)
    _start(shop, request)

    assert shop.workflows.deliveries == {
        f"{invoice.invoice_id}-1-1": (invoice.tenant_id, invoice.invoice_id, 1, "corr")
    }
    (counted,) = _waiting(shop)
    assert counted.executions == 1


def test_a_verification_starts_its_own_workflow(shop: Shop) -> None:
    verification = _verification(shop)

    _start(shop, _waiting(shop)[0])

    assert shop.workflows.verifications == {
        f"{verification.verification_id}-1": (shop.caller.tenant_id, verification.verification_id, "corr-v")
    }


def test_what_could_not_be_started_is_not_counted_as_started(shop: Shop) -> None:
    invoice = shop.issue()
    shop.workflows.down_for = {invoice.invoice_id}

    with pytest.raises(DependencyUnavailable):
        _start(shop, _waiting(shop)[0])

    assert _waiting(shop)[0].executions == 0


def test_the_sweeper_leaves_fresh_and_settled_requests_alone(shop: Shop) -> None:
    fresh = shop.issue()
    assert _sweep(shop) == (0, 0)

    shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))
    shop.record(fresh)

    assert _sweep(shop) == (0, 0)
    assert shop.workflows.deliveries == {}


def test_the_sweeper_starts_again_under_a_new_name_until_it_gives_up(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    verification = _verification(shop)
    for _ in range(MAX_EXECUTIONS):
        shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))
        assert _sweep(shop) == (2, 0)
        assert _sweep(shop) == (0, 0)

    shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))
    assert _sweep(shop) == (0, 2)

    assert list(shop.workflows.deliveries) == [f"{invoice.invoice_id}-1-{rank}" for rank in range(1, 9)]
    delivery = shop.stored(invoice).delivery
    assert (delivery.state, delivery.error, delivery.in_progress) == (
        DeliveryState.FAILED,
        "ExecutionsExhausted",
        False,
    )
    ended = shop.repositories.verifications.load(shop.caller.tenant_id, verification.verification_id)
    assert (ended.state, ended.error) == (VerificationState.ABORTED, "ExecutionsExhausted")
    shop.clock.advance(timedelta(days=1))
    assert _sweep(shop) == (0, 0)
    assert shop.send(invoice.invoice_id).delivery.attempt == 2


def test_the_sweeper_leaves_a_long_verification_alone_while_it_goes_on(shop: Shop) -> None:
    shop.subscribe()
    for _ in range(3 * PAGE_LIMIT):
        shop.issue()
    shop.repositories.store.outbox.clear()  # their deliveries are not what is watched here
    started = _verification(shop)
    (request,) = _waiting(shop)
    _start(shop, request)

    result = started
    while result.state is VerificationState.RUNNING:
        shop.clock.advance(timedelta(seconds=AFTER_SECONDS - 1))
        assert _sweep(shop) == (0, 0)
        result = verify_ledger_page(
            started.tenant_id, started.verification_id, verifications=shop.repositories.verifications, clock=shop.clock
        )

    assert (result.state, result.executions) == (VerificationState.PASSED, 1)
    assert len(shop.workflows.verifications) == 1


def test_a_verification_that_died_goes_on_from_its_checkpoint(shop: Shop) -> None:
    shop.subscribe()
    for _ in range(PAGE_LIMIT + 1):
        shop.issue()
    started = _verification(shop)
    held = shop.repositories.verifications
    verify_ledger_page(started.tenant_id, started.verification_id, verifications=held, clock=shop.clock)
    shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))

    _sweep(shop)

    restarted = held.load(started.tenant_id, started.verification_id)
    assert (restarted.executions, restarted.documents_checked, restarted.position.rank) == (1, PAGE_LIMIT, PAGE_LIMIT)


def test_giving_up_a_mail_that_did_leave_says_sent(shop: Shop) -> None:
    invoice = shop.issue(send=True)
    shop.render(invoice)
    shop.mail(invoice)
    for _ in range(MAX_EXECUTIONS + 1):
        shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))
        _sweep(shop)

    assert shop.stored(invoice).delivery.state is DeliveryState.SENT


def test_one_request_that_cannot_be_started_does_not_hold_the_others_back(shop: Shop) -> None:
    first, second, third = shop.issue(), shop.issue(), shop.issue()
    shop.workflows.down_for = {first.invoice_id}
    shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))

    with pytest.raises(DependencyUnavailable):
        _sweep(shop)

    started = {invoice_id for _, invoice_id, _, _ in shop.workflows.deliveries.values()}
    assert started == {second.invoice_id, third.invoice_id}


def test_the_sweeper_takes_up_everything_an_outage_left_behind(shop: Shop) -> None:
    shop.subscribe()
    for _ in range(SWEEP_LIMIT + 5):
        shop.issue()
    shop.clock.advance(timedelta(seconds=AFTER_SECONDS + 1))

    assert _sweep(shop) == (SWEEP_LIMIT + 5, 0)
    assert _sweep(shop) == (0, 0)
