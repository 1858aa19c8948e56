"""Bulk jobs: head, selection, progress and results of a job stand in one partition, beside the requests of its runs."""

from __future__ import annotations

from dataclasses import replace

from billing.adapters.dynamodb import keys
from billing.adapters.dynamodb.codec import (
    SCHEMA_VERSION,
    Item,
    compress,
    decompress,
    dump,
    item,
    load,
    load_all,
    number,
    text,
)
from billing.adapters.dynamodb.table import Table, Write, refuse_with
from billing.domain.access import Caller, Origin
from billing.domain.bulk import BulkJob, BulkOutcome, BulkResult, BulkState
from billing.domain.errors import Busy, NotFound, StaleVersion
from billing.domain.events import Event
from billing.ports.bulk_jobs import BulkJobSummary
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest

BULK_JOB = "bulk_job"
BULK_REQUEST = "bulk_request"
_PROGRESS = "bulk_progress"
_RESULTS_AT_ONCE = 500


def to_item(job: BulkJob) -> Item:
    key = keys.bulk_job(job.tenant_id, job.bulk_job_id)
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=BULK_JOB,
        schema_version=SCHEMA_VERSION,
        tenant_id=job.tenant_id,
        version=job.version,
        body=dump(replace(job, done=0, refused=0)),  # counted beside it
        summary=dump(BulkJobSummary.of(job)),
        listing_pk=keys.bulk_job_listing(job.tenant_id),
        listing_sk=job.bulk_job_id,
    )


def from_items(head: Item, progress: Item | None) -> BulkJob:
    counted = progress or {}
    done, refused = (number(counted, name) if name in counted else 0 for name in BulkOutcome)
    return replace(load(BulkJob, text(head, "body")), done=done, refused=refused)


