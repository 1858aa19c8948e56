"""Words under which a record is found: lower case, without accents, at least two characters."""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 20
MAX_WORD_LENGTH = 32
_WORD = re.compile(r"[a-z0-9]+")


def fold(text: str) -> str:
    """``Épicerie Dûpont`` → ``epicerie dupont``."""
    decomposed = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    return "".join(char for char in decomposed if not unicodedata.combining(char)).lower()


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
