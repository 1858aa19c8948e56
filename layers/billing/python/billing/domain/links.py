"""Public links: what opens one document to whoever holds the link, and to nobody else."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

# The tenant comes first, as in every key: the document is found by one read. Only the secret opens it.
_TOKEN = re.compile(r"(ten_[A-Za-z0-9]{1,40})\.((?:quo|inv)_[A-Za-z0-9]{1,40})\.([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """Where public links lead; a token follows after a slash."""

    quotes_url: str
    invoices_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkToken:
    """``secret`` is 256 random bits, URL-safe; kept by its holder only."""

    tenant_id: str
    document_id: str
    secret: str

    @property
    def text(self) -> str:
        return f"{self.tenant_id}.{self.document_id}.{self.secret}"

    @classmethod
    def parse(cls, text: str) -> LinkToken | None:
        parts = _TOKEN.fullmatch(text)
        return cls(tenant_id=parts[1], document_id=parts[2], secret=parts[3]) if parts else None


def hash_of_secret(secret: str) -> str:
    """256 random bits need no salt and no stretching."""
    return hashlib.sha256(secret.encode()).hexdigest()
