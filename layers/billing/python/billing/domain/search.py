"""Words under which a record is found: runs of letters and digits of any script, without case or accents."""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 20
MAX_WORD_LENGTH = 32
_WORD = re.compile(r"[^\W_]+")
_LAST_DIGITS = re.compile(r"[0-9]+(?=[^0-9]*$)")
_GROUPED = re.compile(r"(?<=[0-9])[ \u00a0\u202f](?=[0-9]{3}(?![0-9]))")  # thousands, as French writes them
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})  # Unicode decomposes none of them


def fold(text: str) -> str:
    """``Épicerie Dûpont`` → ``epicerie dupont``."""
    bare = "".join(char for char in unicodedata.normalize("NFKD", text) if not unicodedata.combining(char))
    return bare.casefold().translate(_LIGATURES)


def words(*texts: str) -> tuple[str, ...]:
    """Distinct searchable words of some texts, in order, bounded in number and length."""
    found: dict[str, None] = {}
    for text in texts:
        for word in _WORD.findall(fold(text)):
            found[word[:MAX_WORD_LENGTH]] = None
    return tuple(found)[:MAX_WORDS]


def query_words(text: str) -> tuple[str, ...]:
    """The words of a search; all of them must match, the longest one is looked up."""
    return tuple(sorted(words(text), key=len, reverse=True))


def compact(text: str) -> str:
    """``F2026-00012`` → ``f202600012``, ``1 234,56`` → ``123456``."""
    return "".join(_WORD.findall(fold(text)))[:MAX_WORD_LENGTH]


def document_words(
    *,
    number: str | None = None,
    names: tuple[str, ...] = (),
    total_minor: int | None = None,
    references: tuple[str, ...] = (),
) -> tuple[str, ...]:
    """Words under which a document or a product is found: its number whole and its rank, its amount in cents, names.

    Bounded in number: what tells most comes first.
    """
    found: list[str] = []
    if number:
        digits = _LAST_DIGITS.search(number)
        found += [compact(number), digits[0] if digits else ""]
    if total_minor is not None:
        found.append(str(total_minor))
    found += [compact(reference) for reference in references]
    # As a query is read: digits in groups of three are one number, and zeros before a number say nothing.
    grouped = _GROUPED.sub("", " ".join(names)).split()
    found += [compact(chunk) for chunk in grouped if any(char.isdigit() for char in chunk)]
    for name in names:
        for chunk in name.split():
            if any(char.isdigit() for char in chunk):
                found.append(compact(chunk))
            found += words(chunk)
    kept = dict.fromkeys(form for word in found for form in (_without_zeros(word), word) if form)
    return tuple(kept)[:MAX_WORDS]


def document_terms(text: str) -> tuple[str, ...]:
    """What of a query must each begin a word; what has digits, then what is long, tells most and comes first.

    A number or an amount is one term however it is written: ``F2026-00012``, ``1 234,56``.
    """
    found: dict[str, None] = {}
    for chunk in _GROUPED.sub("", text).split():
        if any(char.isdigit() for char in chunk):
            found[_without_zeros(compact(chunk))] = None
        else:
            found |= dict.fromkeys(words(chunk))
    found.pop("", None)
    ranked = sorted(found, key=lambda term: (any(char.isdigit() for char in term), len(term)), reverse=True)
    return tuple(ranked)[:MAX_WORDS]


def _without_zeros(term: str) -> str:
    """``00042`` looks for a rank, ``0,50`` for an amount."""
    return term.lstrip("0") or "0" if term.isdigit() else term


def matches(held: tuple[str, ...], terms: tuple[str, ...]) -> bool:
    return all(any(word.startswith(term) for word in held) for term in terms)
