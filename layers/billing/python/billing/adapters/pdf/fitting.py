"""What a document does so that its texts fit: sizes of its title, and no page of small print alone."""

from __future__ import annotations

from typing import Final, NamedTuple

from billing.adapters.pdf import wording
from billing.adapters.pdf.sheet import Page, Style, width_of

FITTING: Final = 3  # the generation of templates from which a title is made to fit, and small print kept company
_SECOND_LANGUAGE, _SECOND_LEADING = 0.6, 0.7  # of the size and leading of the first
_TIGHTER = ((0.6, 1.0, 0.9), (0.5, 0.93, 0.85))  # of the gap between blocks, of the size and leading of small print


def title_lines(document: wording.PrintedDocument, style: Style, width: float) -> list[tuple[str, Style]]:
    """The title within the width; a second language below it, in smaller type."""
    titles = wording.titles(document)
    if document.generation < FITTING:
        return [(wording.title(document), style)]
    first, *others = titles
    smaller = style._replace(size=style.size * _SECOND_LANGUAGE, leading=style.leading * _SECOND_LEADING)
    return [(first, _fitted(first, style, width)), *((text, _fitted(text, smaller, width)) for text in others)]


def _fitted(text: str, style: Style, width: float) -> Style:
    """The style, smaller as far as the text needs it."""
    share = min(1.0, width / width_of(text, style))
    return style._replace(size=style.size * share) if share < 1 else style


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


class Mark(NamedTuple):
    """How far pages are drawn, to take back what comes after."""

    pages: int
    texts: int
    boxes: int
    y: float

    @classmethod
    def of(cls, pages: list[Page], y: float) -> Mark:
        return cls(len(pages), len(pages[-1].texts), len(pages[-1].boxes), y)

    def take_back(self, pages: list[Page]) -> float:
        """Returns where drawing goes on. A code of a payment only ever comes after."""
        del pages[self.pages :]
        page = pages[-1]
        del page.texts[self.texts :], page.boxes[self.boxes :]
        page.pattern = None
        return self.y
