"""What is drawn over the pages of a document that is not the original: a watermark, and a stamp by the title."""

from __future__ import annotations

import itertools

from billing.adapters.pdf.fonts import SEMIBOLD
from billing.adapters.pdf.sheet import WIDTH, Colour, Page, Style, Watermark, width_of, wrap
from billing.adapters.pdf.theme import BUYER_X

_INK = Colour(0.11, 0.14, 0.18)
_WHITE = Colour(1, 1, 1)
_SIZES = (8.5, 7.5, 6.5, 5.5)
_CAP_HEIGHT = 0.73  # of the size of its type
_WIDEST = WIDTH - 51.0 - BUYER_X
_PAD, _PAD_ABOVE = 8.0, 3.2
_LINE = 0.9


def watermark(word: str) -> Watermark:
    return Watermark(word, SEMIBOLD, _INK)


def stamp(page: Page, text: str) -> None:
    """A frame between the title of a first page and its buyer, where no design writes; in smaller type when long."""
    if not text:
        return
    title = list(itertools.takewhile(lambda one: one.x == BUYER_X, page.texts))
    buyer = next(one for one in page.texts[len(title) :] if one.x == BUYER_X)
    bottom = buyer.y - _CAP_HEIGHT * buyer.style.size - 2
    ground = max((box.y + box.height for box in page.boxes if box.x == box.y == 0), default=0.0)
    room = bottom - max(title[-1].y + 3, ground + 1)
    lines, style = _set(text, room - 2 * _PAD_ABOVE)
    height = len(lines) * style.leading + 2 * _PAD_ABOVE
    width = max(width_of(line, style) for line in lines) + 2 * _PAD
    x, y = BUYER_X, bottom - height - min(4.0, max(0.0, room - height))
    page.box(x, y, width, height, _INK, radius=3)
    page.box(x + _LINE, y + _LINE, width - 2 * _LINE, height - 2 * _LINE, _WHITE, radius=2.2)
    for rank, line in enumerate(lines):
        page.text(x + _PAD, y + _PAD_ABOVE + (rank + 0.78) * style.leading, line, style)


def _set(text: str, room: float) -> tuple[list[str], Style]:
    """In the largest type that fits; the smallest takes what it needs, over the ground of the title if it must."""
    style, *smaller = (Style(SEMIBOLD, size, size * 1.25, _INK) for size in _SIZES)
    lines = wrap(text, style, _WIDEST - 2 * _PAD)
    while smaller and len(lines) * style.leading > room:
        style = smaller.pop(0)
        lines = wrap(text, style, _WIDEST - 2 * _PAD)
    return lines, style
