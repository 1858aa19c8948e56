"""Files that go with an invoice, in requests and answers."""

from __future__ import annotations

from typing import Annotated, Any

from aws_lambda_powertools.event_handler.openapi.params import Path
from pydantic import Field

from billing.api.answers import Reply
from billing.domain.attachments import CSV, JPEG, PDF, PNG, XLSX, Attachment

AttachmentId = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
ATTACHMENT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in (PDF, PNG, JPEG, CSV, XLSX)
        },
    }
}


class InvoiceAttachmentResponse(Reply):
    attachment_id: Annotated[str, Field(description="SHA-256 of the bytes")]
    name: str
    media_type: str
    size_bytes: int

    @classmethod
    def of(cls, attachment: Attachment) -> InvoiceAttachmentResponse:
        return cls(
            attachment_id=attachment.sha256,
            name=attachment.name,
            media_type=attachment.media_type,
            size_bytes=attachment.size_bytes,
        )
