"""Pages as lists of texts and shapes: laid out first, drawn once the number of pages is known.

Positions are in points from the top left corner of an A4 page, text at its baseline.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from reportlab.pdfgen.canvas import Canvas

from billing.adapters.pdf.fonts import embedded_font
from billing.adapters.pdf.logo import PreparedLogo
from billing.adapters.pdf.qr import Code
from billing.domain.typography import printable

WIDTH = 595.28
HEIGHT = 841.89
_PRINTED = 4  # flag of an annotation
_LOGO = "Logo"
_PART_GAP = " · "
_HYPHEN = "-"
_WATERMARK_LENGTH = 760.0  # of a diagonal of 1031
_LARGEST_WATERMARK = 128.0
_WATERMARK_ALPHA = 0.075
_CAPITAL = 0.727  # height of a capital letter, of the size of the type
_LEAST_FILL = 0.75  # of a line that ends after a hyphen of the word


class Colour(NamedTuple):
    """sRGB, each channel from 0 to 1."""

    red: float
    green: float
    blue: float


class Style(NamedTuple):
    font: str
    size: float
    leading: float
    colour: Colour


class Text(NamedTuple):
    x: float
    y: float
    text: str
    style: Style


class Box(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    colour: Colour
    radius: float


class Pattern(NamedTuple):
    """A QR code: dark modules of ``module`` points on white."""

    x: float
    y: float
    module: float
    code: Code


class Address(NamedTuple):
    """Where a reader who points at a rectangle of the page is led."""

    x: float
    y: float
    width: float
    height: float
    url: str


class Watermark(NamedTuple):
    """A word along the rising diagonal of every page: over panels, under texts, so that no figure is hidden."""

    text: str
    font: str
    colour: Colour


@dataclass(slots=True)
class Page:
    texts: list[Text] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    logo: tuple[float, float, PreparedLogo] | None = None
    patterns: list[Pattern] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)

    def text(self, x: float, y: float, text: str, style: Style) -> None:
        if text:
            self.texts.append(Text(x, y, text, style))

    def text_right(self, x: float, y: float, text: str, style: Style) -> None:
        """The text ends at ``x``."""
        self.text(x - width_of(text, style), y, text, style)

    def box(self, x: float, y: float, width: float, height: float, colour: Colour, *, radius: float = 0) -> None:
        self.boxes.append(Box(x, y, width, height, colour, radius))


def width_of(text: str, style: Style) -> float:
    return float(embedded_font(style.font).stringWidth(text, style.size))


def wrap(text: str, style: Style, width: float) -> list[str]:
    """Lines no wider than ``width``: broken at spaces, inside a word only when it alone is too wide."""
    return [line for paragraph in printable(text).strip().split("\n") for line in _wrap_line(paragraph, style, width)]


def wrap_parts(parts: list[str], style: Style, width: float) -> list[str]:
    """Parts apart by middle dots, broken between two of them; inside one only when it alone is too wide."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{_PART_GAP}{one_line(part)}" if lines else ""
        if longer and width_of(longer, style) <= width:
            lines[-1] = longer
        else:
            lines += wrap(one_line(part), style, width)
    return lines


def one_line(text: str) -> str:
    return printable(text).replace("\n", " ").strip()


def _wrap_line(paragraph: str, style: Style, width: float) -> Iterator[str]:
    measure = embedded_font(style.font).stringWidth
    size = style.size
    if measure(paragraph, size) <= width:
        yield paragraph.rstrip(" ")
        return
    line = ""
    for word in filter(None, paragraph.split(" ")):
        longer = f"{line} {word}" if line else word
        if measure(longer, size) <= width:
            line = longer
            continue
        if line:
            yield line
        line = word
        while line and measure(line, size) > width:  # whatever the width: a character has its line
            shown, line = _cut(line, style, width)
            yield shown
    yield line


def _cut(word: str, style: Style, width: float) -> tuple[str, str]:
    """What of a word fits, and the rest: after one of its hyphens, else with one when it is made of letters.

    A hyphen added to a reference, an address of the web or a number would falsify it.
    """
    kept = _fitting(word, style, width)
    own = word.rfind(_HYPHEN, 0, kept) + 1
    if own > _LEAST_FILL * kept:
        return word[:own], word[own:]
    shorter = _fitting(word, style, width - width_of(_HYPHEN, style))
    before, after = word[:shorter].split(), word[shorter:].split()
    if shorter > 1 and word[shorter - 1 : shorter + 1].isalpha() and (before[-1] + after[0]).isalpha():
        return word[:shorter] + _HYPHEN, word[shorter:]
    return word[:kept], word[kept:]


