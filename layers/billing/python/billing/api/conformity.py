"""What the rules of electronic invoicing say of a document."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from billing.api.answers import Reply, answer
from billing.domain.conformity import ConformityReport, Judge, Violation
from billing.ports.idempotency import Answer


class ViolationResponse(Reply):
    judge: Judge
    rule: Annotated[str, Field(examples=["BR-CO-15"])]
    terms: Annotated[list[str], Field(description="Business terms of EN 16931 that it is about")]
    location: str
    explanation: Annotated[str, Field(description="In French, by field")]

    @classmethod
    def of(cls, violation: Violation) -> ViolationResponse:
        return cls(
            judge=violation.judge,
            rule=violation.rule,
            terms=list(violation.terms),
            location=violation.location,
            explanation=violation.explained,
        )


class ConformityResponse(Reply):
    conforms: bool
    rules: Annotated[str, Field(description="Version of the rules of the document's date")]
    pdf_sha256: str
    document_hash: str
    violations: list[ViolationResponse]

    @classmethod
    def of(cls, report: ConformityReport) -> ConformityResponse:
        return cls(
            conforms=report.conforms,
            rules=report.rules,
            pdf_sha256=report.pdf_sha256,
            document_hash=report.document_hash,
            violations=[ViolationResponse.of(violation) for violation in report.violations],
        )


def conformity_answer(report: ConformityReport) -> Answer:
    return answer(200, ConformityResponse.of(report))
