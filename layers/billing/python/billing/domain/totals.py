"""The one calculator: what the screen, the PDF, the XML, the ledger and Stripe see.

Rounding happens only where EN 16931 names it: the line (BT-131), each allowance (BT-136, BT-92) and the
VAT of a category (BT-117); sums are of rounded amounts (BR-CO-10 … BR-CO-17).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from billing.domain.money import apportion, multiply, percentage_of, to_minor
from billing.domain.parties import ProductKind
from billing.domain.vat import VatCategory, VatTreatment


@dataclass(frozen=True, slots=True, kw_only=True)
class Discount:
    """Either a percentage (20.0 is 20 %) or an amount in cents, with its reason (BT-97, BT-139)."""

    percent: Decimal | None = None
    amount_minor: int | None = None
    reason: str = "Remise"

    def __post_init__(self) -> None:
        if (self.percent is None) == (self.amount_minor is None):
            raise ValueError("a discount is a percentage or an amount")
        if self.percent is not None and not 0 <= self.percent <= 100:
            raise ValueError("a percentage lies between 0 and 100")
        if self.amount_minor is not None and self.amount_minor < 0:
            raise ValueError("a discount is not negative")

    def of(self, base_minor: int) -> int:
        """Cents taken off a base in cents."""
        if self.percent is not None:
            return percentage_of(base_minor, self.percent)
        assert self.amount_minor is not None  # noqa: S101 - held by __post_init__
        return self.amount_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is sold: prices without VAT in euros per unit."""

    description: str
    details: str = ""
    quantity: Decimal
    unit: str
    unit_price: Decimal
    vat: VatTreatment
    discount: Discount | None = None
    product_id: str | None = None
    kind: ProductKind = ProductKind.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedLine:
    """A line with its amounts in cents: gross (quantity × price), discount, net (BT-131)."""

    line: Line
    gross_minor: int
    discount_minor: int
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSubtotal:
    """One group of the VAT breakdown (BG-23): same category, rate and reason. Amounts in cents."""

    vat: VatTreatment
    lines_minor: int
    discount_minor: int
    taxable_minor: int
    vat_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Document totals in cents (BG-22): lines BT-106, discount BT-107, net BT-109, VAT BT-110,
    total BT-112, prepaid BT-113, due BT-115."""

    lines: tuple[ComputedLine, ...]
    vat_breakdown: tuple[VatSubtotal, ...]
    lines_minor: int
    discount_minor: int
    net_minor: int
    vat_minor: int
    total_minor: int
    prepaid_minor: int
    due_minor: int


def compute_line(line: Line) -> ComputedLine:
    """net = round2(quantity × unit price − discount), the discount itself rounded to the cent."""
    exact = multiply(line.quantity, line.unit_price)
    gross_minor = to_minor(exact)
    discount_minor = line.discount.of(gross_minor) if line.discount else 0
    return ComputedLine(
        line=line, gross_minor=gross_minor, discount_minor=discount_minor, net_minor=gross_minor - discount_minor
    )


def compute_totals(lines: tuple[Line, ...], *, discount: Discount | None = None, prepaid_minor: int = 0) -> Totals:
    """Totals of a document; a document discount is split over the VAT groups and always re-adds.

    Raises:
        ValueError: a discount exceeds what it is taken from.
    """
    computed = tuple(compute_line(line) for line in lines)
    for item in computed:
        if item.line.discount and item.discount_minor > item.gross_minor:
            raise ValueError("a line's discount exceeds its amount")
    groups: dict[VatTreatment, int] = {}
    for item in computed:
        groups[item.line.vat] = groups.get(item.line.vat, 0) + item.net_minor
    ordered = sorted(
        groups.items(), key=lambda group: (-group[0].rate, group[0].category, group[0].exemption_code or "")
    )
    lines_minor = sum(item.net_minor for item in computed)
    shares = _discount_shares(discount, lines_minor, tuple(amount for _, amount in ordered))
    breakdown = tuple(
        _subtotal(vat, group_minor, share) for (vat, group_minor), share in zip(ordered, shares, strict=True)
    )
    discount_minor = sum(shares)
    net_minor = lines_minor - discount_minor
    vat_minor = sum(group.vat_minor for group in breakdown)
    return Totals(
        lines=computed,
        vat_breakdown=breakdown,
        lines_minor=lines_minor,
        discount_minor=discount_minor,
        net_minor=net_minor,
        vat_minor=vat_minor,
        total_minor=net_minor + vat_minor,
        prepaid_minor=prepaid_minor,
        due_minor=net_minor + vat_minor - prepaid_minor,
    )


def _discount_shares(discount: Discount | None, base_minor: int, groups: tuple[int, ...]) -> tuple[int, ...]:
    if discount is None or not groups:
        return (0,) * len(groups)
    if discount.percent is not None:
        return tuple(percentage_of(group, discount.percent) for group in groups)
    amount_minor = discount.of(base_minor)
    if amount_minor > base_minor:
        raise ValueError("the document's discount exceeds its lines")
    return apportion(amount_minor, groups)


def _subtotal(vat: VatTreatment, lines_minor: int, discount_minor: int) -> VatSubtotal:
    taxable_minor = lines_minor - discount_minor
    taxed = vat.category is VatCategory.STANDARD
    return VatSubtotal(
        vat=vat,
        lines_minor=lines_minor,
        discount_minor=discount_minor,
        taxable_minor=taxable_minor,
        vat_minor=percentage_of(taxable_minor, vat.rate) if taxed else 0,
    )
