"""What a document does so that its texts fit: titles of its own in each language, no page of small print alone."""

from __future__ import annotations

from typing import Final, NamedTuple

from billing.adapters.pdf import wording
from billing.adapters.pdf.sheet import Page, Style

FITTING: Final = 3  # the generation of templates from which titles are set apart, and small print kept company
_TIGHTER = ((0.6, 1.0, 0.9), (0.5, 0.93, 0.85))  # of the gap between blocks, of the size and leading of small print


def head_titles(document: wording.PrintedDocument) -> list[str]:
    """One for each language, each on lines of its own; an older generation has all on one line."""
    return wording.titles(document) if document.generation >= FITTING else [wording.title(document)]


class Closing(NamedTuple):
    """How what follows the table is set: the gap between blocks, the small print, and the block that opens a page."""

    gap: float
    small: Style
    opens_page: int | None = None


def tighter(roomy: Closing) -> tuple[Closing, ...]:
    """What may bring small print back to the page before it, the least visible first."""
    return tuple(
        Closing(roomy.gap * gap, roomy.small._replace(size=roomy.small.size * size, leading=roomy.small.leading * lead))
        for gap, size, lead in _TIGHTER
    )


class Drawn(NamedTuple):
    """How far pages are drawn, to take back what comes after."""

    pages: int
    texts: int
    boxes: int
    y: float

    @classmethod
    def of(cls, pages: list[Page], y: float) -> Drawn:
        return cls(len(pages), len(pages[-1].texts), len(pages[-1].boxes), y)

    def take_back(self, pages: list[Page]) -> float:
        """Returns where drawing goes on. A code of a payment only ever comes after."""
        del pages[self.pages :]
        page = pages[-1]
        del page.texts[self.texts :], page.boxes[self.boxes :]
        page.patterns.clear()
        page.addresses.clear()
        return self.y
