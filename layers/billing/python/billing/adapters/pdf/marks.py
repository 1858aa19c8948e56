"""What is drawn over the pages of a document that is not the original: a watermark, and a stamp in the top margin."""

from __future__ import annotations

from billing.adapters.pdf.fonts import SEMIBOLD
from billing.adapters.pdf.sheet import WIDTH, Colour, Page, Style, Watermark, width_of

_INK = Colour(0.11, 0.14, 0.18)
_WHITE = Colour(1, 1, 1)
_STAMP = Style(SEMIBOLD, 8.5, 12, _INK)
_STAMP_TOP = 8.0
_STAMP_HEIGHT = 20.0
_PAD = 10.0
_WIDEST = WIDTH - 80.0
_LINE = 0.9


def watermark(word: str) -> Watermark:
    return Watermark(word, SEMIBOLD, _INK)


def stamp(pages: list[Page], text: str) -> None:
    """A framed line in the top margin of every page, where no design writes, in smaller type when it is long."""
    if not text:
        return
    style = _STAMP._replace(size=_STAMP.size * min(1.0, _WIDEST / width_of(text, _STAMP)))
    width = width_of(text, style) + 2 * _PAD
    x = (WIDTH - width) / 2
    for page in pages:
        page.box(x, _STAMP_TOP, width, _STAMP_HEIGHT, _INK, radius=4)
        page.box(x + _LINE, _STAMP_TOP + _LINE, width - 2 * _LINE, _STAMP_HEIGHT - 2 * _LINE, _WHITE, radius=3.2)
        page.text(x + _PAD, _STAMP_TOP + 13, text, style)
