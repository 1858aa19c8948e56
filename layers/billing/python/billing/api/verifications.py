"""The proof of a tenant's ledger: progress and result."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.domain.verification import Finding, Verification, VerificationState
from billing.ports.idempotency import Answer


class FindingResponse(Reply):
    """One broken rule, where, and what was expected and found."""

    rule: str
    subject: str
    detail: str

    @classmethod
    def of(cls, finding: Finding) -> FindingResponse:
        return cls(rule=finding.rule.value, subject=finding.subject, detail=finding.detail)


class InvoiceVerificationResponse(Reply):
    verification_id: str
    state: Annotated[
        VerificationState,
        Field(description="`failed`: the findings say where the proof fails; `aborted`: the job could not go on"),
    ]
    documents_checked: int
    findings: list[FindingResponse]
    error: str
    started_at: datetime
    updated_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, verification: Verification) -> InvoiceVerificationResponse:
        return cls(
            verification_id=verification.verification_id,
            state=verification.state,
            documents_checked=verification.documents_checked,
            findings=[FindingResponse.of(finding) for finding in verification.findings],
            error=verification.error,
            started_at=verification.started_at,
            updated_at=verification.updated_at,
            finished_at=verification.finished_at,
        )


def verification_answer(verification: Verification) -> Answer:
    return answer(200, InvoiceVerificationResponse.of(verification))


def started_verification_answer(verification: Verification) -> Answer:
    location = f"/v1/invoices/verifications/{verification.verification_id}"
    return answer(202, InvoiceVerificationResponse.of(verification), location=location)
