"""Whether a VAT number exists, as the tax administrations say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class VatConsultation:
    """An answer of VIES. ``consultation_number`` proves that it was asked, where the requester gave its own number."""

    valid: bool
    consultation_number: str | None
    name: str
    address: str


class VatNumberRegister(Protocol):
    def consult(self, vat_number: str, *, requester: str | None) -> VatConsultation | None:
        """Asked once, within a few seconds; None when the register cannot say at the moment."""
        ...
