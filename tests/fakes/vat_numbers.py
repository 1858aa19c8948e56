"""Fake of the port VatNumberRegister."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from billing.ports.vat_numbers import VatConsultation

KNOWN = VatConsultation(valid=True, consultation_number="WAPIAAAA1", name="Exemple", address="")


@dataclass
class FakeVatNumberRegister:
    """Says what it is told to; ``meanwhile`` happens while it is asked."""

    says: VatConsultation | None = KNOWN
    meanwhile: Callable[[], object] = lambda: None
    asked: list[tuple[str, str | None]] = field(default_factory=list)

    def consult(self, vat_number: str, *, requester: str | None) -> VatConsultation | None:
        self.asked.append((vat_number, requester))
        self.meanwhile()
        return self.says
