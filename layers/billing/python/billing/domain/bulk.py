"""Bulk jobs: one operation over many chosen documents, each with a result of its own."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from billing.domain.access import Caller, Origin, Permission, Role
from billing.domain.canonical import LATER
from billing.domain.deliverable import is_quote_id
from billing.domain.errors import (
    BillingError,
    BulkJobNotStopped,
    ExportNotReady,
    FieldError,
    FieldErrors,
)
from billing.domain.events import SYSTEM_ACTOR, Event, EventType, derived_event_id

MAX_DOCUMENTS = 1000
RESUMABLE_FOR = timedelta(days=25)  # what was done is known by idempotency records, which live 30 days
ARCHIVE_LIFE = timedelta(days=30)  # the bucket's lifecycle rule says the same
MAX_KEPT_ERRORS = 10


class BulkOperation(StrEnum):
    ISSUE = "issue"
    SEND = "send"
    EXPORT = "export"

    @property
    def permission(self) -> Permission:
        """An export carries the chain, hence whatever happened in the company."""
        return Permission.READ_EVENTS if self is BulkOperation.EXPORT else Permission.WRITE_DOCUMENTS

    @property
    def lanes(self) -> int:
        """How many documents are worked on at once. Invoices are numbered one by one, in the order of the selection."""
        return 1 if self is BulkOperation.ISSUE else 4

    @property
    def prefixes(self) -> tuple[str, ...]:
        """What it applies to, by the beginning of the ids."""
        return ("inv_",) if self is BulkOperation.ISSUE else ("inv_", "crn_", "quo_")


class BulkState(StrEnum):
    RUNNING = "running"
    ENDED = "ended"  # every document has its result
    STOPPED = "stopped"  # the job could not go on; it can be resumed


class BulkOutcome(StrEnum):
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkArchive:
    """The ZIP of an export: where it is stored, what it holds."""

    key: str
    sha256: str
    size_bytes: int
    made_at: datetime

    @property
    def expires_at(self) -> datetime:
        return self.made_at + ARCHIVE_LIFE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why one document was refused, as a problem says it, in both languages."""

    slug: str
    title_fr: str
    title_en: str
    detail_fr: str = ""
    detail_en: str = ""
    errors: tuple[FieldError, ...] = ()

    @classmethod
    def of(cls, error: BillingError) -> Refusal:
        errors = error.errors if isinstance(error, FieldErrors) else ()
        return cls(
            slug=error.slug,
            title_fr=error.title_fr,
            title_en=error.title_en,
            detail_fr=error.detail_fr,
            detail_en=error.detail_en,
            errors=errors[:MAX_KEPT_ERRORS],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkResult:
    """What became of one document; ``rank`` from 1 in the order of the selection.

    A refused document has a number when it had been issued before.
    """

    rank: int
    document_id: str
    outcome: BulkOutcome
    number: str = ""
    refusal: Refusal | None = None
    pdf_key: str = ""  # of an export
    pdf_sha256: str = field(default="", metadata=LATER)
    pdf_rendered_at: datetime | None = field(default=None, metadata=LATER)

    @property
    def is_quote(self) -> bool:
        return is_quote_id(self.document_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkJob:
    """``done`` and ``refused`` count the results so far. It acts as the person who started or resumed it."""

    tenant_id: str
    bulk_job_id: str
    version: int
    operation: BulkOperation
    mail: bool  # with ISSUE: mail what is issued
    total: int
    done: int = 0
    refused: int = 0
    state: BulkState = BulkState.RUNNING
    error: str = ""  # why it stopped
    run: int = 1  # one more each time it is resumed
    user_id: str
    role: Role
    membership_version: int
    correlation_id: str
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    archive: BulkArchive | None = None

    @property
    def caller(self) -> Caller:
        """Whom it acts as: every write holds that the membership still is the one of then."""
        return Caller(
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            role=self.role,
            membership_version=self.membership_version,
            origin=Origin(correlation_id=self.correlation_id),
        )

    @property
    def mails(self) -> bool:
        """Whether its documents are mailed."""
        return self.mail or self.operation is BulkOperation.SEND

    @property
    def is_complete(self) -> bool:
        return self.done + self.refused == self.total

    def ended(self, at: datetime, archive: BulkArchive | None = None) -> BulkJob:
        return replace(
            self, version=self.version + 1, state=BulkState.ENDED, archive=archive, updated_at=at, finished_at=at
        )

    def stopped(self, error: str, at: datetime) -> BulkJob:
        return replace(self, version=self.version + 1, state=BulkState.STOPPED, error=error, updated_at=at)

    def resumed(self, caller: Caller, at: datetime, *, correlation_id: str) -> BulkJob:
        """Goes on with what has no result, as the one who resumes it. Raises: Forbidden, BulkJobNotStopped."""
        caller.require(self.operation.permission)
        if self.state is not BulkState.STOPPED or at - self.started_at > RESUMABLE_FOR:
            raise BulkJobNotStopped
        return replace(
            self,
            version=self.version + 1,
            state=BulkState.RUNNING,
            error="",
            run=self.run + 1,
            user_id=caller.user_id,
            role=caller.role,
            membership_version=caller.membership_version,
            correlation_id=correlation_id,
            updated_at=at,
        )

    def archive_at(self, now: datetime) -> BulkArchive:
        """The ZIP, while it is kept. Raises: ExportNotReady."""
        if self.archive is None:
            raise ExportNotReady
        if now >= self.archive.expires_at:
            raise ExportNotReady(
                "L'archive a été supprimée après trente jours : relancez l'export.",
                "The archive was deleted after thirty days: export again.",
            )
        return self.archive

    def event(self, event_type: EventType) -> Event:
        """What happened to the job as it now stands; each happens once in a run."""
        by_itself = event_type in {EventType.BULK_JOB_ENDED, EventType.BULK_JOB_STOPPED}
        return Event(
            event_id=derived_event_id(event_type, self.tenant_id, self.bulk_job_id, str(self.run)),
            event_type=event_type,
            occurred_at=self.updated_at,
            actor=SYSTEM_ACTOR if by_itself else self.user_id,
            data={
                "bulk_job_id": self.bulk_job_id,
                "operation": self.operation.value,
                "total": self.total,
                "done": self.done,
                "refused": self.refused,
                **({"error": self.error} if self.error else {}),
            },
        )


def check_selection(operation: BulkOperation, document_ids: tuple[str, ...]) -> None:
    """Raises: FieldErrors: a document of another kind, or one named twice."""
    errors: list[FieldError] = []
    seen: set[str] = set()
    for place, document_id in enumerate(document_ids):
        pointer = f"/document_ids/{place}"
        if not document_id.startswith(operation.prefixes):
            errors.append(FieldError(pointer, "Seules des factures peuvent être émises.", "Only invoices are issued."))
        elif document_id in seen:
            errors.append(FieldError(pointer, "Ce document est déjà choisi.", "This document is named already."))
        seen.add(document_id)
    if errors:
        raise FieldErrors(tuple(errors))


def lane_of(rank: int, lanes: int) -> int:
    """Which lane, from 0, works on a rank."""
    return (rank - 1) % lanes


def archive_names(results: tuple[BulkResult, ...]) -> tuple[str, ...]:
    """A file name for each document of an export, no two alike whatever the case of a file system."""
    taken: set[str] = set()
    names = []
    for result in results:
        stem = "".join(char if char.isalnum() or char in "-_." else "-" for char in result.number)
        name, further = f"{stem}.pdf", 1
        while name.lower() in taken:
            further += 1
            name = f"{stem}-{further}.pdf"
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
