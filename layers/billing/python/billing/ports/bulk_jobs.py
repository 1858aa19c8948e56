"""Stored bulk jobs with the result of each document, and the ZIP of an export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from billing.domain.access import Caller
from billing.domain.bulk import BulkJob, BulkOperation, BulkResult, BulkState
from billing.domain.events import Event
from billing.ports.idempotency import IdempotentRequest
from billing.ports.paging import Page, PageRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJobSummary:
    """A row of a list."""

    bulk_job_id: str
    operation: BulkOperation
    total: int
    state: BulkState
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, job: BulkJob) -> BulkJobSummary:
        return cls(
            bulk_job_id=job.bulk_job_id,
            operation=job.operation,
            total=job.total,
            state=job.state,
            started_at=job.started_at,
            finished_at=job.finished_at,
        )


class BulkJobs(Protocol):
    def start(
        self,
        caller: Caller,
        job: BulkJob,
        document_ids: tuple[str, ...],
        *,
        event: Event,
        once: IdempotentRequest,
    ) -> None:
        """The job, its selection, and the request of its workflow, in one transaction."""
        ...

    def read(self, caller: Caller, bulk_job_id: str, *, once: IdempotentRequest | None = None) -> BulkJob:
        """One request. Raises: NotFound; with ``once`` also AlreadyAnswered, IdempotencyKeyReused."""
        ...

    def list(self, caller: Caller, page: PageRequest) -> Page[BulkJobSummary]:
        """Latest first."""
        ...

    def results(self, caller: Caller, bulk_job_id: str, page: PageRequest) -> Page[BulkResult]:
        """In the order of the selection, those that are there. Raises: NotFound."""
        ...

    def resume(self, caller: Caller, job: BulkJob, *, event: Event, once: IdempotentRequest) -> None:
        """The next run, with the request of its workflow. Raises: StaleVersion."""
        ...

    def load(self, tenant_id: str, bulk_job_id: str) -> BulkJob:
        """For the workflow. Raises: NotFound."""
        ...

    def selection(self, tenant_id: str, bulk_job_id: str) -> tuple[str, ...]:
        """The chosen documents, in their order. Raises: NotFound."""
        ...

    def all_results(self, tenant_id: str, bulk_job_id: str) -> tuple[BulkResult, ...]:
        """Every result so far, in the order of the selection; a few requests at most."""
        ...

    def record(self, job: BulkJob, result: BulkResult) -> bool:
        """Keep the result and count it, once: False when the document has one already."""
        ...

    def settle(self, job: BulkJob, *, event: Event) -> bool:
        """The run is over, and its workflow with it. False when another moved the job meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A stored object and its name in the ZIP."""

    name: str
    key: str


@dataclass(frozen=True, slots=True)
class ArchivedText:
    """A text that is made while the ZIP is written, and its name there."""

    name: str
    parts: Iterable[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredArchive:
    sha256: str
    size_bytes: int


class Archives(Protocol):
    def archive(
        self, key: str, files: Sequence[ArchivedFile], texts: Iterable[ArchivedText] = (), *, dated: datetime
    ) -> StoredArchive:
        """Store a ZIP of stored objects, then of texts, each made as it is written.

        The same files, texts and date give the same bytes.

        Raises: NotFound when one of them is gone, DependencyUnavailable.
        """
        ...
