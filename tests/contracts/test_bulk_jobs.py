"""Bulk jobs: the same over the fake and over the table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from billing.domain.access import Caller
from billing.domain.bulk import BulkJob, BulkOperation, BulkOutcome, BulkResult, BulkState
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import EventType
from billing.ports.idempotency import AlreadyAnswered
from billing.ports.paging import PageRequest
from billing.ports.repositories import OpenRequest
from tests.contracts.conftest import World
from tests.fakes.clock import MORNING

pytestmark = pytest.mark.engine
PAGE = PageRequest(limit=100)


def _start(world: World, count: int = 3, *, of: Caller | None = None, key: str = "") -> BulkJob:
    caller = of or world.caller
    job = BulkJob(
        tenant_id=caller.tenant_id,
        bulk_job_id=world.new_id("blk"),
        version=1,
        operation=BulkOperation.SEND,
        mail=False,
        total=count,
        user_id=caller.user_id,
        role=caller.role,
        membership_version=caller.membership_version,
        correlation_id="corr-bulk",
        started_at=MORNING,
        updated_at=MORNING,
    )
    chosen = tuple(f"inv_{rank}" for rank in range(1, count + 1))
    world.repositories.bulk_jobs.start(
        caller, job, chosen, event=job.event(EventType.BULK_JOB_STARTED), once=world.once("startBulkJob")
    )
    return job


def _result(rank: int, outcome: BulkOutcome = BulkOutcome.DONE) -> BulkResult:
    return BulkResult(rank=rank, document_id=f"inv_{rank}", outcome=outcome, number=f"F-{rank}")


def _waiting(world: World, job: BulkJob) -> list[OpenRequest]:
    requests = world.repositories.requests
    later = MORNING + timedelta(days=1)
    found = [one for shard in range(requests.shards) for one in requests.stale(later, shard=shard, limit=500)]
    return [one for one in found if (one.tenant_id, one.subject_id) == (job.tenant_id, job.bulk_job_id)]


def test_a_job_is_read_with_its_selection_and_waits_for_its_workflow(world: World) -> None:
    job = _start(world)
    jobs = world.repositories.bulk_jobs

    assert jobs.read(world.caller, job.bulk_job_id) == job
    assert jobs.load(job.tenant_id, job.bulk_job_id) == job
    assert jobs.selection(job.tenant_id, job.bulk_job_id) == ("inv_1", "inv_2", "inv_3")
    assert _waiting(world, job) == [
        OpenRequest(
            entity="bulk_request",
            tenant_id=job.tenant_id,
            subject_id=job.bulk_job_id,
            attempt=1,
            executions=0,
            correlation_id="corr-bulk",
        )
    ]


def test_a_result_is_kept_and_counted_once_whoever_brings_it(world: World) -> None:
    job = _start(world, 40)
    jobs = world.repositories.bulk_jobs
    outcomes = {rank: BulkOutcome.REFUSED if rank % 4 == 0 else BulkOutcome.DONE for rank in range(1, 41)}

    def lane(_: int) -> int:
        return sum(jobs.record(job, _result(rank, outcome)) for rank, outcome in outcomes.items())

    with ThreadPoolExecutor(4) as lanes:
        kept = sum(lanes.map(lane, range(4)))

    now = jobs.read(world.caller, job.bulk_job_id)
    assert kept == 40
    assert (now.done, now.refused, now.is_complete) == (30, 10, True)
    assert [result.rank for result in jobs.all_results(job.tenant_id, job.bulk_job_id)] == list(range(1, 41))


def test_results_are_paged_in_the_order_of_the_selection(world: World) -> None:
    job = _start(world, 5)
    jobs = world.repositories.bulk_jobs
    for rank in (5, 2, 1):
        jobs.record(job, _result(rank))

    first = jobs.results(world.caller, job.bulk_job_id, PageRequest(limit=2))
    second = jobs.results(world.caller, job.bulk_job_id, PageRequest(limit=2, position=first.position))

    assert [result.rank for result in (*first.items, *second.items)] == [1, 2, 5]


def test_a_settled_run_waits_no_more_and_is_settled_once(world: World) -> None:
    job = _start(world)
    jobs = world.repositories.bulk_jobs
    ended = job.ended(MORNING)

    assert jobs.settle(ended, event=ended.event(EventType.BULK_JOB_ENDED))
    assert not jobs.settle(ended, event=ended.event(EventType.BULK_JOB_ENDED))
    assert _waiting(world, job) == []
    assert jobs.read(world.caller, job.bulk_job_id).state is BulkState.ENDED


def test_a_stopped_job_is_resumed_once_with_a_run_of_its_own(world: World) -> None:
    job = _start(world)
    jobs = world.repositories.bulk_jobs
    jobs.record(job, _result(1))
    stopped = job.stopped("ExecutionsExhausted", MORNING)
    jobs.settle(stopped, event=stopped.event(EventType.BULK_JOB_STOPPED))
    resumed = stopped.resumed(world.caller, MORNING, correlation_id="corr-2")
    once = world.once("resumeBulkJob")
    event = resumed.event(EventType.BULK_JOB_RESUMED)

    jobs.resume(world.caller, resumed, event=event, once=once)

    with pytest.raises(AlreadyAnswered):
        jobs.resume(world.caller, resumed, event=event, once=once)
    with pytest.raises(StaleVersion):
        jobs.resume(world.caller, resumed, event=event, once=world.once("resumeBulkJob"))
    assert [(one.attempt, one.correlation_id) for one in _waiting(world, job)] == [(2, "corr-2")]
    assert jobs.read(world.caller, job.bulk_job_id).done == 1


def test_an_execution_is_counted_on_its_run(world: World) -> None:
    job = _start(world)
    (request,) = _waiting(world, job)

    assert world.repositories.requests.count_execution(request, at=MORNING)
    assert not world.repositories.requests.count_execution(request, at=MORNING)
    assert [one.executions for one in _waiting(world, job)] == [1]
    ended = job.ended(MORNING)
    assert world.repositories.bulk_jobs.settle(ended, event=ended.event(EventType.BULK_JOB_ENDED))


def test_the_latest_job_is_listed_first(world: World) -> None:
    jobs = [_start(world) for _ in range(3)]

    listed = world.repositories.bulk_jobs.list(world.caller, PAGE)

    assert [row.bulk_job_id for row in listed.items] == [job.bulk_job_id for job in reversed(jobs)]


def test_another_tenants_job_is_not_there(world: World) -> None:
    job = _start(world)
    jobs = world.repositories.bulk_jobs

    with pytest.raises(NotFound):
        jobs.read(world.stranger, job.bulk_job_id)
    with pytest.raises(NotFound):
        jobs.results(world.stranger, job.bulk_job_id, PAGE)
    assert not jobs.list(world.stranger, PAGE).items
