"""Which template draws a document: a design, and the generation of its rules.

A document is frozen with the version of its template. Whatever changes what an older document shows, in its PDF or its
XML, is a new generation: a lost file is drawn again from its snapshot, and the bytes must be the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# 2: with its Factur-X XML. 3: designs, titles that say which situation it is, deposits without a supply date.
GENERATION: Final = 3


class Design(StrEnum):
    """How documents look; French users read « Classique », « Moderne », « Épuré »."""

    CLASSIC = "classic"
    MODERN = "modern"  # a coloured band over the first page, rows in two tints
    COMPACT = "compact"  # thin rules, no coloured grounds, half as many lines again on a page


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    design: Design
    generation: int = GENERATION

    @property
    def version(self) -> str:
        """``classic-3``, as a document keeps it."""
        return f"{self.design.value}-{self.generation}"

    @classmethod
    def of(cls, version: str) -> Template:
        """Raises: ValueError: no such design."""
        design, _, generation = version.rpartition("-")
        return cls(design=Design(design), generation=int(generation))
