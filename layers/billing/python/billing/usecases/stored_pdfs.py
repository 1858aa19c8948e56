"""The bytes of a document that was drawn, held against the hash that was recorded of them."""

from __future__ import annotations

import hashlib

from billing.domain.delivery import StoredPdf
from billing.domain.errors import DocumentDamaged, NotFound
from billing.ports.delivery import Documents


def read_pdf(pdf: StoredPdf, documents: Documents) -> bytes:
    """Raises: NotFound when it was lost, DocumentDamaged when it is not what was drawn."""
    content = documents.get(pdf.key)
    if content is None:
        raise NotFound
    if hashlib.sha256(content).hexdigest() != pdf.sha256:
        raise DocumentDamaged
    return content
