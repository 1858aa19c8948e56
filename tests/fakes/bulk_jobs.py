"""Fakes of the ports BulkJobs and Archives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from billing.domain.access import Caller, Origin
from billing.domain.bulk import BulkJob, BulkOutcome, BulkResult
from billing.domain.errors import NotFound, StaleVersion
from billing.domain.events import Event
from billing.ports.bulk_jobs import ArchivedFile, ArchivedText, BulkJobSummary, StoredArchive
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest
from tests.fakes.delivery import FakeDocuments
from tests.fakes.store import Store, Waiting, paged

BULK = "bulk_request"


class FakeBulkJobs:
    """Port BulkJobs."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def start(
        self,
        caller: Caller,
        job: BulkJob,
        document_ids: tuple[str, ...],
        *,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        key = (job.tenant_id, job.bulk_job_id)
        with self._store.writing(caller, once=once, answered=job):
            self._store.bulk_jobs[key] = job
            self._store.bulk_selections[key] = document_ids
            self._store.outbox[BULK, *key, job.run] = Waiting(0, job.updated_at)
            self._store.record(*key, event)

    def read(self, caller: Caller, bulk_job_id: str, *, once: IdempotentRequest | None = None) -> BulkJob:
        with self._store.lock:
            self._store.check(caller, once)
            return self.load(caller.tenant_id, bulk_job_id)

    def list(self, caller: Caller, page: PageRequest) -> Page[BulkJobSummary]:
        with self._store.lock:
            self._store.check(caller)
            rows: list[tuple[str, object]] = [
                (bulk_job_id, BulkJobSummary.of(job))
                for (tenant_id, bulk_job_id), job in self._store.bulk_jobs.items()
                if tenant_id == caller.tenant_id
            ]
        return cast("Page[BulkJobSummary]", paged(rows, page, forward=False))

    def results(self, caller: Caller, bulk_job_id: str, page: PageRequest) -> Page[BulkResult]:
        self.read(caller, bulk_job_id)
        rows: list[tuple[str, object]] = [
            (f"{result.rank:06d}", result) for result in self.all_results(caller.tenant_id, bulk_job_id)
        ]
        return cast("Page[BulkResult]", paged(rows, page))

    def resume(self, caller: Caller, job: BulkJob, *, event: Event, once: IdempotentRequest) -> None:
        key = (job.tenant_id, job.bulk_job_id)
        with self._store.writing(caller, once=once, answered=job):
            self._move(job)
            self._store.outbox[BULK, *key, job.run] = Waiting(0, job.updated_at)
            self._store.record(*key, event)

    def load(self, tenant_id: str, bulk_job_id: str) -> BulkJob:
        with self._store.lock:
            job = self._store.bulk_jobs.get((tenant_id, bulk_job_id))
            if job is None:
                raise NotFound
            outcomes = [result.outcome for result in self.all_results(tenant_id, bulk_job_id)]
        return replace(job, done=outcomes.count(BulkOutcome.DONE), refused=outcomes.count(BulkOutcome.REFUSED))

    def selection(self, tenant_id: str, bulk_job_id: str) -> tuple[str, ...]:
        with self._store.lock:
            if (tenant_id, bulk_job_id) not in self._store.bulk_selections:
                raise NotFound
            return self._store.bulk_selections[tenant_id, bulk_job_id]

    def all_results(self, tenant_id: str, bulk_job_id: str) -> tuple[BulkResult, ...]:
        with self._store.lock:
            held = self._store.bulk_results.get((tenant_id, bulk_job_id), {})
            return tuple(held[rank] for rank in sorted(held))

    def record(self, job: BulkJob, result: BulkResult) -> bool:
        with self._store.lock:
            held = self._store.bulk_results.setdefault((job.tenant_id, job.bulk_job_id), {})
            return held.setdefault(result.rank, result) is result

    def settle(self, job: BulkJob, *, event: Event) -> bool:
        key = (job.tenant_id, job.bulk_job_id)
        with self._store.lock:
            if (BULK, *key, job.run) not in self._store.outbox:
                return False
            try:
                self._move(job)
            except StaleVersion:
                return False
            del self._store.outbox[BULK, *key, job.run]
            self._store.record(*key, event, Origin(correlation_id=job.correlation_id))
            return True

    def _move(self, job: BulkJob) -> None:
        key = (job.tenant_id, job.bulk_job_id)
        if self._store.bulk_jobs[key].version != job.version - 1:
            raise StaleVersion
        self._store.bulk_jobs[key] = job


class FakeArchives:
    """Port Archives, over the fake document store; ``packed`` holds the names of the objects in each ZIP."""

    def __init__(self, documents: FakeDocuments) -> None:
        self._documents = documents
        self.packed: dict[str, tuple[str, ...]] = {}
        self.texts: dict[str, dict[str, str]] = {}

    def archive(
        self, key: str, files: Sequence[ArchivedFile], texts: Iterable[ArchivedText] = (), *, dated: datetime
    ) -> StoredArchive:
        digest = hashlib.sha256(dated.isoformat().encode())
        for file in files:
            content = self._documents.get(file.key)
            if content is None:
                raise NotFound
            digest.update(content)
        self.packed[key] = tuple(file.name for file in files)
        self.texts[key] = {text.name: "".join(text.parts) for text in texts}
        digest.update(repr(self.texts[key]).encode())
        return StoredArchive(sha256=digest.hexdigest(), size_bytes=len(files))
