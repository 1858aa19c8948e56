"""What a credit note takes back of an invoice: per VAT group, per line, and where the money goes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum

from billing.domain.money import percentage_of
from billing.domain.totals import Totals
from billing.domain.vat import VatCategory, VatTreatment


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedGroup:
    """Cents credited of one VAT group of an invoice."""

    vat: VatTreatment
    net_minor: int
    vat_minor: int

    @property
    def total_minor(self) -> int:
        return self.net_minor + self.vat_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditedLine:
    """What was credited of one line of an invoice, by its index from 0; quantity 0 when an amount was named."""

    index: int
    quantity: Decimal
    net_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VatRounding:
    """Cents by which the VAT of a group of a credit note differs from its own rounding.

    The VAT credited of an invoice is at every moment the rounded VAT of the net credited so far, so that any sequence
    of partial credit notes re-adds to the invoice exactly: one of them may be a cent off its own rounding.
    """

    vat: VatTreatment
    amount_minor: int


class Excess(StrEnum):
    """Where goes what a credit note gives back beyond what is owed."""

    CUSTOMER_CREDIT = "customer_credit"
    REFUND = "refund"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSettlement:
    """How a credit note is settled, in cents: set against the balance first, then kept for the customer or refunded."""

    applied_minor: int
    customer_credit_minor: int = 0
    refunded_minor: int = 0

    @property
    def total_minor(self) -> int:
        return self.applied_minor + self.customer_credit_minor + self.refunded_minor


def vat_of(vat: VatTreatment, net_minor: int) -> int:
    """The VAT of a net amount, in cents, as the calculator rounds it."""
    return percentage_of(net_minor, vat.rate) if vat.category is VatCategory.STANDARD else 0


def sum_groups(*parts: tuple[CreditedGroup, ...]) -> tuple[CreditedGroup, ...]:
    """Group by group, in the order in which they first appear."""
    sums: dict[VatTreatment, CreditedGroup] = {}
    for group in (group for part in parts for group in part):
        known = sums.get(group.vat)
        sums[group.vat] = (
            replace(known, net_minor=known.net_minor + group.net_minor, vat_minor=known.vat_minor + group.vat_minor)
            if known
            else group
        )
    return tuple(sums.values())


def sum_lines(*parts: tuple[CreditedLine, ...]) -> tuple[CreditedLine, ...]:
    sums: dict[int, CreditedLine] = {}
    for line in (line for part in parts for line in part):
        known = sums.get(line.index)
        sums[line.index] = (
            replace(known, quantity=known.quantity + line.quantity, net_minor=known.net_minor + line.net_minor)
            if known
            else line
        )
    return tuple(sums[index] for index in sorted(sums))


def groups_of(totals: Totals) -> tuple[CreditedGroup, ...]:
    """The VAT groups of a document, as what can be credited or is."""
    return tuple(
        CreditedGroup(vat=group.vat, net_minor=group.taxable_minor, vat_minor=group.vat_minor)
        for group in totals.vat_breakdown
    )


def with_vat_rounding(totals: Totals, roundings: tuple[VatRounding, ...]) -> Totals:
    """Totals whose VAT differs by these cents.

    Raises:
        ValueError: a group that the document does not have.
    """
    wanted = {rounding.vat: rounding.amount_minor for rounding in roundings}
    if set(wanted) - {group.vat for group in totals.vat_breakdown}:
        raise ValueError("a rounding belongs to a VAT group of the document")
    extra = sum(wanted.values())
    return replace(
        totals,
        vat_breakdown=tuple(
            replace(group, vat_minor=group.vat_minor + wanted.get(group.vat, 0)) for group in totals.vat_breakdown
        ),
        vat_minor=totals.vat_minor + extra,
        total_minor=totals.total_minor + extra,
        due_minor=totals.due_minor + extra,
    )
