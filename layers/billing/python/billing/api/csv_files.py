"""CSV files, as they come and go."""

from __future__ import annotations

from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse, OpenAPIResponseHeader

CSV = "text/csv"
NEXT_PAGE = "Next-Page-Token"
CSV_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in (CSV, "application/octet-stream")
        },
    }
}


def documented_csv(description: str) -> dict[int, OpenAPIResponse]:
    """The page of an export as the OpenAPI document shows it."""
    next_page: OpenAPIResponseHeader = {
        "description": "Where the next page starts; empty on the last page",
        "schema": {"type": "string"},
    }
    return {
        200: OpenAPIResponse(
            description=description,
            content={CSV: {"schema": {"type": "string"}}},
            headers={NEXT_PAGE: next_page},
        )
    }


def respond_csv(text: str, name: str, *, next_page: str | None) -> Response[str]:
    return Response(
        status_code=200,
        content_type=f"{CSV}; charset=utf-8",
        body=text,
        headers={
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="{name}"',
            NEXT_PAGE: next_page or "",
        },
    )
