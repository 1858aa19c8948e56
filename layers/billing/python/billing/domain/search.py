"""Words under which a record is found: runs of letters and digits of any script, without case or accents."""

from __future__ import annotations

import re
import unicodedata

MAX_WORDS = 20
MAX_WORD_LENGTH = 32
_WORD = re.compile(r"[^\W_]+")
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
