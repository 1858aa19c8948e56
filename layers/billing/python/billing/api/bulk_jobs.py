"""Bulk jobs: what is chosen, how far the job is, what became of each document."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StrictBool

from billing.api.advice import advice_on
from billing.api.answers import Reply, Request, answer
from billing.api.fields import BulkDocumentReference
from billing.api.language import Language
from billing.api.paging import PageReply
from billing.domain.bulk import (
    MAX_DOCUMENTS,
    BulkJob,
    BulkOperation,
    BulkOutcome,
    BulkResult,
    BulkState,
    Refusal,
)
from billing.domain.errors import FieldError, FieldErrors
from billing.ports.bulk_jobs import BulkJobSummary
from billing.ports.idempotency import Answer


class StartBulkJobRequest(Request):
    operation: Annotated[
        BulkOperation,
        Field(
            description="`issue` draft invoices, in the order given; `send` invoices, credit notes and quotes by mail; "
            "`export` their PDFs as one ZIP, with what proves that they are those of then and `verifier.py`, which "
            "holds them against it offline"
        ),
    ]
    document_ids: Annotated[
        list[BulkDocumentReference], Field(min_length=1, max_length=MAX_DOCUMENTS, description="Each once")
    ]
    mail: Annotated[StrictBool, Field(description="With `issue` only: mail each invoice to its customer")] = False

    def selection(self) -> tuple[str, ...]:
        """Raises: FieldErrors."""
        if self.mail and self.operation is not BulkOperation.ISSUE:
            said = "Cette option ne va qu'avec l'émission."
            raise FieldErrors((FieldError("/mail", said, "This goes with `issue` only."),))
        return tuple(self.document_ids)


class BulkArchiveResponse(Reply):
    sha256: str
    size_bytes: int
    expires_at: datetime


class BulkJobResponse(Reply):
    bulk_job_id: str
    operation: BulkOperation
    mail: Annotated[bool, Field(description="Whether its documents are mailed: always with `send`")]
    state: Annotated[
        BulkState,
        Field(description="`ended`: every document has its result; `stopped`: it could not go on, resume it"),
    ]
    total: int
    done: int
    refused: int
    error: Annotated[str, Field(description="Why it stopped; empty otherwise")]
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None
    archive: Annotated[BulkArchiveResponse | None, Field(description="The ZIP of an export that ended")]

    @classmethod
    def of(cls, job: BulkJob) -> BulkJobResponse:
        archive = job.archive
        return cls(
            bulk_job_id=job.bulk_job_id,
            operation=job.operation,
            mail=job.mails,
            state=job.state,
            total=job.total,
            done=job.done,
            refused=job.refused,
            error=job.error,
            started_at=job.started_at,
            updated_at=job.updated_at,
            finished_at=job.finished_at,
            archive=BulkArchiveResponse(
                sha256=archive.sha256, size_bytes=archive.size_bytes, expires_at=archive.expires_at
            )
            if archive
            else None,
        )


class BulkJobRowResponse(Reply):
    bulk_job_id: str
    operation: BulkOperation
    total: int
    state: BulkState
    started_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: BulkJobSummary) -> BulkJobRowResponse:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})


class BulkJobPageResponse(PageReply):
    items: list[BulkJobRowResponse]


class BulkFieldErrorResponse(Reply):
    pointer: str
    detail: str


class BulkProblemResponse(Reply):
    """As the operation on one document would have answered."""

    type: Annotated[str, Field(examples=["/problems/recipient-missing"])]
    title: str
    detail: str
    errors: list[BulkFieldErrorResponse]

    @classmethod
    def of(cls, refusal: Refusal, language: Language) -> BulkProblemResponse:
        english = language is Language.ENGLISH
        details = (refusal.detail_fr, refusal.detail_en) if refusal.detail_fr else advice_on(refusal.slug)
        return cls(
            type=f"/problems/{refusal.slug}",
            title=refusal.title_en if english else refusal.title_fr,
            detail=details[english],
            errors=[
                BulkFieldErrorResponse(pointer=error.pointer, detail=error.detail_en if english else error.detail_fr)
                for error in refusal.errors
            ],
        )


class BulkResultResponse(Reply):
    rank: Annotated[int, Field(description="From 1, in the order of the selection")]
    document_id: str
    outcome: BulkOutcome
    number: Annotated[
        str, Field(description="Of the document; when it was refused, only of one that had been issued before")
    ]
    problem: Annotated[BulkProblemResponse | None, Field(description="Why it was refused")]

    @classmethod
    def of(cls, result: BulkResult, language: Language) -> BulkResultResponse:
        return cls(
            rank=result.rank,
            document_id=result.document_id,
            outcome=result.outcome,
            number=result.number,
            problem=BulkProblemResponse.of(result.refusal, language) if result.refusal else None,
        )


class BulkResultPageResponse(PageReply):
    items: list[BulkResultResponse]


def bulk_job_answer(job: BulkJob) -> Answer:
    return answer(200, BulkJobResponse.of(job))


def accepted_bulk_job_answer(job: BulkJob) -> Answer:
    return answer(202, BulkJobResponse.of(job), location=f"/v1/bulk-jobs/{job.bulk_job_id}")
