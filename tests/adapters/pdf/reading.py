"""What a PDF prints, read back from its content streams through the fonts' own Unicode maps."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

import pikepdf


@dataclass(frozen=True, slots=True)
class Printed:
    x: float
    y: float
    text: str


def opened(pdf: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(pdf))


def pages(pdf: bytes) -> list[list[Printed]]:
    """The texts of each page in the order they are drawn."""
    with opened(pdf) as document:
        return [_texts(page) for page in document.pages]


def words(pdf: bytes) -> str:
    """All text with single plain spaces, whatever the lines and pages it is broken over."""
    return plain(" ".join(printed.text for page in pages(pdf) for printed in page))


def plain(text: str) -> str:
    return " ".join(text.split())


def fonts(document: pikepdf.Pdf) -> dict[str, pikepdf.Object]:
    return {
        str(font.BaseFont): font for page in document.pages for font in (page.Resources.get("/Font") or {}).values()
    }


def _texts(page: pikepdf.Page) -> list[Printed]:
    maps = {name: _unicode_map(font) for name, font in page.Resources.Font.items()}
    found, x, y, current = [], 0.0, 0.0, {}
    for instruction in pikepdf.parse_content_stream(page):
        operands, operator = instruction.operands, str(instruction.operator)
        if operator == "Tf":
            current = maps[str(operands[0])]
        elif operator == "Tm":
            x, y = float(operands[4]), float(operands[5])
        elif operator == "Tj":
            codes = bytes(operands[0])
            text = "".join(current[codes[at : at + 2]] for at in range(0, len(codes), 2))
            found.append(Printed(x, y, text))
    return found


def _unicode_map(font: pikepdf.Object) -> dict[bytes, str]:
    cmap = font.ToUnicode.read_bytes().decode("ascii")
    pairs = re.findall(r"^<([0-9A-F]{4})> <([0-9A-F]+)>$", cmap, re.MULTILINE)
    return {bytes.fromhex(code): bytes.fromhex(text).decode("utf-16-be") for code, text in pairs}
