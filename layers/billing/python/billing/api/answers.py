"""Answers: one function shapes what is said the first time and what a replay repeats."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from types import MappingProxyType

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import (
    OpenAPIResponse,
    OpenAPIResponseContentSchema,
    OpenAPIResponseHeader,
)
from pydantic import BaseModel, ConfigDict

from billing.ports.delivery import PdfFile
from billing.ports.idempotency import Answer

JSON = "application/json"
TEXT = "text/plain"
PROBLEM_JSON = "application/problem+json"
PDF = "application/pdf"


class Request(BaseModel):
    """Closed: an unknown field is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Reply(BaseModel):
    """Built by ``of`` from a domain value."""

    model_config = ConfigDict(frozen=True)


def etag(version: int) -> str:
    return f'"{version}"'


def answer(status: int, reply: Reply, *, version: int | None = None, location: str | None = None) -> Answer:
    """The HTTP answer of a reply; ``version`` becomes its ETag."""
    headers = {"Cache-Control": "no-store"}
    if version is not None:
        headers["ETag"] = etag(version)
    if location is not None:
        headers["Location"] = location
    return Answer(status=status, body=reply.model_dump_json(), headers=headers)


def respond(given: Answer, **headers: str) -> Response[str]:
    """For Powertools. The body is JSON text already: the models that wrote it are their own validation."""
    return Response(status_code=given.status, content_type=JSON, body=given.body, headers={**given.headers, **headers})


def respond_pdf(file: PdfFile) -> Response[str]:
    """The bytes themselves, shown rather than saved.

    In base64 already: Powertools' validation of answers would read bytes as UTF-8.
    """
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'inline; filename="{file.name}"'}
    encoded = base64.b64encode(file.content).decode()
    given: Response[str] = Response(status_code=200, content_type=PDF, body=encoded, headers=headers)
    given.base64_encoded = True
    return given


def no_content() -> Response[str]:
    return Response(status_code=204, content_type=None, body="")


def documented(
    status: int,
    reply: type[Reply] | None,
    description: str,
    *,
    versioned: bool = False,
    created: bool = False,
    refused: Mapping[int, str] = MappingProxyType({}),
) -> dict[int, OpenAPIResponse]:
    """The success of an operation as the OpenAPI document shows it, and the refusals of its own."""
    headers: dict[str, OpenAPIResponseHeader] = {}
    if versioned:
        headers["ETag"] = {
            "description": "Version of the resource, for If-Match",
            "schema": {"type": "string", "examples": ['"3"']},
        }
    if created:
        headers["Location"] = {"description": "Path of the new resource", "schema": {"type": "string"}}
    response = OpenAPIResponse(description=description, content={JSON: {"model": reply}} if reply else {})
    if headers:
        response["headers"] = headers
    return {status: response, **_refusals(refused)}


def documented_pdf(
    description: str, *, refused: Mapping[int, str] = MappingProxyType({})
) -> dict[int, OpenAPIResponse]:
    """As ``documented``, of an operation that answers with the bytes of a PDF."""
    content: OpenAPIResponseContentSchema = {"schema": {"type": "string", "format": "binary"}}
    return {200: OpenAPIResponse(description=description, content={PDF: content}), **_refusals(refused)}


def _refusals(refused: Mapping[int, str]) -> dict[int, OpenAPIResponse]:
    problem: OpenAPIResponseContentSchema = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {
        code: OpenAPIResponse(description=reason, content={PROBLEM_JSON: problem}) for code, reason in refused.items()
    }
