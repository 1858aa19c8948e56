"""The bytes of a company's logo, as what draws wants them."""

from __future__ import annotations

from billing.domain.parties import Logo
from billing.ports.delivery import Documents


def read_logo(logo: Logo | None, documents: Documents) -> bytes | None:
    return documents.get(logo.key) if logo else None
