"""How values read in French, and which characters can be printed at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from billing.domain.currency import EURO
from billing.domain.money import format_decimal, to_major

NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"
MINUS = "\u2212"
_PLURAL_FROM = 200  # cents

# What the embedded fonts draw: the European Latin, Greek and Cyrillic alphabets with Vietnamese, typographic signs,
# currencies, and the few symbols that trades write. A test holds these ranges against the font files.
_PRINTABLE = (
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u0148\u014a-\u017f\u018f\u0192\u01a0\u01a1\u01af\u01b0\u01cd-\u01dc\u01e2-\u01ff"
    "\u0218-\u021b\u0259\u02bc\u02c6\u02c7\u02d8-\u02dd\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u0479"
    "\u0490-\u049d\u04a0-\u04ff\u1e00-\u1e9b\u1e9e-\u1eff\u2007\u2009\u2010-\u2027\u202f-\u203a\u2044\u2070\u2071"
    "\u2074-\u208e\u20a0-\u20af\u20b1-\u20b5\u20b8-\u20ba\u20bc-\u20c0\u2116\u2120-\u2122\u2126\u212e\u2150-\u215e"
    "\u2190-\u2199\u2211\u2212\u221a\u221e\u2248\u2260\u2264\u2265\u25a0\u25a1\u25cb\u25cf\u2605\u2606\u2713\u2717"
)
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
_UNPRINTABLE = re.compile(f"[^{_PRINTABLE}\n]")
# They show nothing: soft hyphen, zero-width signs, direction marks, byte order mark, variation selectors.
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_LINE_ENDS = re.compile("\r\n|[\r\u000b\u000c\u0085\u2028\u2029]")


def printable(text: str) -> str:
    """The text as it is drawn: composed accents, ``\\n`` between lines, no tabs, nothing invisible."""
    if text.isascii() and text.isprintable():
        return text
    return _INVISIBLE.sub("", _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", text)).replace("\t", " "))


def first_unprintable(text: str) -> str | None:
    """The first character that no font of ours can draw, such as an emoji; None when all can be."""
    found = _UNPRINTABLE.search(printable(text))
    return found[0] if found else None


def are_printable(texts: Iterable[str]) -> bool:
    """Whether ``first_unprintable`` finds nothing in any text; cheap when they are typed as they are drawn.

    Few distinct characters stand in long texts: those alone are looked at, then the texts when one is unusual.
    """
    held = tuple(texts)
    if _UNPRINTABLE.search("".join(set("".join(held)))) is None:
        return True
    return all(first_unprintable(text) is None for text in held)


def format_number(value: Decimal, *, min_decimals: int = 0) -> str:
    """``1 234,5``: comma, and thousands apart by a narrow space that does not break."""
    whole, _, decimals = format_decimal(value).partition(".")
    sign, whole = (MINUS, whole[1:]) if whole.startswith("-") else ("", whole)
    grouped = f"{int(whole):,}".replace(",", NARROW_NO_BREAK_SPACE)
    decimals = decimals.ljust(min_decimals, "0")
    return f"{sign}{grouped},{decimals}" if decimals else f"{sign}{grouped}"


def format_decimal_english(value: Decimal, *, min_decimals: int = 0) -> str:
    """``1,234.5``: point, and commas between thousands."""
    whole, _, decimals = format_decimal(value).partition(".")
    sign, whole = (MINUS, whole[1:]) if whole.startswith("-") else ("", whole)
    decimals = decimals.ljust(min_decimals, "0")
    return f"{sign}{int(whole):,}.{decimals}" if decimals else f"{sign}{int(whole):,}"


def format_amount(amount_minor: int) -> str:
    """``1 234,56`` from 123456 cents."""
    return format_number(to_major(amount_minor), min_decimals=2)


def format_euros(amount_minor: int) -> str:
    """``1 234,56 €`` from 123456 cents."""
    return f"{format_amount(amount_minor)}{NO_BREAK_SPACE}€"


def amount_words(amount_minor: int, currency: str) -> tuple[str, str]:
    """In French and in English: ``1 234,56 €`` and ``€1,234.56``; ``1 234,56 USD`` and ``USD 1,234.56``."""
    if currency == EURO:
        return format_euros(amount_minor), f"€{to_major(amount_minor):,}"
    return f"{format_amount(amount_minor)}{NO_BREAK_SPACE}{currency}", f"{currency} {to_major(amount_minor):,}"


def agreeing(amount_minor: int, one: str, many: str) -> str:
    """What agrees with an amount: the plural begins at two (``1,99 € est dû``, ``2,00 € sont dus``)."""
    return many if amount_minor >= _PLURAL_FROM else one


def format_percent(rate: Decimal) -> str:
    """``5,5 %``."""
    return f"{format_number(rate)}{NO_BREAK_SPACE}%"


def format_long_date(day: date) -> str:
    """``1er décembre 2026``; its parts stay on one line."""
    number = "1er" if day.day == 1 else str(day.day)
    return NO_BREAK_SPACE.join((number, _MONTHS[day.month - 1], str(day.year)))


def grouped(identifier: str, *sizes: int) -> str:
    """An identifier in groups that stay on one line: ``grouped("73282932000074", 3, 3, 3, 5)``.

    The last size repeats until the text ends.
    """
    groups, rest, position = [], identifier, 0
    while rest:
        size = sizes[min(position, len(sizes) - 1)]
        groups.append(rest[:size])
        rest, position = rest[size:], position + 1
    return NO_BREAK_SPACE.join(groups)
