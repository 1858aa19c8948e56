"""The one calculator: what the screen, the PDF, the XML, the ledger and Stripe see.

Rounding happens only where EN 16931 names it: the line (BT-131), each allowance (BT-136, BT-92) and charge (BT-141,
BT-99), and the VAT of a category (BT-117); sums are of rounded amounts (BR-CO-10 … BR-CO-17).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from billing.domain.canonical import LATER
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
        _refuse_impossible("a discount", self.percent, self.amount_minor)

    def of(self, base_minor: int) -> int:
        """Cents taken off a base in cents."""
        return _share(base_minor, self.percent, self.amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What is added to a line (BG-28): a percentage of it or an amount in cents, with its reason (BT-144)."""

    percent: Decimal | None = None
    amount_minor: int | None = None
    reason: str = "Frais"

    def __post_init__(self) -> None:
        _refuse_impossible("a charge", self.percent, self.amount_minor)

    def of(self, base_minor: int) -> int:
        """Cents added to a base in cents."""
        return _share(base_minor, self.percent, self.amount_minor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """An allowance (BG-20) or a charge (BG-21) on a whole document.

    With ``vat`` it belongs to that group alone, and a percentage is of the lines of that group. Without, a percentage
    is taken of each group, and an amount is split over the groups by the weight of their lines.
    """

    percent: Decimal | None = None
    amount_minor: int | None = None
    reason: str
    reason_code: str = ""
    vat: VatTreatment | None = None

    def __post_init__(self) -> None:
        _refuse_impossible("an allowance or a charge", self.percent, self.amount_minor)


def _refuse_impossible(what: str, percent: Decimal | None, amount_minor: int | None) -> None:
    if (percent is None) == (amount_minor is None):
        raise ValueError(f"{what} is a percentage or an amount")
    if percent is not None and not 0 <= percent <= 100:
        raise ValueError("a percentage lies between 0 and 100")
    if amount_minor is not None and amount_minor < 0:
        raise ValueError(f"{what} is not negative")


def _share(base_minor: int, percent: Decimal | None, amount_minor: int | None) -> int:
    if percent is not None:
        return percentage_of(base_minor, percent)
    assert amount_minor is not None  # noqa: S101 - held by _refuse_impossible
    return amount_minor


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
    charge: Charge | None = field(default=None, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedLine:
    """A line with its amounts in cents: gross (quantity × price), discount, charge, net (BT-131)."""

    line: Line
    gross_minor: int
    discount_minor: int
    net_minor: int
    charge_minor: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedAdjustment:
    """The part of an allowance or a charge that falls on one VAT group: one BG-20 or BG-21. Amounts in cents.

    ``base_minor`` is what a percentage is taken of (BT-93, BT-100).
    """

    is_charge: bool
    vat: VatTreatment
    amount_minor: int
    base_minor: int | None
    percent: Decimal | None
    reason: str
    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VatSubtotal:
    """One group of the VAT breakdown (BG-23): same category, rate and reason. Amounts in cents."""

    vat: VatTreatment
    lines_minor: int
    discount_minor: int
    taxable_minor: int
    vat_minor: int
    charges_minor: int = field(default=0, metadata=LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Document totals in cents (BG-22): lines BT-106, allowances BT-107, charges BT-108, net BT-109, VAT BT-110,
    total BT-112, prepaid BT-113, due BT-115.

    ``discount_minor`` is the discount and every allowance; ``adjustments`` are the allowances and charges by group.
    """

    lines: tuple[ComputedLine, ...]
    vat_breakdown: tuple[VatSubtotal, ...]
    lines_minor: int
    discount_minor: int
    net_minor: int
    vat_minor: int
    total_minor: int
    prepaid_minor: int
    due_minor: int
    charges_minor: int = field(default=0, metadata=LATER)
    adjustments: tuple[ComputedAdjustment, ...] = field(default=(), metadata=LATER)


def compute_line(line: Line) -> ComputedLine:
    """net = round2(quantity × unit price) − discount + charge, each rounded; percentages are of the gross."""
    exact = multiply(line.quantity, line.unit_price)
    gross_minor = to_minor(exact)
    discount_minor = line.discount.of(gross_minor) if line.discount else 0
    charge_minor = line.charge.of(gross_minor) if line.charge else 0
    return ComputedLine(
        line=line,
        gross_minor=gross_minor,
        discount_minor=discount_minor,
        net_minor=gross_minor - discount_minor + charge_minor,
        charge_minor=charge_minor,
    )


def compute_totals(
    lines: tuple[Line, ...],
    *,
    discount: Discount | None = None,
    allowances: tuple[Adjustment, ...] = (),
    charges: tuple[Adjustment, ...] = (),
    prepaid_minor: int = 0,
) -> Totals:
    """Totals of a document; what is split over the VAT groups always re-adds.

    Raises:
        ValueError: a discount or the allowances exceed what they are taken from.
    """
    computed = tuple(compute_line(line) for line in lines)
    for item in computed:
        if item.line.discount and item.discount_minor > item.gross_minor:
            raise ValueError("a line's discount exceeds its amount")
    ordered = _groups(computed, (*allowances, *charges))
    lines_minor = sum(item.net_minor for item in computed)
    shares = _discount_shares(discount, lines_minor, tuple(amount for _, amount in ordered))
    adjustments = (
        *(part for allowance in allowances for part in _parts(allowance, ordered, is_charge=False)),
        *(part for charge in charges for part in _parts(charge, ordered, is_charge=True)),
    )
    breakdown = tuple(
        _subtotal(vat, group_minor, share, adjustments)
        for (vat, group_minor), share in zip(ordered, shares, strict=True)
    )
    if allowances and any(group.taxable_minor < 0 for group in breakdown):
        raise ValueError("the allowances exceed what they are taken from")
    discount_minor = sum(group.discount_minor for group in breakdown)
    charges_minor = sum(group.charges_minor for group in breakdown)
    net_minor = lines_minor - discount_minor + charges_minor
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
        charges_minor=charges_minor,
        adjustments=adjustments,
    )


_Groups = list[tuple[VatTreatment, int]]


def _groups(computed: tuple[ComputedLine, ...], adjustments: tuple[Adjustment, ...]) -> _Groups:
    """The VAT groups, highest rate first, with the cents of their lines; a charge may open a group of its own."""
    groups: dict[VatTreatment, int] = {}
    for item in computed:
        groups[item.line.vat] = groups.get(item.line.vat, 0) + item.net_minor
    for adjustment in adjustments:
        if adjustment.vat is not None:
            groups.setdefault(adjustment.vat, 0)
    return sorted(groups.items(), key=lambda group: (-group[0].rate, group[0].category, group[0].exemption_code or ""))


def _discount_shares(discount: Discount | None, base_minor: int, groups: tuple[int, ...]) -> tuple[int, ...]:
    if discount is None or not groups:
        return (0,) * len(groups)
    if discount.percent is not None:
        return tuple(percentage_of(group, discount.percent) for group in groups)
    amount_minor = discount.of(base_minor)
    if amount_minor > base_minor:
        raise ValueError("the document's discount exceeds its lines")
    return apportion(amount_minor, groups)


def _parts(adjustment: Adjustment, groups: _Groups, *, is_charge: bool) -> list[ComputedAdjustment]:
    """What an allowance or a charge comes to in each group that it touches."""
    touched = [group for group in groups if adjustment.vat in {None, group[0]}]
    if adjustment.amount_minor is not None:
        amounts = (
            apportion(adjustment.amount_minor, tuple(lines_minor for _, lines_minor in touched)) if touched else ()
        )
    else:
        amounts = tuple(_share(lines_minor, adjustment.percent, None) for _, lines_minor in touched)
    return [
        ComputedAdjustment(
            is_charge=is_charge,
            vat=vat,
            amount_minor=amount_minor,
            base_minor=lines_minor if adjustment.percent is not None else None,
            percent=adjustment.percent,
            reason=adjustment.reason,
            reason_code=adjustment.reason_code,
        )
        for (vat, lines_minor), amount_minor in zip(touched, amounts, strict=True)
        if amount_minor
    ]


def _subtotal(
    vat: VatTreatment, lines_minor: int, share_minor: int, adjustments: tuple[ComputedAdjustment, ...]
) -> VatSubtotal:
    mine = [part for part in adjustments if part.vat == vat]
    discount_minor = share_minor + sum(part.amount_minor for part in mine if not part.is_charge)
    charges_minor = sum(part.amount_minor for part in mine if part.is_charge)
    taxable_minor = lines_minor - discount_minor + charges_minor
    taxed = vat.category is VatCategory.STANDARD
    return VatSubtotal(
        vat=vat,
        lines_minor=lines_minor,
        discount_minor=discount_minor,
        taxable_minor=taxable_minor,
        vat_minor=percentage_of(taxable_minor, vat.rate) if taxed else 0,
        charges_minor=charges_minor,
    )
