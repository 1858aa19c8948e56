"""The outbox: what a commit asked for is started, and started again until it has an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from billing.ports.bulk_jobs import BulkJobs
from billing.ports.clock import Clock, Ids
from billing.ports.delivery import Workflows
from billing.ports.repositories import Deliveries, OpenRequest, Verifications, WorkflowRequests
from billing.usecases.bulk_jobs import stop_bulk_job
from billing.usecases.deliveries import record_invoice_delivery
from billing.usecases.turns import Turns
from billing.usecases.verifications import abort_invoice_verification

DELIVERY_ENTITY = "delivery_request"
VERIFICATION_ENTITY = "verification_request"
BULK_ENTITY = "bulk_request"
MAX_EXECUTIONS = 8
SWEEP_LIMIT = 50
SWEEP_BUDGET_SECONDS = 40.0  # the schedule comes every minute


def start_workflow(request: OpenRequest, *, requests: WorkflowRequests, workflows: Workflows, clock: Clock) -> None:
    """Start the next execution of a request. Named by its rank: started twice, it runs once.

    Raises: DependencyUnavailable.
    """
    rank = request.executions + 1
    if request.entity == DELIVERY_ENTITY:
        workflows.start_delivery(
            name=f"{request.subject_id}-{request.attempt}-{rank}",
            tenant_id=request.tenant_id,
            invoice_id=request.subject_id,
            attempt=request.attempt,
            correlation_id=request.correlation_id,
        )
    elif request.entity == BULK_ENTITY:
        workflows.start_bulk_job(
            name=f"{request.subject_id}-{request.attempt}-{rank}",
            tenant_id=request.tenant_id,
            bulk_job_id=request.subject_id,
            run=request.attempt,
            correlation_id=request.correlation_id,
        )
    else:
        workflows.start_verification(
            name=f"{request.subject_id}-{rank}",
            tenant_id=request.tenant_id,
            verification_id=request.subject_id,
            correlation_id=request.correlation_id,
        )
    requests.count_execution(request, at=clock.now())


def restart_workflows(
    restart_after_seconds: int,
    *,
    requests: WorkflowRequests,
    workflows: Workflows,
    deliveries: Deliveries,
    verifications: Verifications,
    bulk_jobs: BulkJobs,
    clock: Clock,
    ids: Ids,
) -> tuple[int, int]:
    """Start again what has no outcome after a while; give up visibly after MAX_EXECUTIONS.

    Returns how many requests were restarted and given up.

    Raises: the first failure, once every other request had its turn.
    """
    before = clock.now() - timedelta(seconds=restart_after_seconds)
    deadline = clock.monotonic() + SWEEP_BUDGET_SECONDS
    restarted = abandoned = 0
    turns = Turns()
    for shard in range(requests.shards):
        for request in _stale(shard, before, deadline, requests=requests, clock=clock):
            with turns.one():
                if request.executions < MAX_EXECUTIONS:
                    start_workflow(request, requests=requests, workflows=workflows, clock=clock)
                    restarted += 1
                else:
                    _give_up(
                        request,
                        deliveries=deliveries,
                        verifications=verifications,
                        bulk_jobs=bulk_jobs,
                        clock=clock,
                        ids=ids,
                    )
                    abandoned += 1
    turns.end()
    return restarted, abandoned


def _stale(
    shard: int, before: datetime, deadline: float, *, requests: WorkflowRequests, clock: Clock
) -> Iterator[OpenRequest]:
    """Page after page, until nothing new is stale or the time is up: an outage leaves more than one page."""
    seen: set[OpenRequest] = set()
    while clock.monotonic() < deadline:
        found = requests.stale(before, shard=shard, limit=SWEEP_LIMIT + len(seen))
        page = [request for request in found if request not in seen]
        if not page:
            return
        seen.update(page)
        yield from page


def _give_up(
    request: OpenRequest,
    *,
    deliveries: Deliveries,
    verifications: Verifications,
    bulk_jobs: BulkJobs,
    clock: Clock,
    ids: Ids,
) -> None:
    error = "ExecutionsExhausted"
    if request.entity == DELIVERY_ENTITY:
        record_invoice_delivery(
            request.tenant_id,
            request.subject_id,
            request.attempt,
            error=error,
            deliveries=deliveries,
            clock=clock,
            ids=ids,
        )
    elif request.entity == BULK_ENTITY:
        stop_bulk_job(
            request.tenant_id, request.subject_id, error, run=request.attempt, bulk_jobs=bulk_jobs, clock=clock
        )
    else:
        abort_invoice_verification(
            request.tenant_id, request.subject_id, error, verifications=verifications, clock=clock
        )
