"""What a document carries beside its lines: references, delivery, texts. Written on the draft, frozen as they are.

Every field is LATER: what a document frozen before did not know is not in its text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from billing.domain.canonical import LATER
from billing.domain.currency import EURO, ExchangeRate
from billing.domain.parties import Address
from billing.domain.tongue import DocumentLanguage, Tongue


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingPeriod:
    """What a periodic invoice covers (BG-14), both days included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:  # BR-29
            raise ValueError("a period ends on or after the day it starts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Particulars:
    """Empty by default; the order of the buyer (BT-13) stands on the document itself."""

    buyer_reference: str = field(default="", metadata=LATER)  # BT-10: the service code in the public sector
    contract: str = field(default="", metadata=LATER)  # BT-12
    project: str = field(default="", metadata=LATER)  # BT-11
    buyer_siret: str | None = field(default=None, metadata=LATER)  # BT-46: the establishment that is billed
    period: BillingPeriod | None = field(default=None, metadata=LATER)
    delivery_name: str = field(default="", metadata=LATER)  # BT-70
    delivery_address: Address | None = field(default=None, metadata=LATER)  # BG-15, instead of the customer's
    header_text: str = field(default="", metadata=LATER)
    footer_text: str = field(default="", metadata=LATER)
    language: DocumentLanguage = field(default=DocumentLanguage.FRENCH, metadata=LATER)
    exchange: ExchangeRate | None = field(default=None, metadata=LATER)  # of a document in another currency

    @property
    def currency(self) -> str:
        return self.exchange.currency if self.exchange else EURO

    @property
    def tongue(self) -> Tongue:
        """How the document speaks."""
        return Tongue(language=self.language, currency=self.currency)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Each printed text with the pointer of its field."""
        for name in ("buyer_reference", "contract", "project", "delivery_name", "header_text", "footer_text"):
            yield f"/{name}", getattr(self, name)
        if self.exchange is not None:
            yield "/exchange_rate/source", self.exchange.source
        if self.delivery_address is not None:
            for name in ("line1", "line2", "postal_code", "city"):
                yield f"/delivery_address/{name}", getattr(self.delivery_address, name)


NONE = Particulars()
