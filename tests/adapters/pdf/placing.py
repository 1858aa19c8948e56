"""Where texts stand on a laid out page: inside it, and apart from each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from billing.adapters.pdf.sheet import HEIGHT, WIDTH, Page, width_of

MARGIN = 35.0
_TOLERANCE = 0.6


class Seen(NamedTuple):
    """What is seen of a text: its box, from the top left corner of the page."""

    left: float
    top: float
    right: float
    bottom: float
    text: str


def seen(page: Page) -> Iterator[Seen]:
    for text in page.texts:
        size = text.style.size
        right = text.x + width_of(text.text, text.style)
        yield Seen(text.x, text.y - 0.73 * size, right, text.y + 0.05 * size, text.text)


def assert_well_placed(page: Page) -> None:
    """Every text on the page, and none over another."""
    ordered = sorted(seen(page), key=lambda one: one.top)
    for index, one in enumerate(ordered):
        assert one.left >= MARGIN, one.text
        assert one.right <= WIDTH - MARGIN, one.text
        assert one.top >= 14, one.text
        assert one.bottom <= HEIGHT - 10, one.text
        for other in ordered[index + 1 :]:
            if other.top >= one.bottom - _TOLERANCE:
                break
            beside = other.left >= one.right - _TOLERANCE or one.left >= other.right - _TOLERANCE
            assert beside, (one.text, other.text)