def _fitting(word: str, style: Style, width: float) -> int:
    """How many characters of a word fit, at least one."""
    measure = embedded_font(style.font).stringWidth
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(word[:middle], style.size) <= width:
            low = middle
        else:
            high = middle - 1
    return low


def draw(pages: list[Page], watermark: Watermark | None = None) -> Canvas:
    """A canvas that holds the drawn pages and is not saved yet."""
    first_font = pages[0].texts[0].style.font
    embedded_font(first_font)
    canvas = Canvas(io.BytesIO(), pagesize=(WIDTH, HEIGHT), pageCompression=1, invariant=1, initialFontName=first_font)
    for page in pages:
        _draw_boxes(canvas, page.boxes)
        if watermark is not None:
            _draw_watermark(canvas, watermark)
        for pattern in page.patterns:
            _draw_pattern(canvas, pattern)
        for address in page.addresses:
            _draw_address(canvas, address)
        if page.logo is not None:
            _draw_logo(canvas, *page.logo)
        _draw_texts(canvas, page.texts)
        canvas.showPage()
    return canvas


def _draw_boxes(canvas: Canvas, boxes: list[Box]) -> None:
    colour: Colour | None = None
    for box in boxes:
        if box.colour != colour:
            colour = box.colour
            canvas.setFillColorRGB(*colour)
        y = HEIGHT - box.y - box.height
        if box.radius:
            canvas.roundRect(box.x, y, box.width, box.height, box.radius, stroke=0, fill=1)
        else:
            canvas.rect(box.x, y, box.width, box.height, stroke=0, fill=1)


def _draw_watermark(canvas: Canvas, watermark: Watermark) -> None:
    """As large as fits between the margins. Transparent, for a panel would hide what is behind it."""
    unit = width_of(watermark.text, Style(watermark.font, 1, 1, watermark.colour))
    size = min(_WATERMARK_LENGTH / unit, _LARGEST_WATERMARK)
    canvas.saveState()
    canvas.translate(WIDTH / 2, HEIGHT / 2)
    canvas.rotate(math.degrees(math.atan2(HEIGHT, WIDTH)))
    canvas.setFillColorRGB(*watermark.colour)
    canvas.setFillAlpha(_WATERMARK_ALPHA)
    run = canvas.beginText()
    run.setFont(watermark.font, size)
    run.setTextOrigin(-unit * size / 2, -_CAPITAL / 2 * size)
    run.textOut(watermark.text)
    canvas.drawText(run)
    canvas.restoreState()


def _draw_pattern(canvas: Canvas, pattern: Pattern) -> None:
    """All modules as one path: hundreds of rectangles one by one would take as long as the rest of the page."""
    canvas.setFillColorRGB(0, 0, 0)
    scale, x, y = f"{pattern.module:.4f}", f"{pattern.x:.2f}", f"{HEIGHT - pattern.y:.2f}"
    path = " ".join(f"{run.column} {-run.row - 1} {run.length} 1 re" for run in pattern.code.runs)
    # The canvas has no call for a path of rectangles. One module is one unit: whole numbers are written fast.
    canvas._code.append(f"q {scale} 0 0 {scale} {x} {y} cm {path} f Q")  # noqa: SLF001


def _draw_address(canvas: Canvas, address: Address) -> None:
    """Printed with the page, as PDF/A asks of every annotation (6.3.2)."""
    top = HEIGHT - address.y
    box = (address.x, top - address.height, address.x + address.width, top)
    canvas.linkURL(address.url, box, relative=0, thickness=0, F=_PRINTED)


def _draw_logo(canvas: Canvas, x: float, y: float, logo: PreparedLogo) -> None:
    document = canvas._doc  # noqa: SLF001 - the only way to hand over pixels that are compressed already
    if not document.hasForm(_LOGO):
        document.addForm(_LOGO, logo.stream())
    canvas.saveState()
    canvas.translate(x, HEIGHT - y - logo.height)
    canvas.scale(logo.width, logo.height)
    canvas.doForm(_LOGO)
    canvas.restoreState()


def _draw_texts(canvas: Canvas, texts: list[Text]) -> None:
    run = canvas.beginText()
    style: Style | None = None
    colour: Colour | None = None
    for text in texts:
        if text.style.colour != colour:
            colour = text.style.colour
            run.setFillColorRGB(*colour)
        if text.style != style:
            style = text.style
            run.setFont(style.font, style.size)
        run.setTextOrigin(text.x, HEIGHT - text.y)
        run.textOut(text.text)
    canvas.drawText(run)