class BulkJobs:
    """Port BulkJobs."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def start(
        self,
        caller: Caller,
        job: BulkJob,
        document_ids: tuple[str, ...],
        *,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        chosen = keys.bulk_selection(job.tenant_id, job.bulk_job_id)
        selection = item(
            pk=chosen.pk,
            sk=chosen.sk,
            entity="bulk_selection",
            schema_version=SCHEMA_VERSION,
            tenant_id=job.tenant_id,
            document_ids=compress(dump(document_ids)),
        )
        self._table.write(
            caller,
            self._table.create(to_item(job), refuse_with(Busy)),
            self._table.create(selection, refuse_with(Busy)),
            self._table.create(_request(job), refuse_with(Busy)),
            self._event(job, event),
            once=once,
            answered=job,
        )

    def read(self, caller: Caller, bulk_job_id: str, *, once: IdempotentRequest | None = None) -> BulkJob:
        head, progress = _keys(caller.tenant_id, bulk_job_id)
        return _found(self._table.read(caller, head, progress, once=once), head, progress)

    def list(self, caller: Caller, page: PageRequest) -> Page[BulkJobSummary]:
        self._table.trust(caller)
        rows, position = self._table.page(
            "Listing",
            keys.bulk_job_listing(caller.tenant_id),
            page,
            base_key=lambda bulk_job_id: keys.bulk_job(caller.tenant_id, bulk_job_id),
            forward=False,
        )
        return Page(items=load_all(BulkJobSummary, [row.summary for row in rows]), position=position)

    def results(self, caller: Caller, bulk_job_id: str, page: PageRequest) -> Page[BulkResult]:
        """Two requests: the job must exist (and be the tenant's), then its results."""
        head = keys.bulk_job(caller.tenant_id, bulk_job_id)
        if head not in self._table.read(caller, head):
            raise NotFound
        results, position = self._results(caller.tenant_id, bulk_job_id, page.limit, page.position)
        return Page(items=results, position=position)

    def resume(self, caller: Caller, job: BulkJob, *, event: Event, once: IdempotentRequest) -> None:
        request = self._table.create(_request(job), refuse_with(StaleVersion))
        self._table.write(caller, self._moved(job), request, self._event(job, event), once=once, answered=job)

    def load(self, tenant_id: str, bulk_job_id: str) -> BulkJob:
        head, progress = _keys(tenant_id, bulk_job_id)
        return _found(self._table.batch([head, progress]), head, progress)

    def selection(self, tenant_id: str, bulk_job_id: str) -> tuple[str, ...]:
        stored = self._table.get(keys.bulk_selection(tenant_id, bulk_job_id))
        if stored is None:
            raise NotFound
        return load(tuple[str, ...], decompress(stored, "document_ids"))

    def all_results(self, tenant_id: str, bulk_job_id: str) -> tuple[BulkResult, ...]:
        found: list[BulkResult] = []
        position: str | None = None
        while True:
            page, position = self._results(tenant_id, bulk_job_id, _RESULTS_AT_ONCE, position)
            found += page
            if position is None:
                return tuple(found)

    def record(self, job: BulkJob, result: BulkResult) -> bool:
        key = keys.bulk_result(job.tenant_id, job.bulk_job_id, result.rank)
        stored = item(
            pk=key.pk,
            sk=key.sk,
            entity="bulk_result",
            schema_version=SCHEMA_VERSION,
            tenant_id=job.tenant_id,
            body=dump(result),
        )
        progress = keys.bulk_progress(job.tenant_id, job.bulk_job_id)
        also: dict[str, str | int] = {"schema_version": SCHEMA_VERSION, "tenant_id": job.tenant_id}
        try:
            self._table.write(
                None,
                self._table.create(stored, refuse_with(StaleVersion)),
                self._table.add(progress, result.outcome.value, 1, entity=_PROGRESS, also=also),
            )
        except StaleVersion:
            return False
        return True

    def settle(self, job: BulkJob, *, event: Event) -> bool:
        settled = self._table.put(_request(job, settled=True), only_if="settled = :open", values={":open": False})
        origin = Origin(correlation_id=job.correlation_id)
        try:
            self._table.write(
                None,
                self._moved(job),
                Write("Put", settled, refuse_with(StaleVersion)),
                self._event(job, event),
                origin=origin,
            )
        except StaleVersion:
            return False
        return True

    def _results(
        self, tenant_id: str, bulk_job_id: str, limit: int, after: str | None
    ) -> tuple[tuple[BulkResult, ...], str | None]:
        first = keys.bulk_result(tenant_id, bulk_job_id, 0)
        last = keys.bulk_result(tenant_id, bulk_job_id, 10**keys.LEDGER_WIDTH - 1)
        stored, position = self._table.query(first.pk, low=first.sk, high=last.sk, limit=limit, after=after)
        return load_all(BulkResult, [text(row, "body") for row in stored]), position

    def _moved(self, job: BulkJob) -> Write:
        return self._table.replace(
            to_item(job), expected_version=job.version - 1, entity=BULK_JOB, refused=refuse_with(StaleVersion)
        )

    def _event(self, job: BulkJob, event: Event) -> Write:
        key = keys.bulk_job_event(job.tenant_id, job.bulk_job_id, event.event_id)
        return self._table.event(key, job.tenant_id, event)


def _keys(tenant_id: str, bulk_job_id: str) -> tuple[keys.Key, keys.Key]:
    return keys.bulk_job(tenant_id, bulk_job_id), keys.bulk_progress(tenant_id, bulk_job_id)


def _found(found: dict[keys.Key, Item], head: keys.Key, progress: keys.Key) -> BulkJob:
    """Raises: NotFound."""
    if head not in found:
        raise NotFound
    return from_items(found[head], found.get(progress))


def _request(job: BulkJob, *, settled: bool = False) -> Item:
    """What the outbox keeps of a run."""
    key = keys.bulk_run(job.tenant_id, job.bulk_job_id, job.run)
    waiting = not settled and job.state is BulkState.RUNNING
    return item(
        pk=key.pk,
        sk=key.sk,
        entity=BULK_REQUEST,
        schema_version=SCHEMA_VERSION,
        tenant_id=job.tenant_id,
        subject_id=job.bulk_job_id,
        attempt=job.run,
        executions=0,
        correlation_id=job.correlation_id,
        settled=not waiting,
        outbox_pk=keys.outbox(job.tenant_id) if waiting else None,
        outbox_sk=keys.outbox_order(job.updated_at) if waiting else None,
    )
