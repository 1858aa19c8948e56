"""A progress invoice (situation de travaux): the work done so far of each line of a quote, and what this one bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from billing.domain.canonical import LATER
from billing.domain.totals import Totals

MAX_LABEL = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class SituationLine:
    """Cents without VAT of one line of the quote, by its index from 0; ``index`` is None for the quote as a whole.

    ``progress`` is all the work done so far in percent; ``before_minor`` was invoiced earlier, under whatever name.
    ``deposit_minor`` of what was invoiced so far is still ahead of that work.
    """

    index: int | None
    label: str
    worth_minor: int
    progress: Decimal
    before_minor: int
    net_minor: int
    deposit_minor: int = field(default=0, metadata=LATER)

    @property
    def so_far_minor(self) -> int:
        return self.before_minor + self.net_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """``number`` counts from 1 over the parts of a quote."""

    number: int
    lines: tuple[SituationLine, ...]


def spread(amount_minor: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """An amount over weights of any sign, to the cent; no share leaves its weight while the amount is within the sum.

    Weights that make nothing, or the opposite of the amount, take none of it.
    """
    total = sum(weights)
    if total == 0 or amount_minor * total < 0:
        return (0,) * len(weights)
    shares, sum_of_weights, given = [], 0, 0
    for weight in weights:
        sum_of_weights += weight
        upto = (2 * amount_minor * sum_of_weights + total) // (2 * total)
        shares.append(upto - given)
        given = upto
    return tuple(shares)


def worths(totals: Totals) -> tuple[int, ...]:
    """What each line is worth without VAT once discounts, allowances and charges of the document are spread over it."""
    amounts = [item.net_minor for item in totals.lines]
    for group in totals.vat_breakdown:
        places = [place for place, item in enumerate(totals.lines) if item.line.vat == group.vat]
        nets = tuple(amounts[place] for place in places)
        if sum(nets) == group.taxable_minor:
            continue
        for place, amount in zip(places, spread(group.taxable_minor, nets), strict=True):
            amounts[place] = amount
    return tuple(amounts)
