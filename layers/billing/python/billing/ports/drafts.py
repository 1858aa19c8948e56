"""A draft as a person writes it: what is left out comes from the catalogue, then from defaults."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from billing.domain.particulars import NONE as NO_PARTICULARS
from billing.domain.particulars import Particulars
from billing.domain.parties import ProductKind
from billing.domain.payment_terms import PaymentTerms
from billing.domain.process import Contracting, PaidAtIssue
from billing.domain.totals import Adjustment, Charge, Discount
from billing.domain.vat import VatTreatment


@dataclass(frozen=True, slots=True, kw_only=True)
class LineInput:
    """A line as a person gives it: what is missing comes from the catalogue, then from defaults."""

    product_id: str | None = None
    description: str | None = None
    details: str | None = None
    quantity: Decimal
    unit: str | None = None
    unit_price: Decimal | None = None
    vat: VatTreatment | None = None
    discount: Discount | None = None
    kind: ProductKind | None = None
    charge: Charge | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftInput:
    """``speaks_as_customer``: no language was asked for, so that it is the customer's."""

    customer_id: str
    lines: tuple[LineInput, ...]
    discount: Discount | None = None
    supply_date: date | None = None
    due_date: date | None = None
    payment_terms_days: int | None = None
    purchase_order: str = ""
    notes: str = ""
    allowances: tuple[Adjustment, ...] = ()
    charges: tuple[Adjustment, ...] = ()
    payment_terms: PaymentTerms | None = None
    particulars: Particulars = NO_PARTICULARS
    private_notes: str = ""
    paid: PaidAtIssue | None = None
    contracting: Contracting | None = None
    retention_percent: Decimal | None = None
    speaks_as_customer: bool = False
