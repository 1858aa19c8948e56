"""Amounts are integer minor units (cents); quantities, prices and rates are exact decimals."""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Context, Decimal

MAX_AMOUNT_MINOR = 10**13  # 100 billion euros: beyond it something is wrong with the input
MAX_QUANTITY_DECIMALS = 4
MAX_PRICE_DECIMALS = 6
MAX_RATE_DECIMALS = 2

# Enough digits that no product of a quantity, a price and a rate is ever rounded on the way.
_EXACT = Context(prec=60)
_UNIT = Decimal(1)
_CENT = Decimal(100)
_PLAIN = re.compile(r"-?[0-9]{1,12}(?:\.(?P<decimals>[0-9]+))?")


def round_minor(amount: Decimal) -> int:
    """Whole minor units of an amount in minor units, half away from zero (EN 16931 rounding).

    ``ROUND_HALF_UP`` of ``decimal`` is half away from zero: -0.5 becomes -1.
    """
    return int(amount.quantize(_UNIT, rounding=ROUND_HALF_UP, context=_EXACT))


def multiply(*factors: Decimal) -> Decimal:
    """Exact product, whatever the caller's decimal context."""
    product = _UNIT
    for factor in factors:
        product = _EXACT.multiply(product, factor)
    return product


def to_minor(major: Decimal) -> int:
    """Cents of an amount in euros, half away from zero."""
    return round_minor(multiply(major, _CENT))


def percentage_of(amount_minor: int, percent: Decimal) -> int:
    """``percent`` (20.0 for 20 %) of an amount in cents, rounded to the cent."""
    return round_minor(_EXACT.divide(multiply(Decimal(amount_minor), percent), _CENT))


def divide_minor(amount_minor: int, divisor: Decimal) -> int:
    """An amount in minor units divided, rounded to the minor unit."""
    return round_minor(_EXACT.divide(Decimal(amount_minor), divisor))


def to_major(amount_minor: int) -> Decimal:
    """Euros with two decimals of an amount in cents."""
    return Decimal(amount_minor).scaleb(-2, context=_EXACT)


def apportion(amount_minor: int, weights: tuple[int, ...]) -> tuple[int, ...]:
    """Split an amount in proportion to weights, to the cent; the parts always re-add to the amount.

    Largest remainder; equal remainders go to the first. All weights zero: the first takes it all.
    """
    total = sum(weights)
    if total == 0:
        return tuple(amount_minor if index == 0 else 0 for index in range(len(weights)))
    floors = [amount_minor * weight // total for weight in weights]
    remainders = [amount_minor * weight % total for weight in weights]
    missing = amount_minor - sum(floors)
    by_remainder = sorted(range(len(weights)), key=lambda index: (-remainders[index], index))
    for index in by_remainder[:missing]:
        floors[index] += 1
    return tuple(floors)


def parse_decimal(text: str, *, max_decimals: int) -> Decimal:
    """A decimal in plain notation: ASCII digits, at most 12 before a point.

    Raises:
        ValueError: not a plain decimal, too many decimals, or absurdly large.
    """
    plain = _PLAIN.fullmatch(text)
    if plain is None:
        raise ValueError("not a plain decimal number below a thousand billion")
    if len(plain["decimals"] or "") > max_decimals:
        raise ValueError(f"at most {max_decimals} decimals")
    return Decimal(text)


def format_decimal(value: Decimal) -> str:
    """Plain notation without trailing zeros: ``20``, ``5.5``, ``0.125``; equal values have one text."""
    text = format(abs(value) if value == 0 else value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
